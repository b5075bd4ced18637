"""Every field of the stack file that holds a value."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

SAMPLE_KEYS = {"mail.dkim.selectors": "k202611", "resources": "imap"}
"""A key of each table whose rows are sections."""

WHOLE = ("domains",)
"""Tables whose rows repeat sections that stand elsewhere, under keys with dots: each is one value here."""


def leaves(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Paths as a stack file writes them. Where a section has several kinds, the kind stands behind it, `tls[acme].email`,
    and the section is a leaf itself: its kind can change. What has one value only is left out."""
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        found = {} if path in WHOLE else dict(_sections(field.annotation, path))
        if len(found) != 1 and not _has_one_value(field.annotation):
            yield path
        for place, section in found.items():
            yield from leaves(section, f"{place}.")


def _sections(annotation: Any, path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Sections that may stand at `path`."""
    if get_origin(annotation) is Annotated:
        yield from _sections(get_args(annotation)[0], path)
    elif get_origin(annotation) in (Union, UnionType):
        kinds = [kind for part in get_args(annotation) for _, kind in _sections(part, path)]
        for kind in kinds:
            yield (f"{path}[{_tag(kind)}]" if len(kinds) > 1 else path), kind
    elif get_origin(annotation) is dict:
        yield from _sections(get_args(annotation)[1], f"{path}.{SAMPLE_KEYS.get(path, '*')}")
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield path, annotation


def _has_one_value(annotation: Any) -> bool:
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


def _tag(kind: type[BaseModel]) -> str:
    """What its discriminator says: the field that comes first and has one value only."""
    first = next(iter(kind.model_fields.values()))
    return str(get_args(first.annotation)[0])
