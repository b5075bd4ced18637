"""A kind of text in a stack file: what a field's annotation says about its value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class Kind:
    """Text that `check` accepts, or changes into the form that is used. Stands in Annotated[str, Kind(...)].

    `check` raises ValueError with what is allowed, never with what was given; `before` does so for what YAML reads as
    something else than text. `title` names the kind on the reference page; editors get `pattern`.
    """

    title: str
    check: Callable[[str], str]
    before: Callable[[object], object] | None = None
    pattern: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: CoreSchema = core_schema.no_info_after_validator_function(self.check, handler(source))
        if self.before is not None:
            schema = core_schema.no_info_before_validator_function(self.before, schema)
        return schema

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = handler(schema)
        return {**found, "title": self.title, **({"pattern": self.pattern} if self.pattern else {})}


def matching(title: str, pattern: str, words: str) -> Kind:
    """Texts that match `pattern` in full, ASCII alone for its classes; `words` say what is allowed."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise ValueError(words)
        return value

    return Kind(title, check, pattern=f"^(?:{pattern})$")
