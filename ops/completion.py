"""`./kolab completion bash|zsh`: what a shell needs to complete commands, options and names of stacks."""

from __future__ import annotations

import argparse
import importlib
import shlex
from collections.abc import Iterator
from typing import Any

from ops.stacks import ROOT

SHELLS = ("bash", "zsh")
_NAMES = "_kolab_stacks"
_LISTED = "for file in {folder}/Pulumi.*.yaml; do file=${{file##*/Pulumi.}}; printf '%s\\n' \"${{file%.yaml}}\"; done"
"""A stack is whatever has a file at the moment of asking."""
_FUNCTIONS = {
    "bash": _NAMES + '() {{ compgen -W "$({listed})" -- "$1"; }}',
    "zsh": _NAMES + '() {{ local -a names; names=(${{(f)"$({listed})"}}); compadd -a names; }}',
}


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "completion", help="what bash or zsh needs to complete commands, options and names of stacks"
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints it."""
    # All commands are asked what they take, and most of them take long to load.
    main = importlib.import_module("ops.__main__")
    print(script(main.parser(), options.shell))
    return 0


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The text that a shell sources. It is found by the last part of a path, so that `./kolab` is meant as well."""
    # No other command needs it.
    import shtab  # noqa: PLC0415

    parser.prog = "kolab"
    for each in _parsers(parser):
        each.prog = each.prog.replace("./kolab", "kolab")
        for action in each._actions:
            if "--stack" in action.option_strings:
                action.complete = dict.fromkeys(SHELLS, _NAMES)  # type: ignore[attr-defined]
    listed = _LISTED.format(folder=shlex.quote(str(ROOT / "stacks")))
    found: str = shtab.complete(parser, shell=shell, preamble=_FUNCTIONS[shell].format(listed=listed))
    return found


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _parsers(below)
