"""What is promised about generated values, for tests of some kinds of stacks each: they share the work of two processors."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from model.shape import path
from tests.engine.settings_table import BASES
from tests.security.batches import Accepted, Batch, batches, comparable, together
from tests.security.generated_values import CLUSTER, SECRET, Refused, Text, outcome, texts, values
from tests.security.languages import LANGUAGES
from tests.security.readers import Misread, Shapes, shapes

_FORM = ("value", "unknown-key", "missing", "secret-value")
"""Rules about one value on its own: they lead to its own key."""


@dataclass
class Tried:
    """What became of the values for one kind of stack."""

    values: set[tuple[Text, str]] = field(default_factory=set)
    languages: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[Text, str, Refused]] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    """Those that leave a stack its parts."""


def own_texts(name: str) -> list[Text]:
    """The texts of a base whose settings no base before it has."""
    before = {text.setting for other in (CLUSTER, *BASES) for text in texts(other) if _first(other, name)}
    return [text for text in texts(name) if text.setting not in before]


def _first(one: str, other: str) -> bool:
    order = (CLUSTER, *BASES)
    return order.index(one) < order.index(other)


@functools.cache
def tried(name: str) -> Tried:
    """Tries them, once. A traceback of the loader ends the test."""
    found = Tried()
    for text in own_texts(name):
        for value, language in values(text).items():
            found.values.add((text, value))
            found.languages[language] += 1
            made = outcome(text, value)
            if isinstance(made, Refused):
                found.refused.append((text, value, made))
            elif comparable(text, value):
                found.accepted.append((text, value))
    return found


class Promises:
    """For subclasses that say which kinds of stacks they try."""

    bases: tuple[str, ...]
    least: int

    def test_what_is_refused_is_refused_by_a_readable_sentence_that_names_the_key(self) -> None:
        for name in self.bases:
            for text, value, made in tried(name).refused:
                assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]", made.said), (text.place, value)
                assert made.findings, (text.place, value)
                for finding in made.findings:
                    assert re.fullmatch(r"kolab:\S.*", finding.path), (text.place, value, finding)
                    assert finding.problem, finding
                    assert finding.fix, finding
                if all(finding.rule in _FORM for finding in made.findings):
                    assert any(_leads_to(finding.path, text) for finding in made.findings), (
                        text.place,
                        made.said,
                    )

    def test_a_refusal_repeats_no_secret(self) -> None:
        for name in self.bases:
            for text, value, made in tried(name).refused:
                if text.place[0] == SECRET and len(value) > 7:
                    assert value not in made.said, text.place

    def test_what_is_accepted_changes_the_structure_of_nothing(self, tmp_path: Path) -> None:
        compared = 0
        for name in self.bases:
            plain = together([], name)
            assert plain is not None
            look = functools.partial(_look, folder=tmp_path)
            wanted = look(plain)
            for batch in batches(name, tried(name).accepted):
                if look(batch) != wanted:
                    pytest.fail(_blame(batch, wanted, look))
                compared += len(batch.tried)
        assert compared

    def test_every_setting_meets_every_language(self, record_property: Callable[[str, object], None]) -> None:
        made = sum(len(tried(name).values) for name in self.bases)
        refused = sum(len(tried(name).refused) for name in self.bases)
        record_property("generated values", f"{made} {refused}")
        assert made >= self.least
        languages = sum((tried(name).languages for name in self.bases), Counter[str]())
        assert set(LANGUAGES) <= set(languages)
        assert min(languages.values()) > self.least / len(LANGUAGES) / 3


def _leads_to(found: str, text: Text) -> bool:
    """Whether a finding's path is that of a text or of what it was read as, or begins with the map that it is a key of."""
    if text.place[0] == SECRET:
        return found == f"kolab:{text.place[1]}"
    if text.is_key:
        return found.startswith(f"{path(text.place[:-2])}.")
    place = path(text.place)
    return found == place or found.startswith((f"{place}.", f"{place}["))


def _look(batch: Batch, folder: Path) -> Shapes | str:
    try:
        return shapes(batch.settings, batch.secrets, folder)
    except Misread as error:
        return str(error)


def _blame(batch: Batch, wanted: Shapes | str, look: Callable[[Batch], Shapes | str]) -> str:
    """Which value it was, and what it became."""
    for accepted in batch.tried:
        alone = together([accepted], batch.name)
        if alone is not None and (found := look(alone)) != wanted:
            return f"{accepted[0].place} = {accepted[1]!r}: {_difference(found, wanted)}"
    return f"together, {[(text.place, value) for text, value in batch.tried]}: {_difference(look(batch), wanted)}"


def _difference(found: Shapes | str, wanted: Shapes | str) -> str:
    if isinstance(found, str) or isinstance(wanted, str):
        return str(found)
    return f"new {dict(found - wanted)}, gone {dict(wanted - found)}"
