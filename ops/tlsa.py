"""`ops tlsa`: the key of port 25 that DANE names (RFC 7672), one reviewed step at a time.

init (first key) -> next (announce another) -> after two TTLs: switch (use it, keep naming the old one) -> next again.
Every step edits the stack file and deploys nothing.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from typing import Any

from model.identity.tlsa import ANNOUNCED_TTLS
from model.keys import tlsa_hash
from model.secrets import Secret
from model.settings import Settings
from ops import edits, lookup, reliance
from ops.frame import add_stack
from ops.secrets import make
from ops.stacks import Pulumi, StackFile, StackProblem

_CURRENT, _NEXT = "mxKey", "mxNextKey"


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser("tlsa", help="make, announce and switch the key of port 25 that DANE names")
    parser.add_argument("step", choices=list(_STEPS))
    add_stack(parser)
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="ADDRESS[:PORT]",
        help="ask this name server instead of the zone's own before a switch; may be repeated",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Takes one step. Raises StackProblem when it is unsafe, before anything is written."""
    stack = StackFile.read(options.stack)
    settings, _ = stack.settings()
    print(_STEPS[options.step](stack, settings, options.server))


def _init(stack: StackFile, settings: Settings, _: Sequence[str]) -> str:
    if settings.tlsa or _CURRENT in stack.values:
        raise StackProblem(
            f"there is a key already; announce another with: ./kolab tlsa next --stack {stack.name}"
        )
    if not settings.dns.dnssec:
        raise StackProblem(
            "dns.dnssec is off, and senders ignore TLSA records of unsigned zones: sign the zone first"
        )
    private = _new()
    _store(stack, {"tlsa.current": tlsa_hash(private)}, {_CURRENT: private})
    return f"The key is made. Next: review, make up STACK={stack.name}; then announce a spare one: ./kolab tlsa next --stack {stack.name}."


def _next(stack: StackFile, settings: Settings, _: Sequence[str]) -> str:
    if settings.tlsa is None:
        raise StackProblem(f"there is no key yet: ./kolab tlsa init --stack {stack.name}")
    private = _new()
    _store(stack, {"tlsa.next": tlsa_hash(private)}, {_NEXT: private})
    wait = datetime.timedelta(seconds=ANNOUNCED_TTLS * settings.dns.ttl)
    return f"The next key is announced by the next make up STACK={stack.name}. Switch not sooner than {wait} after that."


def _switch(stack: StackFile, settings: Settings, servers: Sequence[str]) -> str:
    if settings.tlsa is None or settings.tlsa.next is None:
        raise StackProblem(
            f"no next key is announced: ./kolab tlsa next --stack {stack.name}, make up STACK={stack.name}, wait two TTLs"
        )
    for need in reliance.pin(settings, settings.tlsa.next):
        reliance.require(need, lookup.servers_of(need.name, servers))
    plain = Pulumi(stack.name).plaintexts()
    # Both stay named: while pods roll, senders meet the old key with the new records and the new one with the old.
    changes = {"tlsa.current": settings.tlsa.next, "tlsa.next": settings.tlsa.current}
    _store(stack, changes, {_CURRENT: plain[_NEXT], _NEXT: plain[_CURRENT]})
    return (
        f"The next make up STACK={stack.name} switches to the announced key."
        f" Then announce another: ./kolab tlsa next --stack {stack.name}."
    )


def _store(stack: StackFile, changes: dict[str, str], keys: dict[str, str]) -> None:
    edits.propose(stack, changes, datetime.date.today())
    pulumi = Pulumi(stack.name)
    for key, private in keys.items():
        pulumi.set_secret(key, private)
    edits.write(pulumi, changes)


def _new() -> str:
    return make(Secret(_CURRENT, "ecP256", "DANE"))


_STEPS = {"init": _init, "next": _next, "switch": _switch}
