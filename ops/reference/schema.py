"""stacks/schema.json: what editors complete and underline in a stack file (yaml-language-server reads it)."""

from __future__ import annotations

import functools
import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from model.secrets import CATALOGUE, DKIM_PREFIX, FORMATS, Secret
from model.settings import SELECTOR, Settings
from model.shape import NAMESPACE

Schema = dict[str, Any]


class _WithoutFieldTitles(GenerateJsonSchema):
    """pydantic makes a title of each field's name; the titles that stay are those of model/types.py."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@functools.cache
def settings() -> Schema:
    """The schema of Settings alone: properties without prefix, `$defs` for sections. Read it and change nothing."""
    made = Settings.model_json_schema(schema_generator=_WithoutFieldTitles)
    defs = {name: _tidy(section, made["$defs"]) for name, section in made["$defs"].items()}
    return {**_tidy(made, made["$defs"]), "$defs": defs}


def _tidy(node: Any, defs: Schema) -> Any:
    """The node without null, which nobody writes, without hints for other tools, and with defaults that say something."""
    if isinstance(node, list):
        return [_tidy(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    tidied: Schema = {}
    for key, value in node.items():
        if key in ("properties", "patternProperties"):
            tidied[key] = {name: _tidy(child, defs) for name, child in value.items()}
        elif key in ("anyOf", "oneOf", "items", "additionalProperties", "propertyNames"):
            tidied[key] = _tidy(value, defs)
        elif key not in ("default", "discriminator", "$defs"):
            tidied[key] = value
    default = node.get("default")
    if isinstance(default, dict):
        # A section that may be empty shows its defaults key by key.
        optional = "$ref" in node and "required" not in defs[node["$ref"].rpartition("/")[2]]
        default = None if optional else {key: value for key, value in default.items() if value is not None}
    if default not in (None, [], {}):
        tidied["default"] = default
    if "patternProperties" in tidied:
        tidied["additionalProperties"] = False
    choices = [choice for choice in tidied.pop("anyOf", ()) if choice != {"type": "null"}]
    return (
        {**choices[0], **tidied}
        if len(choices) == 1
        else {**tidied, **({"anyOf": choices} if choices else {})}
    )


def document() -> Schema:
    """The schema of a whole stack file."""
    inside = settings()
    config: Schema = {
        "type": "object",
        "description": "Settings of this stack.",
        "properties": {
            **{_key(name): _top(value) for name, value in inside["properties"].items()},
            **{_key(entry.secret.key): _encrypted(entry.secret) for entry in CATALOGUE},
        },
        "patternProperties": {
            f"^{NAMESPACE}:{DKIM_PREFIX}{SELECTOR.removeprefix('^')}": _encrypted(
                Secret("", "rsa2048", "private half of a DKIM key, named by its selector")
            ),
            "^pulumi:": {"description": "A setting of the engine."},
        },
        "additionalProperties": False,
        "required": [_key(name) for name in inside["required"]],
    }
    engine = {"type": "string", "description": "Written by the pulumi CLI."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Kolab stack",
        "description": "Generated from model/settings by ./kolab generate.",
        "type": "object",
        "properties": {
            "config": config,
            **dict.fromkeys(("encryptionsalt", "encryptedkey", "secretsprovider"), engine),
        },
        "additionalProperties": False,
        "required": ["config"],
        "$defs": inside["$defs"],
    }


def text() -> str:
    """The file's content."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _key(name: str) -> str:
    return f"{NAMESPACE}:{name}"


def _top(schema: Schema) -> Schema:
    """The pulumi CLI puts quotes around a plain boolean when it rewrites the file."""
    if schema.get("type") != "boolean":
        return schema
    return {
        **{key: value for key, value in schema.items() if key != "type"},
        "enum": [True, False, "true", "false"],
    }


def _encrypted(secret: Secret) -> Schema:
    return {
        "type": "object",
        "description": f"Secret ({FORMATS[secret.format].words}): {secret.why}. `./kolab secrets` or `./kolab pulumi config set --secret` stores it.",
        "properties": {"secure": {"type": "string", "description": "The encrypted value."}},
        "required": ["secure"],
        "additionalProperties": False,
    }
