"""`./kolab <command>`: see docs/reference/commands.md."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence

from model.stack_file import StackFileError
from ops import (
    backup,
    cluster,
    deploy,
    dkim,
    dns,
    doctor,
    engine,
    frame,
    generate,
    images,
    logs,
    maintenance,
    new,
    queue,
    rehearse,
    render,
    report,
    sbom,
    secrets,
    status,
    tlsa,
    trace,
)
from ops.people import block, domain, lists, user
from ops.stacks import StackProblem
from toolchain.ensure import NotReady

_MODULES = (
    new,
    cluster,
    status,
    logs,
    user,
    domain,
    lists,
    block,
    trace,
    queue,
    maintenance,
    doctor,
    backup,
    deploy,
    dkim,
    dns,
    engine,
    generate,
    images,
    rehearse,
    render,
    report,
    sbom,
    secrets,
    tlsa,
)
_PROBLEMS = (StackFileError, StackProblem, NotReady)


def parser() -> argparse.ArgumentParser:
    """Every command and its arguments."""
    made = frame.Parser(prog="./kolab", description="Kolab on Kubernetes, from the first look to day-2 work.")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in _MODULES:
        module.add_command(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code (ops/frame.py)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["pulumi"]:
        # Its arguments are pulumi's, whatever they look like.
        return frame.run("pulumi", functools.partial(engine.run, given[1:]), _PROBLEMS)
    before, behind = frame.split(given)
    reader = parser()
    options = reader.parse_args(before)
    if "arguments" in options:
        options.arguments = behind
    elif behind:
        reader.error(f"{options.command} passes nothing on, so nothing may stand behind --")

    def action() -> int | None:
        if "stack" in options and options.stack is None:
            options.stack = frame.chosen_stack()
        found: int | None = options.run(options)
        return found

    return frame.run(options.command, action, _PROBLEMS)


if __name__ == "__main__":
    sys.exit(main())
