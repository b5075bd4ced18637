"""`./kolab pulumi ...`: the pulumi command on this project, with the toolchain and the stack's own environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import Any

from ops import local
from ops.stacks import LOCAL, ROOT, environment
from ops.tools import ready, say


def add_command(commands: Any) -> None:
    """Registers the command, for the list of commands: its arguments are read by pulumi."""
    parser = commands.add_parser(
        "pulumi",
        help="pulumi itself, in the checkout, with its plugins and the stack's backend and passphrase",
    )
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="pulumi's own, --stack among them")


def run(arguments: Sequence[str]) -> int:
    """pulumi's exit code."""
    stack = named(arguments) or os.environ.get("PULUMI_STACK") or ""
    variables = {"PULUMI_STACK": stack} if stack else {}
    stack = stack.rpartition("/")[2]
    if stack == LOCAL:
        local.prepare()
    ready(say)
    command = ["pulumi", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**environment(stack), **variables}, check=False).returncode


def named(arguments: Sequence[str]) -> str | None:
    """The stack that pulumi's arguments name."""
    for at, argument in enumerate(arguments):
        if argument == "--":
            return None
        if argument in ("--stack", "-s") and at + 1 < len(arguments):
            return arguments[at + 1]
        if argument.startswith("--stack="):
            return argument.partition("=")[2]
    # These three take it as an argument.
    if len(arguments) > 2 and arguments[0] == "stack" and arguments[1] in ("init", "select", "rm"):
        return next((argument for argument in arguments[2:] if not argument.startswith("-")), None)
    return None
