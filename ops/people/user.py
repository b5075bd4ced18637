"""`./kolab user`: accounts of people, one or many."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from model.settings import Passwords, Settings
from ops import artisan
from ops.artisan import Call, call
from ops.frame import add_actions, add_context, add_dry_run, add_json, go_ahead
from ops.kubectl import Kubectl, of_stack
from ops.people import application, bulk, passwords, plan
from ops.people.application import SECOND_FACTOR, USER_PACKAGE, User
from ops.people.bulk import Account
from ops.stacks import StackProblem
from ops.tables import table

_AT_ONCE = 50
"""Accounts in one go: a minute of work between two lines of progress."""


def add_command(commands: Any) -> None:
    """Registers the command."""
    for name, sub in add_actions(
        commands, "user", "make, show, change, suspend and remove accounts", _ACTIONS
    ):
        if name != "list":
            sub.add_argument("email", nargs="?" if name == "add" else None, help="address of the account")
        if name == "quota":
            sub.add_argument("quota", type=int, metavar="GIB", help="room in the mailbox, GiB")
        if name == "alias":
            sub.add_argument("alias", nargs="+", help="further addresses")
        if name == "add":
            sub.add_argument(
                "--from", dest="file", type=Path, metavar="FILE", help="many, of a .csv or .ldif file"
            )
            sub.add_argument("--quota", type=int, metavar="GIB", help="room in the mailbox; default: 5")
            sub.add_argument(
                "--alias", action="append", default=[], help="a further address; may be repeated"
            )
        if name in ("add", "passwd"):
            sub.add_argument(
                "--passwords-to",
                type=Path,
                metavar="FILE",
                help="have passwords made, and written to this new file",
            )
        if name in ("list", "show"):
            add_json(sub)
        elif name == "remove":
            add_context(sub)
        else:
            add_dry_run(sub)


def _one(options: argparse.Namespace) -> tuple[Settings, Kubectl, User]:
    """The account that is meant. Raises StackProblem when there is none."""
    settings, cluster = of_stack(options.stack)
    return settings, cluster, application.user(cluster, options.email, settings)


def show_all(options: argparse.Namespace) -> None:
    """Prints every account."""
    _, cluster = of_stack(options.stack)
    found = sorted(application.users(cluster).values(), key=lambda user: user.email)
    if options.json:
        print(json.dumps([{"email": each.email, "state": each.state} for each in found], indent=2))
    else:
        print(table(("ACCOUNT", "STATE"), [(each.email, each.state) for each in found]))


def show(options: argparse.Namespace) -> None:
    """Prints one account."""
    _, cluster, user = _one(options)
    more = application.details(cluster, [user.email])[user.email]
    said = {
        "email": user.email,
        "state": user.state,
        "gigabytes": more.gigabytes,
        "aliases": list(more.aliases),
        "secondFactor": SECOND_FACTOR in more.parts,
    }
    if options.json:
        print(json.dumps(said, indent=2))
    else:
        print(
            f"{user.email}: {user.state}, {more.gigabytes} GiB, second factor {'on' if said['secondFactor'] else 'off'}"
            f"\naliases: {', '.join(more.aliases) or 'none'}"
        )


def add(options: argparse.Namespace) -> int:
    """Makes accounts that are not there; those that are get what they lack. Passwords of theirs stay as they are."""
    settings, cluster = of_stack(options.stack)
    wanted = _wanted(options, settings)
    there = application.users(cluster)
    new = [each for each in wanted if each.email not in there]
    if options.dry_run:
        known = application.details(cluster, [each.email for each in wanted if each.email in there])
        for each in wanted:
            print(f"{each.email}: {plan.intent(each, known.get(each.email))}")
        return 0
    given = _passwords(options, new, settings.passwords)
    failed = _in_portions(
        cluster,
        [call("user:create", email=e.email, _package=[USER_PACKAGE], _password=given[e.email]) for e in new],
        "made",
    )
    settled = [each for each in wanted if each.email not in failed]
    known = application.details(cluster, [each.email for each in settled])
    failed |= _in_portions(
        cluster, [step for each in settled for step in plan.lacking(each, known[each.email])], "changed"
    )
    for each in wanted:
        if each.email not in failed:
            print(f"{each.email}: {'made' if each in new else 'there already'}")
    for who, reason in failed.items():
        print(f"user: {who}: {reason}", file=sys.stderr)
    return 1 if failed else 0


def _wanted(options: argparse.Namespace, settings: Settings) -> list[Account]:
    if (options.email is None) == (options.file is None):
        raise StackProblem("name one account, or many with --from FILE")
    if options.file is None:
        aliases = tuple(application.address(each, settings) for each in options.alias)
        return [Account(application.address(options.email, settings), None, _gib(options.quota), aliases)]
    found = bulk.read(options.file, settings)
    if options.alias:
        raise StackProblem("--alias is for one account; in a file there is the column aliases")
    return [replace(each, quota=each.quota or _gib(options.quota)) for each in found]


def _gib(quota: int | None) -> int | None:
    if quota is not None and not 1 <= quota <= 10_000:
        raise StackProblem("a quota is a whole number of GiB from 1 to 10000")
    return quota


def _passwords(options: argparse.Namespace, new: Sequence[Account], wanted: Passwords) -> dict[str, str]:
    """A password for each new account. Those that are made are on disk before anything else happens."""
    given = {each.email: each.password for each in new if each.password}
    lacking_one = [each.email for each in new if not each.password]
    if options.passwords_to:
        made = {email: passwords.made(wanted) for email in lacking_one}
        passwords.write(options.passwords_to, made)
        return given | made
    if lacking_one and options.file:
        raise StackProblem(
            f"{len(lacking_one)} accounts of {options.file.name} have no password (hashes of a directory are none);"
            " --passwords-to FILE has them made; nothing was changed"
        )
    return given | {email: passwords.ask(email, wanted) for email in lacking_one}


def _in_portions(cluster: Kubectl, steps: Sequence[Call], done: str) -> dict[str, str]:
    """Who failed, and why. One that fails keeps nobody else from being served."""
    failed: dict[str, str] = {}
    for begin in range(0, len(steps), _AT_ONCE):
        portion = steps[begin : begin + _AT_ONCE]
        for each, answer in zip(portion, artisan.run(cluster, portion), strict=True):
            if answer.code != 0:
                who = str(each.arguments.get("email") or each.arguments.get("user"))
                failed[who] = artisan.refusal(each, answer)
        if len(steps) > _AT_ONCE:
            print(f"user: {begin + len(portion)} of {len(steps)} {done}", file=sys.stderr)
    return failed


def passwd(options: argparse.Namespace) -> None:
    """Sets another password. Open sessions go on until they log in again."""
    settings, cluster, user = _one(options)
    if options.dry_run:
        print(f"{user.email} would get another password")
        return
    if options.passwords_to:
        given = passwords.made(settings.passwords)
        passwords.write(options.passwords_to, {user.email: given})
    else:
        given = passwords.ask(user.email, settings.passwords)
    artisan.must(cluster, [call("user:password", user=user.email, password=given)])
    print(f"{user.email}: has another password")


def suspend(options: argparse.Namespace) -> None:
    """Logins and mail to the account are refused from now on; nothing of it is lost."""
    settings, cluster, user = _one(options)
    _not_the_owner(user, settings)
    _do(options, cluster, call("user:suspend", user=user.email), user,
        "suspended: it cannot log in or send, and mail to it is refused (550) until ./kolab user resume")  # fmt: skip


def resume(options: argparse.Namespace) -> None:
    """Takes a suspension back."""
    _, cluster, user = _one(options)
    _do(options, cluster, call("user:unsuspend", user=user.email), user, "in use again")


def quota(options: argparse.Namespace) -> None:
    """Sets the room in a mailbox."""
    _, cluster, user = _one(options)
    wanted = _gib(options.quota) or 1
    there = application.details(cluster, [user.email])[user.email]
    steps = plan.resize(user.email, wanted - there.gigabytes)
    _do(options, cluster, steps[0] if steps else None, user, f"room for {wanted} GiB (had {there.gigabytes})")


def alias(options: argparse.Namespace) -> None:
    """Adds further addresses; those that it has are left alone."""
    settings, cluster, user = _one(options)
    wanted = [application.address(each, settings) for each in options.alias]
    there = application.details(cluster, [user.email])[user.email]
    for each in wanted:
        new = each not in there.aliases
        step = call("user:add-alias", user=user.email, alias=each) if new else None
        _do(options, cluster, step, user, f"has the alias {each}")


def reset_second_factor(options: argparse.Namespace) -> None:
    """Takes the second factor away from somebody who has lost it; the password alone is enough then."""
    _, cluster, user = _one(options)
    there = application.details(cluster, [user.email])[user.email]
    step = (
        call("user:remove-sku", user=user.email, sku=SECOND_FACTOR) if SECOND_FACTOR in there.parts else None
    )
    _do(options, cluster, step, user, "has no second factor")


def remove(options: argparse.Namespace) -> None:
    """Says what would be deleted; does it once the cluster is named."""
    settings, cluster, user = _one(options)
    _not_the_owner(user, settings)
    there = application.details(cluster, [user.email])[user.email]
    what = (
        f"{user.email} in context {cluster.context} would be removed: its mailbox with all mail, calendars and contacts,"
        f" its files, and {'the aliases ' + ', '.join(there.aliases) if there.aliases else 'no aliases'}. Mail to it is"
        " refused from then on. What a backup holds stays there; to keep everything, ./kolab user suspend."
    )
    if go_ahead(options.context, cluster.context, what):
        artisan.must(cluster, [call("user:delete", user=user.email)])
        print(f"{user.email}: removed")


def _not_the_owner(user: User, settings: Settings) -> None:
    if user.email == f"admin@{settings.domain}":
        raise StackProblem(f"{user.email} owns every domain and account of this stack; nothing was changed")


def _do(options: argparse.Namespace, cluster: Kubectl, step: Call | None, user: User, state: str) -> None:
    """One step, or none where everything is so already."""
    if options.dry_run:
        print(f"{user.email}: {'would be or have' if step else 'is or has already'}: {state}")
        return
    if step:
        artisan.must(cluster, [step])
    print(f"{user.email}: {state}")


_ACTIONS: Mapping[str, tuple[Any, str]] = {
    "add": (add, "make an account, or many of a file; what is there already is left as it is"),
    "list": (show_all, "every account"),
    "show": (show, "one account: state, room, aliases, second factor"),
    "passwd": (passwd, "set another password, from the terminal or standard input"),
    "suspend": (suspend, "refuse logins and mail, and lose nothing"),
    "resume": (resume, "take a suspension back"),
    "quota": (quota, "set the room in a mailbox"),
    "alias": (alias, "add further addresses"),
    "2fa-reset": (reset_second_factor, "take a lost second factor away"),
    "remove": (remove, "delete an account with all that it holds, after a question"),
}
