"""`./kolab doctor`: looks at a running stack as the world does, and says what is wrong, why it matters and what to do."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from ops import lookup
from ops.doctor import memory, output
from ops.doctor.checks import CHECKS
from ops.doctor.edge import Edge
from ops.doctor.run import examine
from ops.doctor.visit import Visit
from ops.frame import add_json, add_stack
from ops.stacks import ROOT, StackFile, StackProblem
from ops.tables import table


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "doctor", help="look at the running stack as the world does: what is wrong, why, and what to do"
    )
    add_stack(parser)
    add_json(parser)
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a test report as well")
    parser.add_argument("--changed", action="store_true", help="only what has changed since the last run")
    parser.add_argument(
        "--quiet", action="store_true", help="with --changed: not a word when nothing has, as for cron"
    )
    parser.add_argument("--wide", action="store_true", help="every check and its outcome")
    parser.add_argument("--list", action="store_true", help="what is checked, and why; asks nobody")
    parser.add_argument(
        "--only", action="append", default=[], metavar="CONCERN", help="these parts of the service alone"
    )
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="ADDRESS[:PORT]",
        help="name server of all zones; default: those that NS records name",
    )
    parser.add_argument(
        "--resolver",
        action="append",
        default=[],
        metavar="ADDRESS[:PORT]",
        help="resolver; default: those of this machine",
    )
    parser.add_argument(
        "--authority", type=Path, metavar="FILE", help="PEM file of an authority to trust as well"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit codes: 0 healthy or warnings alone, 1 something is wrong, 3 nothing wrong was seen but not all could be."""
    if options.quiet and not options.changed:
        raise StackProblem("--quiet goes with --changed: without it there is always something to say")
    chosen = [check for check in CHECKS if not options.only or check.concern in options.only]
    unknown = set(options.only) - {check.concern for check in CHECKS}
    if unknown:
        known = ", ".join(dict.fromkeys(check.concern for check in CHECKS))
        raise StackProblem(
            f"there is no part of the service called {', '.join(sorted(unknown))}; there are {known}"
        )
    if options.list:
        print(
            table(
                ("CHECK", "CONCERN", "SEVERITY", "PROMISE"),
                [(c.id, c.concern, c.severity, c.promise) for c in chosen],
            )
        )
        return 0
    if options.authority and not options.authority.is_file():
        raise StackProblem(
            f"there is no file {options.authority}; --authority names a PEM file of certificates"
        )
    settings, _ = StackFile.read(options.stack).settings()
    edge = Edge.of_this_machine(_given(options.server), options.authority)
    if options.resolver:
        edge = Edge(_given(options.resolver), edge.servers, edge.authorities)
    begun = time.monotonic()
    outcomes = examine(Visit(settings, edge), chosen)
    place = memory.place(options.stack, ROOT)
    last = memory.read(place)
    shown = memory.changed(outcomes, last) if options.changed else outcomes
    result = output.Result(
        stack=options.stack,
        domain=settings.domain,
        namespace=settings.kubernetes.namespace,
        outcomes=outcomes,
        seconds=time.monotonic() - begun,
        shown=shown,
        differences=options.changed,
    )
    memory.write(place, outcomes, last)
    if options.junit:
        options.junit.write_text(output.junit(result), "utf-8")
    if shown or not options.quiet:
        print(output.programs(result) if options.json else output.people(result, wide=options.wide))
    sys.stdout.flush()
    return result.code


def _given(texts: list[str]) -> tuple[tuple[str, int], ...]:
    return tuple(lookup.servers_of("", texts)) if texts else ()
