"""docs/reference/rules.md: what the program refuses or warns of, by the id that each finding ends with."""

from __future__ import annotations

import re
from itertools import groupby

import components.guard
from model.catalogue import AREAS, Area
from model.findings import Rule
from ops.reference.markdown import code, page, prose, sentence

_INTRODUCTION = """\
A finding names the key of the stack file, what is wrong there, what to write instead, and in brackets the id of its
rule. Errors stop a preview before the first resource is registered, all of them at once. Warnings, and refusals of a
change to what is deployed, are lifted by an entry that a reviewer sees:

    kolab:acknowledge:
      - {rule: address-private, subject: kolab:network.addresses.all, reason: closed network without Internet}

Words in angle brackets stand for what differs from stack to stack."""


def text() -> str:
    """The page."""
    guard = (components.guard.__doc__ or "").partition("\n\n")[2]
    return page("Rules", _INTRODUCTION, *map(_area, AREAS), prose(guard).strip())


def _area(area: Area) -> str:
    parts = [f"## {area.about.removesuffix('.').split(':')[0]}"]
    if area.refusals_are_lifted:
        parts.append("Refusals of this kind can be meant: an acknowledgement lifts them.")
    ordered = sorted(
        area.rules, key=lambda rule: list(dict.fromkeys(r.id for r in area.rules)).index(rule.id)
    )
    parts += [_rule(name, list(places)) for name, places in groupby(ordered, key=lambda rule: rule.id)]
    return "\n\n".join(parts)


def _rule(name: str, places: list[Rule]) -> str:
    severity = " or ".join(dict.fromkeys(rule.severity for rule in places))
    lines = dict.fromkeys(map(_line, places))
    return "\n\n".join(
        [
            f"### {name}",
            f"{severity.capitalize()}. {prose(sentence(places[0].why))}"
            + (" It can be meant: an acknowledgement lifts it." if places[0].lifted else ""),
            prose("\n".join(lines)),
        ]
    )


def _line(rule: Rule) -> str:
    source = f" ({_words(rule.source)})" if rule.source else ""
    path = "kolab:…" if rule.path == "{path}" else _words(rule.path)
    return f"- {code(path)} {_words(rule.problem)}{source}. *{sentence(_words(rule.fix))}*"


def _words(template: str) -> str:
    """A template as prose: what is filled in stands in angle brackets, literal braces stand for themselves."""
    return (
        re.sub(r"(?<!{){(\w+)(![rs])?}(?!})", lambda found: f"<{found[1].replace('_', ' ')}>", template)
        .replace("{{", "{")
        .replace("}}", "}")
    )
