"""`./kolab report`: what a change means for mail, for the people who review it."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from model import step
from model.deployed import Deployed
from model.findings import Finding
from model.identity.snapshot import snapshot
from model.review import Change, Item, Review, Section, review
from model.settings import Settings
from model.stack_file import StackFileError
from ops import frame
from ops.reporting import html, markdown, preview, renders
from ops.stacks import LOCAL, ROOT, StackFile, StackProblem

BLOCKED = 3
"""Exit code where the update would be refused."""


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser("report", help="say in mail terms what merging this branch would do")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stack", dest="only", metavar="STACK", help="one stack")
    which.add_argument("--all", action="store_true", help="every stack file of the checkout that is deployed")
    parser.add_argument("--base", default="HEAD", metavar="COMMIT", help="what the change starts from (HEAD)")
    parser.add_argument(
        "--preview",
        type=Path,
        metavar="FILE",
        help="made by ./kolab pulumi preview --json; without it the renders of base and head are compared",
    )
    parser.add_argument("--format", choices=sorted(_WRITERS), default="markdown")
    parser.add_argument(
        "--fail", action="store_true", help=f"exit with {BLOCKED} where the update would be refused"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the report. Raises StackProblem for what cannot be compared."""
    names = _deployed_stacks() if options.all else [options.only or frame.chosen_stack()]
    if options.preview and options.all:
        raise StackProblem("a preview is of one stack: name it with --stack")
    pairs = [(renders.stack_at(options.base, name), StackFile.read(name)) for name in names]
    with ExitStack() as context:
        tree = None
        if options.preview is None and any(old for old, _ in pairs):
            tree = context.enter_context(renders.checkout(options.base))
        reviews = [compare(old, new, tree=tree, planned=options.preview) for old, new in pairs]
    print(_WRITERS[options.format](reviews), end="")
    return BLOCKED if options.fail and any(found.level == "blocked" for found in reviews) else 0


def compare(
    old: StackFile | None, new: StackFile, *, tree: Path | None = None, planned: Path | None = None
) -> Review:
    """The review of one stack: by the preview in the file `planned`, else by rendering the base in `tree` and this checkout.

    Raises StackProblem for what cannot be compared.
    """
    try:
        after, warnings = new.settings()
    except StackFileError as error:
        return _refused(new.name, error.findings)
    before, known = _settings(old)
    deployed: tuple[Deployed, ...] = (snapshot(before),) if before else ()
    changes: Sequence[Change]
    refusals: list[str] = []
    said = [text for text in map(str, warnings) if text not in known]
    if planned is not None:
        seen = preview.read(planned, new)
        changes, deployed = seen.changes, seen.deployed
        refusals = list(seen.errors)
    else:
        changes = renders.between(tree if before else None, new.name, after)
    for finding in step.judge_each(deployed, after).findings:
        text = str(finding)
        into = refusals if finding.severity == "error" else said
        if not any(text in other for other in into):
            into.append(text)
    return review(
        new.name,
        before,
        after,
        changes,
        refusals=refusals,
        warnings=said,
        secrets=_rotated(old, new),
        deployed=deployed,
    )


def _settings(old: StackFile | None) -> tuple[Settings | None, frozenset[str]]:
    """Settings of the base and what it warns of already, which is no news."""
    if old is None:
        return None, frozenset()
    try:
        settings, warnings = old.settings()
        return settings, frozenset(map(str, warnings))
    except StackFileError as error:
        raise StackProblem(
            f"the base's stack file is refused by this version, so there is nothing to compare: {error}"
        ) from None


def _refused(name: str, findings: Sequence[Finding]) -> Review:
    """A stack file that is refused changes nothing; the findings are all there is to say."""
    errors = tuple(Item(str(f), "blocked") for f in findings if f.severity == "error")
    others = tuple(Item(str(f), "care") for f in findings if f.severity != "error")
    sections = (Section("Refused", errors), Section("Warnings", others))
    return Review(name, tuple(section for section in sections if section.items), None)


def _rotated(old: StackFile | None, new: StackFile) -> list[str]:
    """Keys whose encrypted values differ. A value that was only encrypted anew shows, too: nobody could tell."""
    if old is None:
        return []
    both = old.secret_keys & new.secret_keys
    return sorted(key for key in both if old.values[key] != new.values[key])


def _deployed_stacks() -> list[str]:
    names = sorted(
        p.name.removeprefix("Pulumi.").removesuffix(".yaml") for p in (ROOT / "stacks").glob("Pulumi.*.yaml")
    )
    return [name for name in names if name != LOCAL]


def _json(reviews: Sequence[Review]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, frozenset):
            return sorted(value)
        raise TypeError(type(value))

    found = [
        {"stack": r.stack, "verdict": r.level, "sections": [dataclasses.asdict(s) for s in r.sections]}
        for r in reviews
    ]
    return json.dumps(found, indent=2, default=plain, ensure_ascii=False) + "\n"


_WRITERS = {"markdown": markdown.page, "html": html.page, "json": _json}
