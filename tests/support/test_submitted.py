"""The objects of a stack, from what the engine exports of its state."""

from __future__ import annotations

from typing import Any

from tests.acceptance.submitted import from_export

_MARKS = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def _export(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


def _object(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"kubernetes:core/v1:{kind}", "inputs": {"apiVersion": "v1", "kind": kind, **fields}}


def test_only_objects_that_were_made_count() -> None:
    export = _export(
        {"type": "pulumi:pulumi:Stack"},
        {"type": "pulumi:providers:kubernetes", "inputs": {"context": "prod"}},
        {"type": "kolab:index:Redis"},
        _object("Service"),
        _object("Node") | {"external": True},
    )
    assert [each["kind"] for each in from_export(export)] == ["Service"]


def test_secrets_are_shown_wherever_they_stand() -> None:
    whole = {**_MARKS, "plaintext": '{"key": "dmFsdWU="}'}
    inside = [{"name": "TOKEN", "value": {**_MARKS, "plaintext": '"secret"'}}]
    shown = from_export(_export(_object("Secret", data=whole, list=inside)))
    assert shown[0]["data"] == {"key": "dmFsdWU="}
    assert shown[0]["list"] == [{"name": "TOKEN", "value": "secret"}]
