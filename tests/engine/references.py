"""Which objects another one needs to be there first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Reference = tuple[str, str]
"""Kind and name, in the namespace of who needs it."""


def needed_by(item: dict[str, Any]) -> set[Reference]:
    """ConfigMaps, Secrets, claims and service accounts that the pods of an object name; Secrets of certificates."""
    if item["kind"] == "Certificate":
        # cert-manager keeps the key that it finds there, and makes one when it finds none.
        return {("Secret", item["spec"]["secretName"])}
    template = _pod_template(item)
    if template is None:
        return set()
    return {*_of_pod(template["spec"]), *_of_claims(item)}


def _pod_template(item: dict[str, Any]) -> dict[str, Any] | None:
    spec = item.get("spec", {})
    found: dict[str, Any] | None = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return found


def _of_pod(spec: dict[str, Any]) -> Iterator[Reference]:
    if "serviceAccountName" in spec:
        yield "ServiceAccount", spec["serviceAccountName"]
    for volume in spec.get("volumes", ()):
        yield from _of_volume(volume)
        for source in volume.get("projected", {}).get("sources", ()):
            yield from _of_volume(source)
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        for source in container.get("envFrom", ()):
            yield from _of_source(source.get("configMapRef"), source.get("secretRef"))
        for variable in container.get("env", ()):
            values = variable.get("valueFrom", {})
            yield from _of_source(values.get("configMapKeyRef"), values.get("secretKeyRef"))


def _of_volume(volume: dict[str, Any]) -> Iterator[Reference]:
    if "configMap" in volume:
        yield "ConfigMap", volume["configMap"]["name"]
    if "secret" in volume:
        yield "Secret", volume["secret"].get("secretName") or volume["secret"]["name"]
    if "persistentVolumeClaim" in volume:
        yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]


def _of_source(config: dict[str, Any] | None, secret: dict[str, Any] | None) -> Iterator[Reference]:
    if config:
        yield "ConfigMap", config["name"]
    if secret:
        yield "Secret", secret["name"]


def _of_claims(item: dict[str, Any]) -> Iterator[Reference]:
    """Claims that a StatefulSet would make itself unless they are there already, with another size."""
    for template in item["spec"].get("volumeClaimTemplates", ()):
        for ordinal in range(item["spec"].get("replicas", 1)):
            yield (
                "PersistentVolumeClaim",
                f"{template['metadata']['name']}-{item['metadata']['name']}-{ordinal}",
            )
