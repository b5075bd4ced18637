"""The engine's preview (`pulumi preview --json`) as changes. What is cut short, edited or of another stack is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.deployed import Deployed, UnreadableModel
from model.ledger import Resource, possible
from model.review.change import Action, Change, base_name
from model.stack_file import NAMESPACE
from ops.stacks import StackFile, StackProblem

_ACTIONS: dict[str, Action] = {
    "create": "create",
    "import": "create",
    "update": "update",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "delete": "delete",
    "discard": "delete",
}
"""Operation of the engine -> what becomes of the object. Others (same, read, refresh) change nothing."""


_HOOK = "Preview failed: before hook "
"""How the engine begins the words of components/guard.py."""


@dataclass(frozen=True)
class Preview:
    """What the engine would do, and what it refused."""

    changes: tuple[Change, ...]
    errors: tuple[str, ...]
    deployed: tuple[Deployed, ...]
    """The models that the world may have a part of; none when it never was deployed."""


def read(path: Path, stack: StackFile) -> Preview:
    """The preview of `stack` in a file. Raises StackProblem when it is anything else than that, whole and as written."""
    content = _load(path)
    steps = content["steps"]
    _check(path, content, steps, stack)
    said = content.get("diagnostics") or []
    return Preview(
        changes=tuple(_changes(steps)),
        errors=tuple(_messages(said)),
        deployed=_deployed(steps),
    )


def _load(path: Path) -> dict[str, Any]:
    problem = (
        f"{path} is no preview: make it anew with ./kolab pulumi preview --json --stack <stack> > {path.name}"
    )
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise StackProblem(problem) from None
    steps = content.get("steps") if isinstance(content, dict) else None
    if not isinstance(steps, list) or not all(
        isinstance(s, dict) and {"op", "urn"} <= s.keys() for s in steps
    ):
        raise StackProblem(problem)
    return content


def _check(path: Path, content: Mapping[str, Any], steps: list[dict[str, Any]], stack: StackFile) -> None:
    # Resources that stay as they are count in the summary, but have no step.
    counted = Counter(str(step["op"]) for step in steps if step["op"] != "same")
    summary = content.get("changeSummary")
    told = {op: n for op, n in summary.items() if n and op != "same"} if isinstance(summary, dict) else None
    if dict(counted) != told:
        raise StackProblem(
            f"{path} is not whole: its steps are not those that its summary counts; make it anew"
        )
    if any(not str(step["urn"]).startswith(f"urn:pulumi:{stack.name}::") for step in steps):
        raise StackProblem(f"{path} is the preview of another stack than {stack.name}")
    seen = {
        key.removeprefix(f"{NAMESPACE}:"): value
        for key, value in (content.get("config") or {}).items()
        if key.startswith(f"{NAMESPACE}:")
    }
    wanted = {key: value for key, value in stack.values.items() if key not in stack.secret_keys}
    for key, value in wanted.items():
        if key not in seen or _parsed(seen[key]) != _parsed(value):
            raise StackProblem(f"{path} was made from another stack file: kolab:{key} differs; make it anew")


def _parsed(value: Any) -> Any:
    """Values of objects arrive as JSON text, numbers and booleans as text."""
    if isinstance(value, str):
        try:
            return _parsed(json.loads(value)) if value[:1] in "[{" else value
        except ValueError:
            return value
    if isinstance(value, Mapping):
        return {str(key): _parsed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_parsed(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _changes(steps: list[dict[str, Any]]) -> list[Change]:
    found: dict[str, Change] = {}
    for step in steps:
        action = _ACTIONS.get(step["op"])
        urn = str(step["urn"])
        resource = urn.split("::")[2].rpartition("$")[2]
        if action is None or not resource.startswith(("kubernetes:", "cloudflare:")):
            continue
        old = (step.get("oldState") or {}).get("inputs") or {}
        new = (step.get("newState") or {}).get("inputs") or {}
        if action == "delete":
            new = {}
        elif action == "create":
            old = {}
        kind = str((new or old).get("kind") or resource.rpartition(":")[2])
        metadata = (new or old).get("metadata") or {}
        logical = urn.rpartition("::")[2]
        name = base_name(kind, str(metadata.get("name") or logical))
        # Guarded objects are acknowledged by their logical names.
        name = logical if kind in ("PersistentVolumeClaim", "Namespace") else name
        before = found.get(urn)
        found[urn] = Change(
            action,
            kind,
            name,
            str(metadata.get("namespace", "")),
            old or (before.before if before else {}),
            new,
        )
    return list(found.values())


def _messages(said: list[dict[str, Any]]) -> list[str]:
    """The sentences of errors: findings stand on lines of their own, anything else is one message."""
    found = []
    for entry in said:
        if entry.get("severity") != "error":
            continue
        text = str(entry.get("message", "")).strip().removeprefix("error: ")
        head, *lines = [line.strip().removeprefix("error: ") for line in text.splitlines()] or [""]
        found += lines if head.startswith("the stack file has ") else [" ".join([head, *lines])]
    # The engine says twice that protected data would go; our hook says how to go on.
    guarded = [text for text in found if text.startswith(_HOOK)]
    found = [text for text in found if not (guarded and text.startswith("unable to "))]
    plain = (
        text.removeprefix(_HOOK).partition(" failed: ")[2] if text in guarded else text for text in found
    )
    told = (text.removeprefix("error in the stack file: ") for text in plain)
    return [text for text in dict.fromkeys(told) if text and text != "preview failed"]


def _deployed(steps: list[dict[str, Any]]) -> tuple[Deployed, ...]:
    state = [
        Resource(urn.split("::")[2].rpartition("$")[2], urn.rpartition("::")[2], old.get("outputs") or {})
        for urn, old in ((str(step["urn"]), step.get("oldState")) for step in steps)
        if old
    ]
    root = next((each.outputs for each in state if each.type == "pulumi:pulumi:Stack"), {})
    try:
        # What stays as it is has no step, so records cannot be counted.
        return possible(state, root.get("model"), whole=False)
    except UnreadableModel as error:
        raise StackProblem(str(error)) from None
