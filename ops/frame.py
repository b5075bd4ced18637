"""What every command has in common: how its arguments are read, which stack it is about, how it ends.

Exit codes: 0 done, 1 a problem that is said in one sentence, 2 a command line that cannot be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ops import strict_yaml
from ops.stacks import LOCAL, ROOT, StackProblem

Action = Callable[[argparse.Namespace], int | None]
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


def add_actions(
    commands: Any, name: str, about: str, actions: Mapping[str, tuple[Action, str]]
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """A command with actions on a stack. Gives each action's name and parser, for what it takes besides."""
    below = commands.add_parser(name, help=about).add_subparsers(dest="action", required=True)
    for action, (run_it, what) in actions.items():
        parser = below.add_parser(action, help=what)
        add_stack(parser)
        parser.set_defaults(run=run_it)
        yield action, parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """What people read, as data."""
    parser.add_argument("--json", action="store_true", help="the same for programs")


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """Of a command that changes what can be changed back."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")


def add_context(parser: argparse.ArgumentParser) -> None:
    """Of a command that destroys something or stops mail: nothing happens before the cluster is named, or typed."""
    parser.add_argument("--context", help="name of the context that the stack file names: go ahead")
    parser.set_defaults(destroys=True)


def go_ahead(given: str | None, context: str, consequence: str) -> bool:
    """Says what would happen, and whether the operator wants that in this very cluster.

    `given` is the value of --context. Raises StackProblem when it is another cluster's. Without it a terminal is asked
    for the name; anything else learns how to say it.
    """
    if given is not None and given != context:
        raise StackProblem(
            f"--context names another cluster than the stack, which runs in {context}; nothing was changed"
        )
    print(consequence)
    if given is None and sys.stdin.isatty():
        print(f"Type the name of the context, {context}, to go ahead: ", end="", flush=True)
        typed = sys.stdin.readline().strip()
        if typed != context:
            raise StackProblem(f"that is not {context}; nothing was changed")
        return True
    if given is None:
        print(f"Nothing was changed. To go ahead, repeat it with --context {context}")
    return given is not None


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
