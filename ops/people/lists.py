"""`./kolab list` and `./kolab resource`: addresses of several people, and rooms and cars."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from model.settings import Settings
from ops import artisan
from ops.artisan import call
from ops.frame import add_actions, add_context, add_dry_run, add_json, add_stack, go_ahead
from ops.kubectl import Kubectl, of_stack
from ops.people import application
from ops.people.in_container import script
from ops.stacks import StackProblem

_KNOWN = script("known.sh")
"""Whether Postfix finds an address in any of its tables."""


def add_command(commands: Any) -> None:
    """Registers both commands."""
    for name, sub in add_actions(
        commands, "list", "distribution lists: make, show, change, remove", _ACTIONS
    ):
        if name != "list":
            sub.add_argument("address", help="of the list")
        if name in ("add", "drop"):
            sub.add_argument("member", nargs="+", help="addresses, also of elsewhere")
            add_dry_run(sub)
        elif name == "remove":
            add_context(sub)
        else:
            add_json(sub)
    rooms = commands.add_parser("resource", help="rooms, cars and what else is booked")
    listing = rooms.add_subparsers(dest="action", required=True).add_parser(
        "list",
        help="every resource; they are made in the web interface, at /resources, since the application has no command for it",
    )
    add_stack(listing)
    add_json(listing)
    listing.set_defaults(run=resources)


def _place(options: argparse.Namespace) -> tuple[Settings, Kubectl, str]:
    settings, cluster = of_stack(options.stack)
    address = application.address(options.address, settings) if "address" in options else ""
    return settings, cluster, address


def show_all(options: argparse.Namespace) -> None:
    """Prints every list."""
    _, cluster, _ = _place(options)
    _print(options, application.names(cluster, "groups", "email"), "There is no list yet.")


def resources(options: argparse.Namespace) -> None:
    """Prints every resource."""
    _, cluster, _ = _place(options)
    _print(options, application.names(cluster, "resources", "email"), "There is no resource yet.")


def _print(options: argparse.Namespace, found: list[str], nothing: str) -> None:
    print(json.dumps(found, indent=2) if options.json else "\n".join(found) or nothing)


def members(cluster: Kubectl, address: str) -> list[str] | None:
    """Who gets what is sent to a list; None when there is no such list."""
    (answer,) = artisan.run(cluster, [call("group:info", group=address)])
    if answer.code != 0:
        return None
    return [line.removeprefix("Member: ") for line in answer.lines if line.startswith("Member: ")]


def _there(cluster: Kubectl, address: str) -> list[str]:
    found = members(cluster, address)
    if found is None:
        raise StackProblem(f"there is no list {address}; ./kolab list list shows all")
    return found


def show(options: argparse.Namespace) -> None:
    """Prints the members of a list."""
    _, cluster, address = _place(options)
    _print(options, _there(cluster, address), f"{address} has no members.")


def add(options: argparse.Namespace) -> int:
    """Makes the list where there is none, and adds who is missing; 1 when Postfix will not find it."""
    settings, cluster, address = _place(options)
    wanted = list(dict.fromkeys(application.address(each, settings, ours=False) for each in options.member))
    there = members(cluster, address)
    new = [each for each in wanted if each not in (there or [])]
    if options.dry_run:
        print(
            f"{address}: {'would be made, with' if there is None else 'would get'} {', '.join(new) or 'nobody more'}"
        )
        return 0
    if there is None:
        artisan.must(cluster, [call("group:create", email=address, _member=new)])
    else:
        artisan.must(cluster, [call("group:add-member", group=address, member=each) for each in new])
    print(f"{address}: {len({*(there or []), *new})} members")
    if not cluster.execute("postfix-0", "postfix", "/bin/bash", "-c", _KNOWN, text=f"{address}\n").strip():
        print(
            f"Postfix of these images finds no list {address} in its tables and refuses mail to it (550 User unknown):"
            " older images have no table of lists."
        )
        return 1
    return 0


def drop(options: argparse.Namespace) -> None:
    """Takes members out; who is none of them is left alone."""
    settings, cluster, address = _place(options)
    there = _there(cluster, address)
    gone = [m for each in options.member if (m := application.address(each, settings, ours=False)) in there]
    if not options.dry_run:
        artisan.must(cluster, [call("group:remove-member", group=address, member=each) for each in gone])
    print(f"{address}: {'would lose' if options.dry_run else 'lost'} {', '.join(gone) or 'nobody'}")


def remove(options: argparse.Namespace) -> None:
    """Says who would get no mail any more; removes the list once the cluster is named."""
    _, cluster, address = _place(options)
    there = _there(cluster, address)
    what = (
        f"{address} in context {cluster.context} would be removed. It has {len(there)} members, who keep their accounts;"
        " mail to it is refused from then on."
    )
    if go_ahead(options.context, cluster.context, what):
        artisan.must(cluster, [call("group:delete", group=address)])
        print(f"{address}: removed")


_ACTIONS: Mapping[str, tuple[Any, str]] = {
    "list": (show_all, "every list"),
    "show": (show, "the members of a list"),
    "add": (add, "make a list, or add members to one"),
    "drop": (drop, "take members out of a list"),
    "remove": (remove, "delete a list, after a question"),
}
