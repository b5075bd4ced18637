"""`./kolab quarantine`: mail that the filter keeps from people: what, why, and how it comes to them after all."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from typing import Any

from model.findings import counted, some
from ops.frame import add_actions, add_context, add_json, go_ahead
from ops.kubectl import Kubectl, of_stack
from ops.quarantine.kept import Kept, asked, checked, look
from ops.queue.messages import age
from ops.stacks import StackProblem
from ops.tables import cut, table

_WIDTH = 60
"""Characters of a subject, or of a virus' name, in a table."""


def add_command(commands: Any) -> None:
    """Registers the command."""
    for name, sub in add_actions(
        commands, "quarantine", "show mail that the filter keeps from people, release or delete it", _ACTIONS
    ):
        if name != "list":
            sub.add_argument("id", nargs="+", help="ids of kept messages")
        if name in ("list", "show"):
            add_json(sub)
        else:
            add_context(sub)


def _seen(options: argparse.Namespace) -> tuple[Kubectl, list[Kept], int]:
    """The cluster, what it keeps, and the exit code so far: 1 when a replica does not tell."""
    settings, cluster = of_stack(options.stack)
    found, silent = look(cluster, settings)
    for pod, problem in silent.items():
        print(f"quarantine: what {pod} keeps is not known: {problem}", file=sys.stderr)
    return cluster, found, 1 if silent else 0


def _meant(options: argparse.Namespace) -> tuple[Kubectl, list[Kept], int]:
    """The same of the ids that were given. Raises StackProblem when one of them is not kept."""
    wanted = [checked(each) for each in options.id]
    cluster, found, code = _seen(options)
    gone = [each for each in wanted if each not in {kept.id for kept in found}]
    if gone:
        raise StackProblem(
            f"{', '.join(gone)} is not kept: released, deleted or too old; nothing was changed; ./kolab quarantine list shows what is"
        )
    return cluster, [each for each in found if each.id in wanted], code


def show_all(options: argparse.Namespace) -> int:
    """Prints what is kept."""
    _, found, code = _seen(options)
    if options.json:
        print(json.dumps([_data(each) for each in found], indent=2))
    elif not found:
        print("Nothing is kept.")
    else:
        now = datetime.datetime.now(datetime.UTC)
        rows = [
            (each.id, age(now - each.since), cut(each.why, _WIDTH), each.sender or "<>", some(each.recipients, 1), cut(each.subject, _WIDTH))
            for each in found
        ]  # fmt: skip
        print(table(("ID", "AGE", "WHY", "FROM", "TO", "SUBJECT"), rows))
    return code


def show(options: argparse.Namespace) -> int:
    """Prints the headers of messages, with what the filter wrote into them."""
    _, found, code = _meant(options)
    if options.json:
        print(json.dumps([_data(each) | {"header": each.header} for each in found], indent=2))
        return code
    for each in found:
        print(f"{_line(each)}\nkept since {each.since:%Y-%m-%d %H:%M} UTC in {each.pod}, {each.size} bytes")
        print("\n".join(f"  {name}: {value}" for name, value in each.header))
    return code


def release(options: argparse.Namespace) -> int:
    """Hands messages to Postfix for whom they were meant; with a virus among them only once the cluster is named."""
    cluster, found, code = _meant(options)
    viruses = [each for each in found if each.kind == "virus"]
    if viruses or options.context is not None:
        what = f"{counted(len(found), 'message')} would be delivered in context {cluster.context}"
        what += f", {len(viruses)} with a virus that the filter knows" if viruses else ""
        if not go_ahead(options.context, cluster.context, f"{what}:\n{_lines(found)}"):
            return code
    for each in found:
        try:
            said = asked(cluster, each.pod, "release", each.file).strip()
        except StackProblem as problem:
            print(f"quarantine: {each.id} was not released: {problem}", file=sys.stderr)
            code = 1
        else:
            print(f"{each.id} goes to {', '.join(each.recipients)}: {said}")
    return code


def delete(options: argparse.Namespace) -> int:
    """Says what would be thrown away; does it once the cluster is named."""
    cluster, found, code = _meant(options)
    what = f"{counted(len(found), 'message')} in context {cluster.context} would be thrown away for good, and neither sender nor recipient is told:\n{_lines(found)}"
    if go_ahead(options.context, cluster.context, what):
        for each in found:
            asked(cluster, each.pod, "delete", each.file)
        print(f"{counted(len(found), 'message')} deleted")
    return code


def _line(each: Kept) -> str:
    return (
        f"{each.id} ({each.why}) from {each.sender or '<>'} to {', '.join(each.recipients)}: {each.subject}"
    )


def _lines(found: Sequence[Kept]) -> str:
    return "\n".join(f"  {_line(each)}" for each in found)


def _data(each: Kept) -> dict[str, object]:
    return {
        "pod": each.pod,
        "id": each.id,
        "kind": each.kind,
        "since": each.since.isoformat(),
        "bytes": each.size,
        "why": each.why,
        "sender": each.sender,
        "recipients": list(each.recipients),
        "subject": each.subject,
    }


_ACTIONS = {
    "list": (show_all, "what is kept, in all replicas"),
    "show": (show, "the headers of messages"),
    "release": (release, "deliver messages to whom they were meant; a virus after a question"),
    "delete": (delete, "throw messages away, after a question"),
}
