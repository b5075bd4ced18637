"""YAML as stack files need it: text alone, each key once, and nothing that a small file could blow up with."""

from __future__ import annotations

import re
from typing import Any

import yaml

from model import yaml_text

_MOST = 1024 * 1024
"""Characters. A thousand domains and a hundred secrets fill a tenth of it."""
_DEEPEST = 50


class YamlProblem(ValueError):
    """The text is refused; the message is the end of a sentence that begins with the file's name."""


class _Loader(yaml.SafeLoader):
    """YAML's safe subset without aliases and merges, in which a key stands once."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
            raise YamlProblem(f"uses an alias (*) at line {line}: write the value out")
        if self._depth > _DEEPEST:
            raise YamlProblem("is nested deeper than any stack file")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(node, yaml.ScalarNode) and _is_text_here_alone(node):
            told, line = ascii(node.value)[1:-1], node.start_mark.line + 1
            raise YamlProblem(
                f"has {told} at line {line}, which is a number to the engine: write it in quotes"
            )
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else (key.tag, "")
            if name in seen:
                told = ascii(key.value)[1:-1] if isinstance(key, yaml.ScalarNode) else "a key"
                raise YamlProblem(
                    f"has {told} twice, again at line {key.start_mark.line + 1}: keep one of them"
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def _is_text_here_alone(node: yaml.ScalarNode) -> bool:
    """Whether PyYAML reads a text where the engine reads a number, such as 1e3."""
    return node.style is None and node.tag == "tag:yaml.org,2002:str" and yaml_text.is_number(node.value)


def _refuse_brackets(text: str) -> None:
    """PyYAML takes a second for some hundred open brackets, before it makes anything of them."""
    depth = 0
    for sign in re.findall(r"[][{}]", text):
        depth = depth + 1 if sign in "[{" else max(0, depth - 1)
        if depth > _DEEPEST:
            raise YamlProblem("is nested deeper than any stack file")


def read(text: str) -> Any:
    """The document in `text`. Raises YamlProblem, at once, for what is no YAML of this kind."""
    if len(text) > _MOST:
        raise YamlProblem("is larger than 1 MiB, which no stack file is")
    _refuse_brackets(text)
    try:
        # A SafeLoader, only stricter.
        return yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise YamlProblem(f"is not valid YAML{f' at line {mark.line + 1}' if mark else ''}") from None
    except (ValueError, TypeError, OverflowError) as error:
        if isinstance(error, YamlProblem):
            raise
        # PyYAML's readers of dates and numbers, for 2026-99-99 and the like.
        raise YamlProblem("holds a date or number that does not exist: write it in quotes") from None
