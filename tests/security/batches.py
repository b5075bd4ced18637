"""Many accepted values of one kind of stack in one stack file, so that each rendering tries a hundred of them.

Names depend on each other: mx.example.org is a name of the zone example.org, and a stack with another domain has other
records. So a value for a domain replaces that domain everywhere, and a value that leaves its domain is not compared: it is
a host name like the others. The same holds for addresses, which decide what is open to whom.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from model.settings import Settings
from model.types import hostname
from tests.security.generated_values import SECRET, Refused, Text, Values, base, loaded, outcome
from tests.security.languages import LANGUAGES

Accepted = tuple[Text, str]


@dataclass
class Batch:
    """A stack file with many values at once, and the secrets beside it."""

    name: str
    settings: Settings
    tried: list[Accepted]
    secrets: dict[str, str]


_MOST = 10
"""Values of one text that are rendered: each makes a stack of its own."""


def telling(text: Text, values: Iterable[str]) -> list[str]:
    """So few of these values that what a parser could tell any of them by is in one: those that may follow each other do."""
    kept: list[str] = []
    for value in _covering(values):
        joined = kept[-1] + value if kept else value
        if kept and comparable(text, joined) and isinstance(outcome(text, joined), Settings):
            kept[-1] = joined
        else:
            kept.append(value)
    begun = [value for value in _covering(values) if not any(each.startswith(value) for each in kept)]
    return [*kept, *begun][: max(_MOST, len(kept))]


def _covering(values: Iterable[str]) -> list[str]:
    kept, seen = [], set[str]()
    for value in sorted(values, key=lambda each: (-len(_marks(each)), each)):
        if not _marks(value) <= seen:
            seen |= _marks(value)
            kept.append(value)
    return kept


@functools.cache
def _marks(value: str) -> frozenset[str]:
    """The signs in it, where it begins and ends, what means something somewhere, and what YAML makes of a bare word."""
    read = yaml.load(f"x: {value}", yaml.CSafeLoader) if re.fullmatch(r"[A-Za-z0-9~._-]+", value) else None
    kind = type(read["x"]).__name__ if isinstance(read, dict) else "text"
    signs = re.sub("[A-Za-z]", "a", re.sub("[0-9]", "0", value))
    return frozenset(
        (
            kind,
            *signs,
            f"{signs[:1]} begins",
            f"ends {signs[-1:]}",
            *(each for each in _FRAGMENTS if each in value),
        )
    )


_FRAGMENTS = frozenset(each for fragments in LANGUAGES.values() for each in fragments if len(each) > 1)


def comparable(text: Text, value: str) -> bool:
    """Whether a stack with this value has the same parts as without it."""
    if text.place[0] == SECRET:
        return True
    was, now = _address(text.was), _address(value)
    if was is not None or now is not None:
        return was == now
    old, new = _host(text.was), _host(value)
    if old is None or new is None:
        return old == new
    domains = _domains(text.base)
    return old in domains or _below(old, domains) == _below(new, domains)


def batches(name: str, found: Iterable[Accepted]) -> Iterator[Batch]:
    """The telling ones of a base's accepted values, each in some batch. What the rules refuse beside others stands alone."""
    accepted: dict[Text, list[str]] = {}
    for text, value in found:
        accepted.setdefault(text, []).append(value)
    rows = {text: telling(text, values) for text, values in accepted.items()}
    while rows:
        taken = _row(rows)
        batch = together(taken, name)
        while batch is None and len(taken) > 1:
            taken, rest = taken[: len(taken) // 2], taken[len(taken) // 2 :]
            for text, value in rest:
                rows.setdefault(text, []).append(value)
            batch = together(taken, name)
        if batch is not None:
            yield batch


def _row(rows: dict[Text, list[str]]) -> list[Accepted]:
    """One value for each text, for one domain at most, and no key of a map twice."""
    taken: list[Accepted] = []
    domain = False
    keys: set[tuple[object, ...]] = set()
    for text in list(rows):
        is_domain = _host(text.was) in _domains(text.base)
        key = (*text.place[:-2], rows[text][-1])
        if (is_domain and domain) or (text.is_key and key in keys):
            continue
        domain = domain or is_domain
        keys.add(key)
        taken.append((text, rows[text].pop()))
        if not rows[text]:
            del rows[text]
    return taken


def together(taken: list[Accepted], name: str) -> Batch | None:
    """The stack of this name with all of these; None when they do not go together."""
    values = base(name)
    secrets = {}
    renamed: dict[str, str] = {}
    # Keys last, the innermost first: places lead through them.
    for text, value in sorted(taken, key=lambda each: (each[0].is_key, -len(each[0].place))):
        if text.place[0] == SECRET:
            secrets[str(text.place[1])] = value
        elif (old := _host(text.was)) in _domains(text.base) and old is not None:
            renamed[old] = _host(value) or value
        else:
            values = text.within(values, value)
    values = _renamed(values, renamed)
    found = loaded(values)
    return None if isinstance(found, Refused) else Batch(name, found, taken, secrets)


def _renamed(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {_renamed(key, names): _renamed(child, names) for key, child in node.items()}
    if isinstance(node, list):
        return [_renamed(child, names) for child in node]
    if isinstance(node, str):
        for old, new in names.items():
            node = re.sub(rf"(?<![a-z0-9-]){re.escape(old)}\Z", lambda _, new=new: new, node)
    return node


def _address(text: str) -> object:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def _host(text: str) -> str | None:
    """The host name that a text is, or that a mail address ends in."""
    try:
        return hostname(text.rpartition("@")[2])
    except ValueError:
        return None


def _domains(name: str) -> tuple[str, ...]:
    values: Values = base(name)
    return (values["domain"], *values.get("hostedDomains", ()))


def _below(host: str, domains: tuple[str, ...]) -> str | None:
    return next((domain for domain in domains if host.endswith(f".{domain}") or host == domain), None)
