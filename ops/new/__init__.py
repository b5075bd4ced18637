"""`./kolab new`: a stack file made by questions, with its stack and its secrets, ready for a first preview."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from model.findings import report
from model.settings import Settings
from model.stack_file import StackFileError
from ops import secrets
from ops.new import begin, draft, look, outside, questions
from ops.new.questions import Asker
from ops.stacks import ROOT, StackFile, StackProblem


def add_command(commands: Any) -> None:
    """Registers the command: one option for each question."""
    parser = commands.add_parser(
        "new", help="write a stack file by questions, and make its stack and its secrets"
    )
    parser.add_argument("name", nargs="?", default="mine", help="name of the stack (default: mine)")
    for question in questions.ALL:
        parser.add_argument(
            f"--{question.flag}",
            dest=question.key,
            metavar=question.metavar,
            help=question.about,
        )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="ask nothing: defaults for all that no option says (also without a terminal)",
    )
    parser.add_argument(
        "--no-address-lookup",
        action="store_true",
        help="do not ask OpenDNS and Google by which address they see this machine",
    )
    parser.add_argument(
        "--draft", action="store_true", help="write the stack file alone: no backend, no stack, no secrets"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Asks, writes, and says what comes next. Raises StackProblem with nothing written when an answer cannot work."""
    path = ROOT / "stacks" / f"Pulumi.{options.name}.yaml"
    _refuse_name(options.name, path)
    given = {question.key: getattr(options, question.key) for question in questions.ALL}
    asker = Asker(given, interactive=not options.yes and sys.stdin.isatty())
    # Where nobody answers, nobody can tell whether this machine is the server: its address is not looked up.
    asks = asker.interactive and not options.no_address_lookup
    world = look.World(ask_outside=outside.look if asks else None)
    answers = asked(asker, world)
    answers["nameservers"] = ",".join(world.nameservers)
    answers["cluster"] = json.dumps(world.says)
    text = draft.text(options.name, answers)
    settings = checked(text)
    if not options.draft:
        begin.backend(answers)
        begin.passphrase(answers, interactive=asker.interactive)
    path.write_text(text, "utf-8")
    print(f"new: {path.relative_to(ROOT)} is written", file=sys.stderr)
    if not options.draft:
        begin.stack(options.name)
        begin.keys(options.name)
    print(draft.next_steps(options.name, settings, answers))


def asked(asker: Asker, world: look.World) -> dict[str, str]:
    """Every question's answer. What the cluster and the live domain say is looked up once they are named."""
    answers: dict[str, str] = {}
    for question in questions.ALL:
        if not question.applies(answers):
            if asker.given.get(question.key) is not None:
                raise StackProblem(f"--{question.flag} has no meaning here: {question.when}")
            continue
        answers[question.key] = asker.ask(question, answers, world)
        for line in world.learn(question.key, answers):
            print(f"  {line}", file=sys.stderr)
    asker.complain()
    return answers


def checked(text: str) -> Settings:
    """The settings that `text` means, keys aside. Raises StackProblem with all findings."""
    config: Mapping[str, Any] = yaml.safe_load(text)["config"]
    values = {key.removeprefix("kolab:"): value for key, value in config.items()}
    try:
        settings, findings = secrets.known(StackFile("new", Path("new"), values, frozenset()))
    except StackFileError as error:
        made_later = ("public-half-missing", "image-latest")
        wrong = [f for f in error.findings if f.severity == "error" and f.rule not in made_later]
        raise StackProblem(f"nothing was written: {report(wrong)}") from None
    for finding in findings:
        if finding.severity == "warning":
            print(f"  note: {finding}", file=sys.stderr)
    return settings


def _refuse_name(name: str, path: Path) -> None:
    if not draft.NAME.fullmatch(name) or name == "local":
        raise StackProblem(
            "the name of a stack has letters, digits, _ and - alone, such as mine or prod, and `local` is taken"
        )
    if path.exists():
        raise StackProblem(f"{path.relative_to(ROOT)} exists already and is kept; choose another name")
