"""artisan's commands about people, domains and lists, with the application's own words where it refuses."""

from __future__ import annotations

import secrets

from standin import accounts, database, jobs_queue, people
from standin.signatures import Command, Options, many


def user_create(options: Options, words: list[str]) -> int:
    """The account at once, its mailbox by a job; neither mailbox nor job without a package that has one."""
    password = str(options.get("password") or secrets.token_urlsafe())
    made = people.create_user(
        words[0], password, many(options, "package"), str(options["role"]) if "role" in options else None
    )
    print(made)
    return 0


def user_password(_: Options, words: list[str]) -> int:
    """user:password EMAIL PASSWORD"""
    accounts.set_password(words[0], words[1])
    print("Password updated.")
    return 0


def user_add_alias(_: Options, words: list[str]) -> int:
    """user:add-alias EMAIL ALIAS"""
    accounts.add_alias(words[0], words[1])
    return 0


def user_suspend(_: Options, words: list[str]) -> int:
    """user:suspend EMAIL"""
    accounts.find(words[0])
    accounts.set_status(words[0], add=accounts.SUSPENDED)
    return 0


def user_unsuspend(_: Options, words: list[str]) -> int:
    """user:unsuspend EMAIL"""
    accounts.find(words[0])
    accounts.set_status(words[0], remove=accounts.SUSPENDED)
    return 0


def user_aliases(_: Options, words: list[str]) -> int:
    """Each alias."""
    number = accounts.find(words[0])[0]
    for (alias,) in database.rows("SELECT alias FROM user_aliases WHERE user_id = %s ORDER BY id", (number,)):
        print(alias)
    return 0


def user_entitlements(_: Options, words: list[str]) -> int:
    """Parts and how many of each."""
    for sku, count in people.entitlements("user", accounts.find(words[0])[0]).items():
        print(f"{sku}: {count}")
    return 0


def user_assign_sku(options: Options, words: list[str]) -> int:
    """More of a part; a changed mailbox gets its quota by a job."""
    number, sku = accounts.find(words[0])[0], _sku(words[1])
    quantity = int(str(options.get("qty") or 0))
    if not quantity and sku in people.entitlements("user", number):
        raise people.Refused("The entitlement already exists. Maybe try with --qty=X?")
    people.assign("user", number, sku, quantity or 1, people.wallet_of(number))
    jobs_queue.push("create-mailbox", email=words[0].lower())
    return 0


def user_remove_sku(options: Options, words: list[str]) -> int:
    """Less of a part."""
    number, sku = accounts.find(words[0])[0], _sku(words[1])
    quantity = int(str(options.get("qty") or 1))
    if people.entitlements("user", number).get(sku, 0) < quantity:
        raise people.Refused("There aren't that many entitlements.")
    database.rows(
        "DELETE FROM entitlements WHERE kind = 'user' AND entitleable_id = %s AND sku = %s LIMIT %s",
        (number, sku, quantity),
    )
    jobs_queue.push("create-mailbox", email=words[0].lower())
    return 0


def _sku(title: str) -> str:
    if title not in people.SKUS:
        raise people.Refused(f"Unable to find the SKU {title}.")
    return title


def user_wallets(_: Options, words: list[str]) -> int:
    """The wallet of a user."""
    print(people.wallet_of(accounts.find(words[0])[0]))
    return 0


def user_delete(_: Options, words: list[str]) -> int:
    """The account at once, its mailbox by a job."""
    number = accounts.find(words[0])[0]
    database.rows("DELETE FROM user_aliases WHERE user_id = %s", (number,))
    database.rows("UPDATE users SET deleted_at = NOW(), status = (status | 8) & ~2 WHERE id = %s", (number,))
    jobs_queue.push("delete-mailbox", email=words[0].lower())
    return 0


def listing(table: str, key: str = "id") -> Command:
    """A command that lists objects: the key, and the attributes that are asked for."""

    def run(options: Options, _: list[str]) -> int:
        names = [key, *many(options, "attr")]
        columns = ", ".join(f"`{name}`" for name in names)
        for found in database.rows(f"SELECT {columns} FROM `{table}` WHERE deleted_at IS NULL ORDER BY 1"):  # noqa: S608
            print(*("null" if value is None else value for value in found))
        return 0

    return run


def domain_create(options: Options, words: list[str]) -> int:
    """A domain of nobody, not confirmed."""
    print(people.create_domain(words[0], force="force" in options))
    return 0


def domain_set_wallet(options: Options, words: list[str]) -> int:
    """Gives a domain to an owner."""
    number, _ = people.domain(words[0])
    if not database.rows("SELECT 1 FROM wallets WHERE id = %s", (words[1],)):
        raise people.Refused("Wallet not found.")
    if wallet := people.owned(number):
        raise people.Refused(f"Domain already assigned to a wallet: {wallet}.")
    if options.get("package", "domain-hosting") not in people.PACKAGES:
        raise people.Refused("Package not found.")
    people.assign("domain", number, "domain-hosting", 1, words[1])
    return 0


def domain_set_status(_: Options, words: list[str]) -> int:
    """domain:set-status DOMAIN STATUS"""
    people.domain(words[0])
    print(f"Status ({people.set_domain_status(words[0], int(words[1]))})")
    return 0


def domain_suspend(_: Options, words: list[str]) -> int:
    """domain:suspend DOMAIN"""
    people.set_domain_status(words[0], people.domain(words[0])[1] | 4)
    return 0


def domain_unsuspend(_: Options, words: list[str]) -> int:
    """domain:unsuspend DOMAIN"""
    people.set_domain_status(words[0], people.domain(words[0])[1] & ~4)
    return 0


def domain_delete(_: Options, words: list[str]) -> int:
    """domain:delete DOMAIN"""
    people.domain(words[0])
    database.rows(
        "UPDATE domains SET deleted_at = NOW(), status = 8 WHERE namespace = %s", (words[0].lower(),)
    )
    return 0


def group_create(options: Options, words: list[str]) -> int:
    """group:create EMAIL --member=*"""
    people.create_group(words[0], many(options, "member"))
    return 0


def group_add_member(_: Options, words: list[str]) -> int:
    """group:add-member GROUP MEMBER"""
    there = people.members(words[0])
    if words[1].lower() in there:
        raise people.Refused(f"{words[1]}: Already exists in the group.")
    people.write_members(words[0], [*there, words[1].lower()])
    return 0


def group_remove_member(_: Options, words: list[str]) -> int:
    """group:remove-member GROUP MEMBER"""
    there = people.members(words[0])
    if words[1].lower() not in there:
        raise people.Refused(f"Member {words[1]} not found in the group.")
    people.write_members(words[0], [each for each in there if each != words[1].lower()])
    return 0


def group_info(_: Options, words: list[str]) -> int:
    """group:info GROUP"""
    there = people.members(words[0])
    print(f"Email: {words[0].lower()}", *(f"Member: {each}" for each in there), sep="\n")
    return 0


def group_delete(_: Options, words: list[str]) -> int:
    """group:delete GROUP"""
    people.delete_group(words[0])
    return 0


def nothing(_: Options, __: list[str]) -> int:
    """There is none here."""
    return 0


COMMANDS: dict[str, Command] = {
    "domain:create": domain_create,
    "domain:delete": domain_delete,
    "domain:set-status": domain_set_status,
    "domain:set-wallet": domain_set_wallet,
    "domain:suspend": domain_suspend,
    "domain:unsuspend": domain_unsuspend,
    "domains": listing("domains"),
    "group:add-member": group_add_member,
    "group:create": group_create,
    "group:delete": group_delete,
    "group:info": group_info,
    "group:remove-member": group_remove_member,
    "groups": listing("groups"),
    "resources": nothing,
    "user:add-alias": user_add_alias,
    "user:aliases": user_aliases,
    "user:assign-sku": user_assign_sku,
    "user:create": user_create,
    "user:delete": user_delete,
    "user:entitlements": user_entitlements,
    "user:password": user_password,
    "user:remove-sku": user_remove_sku,
    "user:suspend": user_suspend,
    "user:unsuspend": user_unsuspend,
    "user:wallets": user_wallets,
    "users": listing("users"),
}
