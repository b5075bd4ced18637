"""The engine's preview (`pulumi preview --json`) as changes. What is cut short, edited or of another stack is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from model import images
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
    "import-replacement": "replace",
    "delete-replaced": "replace",
    "delete": "delete",
    "discard": "delete",
}
"""Operation of the engine -> what becomes of the object."""
_NO_CHANGE = ("same", "read", "read-replacement", "refresh", "discard-replaced", "remove-pending-replace")
"""Its other ones (pulumi: pkg/resource/deploy/step.go)."""


_HOOK = "Preview failed: before hook "
"""How the engine begins the words of components/guard.py."""


class _Part(BaseModel):
    """A part of the engine's JSON (pulumi: sdk/go/common/display/json.go), as far as it is read here."""

    model_config = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True, alias_generator=to_camel)


class _State(_Part):
    urn: str
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}


class _Step(_Part):
    op: str
    urn: str = Field(pattern=r"^urn:pulumi:[^:]+::[^:]+::[^ ]+::[^ ]+$")
    old_state: _State | None = None
    new_state: _State | None = None

    @property
    def type(self) -> str:
        """The resource's type, after those of all that it stands in."""
        return self.urn.split("::")[2]

    @property
    def name(self) -> str:
        """Its logical name."""
        return self.urn.rpartition("::")[2]


class _Said(_Part):
    severity: str
    message: str = ""


class _Content(_Part):
    steps: tuple[_Step, ...] = Field(strict=False)
    config: dict[str, Any] = {}
    diagnostics: tuple[_Said, ...] | None = Field(None, strict=False)
    change_summary: dict[str, int] | None = None


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
    _check(path, content, stack)
    return Preview(
        changes=tuple(_changes(content.steps)),
        errors=tuple(_messages(content.diagnostics or ())),
        deployed=_deployed(content.steps),
    )


def _load(path: Path) -> _Content:
    try:
        return _Content.model_validate(json.loads(path.read_text("utf-8"), object_pairs_hook=_once))
    except (OSError, ValueError, RecursionError, ValidationError):
        raise StackProblem(
            f"{path} is no preview: make it anew with ./kolab pulumi preview --json --stack <stack> > {path.name}"
        ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises ValueError for one that says something twice: others may read the other one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _check(path: Path, content: _Content, stack: StackFile) -> None:
    # Resources that stay as they are count in the summary, but have no step.
    counted = Counter(step.op for step in content.steps if step.op != "same")
    summary = content.change_summary
    told = None if summary is None else {op: n for op, n in summary.items() if n and op != "same"}
    if dict(counted) != told or not all(map(_consistent, content.steps)):
        raise StackProblem(
            f"{path} is not whole: its steps are not those that its summary counts; make it anew"
        )
    if any(not step.urn.startswith(f"urn:pulumi:{stack.name}::") for step in content.steps):
        raise StackProblem(f"{path} is the preview of another stack than {stack.name}")
    seen = {
        key.removeprefix(f"{NAMESPACE}:"): value
        for key, value in content.config.items()
        if key.startswith(f"{NAMESPACE}:")
    }
    wanted = {key: value for key, value in stack.values.items() if key not in stack.secret_keys}
    for key in sorted({*wanted, *seen} - stack.secret_keys):
        if (key in wanted) != (key in seen) or _parsed(seen[key]) != _parsed(wanted[key]):
            raise StackProblem(f"{path} was made from another stack file: kolab:{key} differs; make it anew")
    settings, _ = stack.settings()
    ours = {images.reference(settings.images, name) for name in images.used(settings)}
    for step in content.steps:
        if step.new_state and step.type.startswith(f"{_KOLAB}$"):
            for image in _images(step.new_state.inputs):
                if image not in ours:
                    raise StackProblem(
                        f"{path} was made from another stack file: {step.name} would run {image}; make it anew"
                    )


_KOLAB = "kolab:index:Kolab"
"""What the program makes; whoever adds to it names images of their own."""


def _consistent(step: _Step) -> bool:
    """Whether a step is one that the engine takes: of a known kind, and about one resource, before and after."""
    action = _ACTIONS.get(step.op)
    states = [state for state in (step.old_state, step.new_state) if state]
    if step.op not in {*_ACTIONS, *_NO_CHANGE} or any(state.urn != step.urn for state in states):
        return False
    needs = {"create": step.new_state, "delete": step.old_state}.get(str(action), True)
    return bool(needs) and (action != "update" or len(states) == 2)


def _images(node: Any) -> Iterator[str]:
    """Of all containers in an object."""
    if isinstance(node, Mapping):
        for key, child in node.items():
            if key in ("containers", "initContainers") and isinstance(child, list):
                yield from (str(each.get("image")) for each in child if isinstance(each, Mapping))
            yield from _images(child)
    elif isinstance(node, list):
        for child in node:
            yield from _images(child)


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


def _changes(steps: tuple[_Step, ...]) -> list[Change]:
    found: dict[str, Change] = {}
    for step in steps:
        action = _ACTIONS.get(step.op)
        resource = step.type.rpartition("$")[2]
        if action is None or not resource.startswith(("kubernetes:", "cloudflare:")):
            continue
        old = step.old_state.inputs if step.old_state else {}
        new = step.new_state.inputs if step.new_state else {}
        if action == "delete":
            new = {}
        elif action == "create":
            old = {}
        kind = str((new or old).get("kind") or resource.rpartition(":")[2])
        metadata = _group((new or old).get("metadata"))
        name = base_name(kind, str(metadata.get("name") or step.name))
        # Guarded objects are acknowledged by their logical names.
        name = step.name if kind in ("PersistentVolumeClaim", "Namespace") else name
        before = found.get(step.urn)
        found[step.urn] = Change(
            action,
            kind,
            name,
            str(metadata.get("namespace", "")),
            old or (before.before if before else {}),
            new,
        )
    return list(found.values())


def _group(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _messages(said: tuple[_Said, ...]) -> list[str]:
    """The sentences of errors: findings stand on lines of their own, anything else is one message."""
    found = []
    for entry in said:
        if entry.severity != "error":
            continue
        text = entry.message.strip().removeprefix("error: ")
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


def _deployed(steps: tuple[_Step, ...]) -> tuple[Deployed, ...]:
    state = [
        Resource(step.type.rpartition("$")[2], step.name, step.old_state.outputs)
        for step in steps
        if step.old_state
    ]
    root = next((each.outputs for each in state if each.type == "pulumi:pulumi:Stack"), {})
    try:
        # What stays as it is has no step, so records cannot be counted.
        return possible(state, root.get("model"), whole=False)
    except UnreadableModel as error:
        raise StackProblem(str(error)) from None
