"""The ends of what is called harmless, for daemons to read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from model.extra.language import Language
from model.extra.values import Value


def extremes(
    language: Language, names: Collection[str], texts: Mapping[str, tuple[str, str]]
) -> list[dict[str, str]]:
    """Every name of `names` that is harmless, each with its least value, with its most, and so on for a second kind.

    `texts` has two examples for each pattern of values that occurs.
    """
    found: list[dict[str, str]] = [{}, {}, {}, {}]
    for pattern, kinds in language.harmless.items():
        several = kinds if isinstance(kinds, tuple) else (kinds,)
        values = [value for kind in several for value in _ends(kind, texts)]
        for name in names:
            if re.fullmatch(pattern, name) and not re.fullmatch(language.own, name):
                assert all(language.judge(name, value) is None for value in values)
                for index, each in enumerate(found):
                    each[name] = values[index % len(values)]
    return found


def _ends(kind: Value, texts: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    return texts[kind] if isinstance(kind, str) else (str(kind.least), str(kind.most))
