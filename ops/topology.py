"""`./kolab topology`: the running stack as a picture: public addresses, daemons, and who asks whom."""

from __future__ import annotations

import argparse
from typing import Any

from model.review import whole
from ops.frame import add_stack
from ops.kubectl import Kubectl
from ops.reporting.picture import mermaid, svg
from ops.stacks import StackFile
from ops.status import cluster as judge

_DRAWN = {"mermaid": mermaid, "svg": svg}
_KINDS = "pods,statefulsets,deployments"


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "topology",
        help="draw the stack: addresses, daemons, who asks whom; what is not ready has a thick line",
    )
    add_stack(parser)
    parser.add_argument(
        "--format", choices=tuple(_DRAWN), default="mermaid", help="default: %(default)s, which forges draw"
    )
    parser.add_argument(
        "--planned", action="store_true", help="what the stack file says, without a look at the cluster"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prints the picture. Raises StackProblem when the cluster does not answer."""
    settings, _ = StackFile.read(options.stack).settings()
    ill: frozenset[str] = frozenset()
    if not options.planned:
        rows = judge.pods(Kubectl.of(settings).objects(_KINDS))
        ill = frozenset(row.name for row in rows if row.state != "ok")
    drawn = whole(settings)
    known = {daemon for _, daemon in drawn.public} | {name for pair in drawn.behind for name in pair}
    print(_DRAWN[options.format](whole(settings, ill & known)))
