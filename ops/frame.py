"""What every command has in common: how its arguments are read, which stack it is about, how it ends.

Exit codes: 0 done, 1 a problem that is said in one sentence, 2 a command line that cannot be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ops import strict_yaml
from ops.stacks import LOCAL, ROOT, StackProblem

PROBLEM, USAGE, INTERRUPTED = 1, 2, 130


class Parser(argparse.ArgumentParser):
    """Takes options and positional arguments in any order.

    argparse gives an optional positional argument up at the first option, so that `dkim activate --stack mine k1`
    would be refused where `dkim activate k1 --stack mine` is not.
    """

    _mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Reads in two passes, options first, unless a command follows."""
        if self._mixing or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False


def add_stack(parser: argparse.ArgumentParser) -> None:
    """The option that nearly every command has."""
    parser.add_argument(
        "-s", "--stack", help="default: PULUMI_STACK, or the one stack file that is no example"
    )


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before and behind the first `--`."""
    given = list(arguments)
    at = given.index("--") if "--" in given else len(given)
    return given[:at], given[at + 1 :]


def chosen_stack(root: Path = ROOT) -> str:
    """The stack that is meant when none is named. Raises StackProblem when that is not clear."""
    named = os.environ.get("PULUMI_STACK")
    if named:
        return named.rpartition("/")[2]
    real = real_stacks(root)
    if len(real) == 1:
        return real[0]
    there = f"there are {', '.join(real)}" if real else "there is none yet, make one with: ./kolab new"
    raise StackProblem(f"name the stack with --stack; {there}")


def real_stacks(root: Path = ROOT) -> list[str]:
    """Names of the stack files that are neither examples nor `local`."""
    found = []
    for path in sorted((root / "stacks").glob("Pulumi.*.yaml")):
        name = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        try:
            config = (strict_yaml.read(path.read_text("utf-8")) or {}).get("config") or {}
            example = config.get("kolab:example") is True
        except (AttributeError, OSError, ValueError):
            example = False
        if name != LOCAL and not example:
            found.append(name)
    return found


def run(command: str, action: Callable[[], int | None], problems: tuple[type[Exception], ...]) -> int:
    """Exit code of `action`; what goes wrong is one sentence."""
    try:
        return action() or 0
    except problems as problem:
        print(f"{command}: {problem}", file=sys.stderr)
        return PROBLEM
    except KeyboardInterrupt:
        print(f"{command}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
