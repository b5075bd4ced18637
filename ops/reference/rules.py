"""docs/reference/rules.md: what the program refuses or warns of, by the id that each finding ends with."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import components.guard
from ops.reference.collect import Said, collect
from ops.reference.markdown import code, page, prose, sentence

_ROOT = Path(__file__).resolve().parent.parent.parent

_INTRODUCTION = """\
A finding names the key of the stack file, what is wrong there, what to write instead, and in brackets the id of its
rule. Errors stop a preview before the first resource is registered, all of them at once. Warnings, and refusals of a
change to what is deployed, are lifted by an entry that a reviewer sees:

    kolab:acknowledge:
      - {rule: address-private, subject: kolab:network.addresses.all, reason: closed network without Internet}"""

_ORDER = ("shape", "stack_file", "keys", "rules", "identity", "transition")
"""Parts of the model in the order in which they judge a stack file."""


def text() -> str:
    """The page."""
    parts = [_INTRODUCTION]
    ordered = sorted(collect(_ROOT / "model"), key=lambda said: _rank(said.module))
    for (_, about), found in groupby(ordered, key=lambda said: (said.module, said.about)):
        parts.append(f"## {about.removesuffix('.').split(':')[0]}")
        by_rule: dict[str, list[Said]] = {}
        for said in found:
            by_rule.setdefault(said.rule, []).append(said)
        for rule, places in by_rule.items():
            parts.append(_rule(rule, places))
    guard = (components.guard.__doc__ or "").split("\n\n")
    parts.append(
        f"## Deletion of data\n\n### {components.guard.RULE}\n\n" + "\n\n".join(map(prose, guard)).strip()
    )
    return page("Rules", *parts)


def _rank(module: str) -> int:
    part = module.split("/")[1].removesuffix(".py")
    return _ORDER.index(part) if part in _ORDER else len(_ORDER)


def _rule(rule: str, places: list[Said]) -> str:
    severity = " or ".join(dict.fromkeys(said.severity for said in places))
    reasons = list(dict.fromkeys(sentence(said.why) for said in places))
    lines = dict.fromkeys(
        f"- {code(said.path or 'kolab:…')} {said.problem}{f' ({said.source})' if said.source else ''}. *{sentence(said.fix)}*"
        for said in places
    )
    return "\n\n".join(
        [f"### {rule}", f"{severity.capitalize()}. {prose(' '.join(reasons))}", prose("\n".join(lines))]
    )
