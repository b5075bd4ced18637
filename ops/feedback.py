"""`./kolab feedback`: what receivers and senders of the world have reported about our mail, the newest first."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from model import topology
from ops.frame import add_json, add_stack
from ops.kubectl import of_stack
from ops.stacks import StackProblem
from ops.tables import table

_SHOWN = 20


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "feedback", help="what the world reports about our mail: who fails DMARC, who cannot encrypt to us"
    )
    add_stack(parser)
    add_json(parser)
    parser.add_argument("--failed", action="store_true", help="only reports with failures that concern us")
    parser.add_argument("--all", action="store_true", help=f"all of the last days, not the newest {_SHOWN}")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the reports. Raises StackProblem where nobody reads any."""
    settings, cluster = of_stack(options.stack)
    if settings.monitoring.report_reader is None:
        raise StackProblem(
            "nobody reads reports in this stack: kolab:monitoring.reports names no mailbox (docs/how-to/read-reports.md)"
        )
    said = cluster.run("logs", f"deployment/{topology.REPORT_READER.name}", "--tail=-1")
    found = {(each["kind"], each["by"], each["id"], each["domain"]): each for each in _reports(said)}
    reports = sorted(found.values(), key=lambda each: each["to"], reverse=True)
    if options.failed:
        reports = [each for each in reports if _failed(each)]
    shown = reports if options.all else reports[:_SHOWN]
    if options.json:
        print(json.dumps(shown, indent=2))
        return 0
    if not shown:
        print("No failures are reported." if options.failed else "No report has come in the last two weeks.")
        return 0
    heads = ("UNTIL", "KIND", "DOMAIN", "FROM", "GOOD", "FAILED", "WHAT")
    print(table(heads, [_row(each) for each in shown]))
    if len(shown) < len(reports):
        print(f"{len(reports) - len(shown)} older ones: --all")
    return 0


def _reports(said: str) -> Iterator[dict[str, Any]]:
    """Lines of the reader that tell a report; since its start it has read all that are there."""
    for line in said.splitlines():
        # A line may be cut where the log was.
        with suppress(ValueError):
            if line.startswith('{"report"'):
                yield json.loads(line)["report"]


def _failed(report: dict[str, Any]) -> int:
    """Failures that concern us: others who write in our name are what DMARC is for."""
    number: int = report["ours"]["failed"] if report["kind"] == "dmarc" else report["failed"]
    return number


def _row(report: dict[str, Any]) -> tuple[str, ...]:
    day = f"{datetime.datetime.fromtimestamp(report['to'], datetime.UTC):%Y-%m-%d %H:%M}"
    if report["kind"] == "dmarc":
        good, others = report["ours"]["aligned"], report["others"]
        what = f"others: {others['aligned']} good, {others['failed']} failed" if any(others.values()) else ""
    else:
        good = report["good"]
        what = ", ".join(f"{kind} {number}" for kind, number in sorted(report["types"].items()))
    return (day, report["kind"], report["domain"], report["by"], str(good), str(_failed(report)), what)
