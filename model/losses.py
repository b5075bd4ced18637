"""What an update would lose: data in the state of the stack that the program does not make any more, or makes anew.

In a preview the hook of components/guard.py says so. An update without one (`--skip-preview`) asks the engine's own
protection first, which knows neither rule nor way out: so the program compares by itself, before its first resource.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from model import rotation
from model.catalogue.data import DATA_DELETE
from model.findings import Finding
from model.ledger import RECORD, Resource

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
NAMESPACE = "kubernetes:core/v1:Namespace"
SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 (a type)
PROVIDER = "pulumi:providers:kubernetes"

FIXED: Mapping[str, tuple[str, ...]] = {
    CLAIM: (
        "metadata.name",
        "metadata.namespace",
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    NAMESPACE: ("metadata.name",),
    RECORD: ("zoneId", "name", "type"),
    PROVIDER: ("clusterIdentifier",),
}
"""Type -> the inputs that no update changes in place (pulumi-kubernetes: provider/pkg/provider/diff.go)."""

_MAIN = "namespace-main"
_DKIM = "postfix-dkim-"


@dataclass(frozen=True)
class Made:
    """A resource that the program makes."""

    address: str
    """As that of a resource in the state."""
    inputs: Mapping[str, Any]
    """Those of FIXED that are known before anything is made, by their paths."""


def fixed(kind: str, value: Callable[[str], Any]) -> dict[str, Any]:
    """The inputs of FIXED, by their paths."""
    return {path: value(path) for path in FIXED.get(kind, ())}


def at(inputs: Any, path: str) -> Any:
    """What stands at a path of plain JSON; None where nothing does."""
    for key in path.split("."):
        inputs = inputs.get(key) if isinstance(inputs, Mapping) else None
    return inputs


def holds_data(resource: Resource, exchangers: Collection[str]) -> bool:
    """Whether mail is lost with it, or what mail needs. `exchangers` are the hosts that our MX records lead to."""
    if resource.type == RECORD:
        return resource.outputs.get("type") == "MX" and resource.outputs.get("content") in exchangers
    if resource.type == SECRET:
        return resource.name in rotation.GUARDED or resource.name.startswith(_DKIM)
    return resource.type == CLAIM or (resource.type == NAMESPACE and resource.name == _MAIN)


def losses(state: Iterable[Resource], made: Iterable[Made], exchangers: Collection[str]) -> Iterator[Finding]:
    """One finding for each resource of the state that holds data and would be deleted or replaced."""
    present = {each.address: each for each in made}
    for resource in state:
        now = present.get(resource.address)
        if resource.type == PROVIDER:
            # All that it has made would be replaced with it; one sentence says as much as twenty.
            if now is not None and _replaced(resource, now):
                yield DATA_DELETE.found(name=_MAIN)
        elif holds_data(resource, exchangers) and (now is None or _replaced(resource, now)):
            yield DATA_DELETE.found(name=resource.name)


def _replaced(before: Resource, now: Made) -> bool:
    # What the cluster has filled in is no input; an older state has nothing else.
    inputs = before.outputs.get("__inputs")
    was = inputs if isinstance(inputs, Mapping) else before.outputs
    return any(at(was, path) != value for path, value in now.inputs.items())
