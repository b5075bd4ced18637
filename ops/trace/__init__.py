"""`./kolab trace`: one message's way through Postfix, Amavis and Cyrus, with the reason of each verdict."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from typing import Any

from ops.frame import add_json, add_stack
from ops.kubectl import Kubectl
from ops.logs import add_since, since_of
from ops.stacks import StackFile, StackProblem
from ops.trace.steps import Step, about, messages, read

_LOGS = (("postfix", "postfix"), ("postfix", "amavis"), ("imap", "imap"))


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser("trace", help="one message's way through the daemons, and why")
    parser.add_argument("what", metavar="MESSAGE-ID|ADDRESS", help="a Message-ID, an address, or a queue id")
    add_stack(parser)
    add_json(parser)
    add_since(parser, "24h")
    parser.add_argument(
        "--last", type=int, default=5, metavar="N", help="newest messages; default %(default)s"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """1 when nothing is known of it."""
    settings, _ = StackFile.read(options.stack).settings()
    since = since_of(options)
    if options.last < 1:
        raise StackProblem("--last must be a number from 1 on")
    if not re.fullmatch(r"[^\s'\"]{3,998}", options.what):
        raise StackProblem("name a Message-ID, an address or a queue id, without spaces")
    found = about(messages(read(_lines(Kubectl.of(settings), since))), options.what)
    shown = found[-options.last :]
    if options.json:
        print(json.dumps([[_data(step) for step in group] for group in shown], indent=2))
        return 0 if found else 1
    if not found:
        print(
            f"Nothing is known of {options.what} in the logs of the last {since}, as far as the pods still have them."
        )
        return 1
    if len(found) > len(shown):
        print(f"{len(found)} messages; the last {len(shown)} of them:\n")
    print("\n\n".join(map(people, shown)))
    return 0


def _lines(cluster: Kubectl, since: str) -> list[str]:
    found: list[str] = []
    for daemon, container in _LOGS:
        line = ("logs", "-l", f"app.kubernetes.io/name={daemon}", "-c", container, "--prefix", "--timestamps")
        found += cluster.run(*line, "--tail=-1", f"--since={since}", "--max-log-requests=20").splitlines()
    return found


def people(group: Sequence[Step]) -> str:
    """A line for each step; what went wrong is marked, with what to do."""
    lines = []
    for step in group:
        lines.append(f"{step.time} {'!' if step.problem else ' '} {step.where}: {step.what}")
        lines += [f"{' ' * 23}{step.advice}"] if step.advice else []
    return "\n".join(lines)


def _data(step: Step) -> dict[str, object]:
    return {
        "time": step.time,
        "where": step.where,
        "what": step.what,
        "problem": step.problem,
        "advice": step.advice,
    }
