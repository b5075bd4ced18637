"""`./kolab <command>`: see docs/reference/commands.md."""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
from collections.abc import Mapping, Sequence

from model.stack_file import StackFileError
from ops import engine, frame
from ops.stacks import StackProblem
from toolchain.ensure import NotReady

_MODULES: Mapping[str, tuple[str, ...]] = {
    "ops.new": ("new",),
    "ops.cluster": ("cluster",),
    "ops.completion": ("completion",),
    "ops.status": ("status",),
    "ops.topology": ("topology",),
    "ops.logs": ("logs",),
    "ops.people.user": ("user",),
    "ops.people.domain": ("domain",),
    "ops.people.lists": ("list", "resource"),
    "ops.people.block": ("block", "unblock"),
    "ops.trace": ("trace",),
    "ops.queue": ("queue",),
    "ops.quarantine": ("quarantine",),
    "ops.maintenance": ("maintenance",),
    "ops.doctor": ("doctor",),
    "ops.feedback": ("feedback",),
    "ops.backup": ("backup",),
    "ops.deploy": ("up", "preview", "destroy"),
    "ops.dkim": ("dkim",),
    "ops.dns": ("dns",),
    "ops.engine": ("pulumi",),
    "ops.generate": ("generate",),
    "ops.images": ("images",),
    "ops.rehearse": ("rehearse",),
    "ops.render": ("render",),
    "ops.report": ("report",),
    "ops.sbom": ("sbom",),
    "ops.secrets": ("secrets",),
    "ops.tlsa": ("tlsa",),
}
"""Module -> its commands. Only the module of the command that was given is loaded: all of them take longer to load than
most commands to run."""
_PROBLEMS = (StackFileError, StackProblem, NotReady)


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """Every command and its arguments; when there is a `command` of this name, that one alone."""
    made = frame.Parser(prog="./kolab", description="Kolab on Kubernetes, from the first look to day-2 work.")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    known = [module for module, names in _MODULES.items() if command in names]
    # That one writes the page about all of them.
    wanted = _MODULES if command == "generate" or not known else known
    for module in wanted:
        importlib.import_module(module).add_command(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code (ops/frame.py)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["pulumi"]:
        # Its arguments are pulumi's, whatever they look like.
        return frame.run("pulumi", functools.partial(engine.run, given[1:]), _PROBLEMS)
    before, behind = frame.split(given)
    reader = parser(before[0] if before else None)
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
