"""Generated values for every free text of a stack file, secrets included, and what the program makes of each.

A value is bent towards one language: the text that stood there with fragments that mean something in it, or fragments alone.
Others have the form of what stood there. Enumerations, numbers and switches are no free text.
"""

from __future__ import annotations

import copy
import functools
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from model import secret_values
from model.findings import Finding, report
from model.secrets import Format, secrets
from model.settings import Section, Settings
from model.shape import fault_of
from model.stack_file import StackFileError, load
from tests.engine.settings_table import BASES, HARMLESS
from tests.program import hostile
from tests.security.languages import EVERYWHERE, LANGUAGES

Place = tuple[str | int, ...]
Values = dict[str, Any]

SECRET = "a secret"
"""Begins the places of secrets."""

CLUSTER = "a cluster with everything outside"
_TOGETHER = ("ingress", "relay", "engines of others", "backups", "reverse zones")
"""Kinds of stacks that go together in one."""


@functools.cache
def base(name: str) -> Values:
    """A stack file that is right, with as many texts as it can have. Copy it before you change it."""
    if name != CLUSTER:
        return hostile.base(name)
    found = copy.deepcopy(hostile.base("cluster"))
    for kind in _TOGETHER:
        for path, value in BASES[kind][1].items():
            _put(found, path, copy.deepcopy(value))
        for path, value in HARMLESS[kind].items():
            if "[" in path:
                _put(found, re.sub(r"\[.*?\]", "", path), copy.deepcopy(value))
    _put(found, "external.database.maxConnections", 900)
    _put(found, "tls", {"issuer": "existing", "name": "letsencrypt.prod", "caa": "ca.example.net"})
    return found


def _put(values: Values, path: str, value: Any) -> None:
    *above, last = path.split(".")
    node = values
    for key in above:
        node = node.setdefault(key, {})
    node[last] = value


@dataclass(frozen=True)
class Text:
    """A free text of a stack file. Its place ends in a key of a map twice when the key itself is meant."""

    base: str
    place: Place
    was: str

    @property
    def is_key(self) -> bool:
        """Whether it is the key of a map."""
        return len(self.place) > 1 and self.place[-1] == self.place[-2]

    @property
    def setting(self) -> str:
        """The setting, whatever the element of a list or the key of a map."""
        return ".".join(str(part) for part in self.place if not isinstance(part, int))

    def within(self, values: Values, text: str) -> Values:
        """The stack file with `text` here; the given one stays as it is."""
        return _replaced(values, self.place[:-1] if self.is_key else self.place, text, self.is_key)


def _replaced(node: Any, place: Place, text: str, is_key: bool) -> Any:
    first, *rest = place
    if isinstance(node, list):
        return [
            _replaced(child, tuple(rest), text, is_key)
            if rest and n == first
            else text
            if n == first
            else child
            for n, child in enumerate(node)
        ]
    if rest:
        return {**node, first: _replaced(node[first], tuple(rest), text, is_key)}
    return (
        {text if is_key and key == first else key: child for key, child in node.items()}
        if is_key
        else {**node, first: text}
    )


@functools.cache
def texts(name: str) -> tuple[Text, ...]:
    """Every free text of a base. Private keys are none: they are read as keys (model/keys.py), or are no keys."""
    settings, _ = load(base(name), need_secrets=False)
    free = set(_free(settings))
    found = [
        Text(name, place, value)
        for place in hostile.places(base(name))
        if isinstance(value := _at(base(name), place), str) and place in free
    ]
    given = [each for each in secrets(settings) if each.format not in secret_values.KEY_PAIRS]
    return (*found, *(Text(name, (SECRET, each.key), _RIGHT[each.format]) for each in given))


_RIGHT: Mapping[Format, str] = {
    "password": "Ab12.cd_EF~3-4567gh",
    "hex": "0123456789abcdefABCDEF" * 3,
    "uuid": "01234567-89ab-cdef-ABCD-0123456789ef",
    "appKey": f"base64:{'Ab12' * 10}+/3=",
    "desKey": "Ab12cdEF3+/45678ghIJkl90",
    "cloudflareToken": "Ab12cd_EF-" * 4,
    "relayPassword": "as-it-was-given",
    "s3AccessKey": "AKIA0123456789",
    "s3SecretKey": "Ab12cd/EF+34=5678",
    "webhookUrl": "https://hooks.example.com/services/T0/B0?key=x",
}


def _at(values: Any, place: Place) -> Any:
    if len(place) > 1 and place[-1] == place[-2]:
        return place[-1]
    for key in place:
        values = values[key]
    return values


def _free(node: Any, at: Place = ()) -> Iterator[Place]:
    """Places of free texts in settings."""
    if isinstance(node, Section):
        for name, field in type(node).model_fields.items():
            if "Literal" not in str(field.annotation):
                yield from _free(getattr(node, name), (*at, field.alias or name))
    elif isinstance(node, tuple):
        for number, child in enumerate(node):
            yield from _free(child, (*at, number))
        # One text may stand where a list may.
        yield at
    elif isinstance(node, dict):
        for key, child in node.items():
            yield (*at, str(key), str(key))
            yield from _free(child, (*at, str(key)))
    elif node is not None and not isinstance(node, bool | int | float):
        yield at


_BENT, _ALLOWED = 4, 16
"""Values of each text for each language, and of its own form."""


def values(text: Text) -> dict[str, str]:
    """Value -> the language that it was made for; the same in every run."""
    choose = random.Random(f"{text.base} {text.place}")  # noqa: S311 (repeatable)
    found = {_allowed(text, choose): "its own form" for _ in range(_ALLOWED)}
    for language in LANGUAGES:
        found.update((_bent(text, language, choose), language) for _ in range(_BENT))
    found.pop(text.was, None)
    return found


def _bent(text: Text, language: str, choose: random.Random) -> str:
    fragments = choose.choice((LANGUAGES[language], LANGUAGES[language], EVERYWHERE))
    bad = choose.choice(fragments)
    if choose.random() < 0.25:
        bad = "".join(choose.choices(_signs(language), k=choose.randint(1, 6)))
    if choose.random() < 0.2:
        return bad
    at, cut = choose.randint(0, len(text.was)), choose.randint(0, 3)
    return text.was[:at] + bad + text.was[at + cut :]


@functools.cache
def _signs(language: str) -> list[str]:
    return sorted({sign for each in LANGUAGES[language] for sign in each if sign.isprintable()})


def _allowed(text: Text, choose: random.Random) -> str:
    """A value whose form is often right: other letters in the same places, or more of them."""
    if choose.random() < 0.5:
        letters = [sign for sign in text.was if sign.isalnum()]
        choose.shuffle(letters)
        return re.sub("[A-Za-z0-9]", lambda _: letters.pop(), text.was)
    at = choose.randint(0, len(text.was))
    return (
        text.was[:at] + "".join(choose.choices("abcXYZ019._-~+/=@", k=choose.randint(1, 20))) + text.was[at:]
    )


@dataclass(frozen=True)
class Refused:
    """What is said about a value."""

    findings: tuple[Finding, ...]
    said: str


def outcome(text: Text, value: str) -> Settings | Refused:
    """What the loader makes of the stack file with this value. Anything but a refusal with findings ends the test."""
    if text.place[0] == SECRET:
        key = str(text.place[1])
        found = tuple(secret_values.judge(_plain(text.base), lambda name: value if name == key else None))
        return Refused(found, report(found)) if found else _plain(text.base)
    values = text.within(base(text.base), value)
    try:
        Settings.model_validate(values, by_alias=True, by_name=False)
    except ValidationError as error:
        # As `load` does. It would judge the rest of the file as well, which takes ten times as long: see
        # tests/program/test_hostile_values.py.
        faults = [fault_of(detail).finding for detail in error.errors(include_url=False)]
        return Refused(tuple(faults), report(faults))
    return loaded(values)


def loaded(values: Values) -> Settings | Refused:
    """A stack file as settings, or why it is refused."""
    try:
        return load(values, need_secrets=False)[0]
    except StackFileError as error:
        return Refused(error.findings, str(error))


@functools.cache
def _plain(name: str) -> Settings:
    return load(base(name), need_secrets=False)[0]
