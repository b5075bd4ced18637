"""`./kolab status`: the running stack on one page."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from ops.frame import add_json, add_stack
from ops.kubectl import Kubectl, of_stack
from ops.stacks import StackProblem
from ops.status.look import PARTS, Visit, rows
from ops.status.row import Row, worst
from ops.tables import table

_UNSEEN = 3


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "status",
        help="pods, addresses, certificates, queue, storage, backups, alerts, versions and next steps, in five seconds",
    )
    add_stack(parser)
    add_json(parser)
    parser.add_argument("--only", action="append", default=[], choices=PARTS, help="these parts alone")
    parser.add_argument("--problems", action="store_true", help="only what is not as it should be")
    parser.add_argument(
        "--watch", type=_seconds, nargs="?", const=5.0, metavar="SECONDS", help="again and again; default 5"
    )
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 1 <= found <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 3600")
    return found


def run(options: argparse.Namespace) -> int:
    """Exit codes as the doctor's: 0 well or warnings alone, 1 something is wrong, 3 not everything could be seen."""
    settings, cluster = of_stack(options.stack)
    if options.json and options.watch:
        raise StackProblem("--json and --watch do not go together: programs ask again themselves")
    while True:
        visit = Visit(settings, cluster, datetime.datetime.now(datetime.UTC))
        begun = time.monotonic()
        found = [row for row in rows(visit) if not options.only or row.part in options.only]
        shown = [row for row in found if not options.problems or row.state != "ok"]
        took = time.monotonic() - begun
        if options.json:
            print(programs(options.stack, shown, found))
        else:
            # Clears the terminal and begins at its top (ECMA-48: ED, CUP).
            clear = "\033[2J\033[H" if options.watch and sys.stdout.isatty() else ""
            print(f"{clear}{people(settings.domain, cluster, shown, found, took)}", flush=True)
        if not options.watch:
            return code(found)
        time.sleep(options.watch)


def code(found: Sequence[Row]) -> int:
    """The exit code of what was seen."""
    states = {row.state for row in found}
    return 1 if "wrong" in states else _UNSEEN if "unknown" in states else 0


def people(domain: str, cluster: Kubectl, shown: Sequence[Row], found: Sequence[Row], took: float) -> str:
    """A verdict and a table."""
    state = worst(row.state for row in found)
    verdict = {
        "ok": "all is well",
        "warning": "works, with warnings",
        "wrong": "something is wrong",
        "unknown": "not everything could be seen",
    }[state]
    head = f"{domain} in context {cluster.context}, namespace {cluster.namespace}: {verdict} ({took:.1f} s)"
    if not shown:
        return head
    marks = {"ok": "ok", "warning": "WARN", "wrong": "WRONG", "unknown": "?"}
    lines = [(row.part, row.name, marks[row.state], row.text) for row in shown]
    return f"{head}\n\n{table(('PART', 'NAME', 'STATE', 'WHAT IS SEEN'), lines)}"


def programs(stack: str, shown: Sequence[Row], found: Sequence[Row]) -> str:
    """JSON."""
    rows_ = [{"part": r.part, "name": r.name, "state": r.state, "text": r.text} for r in shown]
    return json.dumps(
        {"stack": stack, "state": worst(r.state for r in found), "code": code(found), "rows": rows_}, indent=2
    )
