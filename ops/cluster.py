"""`./kolab cluster check`: what a cluster has, what it lacks, and what the stack file has to say of it. Reads only."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

import yaml

from components.observe import look_around, observe
from components.observe_where import Where
from model.cluster_page import Row, page, written
from model.findings import Finding
from model.rules.cluster import ClusterFacts, cluster
from model.settings import Settings
from ops.frame import PROBLEM, add_json
from ops.new.look import refuse_unknown_context
from ops.stacks import StackFile, StackProblem
from ops.tables import table

_WORDS = {"fits": "fits", "say": "say it", "missing": "MISSING", "unknown": "unknown"}


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "cluster", help="look at a cluster before, or after, there is a stack for it"
    )
    below = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = below.add_parser(
        "check", help="what it has, what it lacks, and what the stack file has to say of it; changes nothing"
    )
    check.add_argument("--context", help="context of the kubeconfig; default: the current one")
    # Not frame.add_stack: without a stack there is enough to say.
    check.add_argument(
        "-s",
        "--stack",
        dest="judged",
        help="judge it by this stack file as well, in the context that it names",
    )
    add_json(check)
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Exit codes: 0 a stack can live there, 1 something is missing or the stack file is wrong about it."""
    unread: list[str] = []
    settings: Settings | None = None
    where = Where(context=options.context)
    if options.judged:
        settings, _ = StackFile.read(options.judged).settings()
        if settings.kubernetes.render or options.context not in (None, settings.kubernetes.context):
            place = "no cluster" if settings.kubernetes.render else f"context {settings.kubernetes.context}"
            raise StackProblem(f"stack {options.judged} lives in {place}")
        where = Where.of(settings)
    refuse_unknown_context(where.context)
    if settings is None:
        facts, where = look_around(where, unread.append)
    else:
        facts = observe(where, unread.append)
    if facts == ClusterFacts():
        raise StackProblem(unread[-1] if unread else "the cluster shows nothing")
    rows = page(facts, where.dns)
    found = [] if settings is None else list(cluster(settings, facts))
    (_as_json if options.json else _as_text)(rows, found, unread, judged=settings is not None)
    wrong = any(row.verdict == "missing" for row in rows) if settings is None else False
    return PROBLEM if wrong or any(each.severity == "error" for each in found) else 0


def _as_json(rows: tuple[Row, ...], found: list[Finding], unread: list[str], *, judged: bool) -> None:
    answer: dict[str, Any] = {
        "rows": [asdict(row) for row in rows],
        "stackFile": written(rows),
        "unread": unread,
    }
    if judged:
        answer["findings"] = [asdict(each) for each in found]
    print(json.dumps(answer, indent=2))


def _as_text(rows: tuple[Row, ...], found: list[Finding], unread: list[str], *, judged: bool) -> None:
    print(table(("FACT", "SEEN", ""), [(row.about, row.seen, _WORDS[row.verdict]) for row in rows]))
    for row in rows:
        if row.then:
            print(f"\n{row.about}, {row.seen}: {row.then}")
    for line in unread:
        print(f"note: {line}", file=sys.stderr)
    if judged:
        print("\nThe stack file agrees with the cluster." if not found else "")
        for each in found:
            print(f"{each.severity}: {each}")
    elif text := written(rows):
        sections = {f"kolab:{key}": value for key, value in text.items()}
        print(
            f"\nThe stack file of this cluster says:\n\n{yaml.safe_dump(sections, sort_keys=False)}", end=""
        )
