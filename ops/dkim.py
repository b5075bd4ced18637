"""`ops dkim`: the life of a signing key, one reviewed step at a time.

staged (made) -> published (in DNS) -> active (signs) -> retired (11 days) -> revoked (empty p=) -> removed.
Every step edits the stack file and deploys nothing: the edit goes through review and `make up` like any other.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from typing import Any

from components.guard import RULE
from model.identity.dkim import RETIRED_DAYS, text
from model.keys import dkim_public_key
from model.secrets import Secret
from model.settings import Settings
from ops import edits, lookup, reliance
from ops.frame import add_stack
from ops.secrets import make
from ops.stacks import Pulumi, StackFile, StackProblem

_AT = "mail.dkim.selectors"


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "dkim", help="make, publish, activate, retire, revoke and remove signing keys"
    )
    parser.add_argument("step", choices=list(_STEPS))
    parser.add_argument(
        "selector",
        nargs="?",
        help="default for stage: k<year><month>; for publish and activate: the only key that waits for it",
    )
    add_stack(parser)
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="ADDRESS[:PORT]",
        help="ask this name server instead of the zones' own; may be repeated",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, today: datetime.date | None = None) -> None:
    """Takes one step. Raises StackProblem when it is unsafe, before anything is written."""
    today = today or datetime.date.today()
    stack = StackFile.read(options.stack)
    settings, _ = stack.settings()
    selector = options.selector or _meant(options.step, settings, today)
    if selector is None:
        raise StackProblem(
            f"name the selector; there are {', '.join(settings.mail.dkim.selectors) or 'none'}"
        )
    print(_STEPS[options.step](stack, settings, selector, today, options.server))


def _meant(step: str, settings: Settings, today: datetime.date) -> str | None:
    """The selector when none is named: a new one, or the only one that can take the step."""
    if step == "stage":
        return f"k{today:%Y%m}"
    before = {"publish": "staged", "activate": "published"}.get(step)
    waiting = [name for name, key in settings.mail.dkim.selectors.items() if key.stage == before]
    return waiting[0] if len(waiting) == 1 else None


def _stage(
    stack: StackFile, settings: Settings, selector: str, today: datetime.date, _: Sequence[str]
) -> str:
    if selector in settings.mail.dkim.selectors or f"dkimKey-{selector}" in stack.values:
        raise StackProblem(
            f"selector {selector} exists already, and a selector is never used twice: choose another"
        )
    private = make(Secret(f"dkimKey-{selector}", "rsa2048", "DKIM"))
    changes = {
        f"{_AT}.{selector}.stage": "staged",
        f"{_AT}.{selector}.since": today.isoformat(),
        f"{_AT}.{selector}.publicKey": dkim_public_key(private),
    }
    edits.propose(stack, changes, today)
    pulumi = Pulumi(stack.name)
    pulumi.set_secret(f"dkimKey-{selector}", private)
    edits.write(pulumi, changes)
    return f"{selector} is staged. Next: ./kolab dkim publish {selector} --stack {stack.name}, review, make up STACK={stack.name}."


def _publish(stack: StackFile, _: Settings, selector: str, today: datetime.date, __: Sequence[str]) -> str:
    _move(stack, selector, "published", today)
    return (
        f"{selector} will be published by the next make up STACK={stack.name}. Next, when every name server shows it:"
        f" ./kolab dkim activate {selector} --stack {stack.name}."
    )


def _activate(
    stack: StackFile, settings: Settings, selector: str, today: datetime.date, servers: Sequence[str]
) -> str:
    _require_visible(settings, selector, servers)
    old = [s for s, key in settings.mail.dkim.selectors.items() if key.stage == "active" and s != selector]
    changes = _change(selector, "active", today)
    for other in old:
        # Only one key signs: the step that starts the new one ends the old one.
        changes |= _change(other, "retired", today)
    edits.propose(stack, changes, today)
    edits.write(Pulumi(stack.name), changes)
    safe = today + datetime.timedelta(days=RETIRED_DAYS)
    later = "".join(f" {other} is retired; revoke it not before {safe}." for other in old)
    return f"{selector} signs from the next make up STACK={stack.name} on.{later}"


def _retire(stack: StackFile, _: Settings, selector: str, today: datetime.date, __: Sequence[str]) -> str:
    _move(stack, selector, "retired", today)
    return f"{selector} is retired and stays in DNS. Revoke it not before {today + datetime.timedelta(days=RETIRED_DAYS)}."


def _revoke(
    stack: StackFile, settings: Settings, selector: str, today: datetime.date, _: Sequence[str]
) -> str:
    changes = _change(selector, "revoked", today)
    edits.propose(stack, changes, today)
    pulumi = Pulumi(stack.name)
    edits.write(pulumi, changes)
    # Its Secret is guarded. This step is the reviewed decision that it may go, in the step after.
    pulumi.append(
        "acknowledge",
        {
            "rule": RULE,
            "subject": f"postfix-dkim-{selector}",
            "reason": f"DKIM key {selector} revoked on {today}",
        },
    )
    after = today + datetime.timedelta(seconds=settings.dns.ttl, days=1)
    return f"{selector} is revoked (empty p=). Next, after make up STACK={stack.name} and not before {after}: ./kolab dkim remove {selector} --stack {stack.name}."


def _remove(stack: StackFile, _: Settings, selector: str, today: datetime.date, __: Sequence[str]) -> str:
    changes = {f"{_AT}.{selector}": None}
    edits.propose(stack, changes, today)
    pulumi = Pulumi(stack.name)
    edits.write(pulumi, changes)
    pulumi.remove(f"dkimKey-{selector}")
    return f"{selector} is removed. Its acknowledgement may go after the next make up."


def _change(selector: str, stage: str, today: datetime.date) -> dict[str, str | None]:
    return {f"{_AT}.{selector}.stage": stage, f"{_AT}.{selector}.since": today.isoformat()}


def _move(stack: StackFile, selector: str, stage: str, today: datetime.date) -> None:
    changes = _change(selector, stage, today)
    edits.propose(stack, changes, today)
    edits.write(Pulumi(stack.name), changes)


def _require_visible(settings: Settings, selector: str, servers: Sequence[str]) -> None:
    """Raises StackProblem unless every authoritative server of every zone of ours shows the key."""
    key = settings.mail.dkim.selectors.get(selector)
    if key is None or text(key) is None:
        raise StackProblem(f"{selector} is not published yet; ./kolab dkim publish {selector} first")
    for need in reliance.key(settings, selector):
        reliance.require(need, lookup.servers_of(need.name, servers))


_STEPS = {
    "stage": _stage,
    "publish": _publish,
    "activate": _activate,
    "retire": _retire,
    "revoke": _revoke,
    "remove": _remove,
}
