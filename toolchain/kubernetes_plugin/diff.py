"""What changes between the state and new inputs, and which change means a replacement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .check import is_autonamed
from .normalise import json_names
from .wire import Object, Value, is_unknown, plain

INTERNAL = ("__inputs", "__initialApiVersion", "__fieldManager")

_POD = ("spec.containers", "spec.initContainers", "spec.nodeName", "spec.volumes")
# Paths below which a change means a new object; for every kind also metadata.name and metadata.namespace.
REPLACE: dict[str, tuple[str, ...]] = {
    "ConfigMap": ("data", "binaryData"),
    "Secret": ("data", "stringData", "type"),
    "Service": ("spec.clusterIP",),
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "PersistentVolumeClaim": (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    "PersistentVolume": ("spec.hostPath", "spec.local", "spec.nfs", "spec.csi"),
    "Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "Pod": _POD,
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "StorageClass": ("parameters", "provisioner"),
}
_EVERY_KIND = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True)
class Mutable:
    """Provider settings under which data is updated in place, unless the object says `immutable`."""

    config_maps: bool = False
    secrets: bool = False


@dataclass
class Diff:
    """ADD, UPDATE or DELETE (with _REPLACE) by property path."""

    kinds: dict[str, str] = field(default_factory=dict)
    delete_before_replace: bool = False

    @property
    def replaces(self) -> list[str]:
        """The paths that force a replacement."""
        return sorted(path for path, kind in self.kinds.items() if kind.endswith("_REPLACE"))


def diff(state: Object, news: Object, mutable: Mutable, ignored: list[str]) -> Diff:
    """Compare the state's live values, cut to what the program had set, with the new inputs.

    So drift that a refresh stored shows, and what the server added does not.
    """
    inputs = plain(state.get("__inputs") or {})
    live = plain({key: value for key, value in state.items() if key not in INTERNAL})
    old = _with_identity(cut(live, inputs), live)
    new = _with_identity(plain(news), {})
    result = Diff()
    fields = _replace_fields(new, mutable)
    for path, kind in _compare(old, new, ""):
        if not any(_below(path, prefix) for prefix in ignored):
            forced = any(_below(path, prefix) or _below(prefix, path) for prefix in fields)
            result.kinds[path] = f"{kind}_REPLACE" if forced else kind
    same_object = _identity(_with_identity(live, {})) == _identity(new)
    # Two objects of one name cannot exist at once; a made-up or changed name has no such conflict.
    result.delete_before_replace = bool(result.replaces) and same_object and not is_autonamed(news)
    return result


def _replace_fields(obj: Object, mutable: Mutable) -> tuple[str, ...]:
    kind = str(obj.get("kind"))
    fields = REPLACE.get(kind, ())
    is_mutable = {"ConfigMap": mutable.config_maps, "Secret": mutable.secrets}.get(kind, False)
    if is_mutable and not obj.get("immutable"):
        fields = tuple(f for f in fields if f == "type")
    return (*_EVERY_KIND, *fields)


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith((f"{prefix}.", f"{prefix}["))


def cut(live: Value, inputs: Value) -> Value:
    """The live value without what the inputs do not mention: what the server added is not the program's."""
    if isinstance(live, dict) and isinstance(inputs, dict):
        return {key: cut(live[key], item) for key, item in inputs.items() if key in live}
    if isinstance(live, list) and isinstance(inputs, list):
        return [cut(item, wanted) for item, wanted in zip(live, inputs, strict=False)]
    return live


def _with_identity(obj: Object, fallback: Object) -> Object:
    """No namespace is the namespace `default`; and a state without inputs still knows what it is about."""
    known = fallback.get("metadata") or {}
    metadata = {**{k: known[k] for k in ("name",) if k in known and not obj}, **(obj.get("metadata") or {})}
    metadata["namespace"] = metadata.get("namespace") or "default"
    kept = {k: fallback[k] for k in ("apiVersion", "kind") if k in fallback and not obj}
    named: Object = json_names({**kept, **obj, "metadata": metadata})
    return named


def _identity(obj: Object) -> tuple[Value, Value]:
    metadata = obj.get("metadata") or {}
    return metadata.get("name"), metadata.get("namespace")


def _compare(old: Value, new: Value, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            below = f"{path}.{key}" if path else key
            if key not in new:
                yield below, "DELETE"
            elif key not in old:
                yield below, "ADD"
            else:
                yield from _compare(old[key], new[key], below)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            below = f"{path}[{index}]"
            if index >= len(new):
                yield below, "DELETE"
            elif index >= len(old):
                yield below, "ADD"
            else:
                yield from _compare(old[index], new[index], below)
    elif is_unknown(new) or old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, "UPDATE"
