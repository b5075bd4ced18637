"""A preview that is cut short, edited, of another stack, or none at all is refused with one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model import images
from ops.reporting import preview
from ops.stacks import StackFile, StackProblem

_STACK = StackFile.read("cluster")
_POSTFIX = images.reference(_STACK.settings()[0].images, "postfix")
_ROOT = "urn:pulumi:cluster::kolab::pulumi:pulumi:Stack::kolab-cluster"
_PODS = "urn:pulumi:cluster::kolab::kolab:index:Kolab$kolab:index:Postfix$kubernetes:apps/v1:StatefulSet::postfix-pods"
_POLICY = "urn:pulumi:cluster::kolab::kolab:index:Kolab$kubernetes:core/v1:ConfigMap::proxy-policy"
_ADDED = "urn:pulumi:cluster::kolab::kubernetes:apps/v1:Deployment::a-page-of-ours"


def _pods(image: str) -> dict[str, Any]:
    container = {"name": "postfix", "image": image}
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "postfix", "namespace": "kolab"},
        "spec": {"template": {"spec": {"initContainers": [container], "containers": [container]}}},
    }


def _whole() -> dict[str, Any]:
    """A preview as the engine writes it, as far as it is read."""
    config_map = {"kind": "ConfigMap", "metadata": {"name": "proxy-policy-0123456789", "namespace": "kolab"}}
    return {
        "config": {
            f"kolab:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in _STACK.values.items()
        },
        "steps": [
            {"op": "same", "urn": _ROOT, "oldState": {"urn": _ROOT}, "newState": {"urn": _ROOT}, "detailedDiff": None},
            {
                "op": "update",
                "urn": _PODS,
                "oldState": {"urn": _PODS, "inputs": _pods("registry.example.net/old@sha256:1")},
                "newState": {"urn": _PODS, "inputs": _pods(_POSTFIX)},
            },
            {"op": "create", "urn": _POLICY, "newState": {"urn": _POLICY, "inputs": config_map}},
            {"op": "create", "urn": _ADDED, "newState": {"urn": _ADDED, "inputs": _pods("nginx:1")}},
        ],
        "diagnostics": [{"message": "a word", "severity": "info"}],
        "duration": 1,
        "changeSummary": {"same": 140, "update": 1, "create": 2},
    }  # fmt: skip


def _read(tmp_path: Path, text: str | bytes) -> preview.Preview:
    path = tmp_path / "preview.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return preview.read(path, _STACK)


def test_a_whole_preview_is_read(tmp_path: Path) -> None:
    found = _read(tmp_path, json.dumps(_whole()))
    assert [(change.action, change.name) for change in found.changes] == [
        ("update", "postfix"),
        ("create", "proxy-policy"),
        ("create", "postfix"),
    ]
    assert not found.errors


def test_a_preview_that_is_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    text = json.dumps(_whole())
    for end in (*range(0, len(text), 97), len(text) - 1):
        with pytest.raises(StackProblem, match=r"preview\.json is no preview: make it anew with \./kolab"):
            _read(tmp_path, text[:end])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"steps"',
        b"\xff\xfe{}",
        b"PK\x03\x04",
        b"error: no stack selected",
        b"[" * 100_000,
        b'{"steps": ' * 5_000,
        json.dumps(_whole()).encode() * 2,
        json.dumps(_whole()).encode() + b"\n[]",
        json.dumps(_whole()).replace('"duration": 1', '"duration": 1, "steps": []').encode(),
    ],
    ids=lambda text: f"{text[:12]!r} {len(text)}",
)
def test_what_is_no_preview_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(StackProblem, match="is no preview"):
        _read(tmp_path, text)


def _edit(*place: str | int, to: Any = None) -> Callable[[dict[str, Any]], None]:
    def edit(content: dict[str, Any]) -> None:
        node: Any = content
        for key in place[:-1]:
            node = node[key]
        if to is None:
            del node[place[-1]]
        else:
            node[place[-1]] = to

    return edit


_WRONG = (7, "text", [7], {"x": 7}, True)


@pytest.mark.parametrize(
    "place",
    [
        ("steps",),
        ("steps", 1),
        ("steps", 1, "op"),
        ("steps", 1, "urn"),
        ("steps", 1, "oldState"),
        ("steps", 1, "newState"),
        ("steps", 1, "newState", "urn"),
        ("steps", 1, "newState", "inputs"),
        ("diagnostics", 0),
        ("changeSummary",),
        ("changeSummary", "update"),
        ("config",),
    ],
    ids=str,
)
def test_a_field_that_is_missing_or_of_another_type_is_refused(
    tmp_path: Path, place: tuple[str | int, ...]
) -> None:
    for to in (None, *_WRONG):
        content = _whole()
        _edit(*place, to=to)(content)
        if place == ("steps", 1, "newState", "inputs") and (to is None or isinstance(to, dict)):
            continue  # An object of another kind has other fields.
        if place == ("diagnostics", 0) and to is None:
            continue  # There may be none.
        with pytest.raises(
            StackProblem, match=r"preview\.json (is no preview|is not whole|was made from|is the preview of)"
        ):
            _read(tmp_path, json.dumps(content))


@pytest.mark.parametrize("value", [*_WRONG, None], ids=str)
@pytest.mark.parametrize("place", [("metadata",), ("metadata", "name"), ("spec",), ("kind",)], ids=str)
def test_an_object_of_another_form_is_no_traceback(
    tmp_path: Path, place: tuple[str, ...], value: Any
) -> None:
    content = _whole()
    _edit("steps", 2, "newState", "inputs", *place, to=value if value is not None else [])(content)
    assert len(_read(tmp_path, json.dumps(content)).changes) == 3


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_edit("steps", 1), "is not whole"),
        (_edit("changeSummary", "delete", to=1), "is not whole"),
        (_edit("steps", 1, "op", to="delete"), "is not whole"),
        (_edit("steps", 1, "op", to="upgrade"), "is not whole"),
        (_edit("steps", 1, "newState", "urn", to=_POLICY), "is not whole"),
        (_edit("steps", 1, "newState"), "is not whole"),
        (_edit("steps", 1, "urn", to=_PODS.replace(":cluster:", ":other:")), "is not whole"),
        (_edit("steps", 0, to={"op": "same", "urn": _ROOT.replace(":cluster:", ":other:")}), "another stack than cluster"),
        (_edit("config", "kolab:domain", to="example.net"), "kolab:domain differs"),
        (_edit("config", "kolab:domain"), "kolab:domain differs"),
        (_edit("config", "kolab:somethingElse", to="1"), "kolab:somethingElse differs"),
        (
            _edit("steps", 1, "newState", "inputs", to=_pods("registry.example.net/evil@sha256:" + "6" * 64)),
            "postfix-pods would run registry.example.net/evil@sha256:",
        ),
        (
            _edit("steps", 1, "newState", "inputs", "spec", "template", "spec", "initContainers", 0, "image", to="busybox"),
            "postfix-pods would run busybox",
        ),
    ],
)  # fmt: skip
def test_a_preview_that_was_edited_is_refused(
    tmp_path: Path, edit: Callable[[dict[str, Any]], None], said: str
) -> None:
    content = _whole()
    edit(content)
    with pytest.raises(StackProblem, match=said):
        _read(tmp_path, json.dumps(content))


def test_the_preview_of_another_stack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackProblem, match="is the preview of another stack than cluster"):
        _read(tmp_path, json.dumps(_whole()).replace("urn:pulumi:cluster::", "urn:pulumi:other::"))
