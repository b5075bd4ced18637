"""`python -m tests.acceptance keep MODE` and `... drop`: a stack that stays while tests are written."""

from __future__ import annotations

import argparse

from tests.acceptance import kept
from tests.acceptance.configs import MODES

parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description=__doc__)
commands = parser.add_subparsers(dest="command", required=True)
commands.add_parser("keep", help="deploy a stack on the lab and leave it there").add_argument(
    "mode", choices=MODES
)
commands.add_parser("drop", help="remove lab and stack")
options = parser.parse_args()
if options.command == "keep":
    kept.keep(options.mode)
else:
    kept.drop()
