"""What changes in the cluster: pods that restart, images, certificates, data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from model.review.change import DATA, Change, template
from model.review.interruptions import interruption, interrupts
from model.review.item import Item, Level
from model.settings import Settings

_SCHEMA = {"seed": "the web application's tables", "roundcube-migrate": "the webmail's tables"}
"""Daemon whose Job changes a database -> what it changes."""
DUMPS = "before-migration"
"""Daemon whose Job dumps the databases before those run."""


def pods(changes: Sequence[Change]) -> Iterator[Item]:
    """Pods that are replaced, and what people notice of it."""
    for change in changes:
        replicas = int((change.after.get("spec") or {}).get("replicas") or 1)
        if change.rolls:
            verb = "stops" if change.action == "delete" else "restarts"
            felt: Level = "care" if interrupts(change.daemon, replicas) else "safe"
            yield Item(f"{change.daemon} {verb}: {interruption(change.daemon, replicas)}", felt, _why(change))
    started = sorted({c.daemon for c in changes if c.action == "create" and template(c.after) and c.daemon})
    if started:
        yield Item(f"new: {', '.join(started)}")


def images(changes: Sequence[Change]) -> Iterator[Item]:
    """Images, from and to."""
    for change in changes:
        old, new = _images(change.before), _images(change.after)
        for container in sorted(old.keys() & new.keys()):
            if old[container] != new[container]:
                yield Item(
                    f"{change.daemon}, container {container}: {_short(old[container])} -> {_short(new[container])}",
                    "care",
                )


def migrations(changes: Sequence[Change]) -> Iterator[Item]:
    """Work on the databases that an older image cannot undo."""
    for change in changes:
        if change.kind != "Job" or change.daemon not in _SCHEMA or change.action == "create":
            continue
        if _images(change.before) != _images(change.after):
            yield Item(
                f"{change.daemon} runs again on {_SCHEMA[change.daemon]}: a newer image may change them for good",
                "care",
            )


def dumps(changes: Sequence[Change]) -> Iterator[Item]:
    """What is kept before: Jobs that dump the databases."""
    if any(c.kind == "Job" and c.daemon == DUMPS and c.action in ("create", "replace") for c in changes):
        yield Item(
            "the databases are dumped first, when the rehearsals have passed: where that fails, nothing is migrated"
        )


def certificates(changes: Sequence[Change]) -> Iterator[Item]:
    """Names that certificates gain and lose."""
    for change in changes:
        if change.kind != "Certificate" or change.action == "create":
            continue
        old, new = _names(change.before), _names(change.after)
        gained, lost = sorted(new - old), sorted(old - new)
        if gained or lost or change.action == "delete":
            parts = [f"+ {', '.join(gained)}"] * bool(gained) + [f"- {', '.join(lost)}"] * bool(lost)
            yield Item(f"certificate {change.name} is issued again: {'; '.join(parts) or 'removed'}", "care")


def data(changes: Sequence[Change], after: Settings) -> Iterator[Item]:
    """Volumes and namespaces: what would be lost, and what grows."""
    for change in changes:
        if change.loses_data:
            meant = after.acknowledged("data-delete", change.name) or not after.storage.protect
            verb = "is deleted" if change.action == "delete" else "is replaced by an empty one"
            yield Item(
                f"{change.title} {verb}: what it holds is lost for good"
                + ("" if meant else "; the update refuses this [data-delete]"),
                "care" if meant else "blocked",
            )
        elif change.kind == "StatefulSet" and change.action in ("replace", "delete"):
            yield Item(f"{change.title} is made anew; its volumes stay", "care")
        elif change.kind == "PersistentVolumeClaim" and change.action == "update":
            old, new = _size(change.before), _size(change.after)
            if old != new:
                yield Item(f"volume {change.name} grows from {old} to {new}, and never shrinks again", "care")
    made = [c.name for c in changes if c.kind in DATA and c.action == "create" and c.kind != "Namespace"]
    if made:
        yield Item(f"{len(made)} new volume{'s' if len(made) > 1 else ''}", "safe", tuple(sorted(made)))


def objects(changes: Sequence[Change]) -> Iterator[Item]:
    """Everything, by kind, for those who know Kubernetes."""
    verbs = {"create": "+", "update": "~", "replace": "+-", "delete": "-"}
    lines = tuple(f"{verbs[c.action]} {c.title}" for c in sorted(changes, key=lambda c: (c.kind, c.name)))
    if lines:
        yield Item(f"{len(lines)} object{'s' if len(lines) > 1 else ''} of the cluster", "safe", lines)


def _why(change: Change) -> tuple[str, ...]:
    """Where two pod templates differ, by path."""
    return tuple(_differences(template(change.before), template(change.after)))[:20]


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from _differences(left, right, f"{path}[{index}]")
    elif old != new:
        yield path


def _images(manifest: Mapping[str, Any]) -> dict[str, str]:
    spec = template(manifest).get("spec") or {}
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return {container["name"]: container["image"] for container in containers}


def _short(image: str) -> str:
    """An image with no more of its digest than tells it apart."""
    name, at, digest = image.partition("@sha256:")
    return f"{name}{at}{digest[:12]}"


def _names(manifest: Mapping[str, Any]) -> set[str]:
    return set((manifest.get("spec") or {}).get("dnsNames") or ())


def _size(manifest: Mapping[str, Any]) -> str:
    requests = ((manifest.get("spec") or {}).get("resources") or {}).get("requests") or {}
    return str(requests.get("storage", "?"))
