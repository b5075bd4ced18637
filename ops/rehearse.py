"""`ops rehearse`: what a strict receiver would write about our mail, and a strict sender about our MX."""

from __future__ import annotations

import argparse
from typing import Any

from model.rehearsal import rehearse
from ops.frame import add_stack
from ops.stacks import StackFile


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "rehearse", help="verdicts of receivers and senders, from the stack file alone"
    )
    add_stack(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prints the report."""
    settings, _ = StackFile.read(options.stack).settings()
    print(rehearse(settings).text())
