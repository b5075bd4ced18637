"""Reading a stack file: raw keys become Settings, or findings: every fault at once, each with its key and fix."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from model import secret_values
from model.catalogue import files as rules
from model.findings import Finding, report
from model.keys import Pair, Plaintext, mismatches, pairs, public_entry
from model.rules import check
from model.secrets import NAMES, Secret, is_secret_key, secrets
from model.settings import Settings
from model.shape import NAMESPACE, Fault, Keys, aliases, fault_of, path, unknown_key
from model.shipped import is_shipped_key

__all__ = ["NAMESPACE", "StackFileError", "load"]

_FIELDS = aliases(Settings)


class StackFileError(Exception):
    """The stack file is refused; the message is what the operator reads."""

    def __init__(self, findings: Collection[Finding]) -> None:
        # Warnings are shown by what goes on in spite of them; beside errors they only hide these.
        super().__init__(report(f for f in findings if f.severity == "error"))
        self.findings = tuple(findings)


def load(
    values: Mapping[str, Any],
    secret_keys: Collection[str] = (),
    *,
    need_secrets: bool = True,
    plaintext: Plaintext | None = None,
) -> tuple[Settings, tuple[Finding, ...]]:
    """Settings and the warnings about them.

    `values` maps `kolab:` keys, without the prefix, to what the stack file holds (objects may still be JSON
    text); `secret_keys` names those that are or contain `secure:`. Rendering masks secrets and so does without
    them (`need_secrets=False`). With `plaintext`, which gives the value of a flat key, secrets are judged and key pairs compared. Raises StackFileError with all findings.
    """
    unreadable = _unreadable_keys(values, secret_keys)
    raw = {key: _decode(values[key]) for key in values if key in _FIELDS and key not in secret_keys}
    settings, faults, left_out = _parse(raw)
    faults = [*unreadable, *faults]
    findings = [fault.finding for fault in faults]
    if settings is not None:
        doubtful = [path(keys) for keys in (*left_out, *(fault.meant for fault in faults))]
        findings += [f for f in check(settings) if not any(_touches(f.path, place) for place in doubtful)]
        if need_secrets:
            findings += _missing_secrets([s for s in secrets(settings) if s.key not in values], settings)
        if plaintext is not None:
            findings += [*secret_values.judge(settings, plaintext), *mismatches(settings, plaintext)]
    if settings is None or any(f.severity == "error" for f in findings):
        raise StackFileError(findings)
    return settings, tuple(findings)


def _parse(raw: dict[str, Any]) -> tuple[Settings | None, list[Fault], set[Keys]]:
    """Settings of what is well-formed, a fault for each value that is not, and what was left out for that.

    The rest is judged, so that a typing error does not hide what contradicts another key. No Settings when too
    little is left, as without a mode.
    """
    faults: list[Fault] = []
    left_out: set[Keys] = set()
    while True:
        try:
            return (
                Settings.model_validate(_without(raw, left_out), by_alias=True, by_name=False),
                faults,
                left_out,
            )
        except ValidationError as error:
            details = error.errors(include_url=False)
        found = [fault_of(detail) for detail in details]
        # What is missing or empty only because of what was left out is no new fault, but it must go too.
        gone = [path(keys) for keys in left_out]
        said = [fault.finding for fault in faults]
        new = [
            f
            for f in found
            if f.finding not in said and not any(_touches(f.finding.path, place) for place in gone)
        ]
        faults += {fault.finding.path: fault for fault in new}.values()
        cuts = {_cut(raw, fault.at) for fault in found}
        if cuts <= left_out:
            return None, faults, left_out
        left_out |= cuts


def _cut(raw: Any, keys: Keys) -> Keys:
    """How far `keys` lead into `raw`. A list is cut as a whole: without one element, the others would move up."""
    node = raw
    for depth, key in enumerate(keys):
        if not isinstance(node, dict) or key not in node:
            return keys[:depth]
        node = node[key]
    return keys


def _without(value: Any, left_out: set[Keys], at: Keys = ()) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: _without(child, left_out, (*at, key))
        for key, child in value.items()
        if (*at, key) not in left_out
    }


def _decode(value: Any) -> Any:
    """The engine hands objects, lists and booleans over as JSON text."""
    if not isinstance(value, str) or value[:1] not in ("{", "[", "t", "f"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _unreadable_keys(values: Mapping[str, Any], secret_keys: Collection[str]) -> list[Fault]:
    """Keys that do not exist, and those on the wrong side of encryption."""
    return [
        *(
            unknown_key((key,), (*_FIELDS, *NAMES))
            for key in values
            if key not in _FIELDS and not is_secret_key(key)
        ),
        *(
            Fault(_secret_inside(key), (key,), (key,))
            for key in values
            if key in _FIELDS and key in secret_keys
        ),
        *(
            Fault(_plain_secret(key), (key,), (key,))
            for key in values
            if is_secret_key(key) and key not in secret_keys
        ),
    ]


def _touches(place: str, unknown: str) -> bool:
    """Whether one of two paths contains the other: then a rule may have judged a default, not the operator's value."""
    short, long = sorted((place, unknown), key=len)
    return long == short or long.startswith((f"{short}.", f"{short}["))


def _secret_inside(key: str) -> Finding:
    return rules.SECRET_INSIDE.found(path=path((key,)))


def _plain_secret(key: str) -> Finding:
    return rules.PLAIN_SECRET.found(path=path((key,)))


def _missing_secrets(missing: Sequence[Secret], settings: Settings) -> Iterator[Finding]:
    """One finding for all that `./kolab secrets` would make, and one for each that only the operator has."""
    halves = {pair.secret: pair for pair in pairs(settings) if pair.public is not None}
    lost = [] if settings.example else [s for s in missing if s.key in halves and not _shipped(halves[s.key])]
    made = [secret.key for secret in missing if secret.made and secret not in lost]
    if made:
        others = f", like {len(made) - 1} more: {', '.join(made[1:])}" if made[1:] else ""
        yield rules.MISSING_SECRET.found(path=path((made[0],)), others=others)
    for secret in missing:
        if secret in lost:
            pair = halves[secret.key]
            public, entry = path((pair.path,)), public_entry(pair)
            yield rules.MISSING_SECRET_HALF.found(path=path((secret.key,)), public=public, entry=entry)
        elif not secret.made:
            yield rules.MISSING_SECRET_GIVEN.found(path=path((secret.key,)), why=secret.why)


def _shipped(pair: Pair) -> bool:
    return is_shipped_key(pair.public)
