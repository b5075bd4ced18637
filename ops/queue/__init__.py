"""`./kolab queue`: mail that waits, in all replicas of Postfix: what, why, and what can be done about it."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from model.findings import counted, some
from ops.frame import add_actions, add_context, add_dry_run, add_json, go_ahead
from ops.kubectl import Kubectl, of_stack
from ops.queue.advice import advice
from ops.queue.messages import Message, Wanted, age, look
from ops.stacks import StackProblem
from ops.tables import table

_ID = re.compile(r"[0-9A-Za-z]{6,40}")
_SHOWN = 10
"""Messages that a question names one by one."""
_OF_POSTFIX = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt")


def add_command(commands: Any) -> None:
    """Registers the command."""
    for name, sub in add_actions(
        commands, "queue", "show mail that waits, say why, hold, release or delete it", _ACTIONS
    ):
        sub.add_argument("id", nargs="*", help="queue ids")
        sub.add_argument("--sender", metavar="WHO", help="an address, a domain, or <> for bounces")
        sub.add_argument("--recipient", metavar="WHO", help="an address or a domain that still waits for it")
        sub.add_argument("--domain", help="domain of the sender or of a recipient")
        sub.add_argument("--in", dest="queue", choices=_OF_POSTFIX, help="one of Postfix' queues alone")
        if name in ("list", "why"):
            add_json(sub)
        else:
            sub.add_argument("--all", action="store_true", help="whatever waits")
            add_context(sub) if name == "delete" else add_dry_run(sub)


def wanted_of(options: argparse.Namespace) -> Wanted:
    """What the command line means. Raises StackProblem for what is no queue id."""
    for each in options.id:
        if not _ID.fullmatch(each):
            raise StackProblem(f"{each!r} is no queue id; ./kolab queue list shows them")
    return Wanted(tuple(options.id), options.sender, options.recipient, options.domain, options.queue)


def _seen(options: argparse.Namespace) -> tuple[Kubectl, list[Message], int]:
    """The cluster, the messages that are meant, and the exit code so far: 1 when a replica does not tell."""
    wanted, (settings, cluster) = wanted_of(options), of_stack(options.stack)
    found, silent = look(cluster, settings)
    for pod, problem in silent.items():
        print(f"queue: what waits in {pod} is not known: {problem}", file=sys.stderr)
    return cluster, [each for each in found if wanted.holds(each)], 1 if silent else 0


def show(options: argparse.Namespace) -> int:
    """Prints what waits."""
    _, found, code = _seen(options)
    if options.json:
        print(json.dumps([_data(each) for each in found], indent=2))
        return code
    if not found:
        print("Nothing waits." if wanted_of(options).everything else "Nothing like that waits.")
        return code
    now = datetime.datetime.now(datetime.UTC)
    rows = [
        (
            each.pod, each.id, each.queue, age(now - each.arrived), f"{each.size / 1024:.0f} KiB",
            each.sender or "<>", _recipients(each),
        )
        for each in found
    ]  # fmt: skip
    print(table(("POD", "ID", "QUEUE", "AGE", "SIZE", "FROM", "TO"), rows))
    return code


def _recipients(message: Message) -> str:
    return some([address for address, _ in message.recipients], 1)


def why(options: argparse.Namespace) -> int:
    """Prints each reason once, with how many wait for it and what can be done."""
    _, found, code = _seen(options)
    groups: dict[str, list[Message]] = {}
    for each in found:
        for reason in each.reasons or (_of_queue(each),):
            groups.setdefault(reason, []).append(each)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    if options.json:
        said = [
            {"reason": reason, "advice": advice(reason), "messages": [each.id for each in messages]}
            for reason, messages in ordered
        ]
        print(json.dumps(said, indent=2))
        return code
    if not ordered:
        print("Nothing waits." if wanted_of(options).everything else "Nothing like that waits.")
    for reason, messages in ordered:
        ids = ", ".join(each.id for each in messages[:3]) + (" ..." if len(messages) > 3 else "")
        print(f"{counted(len(messages), 'message')} ({ids}):\n  {reason}\n  {advice(reason)}")
    return code


def _of_queue(message: Message) -> str:
    return {
        "hold": "held: somebody or a rule has put it on hold",
        "active": "being delivered now",
        "incoming": "has just come",
        "corrupt": "its file is damaged",
    }.get(message.queue, "not tried yet, or the last try left no reason")


def hold(options: argparse.Namespace) -> int:
    """Nothing delivers it until it is released."""
    return _change(options, "-h", "held", lambda each: each.queue != "hold")


def release(options: argparse.Namespace) -> int:
    """Delivers what was held, at once."""
    return _change(options, "-H", "released", lambda each: each.queue == "hold", each=("postqueue", "-i"))


def requeue(options: argparse.Namespace) -> int:
    """Takes it in again, with today's routes and tables."""
    # Else pickup(8) looks once a minute.
    wake = ("postkick", "public", "pickup", "W")
    return _change(options, "-r", "taken in again", lambda each: each.queue != "corrupt", wake=wake)


def delete(options: argparse.Namespace) -> int:
    """Says what would be thrown away; does it once the cluster is named. Nobody is told: no bounce is sent."""
    cluster, found, code = _meant(options, lambda _: True)
    if not found:
        return code
    named = "\n".join(
        f"  {each.id} from {each.sender or '<>'} to {_recipients(each)}" for each in found[:_SHOWN]
    )
    more = f"\n  and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    what = f"{counted(len(found), 'message')} in context {cluster.context} would be thrown away for good, and neither sender nor recipient is told:\n{named}{more}"
    if go_ahead(options.context, cluster.context, what):
        change(cluster, found, "-d")
        print(f"{counted(len(found), 'message')} deleted")
    return code


def _meant(
    options: argparse.Namespace, fits: Callable[[Message], bool]
) -> tuple[Kubectl, list[Message], int]:
    wanted = wanted_of(options)
    if wanted.everything and not options.all:
        raise StackProblem("say which: queue ids, --sender, --recipient, --domain, --in, or --all")
    cluster, found, code = _seen(options)
    gone = [each for each in wanted.ids if each not in {message.id for message in found}]
    if gone:
        raise StackProblem(f"{', '.join(gone)} waits nowhere, or does not fit the rest; nothing was changed")
    fitting = [each for each in found if fits(each)]
    if not fitting:
        print("Nothing like that waits; nothing was changed.")
    return cluster, fitting, code


def _change(
    options: argparse.Namespace,
    flag: str,
    done: str,
    fits: Callable[[Message], bool],
    **then: Sequence[str],
) -> int:
    cluster, found, code = _meant(options, fits)
    if found and options.dry_run:
        print(
            f"{counted(len(found), 'message')} would be {done}: {', '.join(each.id for each in found[:_SHOWN])}"
        )
    elif found:
        change(cluster, found, flag, **then)
        print(f"{counted(len(found), 'message')} {done}")
    return code


def change(
    cluster: Kubectl,
    found: Iterable[Message],
    flag: str,
    *,
    each: Sequence[str] = (),
    wake: Sequence[str] = (),
) -> None:
    """postsuper in each pod, ids on standard input: what has left meanwhile is no fault. Then `each` for each id, `wake` once."""
    by_pod: dict[str, list[str]] = {}
    for message in found:
        by_pod.setdefault(message.pod, []).append(message.id)
    for pod, ids in by_pod.items():
        cluster.execute(pod, "postfix", "postsuper", flag, "-", text="\n".join(ids) + "\n")
        for identity in ids if each else ():
            cluster.execute(pod, "postfix", *each, identity)
        if wake:
            cluster.execute(pod, "postfix", *wake)


def _data(message: Message) -> dict[str, object]:
    return {
        "pod": message.pod,
        "id": message.id,
        "queue": message.queue,
        "arrived": message.arrived.isoformat(),
        "bytes": message.size,
        "sender": message.sender,
        "recipients": [{"address": address, "reason": reason} for address, reason in message.recipients],
    }


_ACTIONS = {
    "list": (show, "what waits, in all replicas"),
    "why": (why, "each reason once, and what can be done"),
    "hold": (hold, "keep messages back until they are released"),
    "release": (release, "deliver what was held"),
    "requeue": (requeue, "take messages in again, with the routes and tables of now"),
    "delete": (delete, "throw messages away, after a question"),
}
