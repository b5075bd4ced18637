"""Owners, packages, lists: what the application's commands about people do, in so far as mail and operators see it.

Sources: src/app/Console/Commands/{User,Domain,Group}, config.prod/src/database/seeds/AdminSeeder.php.
"""

from __future__ import annotations

import os

from standin import accounts, jobs_queue
from standin.database import rows

PACKAGES = {"kolab": {"mailbox": 1, "groupware": 1, "storage": 5}, "domain": {"domain-hosting": 1}}
SKUS = ("mailbox", "groupware", "storage", "2fa", "activesync", "group", "domain-hosting")


class Refused(Exception):
    """The application's own words."""


def wallet_of(user: int) -> str:
    """The wallet of a user, made with the account."""
    rows("INSERT IGNORE INTO wallets (id, user_id) VALUES (%s, %s)", (f"wallet-{user}", user))
    return f"wallet-{user}"


def assign(kind: str, number: int, sku: str, quantity: int, wallet: str) -> None:
    """So many of a part."""
    for _ in range(quantity):
        rows(
            "INSERT INTO entitlements (kind, entitleable_id, sku, wallet_id) VALUES (%s, %s, %s, %s)",
            (kind, number, sku, wallet),
        )


def entitlements(kind: str, number: int) -> dict[str, int]:
    """Parts and how many there are of each."""
    found = rows(
        "SELECT sku, COUNT(*) FROM entitlements WHERE kind = %s AND entitleable_id = %s GROUP BY sku",
        (kind, number),
    )
    return dict(found)


def domain(name: str) -> tuple[int, int]:
    """(id, status) of a domain. Raises Refused."""
    found = rows(
        "SELECT id, status FROM domains WHERE namespace = %s AND deleted_at IS NULL", (name.lower(),)
    )
    if not found:
        raise Refused("Domain not found.")
    return found[0]


def owned(number: int) -> str | None:
    """The wallet that a domain belongs to."""
    found = rows(
        "SELECT wallet_id FROM entitlements WHERE kind = 'domain' AND entitleable_id = %s", (number,)
    )
    return found[0][0] if found else None


def create_user(email: str, password: str, packages: list[str], role: str | None) -> int:
    """An account; with a package that has one, a mailbox by a job."""
    name = email.rpartition("@")[2]
    if role not in ("admin", "reseller"):
        try:
            number, _ = domain(name)
        except Refused:
            raise Refused(f"No such domain {name}.") from None
        if owned(number) is None:
            raise Refused('Attempt to read property "owner" on null')
    for package in packages:
        if package not in PACKAGES:
            raise Refused(f"Invalid package: {package}")
    taken = rows("SELECT 1 FROM users WHERE email = %s AND deleted_at IS NULL", (email.lower(),))
    taken += rows("SELECT 1 FROM user_aliases WHERE alias = %s", (email.lower(),))
    if taken:
        raise Refused(f"{email}: The specified email is not available.")
    rows("DELETE FROM users WHERE email = %s AND deleted_at IS NOT NULL", (email.lower(),))
    made = accounts.create_user(email, password, role)
    wallet = wallet_of(made)
    for package in packages:
        for sku, quantity in PACKAGES[package].items():
            assign("user", made, sku, quantity, wallet)
    if "kolab" in packages:
        jobs_queue.push("create-mailbox", email=email.lower())
    return made


def seed() -> None:
    """The primary domain, and the administrator who owns it."""
    name = os.environ["APP_DOMAIN"]
    accounts.create_domain(name)
    admin = f"admin@{name}"
    number, _ = domain(name)
    user = rows("SELECT id FROM users WHERE email = %s", (admin,))[0][0]
    wallet = wallet_of(user)
    if not entitlements("user", user):
        for sku, quantity in PACKAGES["kolab"].items():
            assign("user", user, sku, quantity, wallet)
    if owned(number) is None:
        assign("domain", number, "domain-hosting", 1, wallet)


def set_domain_status(name: str, status: int) -> int:
    """As the application's own setter corrects it (Domain::setStatusAttribute)."""
    if status & 16:
        status |= 32 | 2
    if status & (8 | 4):
        status &= ~2
    if status & 2:
        status &= ~1
    rows("UPDATE domains SET status = %s, updated_at = NOW() WHERE namespace = %s", (status, name.lower()))
    return status


def create_domain(name: str, *, force: bool) -> str:
    """A new domain: nobody's, and not confirmed."""
    name = name.lower()
    found = rows("SELECT deleted_at FROM domains WHERE namespace = %s", (name,))
    if found and not force:
        raise Refused(f"Domain {name} already exists.")
    if found and found[0][0] is None:
        raise Refused(f"Domain {name} not marked as deleted... examine more closely")
    if found:
        rows("UPDATE domains SET deleted_at = NULL, status = 1 WHERE namespace = %s", (name,))
        number, _ = domain(name)
        rows("DELETE FROM entitlements WHERE kind = 'domain' AND entitleable_id = %s", (number,))
        return f"Domain {name} with ID {number} revived."
    number = accounts.new_id()
    rows(
        "INSERT INTO domains (id, namespace, status, type, tenant_id, created_at, updated_at)"
        " VALUES (%s, %s, 1, 4, %s, NOW(), NOW())",
        (number, name, os.environ.get("APP_TENANT_ID") or None),
    )
    return f"Domain {name} created with ID {number}."


def members(email: str) -> list[str]:
    """Of a list. Raises Refused."""
    found = rows("SELECT members FROM `groups` WHERE email = %s AND deleted_at IS NULL", (email.lower(),))
    if not found:
        raise Refused(f"Group {email} does not exist.")
    return [each for each in (found[0][0] or "").split(",") if each]


def write_members(email: str, wanted: list[str]) -> None:
    """Replaces the members of a list, which Postfix of generation B reads in a table of their own."""
    email = email.lower()
    rows("UPDATE `groups` SET members = %s WHERE email = %s", (",".join(wanted), email))
    number = rows("SELECT id FROM `groups` WHERE email = %s", (email,))[0][0]
    rows("DELETE FROM group_members WHERE group_id = %s", (number,))
    for each in wanted:
        rows("INSERT INTO group_members (group_id, email) VALUES (%s, %s)", (number, each))


def create_group(email: str, wanted: list[str]) -> None:
    """A list, of use at once. Raises Refused."""
    email = email.lower()
    _, _ = domain(email.rpartition("@")[2])
    if rows("SELECT 1 FROM `groups` WHERE email = %s", (email,)) or rows(
        "SELECT 1 FROM users WHERE email = %s", (email,)
    ):
        raise Refused(f"{email}: The specified email is not available.")
    rows(
        "INSERT INTO `groups` (email, status, created_at, updated_at) VALUES (%s, 2, NOW(), NOW())", (email,)
    )
    write_members(email, wanted)


def delete_group(email: str) -> None:
    """Raises Refused."""
    members(email)
    write_members(email, [])
    rows("DELETE FROM `groups` WHERE email = %s", (email.lower(),))
