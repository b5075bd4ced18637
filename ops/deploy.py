"""`ops up|preview|destroy`: the pulumi commands of the same name, with what they need made ready.

Plain `pulumi up` on a prepared stack does the same; these save typing, and know the stack `local`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from model.deployed import Deployed
from model.ledger import after
from model.rehearsal import rehearse
from model.settings import Settings
from ops import afterwards, local, reliance, render, secrets, tables
from ops.difference import difference
from ops.first_look import first_look
from ops.frame import add_stack
from ops.new.look import refuse_unknown_context
from ops.people import arrival
from ops.stacks import LOCAL, ROOT, Pulumi, StackFile, StackProblem, environment
from ops.tools import ready, say

_COMMANDS = {
    "up": ["up", "--yes", "--skip-preview"],
    "preview": ["preview", "--diff"],
    # Delete hooks live in the program, so it must run.
    "destroy": ["destroy", "--run-program"],
}


def add_command(commands: Any) -> None:
    """Registers the three commands."""
    for name in _COMMANDS:
        parser = commands.add_parser(name, help=f"make ready what a stack needs, then pulumi's {name}")
        add_stack(parser)
        if name != "destroy":
            parser.add_argument(
                "--without-dns",
                action="store_true",
                help="do not look first at the live zones and the web application: what the zones hold for new mail domains, whether they show what this step relies on, and whether mail of new domains is taken",
            )
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
    if not settings.kubernetes.render:
        refuse_unknown_context(settings.kubernetes.context)
    ready(say)
    pulumi = Pulumi(options.stack)
    if is_local:
        pulumi.select(create=True)
        secrets.run(argparse.Namespace(stack=options.stack, action="make", key=None, given=None))
    if options.command == "up" and _narrowed(options.arguments):
        _refuse_parts(settings, pulumi.deployed())
    if _looks(options, settings):
        deployed = pulumi.deployed()
        # A domain whose records may not all be there yet is looked at again.
        first_look(
            settings,
            {d for d in settings.domains if deployed and all(d in m.domains for m in deployed)},
            pulumi,
        )
        reliance.ask(settings, deployed)
        if options.command == "up":
            arrival.require(settings, deployed)
    arguments = list(_COMMANDS[options.command])
    if options.command == "up" and not is_local:
        # People approve what they have seen; only the local stack goes ahead by itself.
        arguments = ["up"]
    if options.command == "destroy" and is_local:
        arguments.append("--yes")
    engine([*arguments, "--stack", options.stack, *options.arguments], options.stack)
    if options.command == "preview" and settings.mail.dkim.selectors:
        print(difference(settings, next(reversed(pulumi.deployed()), None)))
        print(rehearse(settings).text())
    if options.command == "up":
        settings, _ = StackFile.read(options.stack).settings()
        render.write_zones(settings, ROOT / "rendered" / options.stack / "zones")
        tables.show(settings, options.stack)
        if not is_local and settings.scope != "dns":
            print(f"\n{afterwards.text(settings, options.stack)}")


def _narrowed(arguments: Iterable[str]) -> bool:
    """Whether the engine is told to leave something out."""
    return any(text.split("=")[0] in ("--target", "-t", "--exclude") for text in arguments)


def _refuse_parts(settings: Settings, deployed: Sequence[Deployed]) -> None:
    """Raises StackProblem where a part of a change would be made without the rest of it."""
    if [after(settings, deployed)] != list(deployed):
        raise StackProblem(
            "nothing was changed: the stack file changes what mail relies on, and a part of that is never made alone."
            " Fix: leave --target and --exclude out"
        )


def _looks(options: argparse.Namespace, settings: Settings) -> bool:
    """Whether the update could put records into a zone that lives."""
    if options.command == "destroy" or options.without_dns or settings.scope == "cluster":
        return False
    return not (settings.example or settings.kubernetes.render)


STOPPING = (
    "up: whatever does not get ready is named at once, an image that cannot be pulled as ErrImagePull, and waited for"
    " 10 minutes; press Ctrl-C once to stop waiting, mend it and run this again: what serves goes on serving"
)

_PLAINTEXT = ("rendered YAML will contain a secret value", "contains a secret value in plaintext")
_RESOURCE = re.compile(r"  \S+ \(.+\):$")
"""How the engine heads what it says about one resource, below `Diagnostics:`."""


def engine(arguments: list[str], stack: str) -> None:
    """Runs pulumi where its user sees it. Raises StackProblem when it fails."""
    variables = environment(stack)
    if stack != LOCAL:
        if arguments[0] == "up":
            print(STOPPING, file=sys.stderr)
        code = subprocess.run(["pulumi", *arguments], cwd=ROOT, env=variables, check=False).returncode
    else:
        print("local: Secrets are rendered in plain text, readable by you alone (mode 0600)", file=sys.stderr)
        command = ["pulumi", *arguments, "--suppress-progress", "--suppress-outputs"]
        with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:
            for line in without_plaintext_warnings(process.stdout or ()):
                print(line, end="", flush=True)
        code = process.returncode
    if code != 0:
        raise StackProblem(f"pulumi ended with code {code}; its own words stand above")


def without_plaintext_warnings(lines: Iterable[str]) -> Iterator[str]:
    """The engine's words without what the plugin says twice of each rendered Secret, and without headings of nothing."""
    held: list[str] = []
    in_diagnostics = False
    for line in lines:
        if any(text in line for text in _PLAINTEXT):
            continue
        if line.startswith("Diagnostics:"):
            in_diagnostics, held = True, [line]
        elif in_diagnostics and _RESOURCE.match(line):
            held = [*(text for text in held if text.startswith("Diagnostics:")), line]
        elif in_diagnostics and held and not line.strip():
            continue
        else:
            if line[:1].strip():
                # The next section: a heading that is still held has nothing below it.
                in_diagnostics, held = False, []
            yield from held
            held = []
            yield line
