"""`ops generate`: the files that are made from the code, so that they cannot say something else."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ops.reference import alerts, commands, rules, schema, secrets, settings, sizes
from ops.stacks import ROOT, StackProblem


def add_command(parsers: Any) -> None:
    """Registers the command."""
    parser = parsers.add_parser("generate", help="write stacks/schema.json and the pages of docs/reference")
    parser.add_argument("--check", action="store_true", help="only say which of them are stale")
    parser.set_defaults(run=run, parsers=parsers)


def files(parsers: Any) -> dict[str, str]:
    """Path below the root -> content. `parsers` are the commands that a page describes."""
    return {
        "stacks/schema.json": schema.text(),
        "docs/reference/settings.md": settings.text(),
        "docs/reference/secrets.md": secrets.text(),
        "docs/reference/rules.md": rules.text(),
        "docs/reference/alerts.md": alerts.text(),
        "docs/reference/sizes.md": sizes.text(),
        "docs/reference/commands.md": commands.text(parsers),
    }


def run(options: argparse.Namespace) -> None:
    """Writes what is stale. With --check, raises StackProblem that names it instead."""
    made = files(options.parsers)
    stale = [name for name, content in made.items() if _read(name) != content]
    if options.check and stale:
        raise StackProblem(f"stale: {', '.join(stale)}. Fix: ./kolab generate, and commit the difference")
    for name in stale:
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[name], "utf-8")
        print(f"generate: {name}", file=sys.stderr)


def _read(name: str) -> str | None:
    try:
        return (ROOT / name).read_text("utf-8")
    except FileNotFoundError:
        return None
