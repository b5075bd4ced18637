"""docs/reference/settings.md: every key of a stack file, section by section."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from model.shape import NAMESPACE
from ops.reference.markdown import code, link, page, prose, sentence, table
from ops.reference.schema import Schema
from ops.reference.schema import settings as schema_of_settings

_HEAD = ("Key", "Type", "Default", "Meaning")


@dataclass(frozen=True)
class _Section:
    """A group of keys: where it stands, and its schema."""

    heading: str
    place: str
    schema: Schema


def text() -> str:
    """The page."""
    schema = schema_of_settings()
    top = _Section(f"{NAMESPACE}:", f"{NAMESPACE}:", schema)
    parts = [
        "Every key of `stacks/Pulumi.<stack>.yaml`. Keys of the first table are written with their prefix below"
        " `config:`; those of the others inside of their section. Unknown keys are refused. Secrets have keys of"
        " their own: see [secrets](secrets.md). What contradicts what: see [rules](rules.md).",
        table(_HEAD, _rows(top, schema["$defs"])),
    ]
    for section in _below(top, schema["$defs"]):
        parts += [
            f"## {prose(section.heading)}",
            prose(sentence(section.schema["description"])),
            table(_HEAD, _rows(section, schema["$defs"])) if section.schema.get("properties") else "No keys.",
        ]
    return page("Settings", *parts)


def _below(section: _Section, defs: Schema) -> Iterator[_Section]:
    """The sections inside of `section`, each followed by its own."""
    told = set()
    for name, schema in section.schema.get("properties", {}).items():
        for child in _sections(_place(section, name, schema), schema, defs):
            if child.heading not in told:
                told.add(child.heading)
                yield child
                yield from _below(child, defs)


def _sections(place: str, schema: Schema, defs: Schema) -> Iterator[_Section]:
    for suffix, inner in (("", schema), *_elements(schema)):
        at = f"{place}{suffix}"
        if "$ref" in inner:
            yield _Section(at, at, _resolve(inner, defs))
        for variant in inner.get("oneOf", ()):
            resolved = _resolve(variant, defs)
            tag = next((f"{k}: {v['const']}" for k, v in resolved["properties"].items() if "const" in v), "")
            yield _Section(f"{at} with {tag}", at, resolved)


def _elements(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Schemas of what a list or a map holds, with how its place is written."""
    if isinstance(schema.get("items"), dict):
        yield "[]", schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        yield ".<name>", schema["additionalProperties"]
    yield from ((".<name>", inner) for inner in schema.get("patternProperties", {}).values())


def _rows(section: _Section, defs: Schema) -> Iterator[tuple[str, str, str, str]]:
    required = section.schema.get("required", ())
    for name, schema in section.schema["properties"].items():
        found = list(_sections(_place(section, name, schema), schema, defs))
        inside = [link(child.heading, child.heading.partition(" with ")[2] or "keys") for child in found]
        kind = f"{_kind(schema)}: {', '.join(inside)}" if inside else _kind(schema)
        default = "required" if name in required else _written(schema.get("default"))
        key = f"{NAMESPACE}:{name}" if section.place == f"{NAMESPACE}:" else name
        # pydantic leaves a description out that the section itself has word for word.
        meaning = schema.get("description") or _resolve(schema, defs)["description"]
        yield code(key), kind, default, sentence(meaning)


def _kind(schema: Schema) -> str:
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    if "$ref" in schema or "oneOf" in schema:
        return "section"
    if "title" in schema:
        return str(schema["title"])
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"])
    inner = [_kind(element) for _, element in _elements(schema)]
    bounds = f" from {schema.get('minimum')} to {schema.get('maximum')}" if "maximum" in schema else ""
    return {
        "array": f"list ({inner[0] if inner else 'text'})",
        "object": f"map ({inner[0] if inner else 'text'})",
        "integer": f"whole number{bounds}",
        "boolean": "true, false",
    }.get(schema["type"], "text")


def _written(default: Any) -> str:
    if default is None:
        return ""
    if isinstance(default, dict):
        return ", ".join(code(f"{key}: {value}") for key, value in default.items())
    return code(default if isinstance(default, str) else json.dumps(default))


def _resolve(reference: Schema, defs: Schema) -> Schema:
    found: Schema = defs[reference["$ref"].rpartition("/")[2]]
    return found


def _place(section: _Section, name: str, schema: Schema) -> str:
    """Where a key stands. Neighbours of one kind, such as the volumes, share one place."""
    neighbours = [
        other for other in section.schema["properties"].values() if other.get("$ref") == schema.get("$ref", 0)
    ]
    if len(neighbours) > 1:
        name = f"<{schema['$ref'].rpartition('/')[2].lower()}>"
    return section.place + name if section.place.endswith(":") else f"{section.place}.{name}"
