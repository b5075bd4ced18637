"""`python -m tests.acceptance run`: both stacks at once. `... keep MODE`, `... drop`: one stays while tests are written."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from tests.acceptance import kept
from tests.acceptance.configs import MODES
from tests.acceptance.given import KUBECONFIG
from tests.lab import rooms
from tests.lab.cluster import Lab, end_on_signals
from tests.lab.errors import LabError
from tests.lab.images import tars

_PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
_ROOMS = [str(number) for number, _ in enumerate(MODES, 1)]
_PATIENCE = 60
"""Seconds in which pytest ends after an interrupt."""


def run(options: Sequence[str]) -> int:
    """pytest's exit code. Each stack has a process, and a lab, of its own; most of their time is waiting.

    A cluster that is given (given.py) takes one stack, and is reached from this machine itself.
    """
    if os.environ.get(KUBECONFIG):
        # Nobody between the user and pytest: an interrupt must not end it before the stack is removed.
        os.execv(sys.executable, [*_PYTEST, *options])  # noqa: S606 - a program and its arguments, no shell
    lab = Lab(images=tars())
    lab.build()
    lab.unpack()
    line = [*_PYTEST, "--dist", "loadscope"]
    with rooms.opened(_ROOMS):
        for room in _ROOMS:
            line += ["--tx", f"popen//python={shlex.join(rooms.command(room, [sys.executable]))}"]
        pytest = subprocess.Popen([*line, *options])
        try:
            return pytest.wait()
        except BaseException:
            pytest.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                pytest.wait(_PATIENCE)
            pytest.kill()
            raise


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="all tests, or what pytest's options choose")
    keep = commands.add_parser("keep", help="deploy a stack on the lab and leave it there")
    keep.add_argument("mode", choices=MODES)
    commands.add_parser("drop", help="remove lab and stack")
    options, more = parser.parse_known_args()
    end_on_signals()
    try:
        if options.command == "run":
            return run(more)
        kept.keep(options.mode) if options.command == "keep" else kept.drop()
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was begun is removed", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(_main())
