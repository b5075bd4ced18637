"""The objects of a stack as the engine handed them to the API server, taken from its state."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.stack import Stack


def objects(stack: Stack) -> list[dict[str, Any]]:
    """Manifests with secrets in plain, in the order in which they were made."""
    line = ("stack", "export", "--show-secrets", "--stack", stack.mode)
    return from_export(json.loads(stack.program.must(*line)))


def from_export(export: dict[str, Any]) -> list[dict[str, Any]]:
    """What is an object of Kubernetes among an export's resources, and was not merely read."""
    return [
        _shown(resource["inputs"])
        for resource in export["deployment"]["resources"]
        if resource["type"].startswith("kubernetes:") and not resource.get("external")
    ]


def _shown(value: Any) -> Any:
    match value:
        case {"plaintext": str(text), **_marks}:
            return json.loads(text)
        case dict():
            return {key: _shown(item) for key, item in value.items()}
        case list():
            return [_shown(item) for item in value]
    return value
