"""`ops up|preview|destroy`: the pulumi commands of the same name, with what they need made ready.

Plain `pulumi up` on a prepared stack does the same; these save typing, and know the stack `local`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Any

from ops import local, secrets, tables
from ops.stacks import LOCAL, ROOT, Pulumi, StackFile, StackProblem, local_environment

_COMMANDS = {
    "up": ["up", "--yes", "--skip-preview"],
    "preview": ["preview", "--diff"],
    # Delete hooks live in the program, so it must run.
    "destroy": ["destroy", "--run-program"],
}


def add_command(commands: Any) -> None:
    """Registers the three commands."""
    for name, arguments in _COMMANDS.items():
        parser = commands.add_parser(name, help=f"pulumi {' '.join(arguments)}")
        parser.add_argument("--stack", required=True)
        parser.add_argument("arguments", nargs="*", metavar="-- ARGUMENT", help="passed on to pulumi")
        parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prepares the stack and runs pulumi on it. Raises StackProblem when pulumi fails."""
    is_local = options.stack == LOCAL
    if is_local:
        local.prepare()
        if local.forget_if_unrendered():
            print(
                "up: rendered/local is gone, so its state is dropped and everything is written again",
                file=sys.stderr,
            )
    stack = StackFile.read(options.stack)
    settings, _ = secrets.known(stack)
    pulumi = Pulumi(options.stack)
    if is_local:
        pulumi.select(create=True)
        secrets.run(argparse.Namespace(stack=options.stack, given=None))
    arguments = list(_COMMANDS[options.command])
    if options.command == "up" and not is_local:
        # People approve what they have seen; only the local stack goes ahead by itself.
        arguments = ["up"]
    if options.command == "destroy" and is_local:
        arguments.append("--yes")
    _pulumi([*arguments, "--stack", options.stack, *options.arguments], options.stack)
    if options.command == "up":
        tables.show(settings, options.stack)


_PLAINTEXT = ("rendered YAML will contain a secret value", "contains a secret value in plaintext")


def _pulumi(arguments: list[str], stack: str) -> None:
    environment = {**os.environ, **local_environment(stack)}
    if stack != LOCAL:
        code = subprocess.run(["pulumi", *arguments], cwd=ROOT, env=environment, check=False).returncode
    else:
        # The plugin warns twice for each Secret that it renders; once for all of them is enough.
        print("local: Secrets are rendered in plain text, readable by you alone (mode 0600)", file=sys.stderr)
        with subprocess.Popen(
            ["pulumi", *arguments, "--suppress-progress"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            for line in process.stdout:
                if not any(text in line for text in _PLAINTEXT):
                    print(line, end="", flush=True)
        code = process.returncode
    if code != 0:
        raise StackProblem(f"pulumi ended with code {code}; its own words stand above")
