"""One object that a change makes, edits, replaces or removes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["create", "update", "replace", "delete"]

_CONTENT_HASH = re.compile(r"-[0-9a-f]{10}$")
"""End of names that follow their content (docs/adr/0003-content-named-immutable-configuration.md)."""
NAMED_BY_CONTENT = ("ConfigMap", "Secret", "Job")
DATA = ("Namespace", "PersistentVolumeClaim")
"""Kinds whose removal or replacement loses what they hold."""
_FIXED = {
    "StatefulSet": ("selector", "serviceName", "volumeClaimTemplates", "podManagementPolicy"),
    "PersistentVolumeClaim": ("storageClassName", "accessModes", "volumeName"),
    "Deployment": ("selector",),
}
"""Kind -> parts of its spec that the API never edits: another value is another object (Kubernetes API conventions)."""


@dataclass(frozen=True)
class Change:
    """`before` and `after` are the object as it was and as it becomes; absent ones are empty. Never holds a secret."""

    action: Action
    kind: str
    name: str
    namespace: str = ""
    before: Mapping[str, Any] = field(default_factory=dict, repr=False)
    after: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def daemon(self) -> str:
        """Whose object it is; empty for what belongs to no daemon."""
        labels = (self.after or self.before).get("metadata", {}).get("labels") or {}
        return str(labels.get("app.kubernetes.io/name", ""))

    @property
    def title(self) -> str:
        """Kind and name, as kubectl writes them."""
        return f"{self.kind}/{self.name}"

    @property
    def rolls(self) -> bool:
        """Whether pods that run now are replaced by others."""
        if self.kind not in ("Deployment", "StatefulSet", "DaemonSet"):
            return False
        if self.action == "update":
            return template(self.before) != template(self.after)
        return self.action in ("replace", "delete")

    @property
    def loses_data(self) -> bool:
        """Whether what the object holds is gone afterwards."""
        return self.kind in DATA and self.action in ("replace", "delete")


def template(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pod template of a workload; empty when it has none."""
    spec = manifest.get("spec") or {}
    if manifest.get("kind") == "CronJob":
        spec = ((spec.get("jobTemplate") or {}).get("spec")) or {}
    found: Mapping[str, Any] = spec.get("template") or {}
    return found


def base_name(kind: str, name: str) -> str:
    """The name without the hash of its content."""
    return _CONTENT_HASH.sub("", name) if kind in NAMED_BY_CONTENT else name


def changes(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[Change]:
    """What leads from one set of Kubernetes objects to another, by kind, namespace and name."""
    old, new = _by_name(before), _by_name(after)
    found = []
    for key in sorted({*old, *new}):
        was, becomes = old.get(key, {}), new.get(key, {})
        if was == becomes:
            continue
        kind, namespace, name = key
        found.append(Change(_action(kind, was, becomes), kind, name, namespace, was, becomes))
    return found


def _by_name(objects: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    found = {}
    for item in objects:
        kind, metadata = item["kind"], item["metadata"]
        found[kind, metadata.get("namespace", ""), base_name(kind, metadata["name"])] = item
    return found


def _action(kind: str, was: Mapping[str, Any], becomes: Mapping[str, Any]) -> Action:
    if not was:
        return "create"
    if not becomes:
        return "delete"
    if was["metadata"]["name"] != becomes["metadata"]["name"]:
        return "replace"
    old, new = was.get("spec") or {}, becomes.get("spec") or {}
    return "replace" if any(old.get(part) != new.get(part) for part in _FIXED.get(kind, ())) else "update"
