"""Values that are not well-formed: what pydantic finds, in the words of the stack file."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from model.catalogue import files as rules
from model.findings import Finding
from model.group_example import example
from model.migrations import migration_of
from model.settings import Settings

NAMESPACE = "kolab"

Keys = tuple[str | int, ...]
"""A place in the stack file, without the `kolab:` prefix."""

_GROUP = ("model_type", "model_attributes_type", "dict_type")
_WORDS = {
    **dict.fromkeys(_GROUP, "must be a group of keys"),
    "tuple_type": "must be a list",
    "string_type": "must be text; numbers and dates need quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "too_short": "must not be empty",
    "ip_any_address": "must be an IP address",
    "ip_any_network": "must be a network such as 10.42.0.0/16, with zeros after its prefix",
}
_ONE_VALUE = ("string_type", "int_type", "bool_type")
_SAFE = ("value_error", "greater_than", "less_than", "string_too")
"""Kinds of error whose own message tells what is allowed and never what was given."""


@dataclass(frozen=True)
class Fault:
    """A finding about one value, the place that cannot be read because of it, and the place that was meant."""

    finding: Finding
    at: Keys
    meant: Keys


@dataclass(frozen=True)
class _Place:
    """Keys as they stand in the file, and what the model says of the value there."""

    keys: Keys
    kind: Any
    field: FieldInfo | None

    @property
    def meaning(self) -> str:
        text = " ".join((self.field.description or "").split()).rstrip(".") if self.field else ""
        return f" (it means: {text})" if text else ""


def fault_of(detail: Any) -> Fault:
    """A value that its key does not allow, or a key that is missing. What was given never appears in the finding."""
    place, kind, context = _place(detail["loc"]), detail["type"], detail.get("ctx", {})
    keys = place.keys
    if kind == "extra_forbidden":
        parent = _place(detail["loc"][:-1])
        return unknown_key(keys, [alias for model in _models(parent.kind) for alias in aliases(model)])
    if kind == "missing":
        return _fault(rules.MISSING.found(path=path(keys), correction=f"add it{place.meaning}"), keys[:-1])
    if kind == "union_tag_not_found":
        tag = context["discriminator"].strip("'")
        fix = f"add {tag}: to say which kind this is"
        return _fault(rules.MISSING.found(path=path((*keys, tag)), correction=fix), keys)
    if kind == "union_tag_invalid":
        tag = context["discriminator"].strip("'")
        allowed = " or ".join(context["expected_tags"].rsplit(", ", 1))
        return _fault(_one_of((*keys, tag), allowed, context["tag"]), keys)
    if kind == "literal_error":
        return _fault(_one_of(keys, context["expected"], detail["input"]), keys)
    problem = _problem(kind, detail["msg"], context)
    if kind in _ONE_VALUE and isinstance(detail["input"], list | dict):
        what = "a list" if isinstance(detail["input"], list) else "a group of keys"
        problem = f"must be one value, not {what}"
    correction = "correct it"
    if kind in _GROUP:
        name = ".".join(str(key) for key in keys)
        correction = f"write {example(name, place.kind)}"
    return _fault(
        rules.VALUE.found(path=path(keys), problem=problem, correction=f"{correction}{place.meaning}"), keys
    )


def unknown_key(keys: Keys, known: Collection[str]) -> Fault:
    """A key that does not exist: what became of it since an earlier version, or the near one that was probably meant."""
    if gone := migration_of(".".join(map(str, keys))):
        return _fault(rules.KEY_MOVED.found(path=path(keys), since=gone.since, instead=gone.instead), keys)
    close = difflib.get_close_matches(str(keys[-1]), known, n=1)
    fix = f"did you mean {close[0]}?" if close else f"remove it; known keys: {', '.join(sorted(known))}"
    finding = rules.UNKNOWN_KEY.found(path=path(keys), near=fix)
    return Fault(finding, keys, (*keys[:-1], close[0]) if close else keys)


def path(keys: Keys) -> str:
    """`keys` as findings print them: kolab:network.addresses.smtp[0]."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
    # A finding stays on its line, whatever somebody typed as a key.
    return f"{NAMESPACE}:{text if text.isprintable() else ascii(text)[1:-1]}"


def aliases(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys of a section, as they stand in the file."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _problem(kind: str, message: str, context: dict[str, Any]) -> str:
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern']}"
    if kind.startswith(_SAFE):
        message = message.removeprefix("Value error, ")
        return message.replace("Input should", "must").replace("String should", "must")
    return _WORDS.get(kind, "has a value of the wrong kind")


def _fault(finding: Finding, at: Keys) -> Fault:
    return Fault(finding, at, at)


def _one_of(keys: Keys, allowed: str, given: object) -> Finding:
    close = difflib.get_close_matches(given if isinstance(given, str) else "", allowed.split("'")[1::2], n=1)
    correction = f"did you mean {close[0]}?" if close else "write one of them"
    return rules.VALUE.found(path=path(keys), problem=f"must be {allowed}", correction=correction)


def _place(location: Sequence[str | int]) -> _Place:
    """pydantic's place as keys of the file.

    It puts the tag of a chosen union member behind the union's own key, and "[key]" behind a faulty key of a
    dictionary; neither stands in the file.
    """
    keys: list[str | int] = []
    kind: Any = Settings
    field: FieldInfo | None = None
    for part in location:
        models = _models(kind)
        if part == "[key]":
            continue
        if len(models) > 1:
            kind = next((model for model in models if _has_tag(model, part)), None)
            continue
        keys.append(part)
        if models:
            field = next((f for n, f in models[0].model_fields.items() if part == (f.alias or n)), None)
            kind = field.annotation if field else None
        else:
            kind = _element(kind)
    return _Place(tuple(keys), kind, field)


def _models(kind: Any) -> list[type[BaseModel]]:
    """The sections that a value of this type may be: none, one, or the members of a tagged union."""
    if get_origin(kind) is Annotated:
        return _models(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [model for member in get_args(kind) for model in _models(member)]
    return [kind] if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _has_tag(model: type[BaseModel], tag: str | int) -> bool:
    return any(get_args(field.annotation) == (tag,) for field in model.model_fields.values())


def _element(kind: Any) -> Any:
    """The type of what a list or dictionary holds."""
    if get_origin(kind) is Annotated:
        return _element(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return next((_element(member) for member in get_args(kind) if member is not NoneType), None)
    held = [argument for argument in get_args(kind) if argument is not ...]
    return held[-1] if held else None
