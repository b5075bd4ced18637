"""What the engine's inputs become before they are compared or applied: names, namespaces, secrets, types."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass

from . import normalise
from .wire import Object, Secret, Value, has_unknown, plain

AUTONAMED = "pulumi.com/autonamed"

# Everything else is in a namespace, custom resources included: the genuine plugin assumes so without a cluster.
CLUSTER_SCOPED = {
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "FlowSchema",
    "IPAddress",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "ServiceCIDR",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
}


class Refused(Exception):
    """The inputs cannot be accepted; the text is the genuine plugin's."""


@dataclass(frozen=True)
class Naming:
    """How to name an object that has no `metadata.name`."""

    resource: str
    seed: bytes = b""
    proposed: str | None = None
    disabled: bool = False

    def name(self) -> str:
        """`<resource name>-<8 hex>`; the digits depend on the seed only, so preview and update agree."""
        if self.disabled:
            raise Refused("autonaming is disabled, resource requires the .metadata.name field to be set")
        if self.proposed is not None:
            return self.proposed
        digits = hashlib.sha256(self.seed).hexdigest()[:8] if self.seed else secrets.token_hex(4)
        return f"{self.resource}-{digits}"


def check(
    type_token: str, news: Object, olds: Object | None, naming: Naming, default_namespace: str | None
) -> Object:
    """The inputs as they will be stored, compared and applied."""
    flavour = type_token.rsplit(":", 1)[-1]
    if flavour.endswith("List") and "items" in news:
        raise Refused(
            "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created "
            "directly. Use the underlying resource type instead"
        )
    obj = dict(news)
    metadata = _mapping(obj.get("metadata"))
    if flavour.endswith("Patch") and not metadata.get("name"):
        raise Refused("patch resources require the `.metadata.name` field to be set")
    if metadata.get("generateName"):
        raise Refused("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
    obj["metadata"] = _with_namespace(_with_name(metadata, olds, naming), obj, default_namespace)
    if obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1":
        obj = _fold_string_data(obj)
    return normalise.through_go_type(obj)


def is_autonamed(obj: Object) -> bool:
    """Whether the name was made here, and so may be made anew for a replacement."""
    annotations = _mapping(_mapping(plain(obj).get("metadata")).get("annotations"))
    return annotations.get(AUTONAMED) == "true"


def _with_name(metadata: Object, olds: Object | None, naming: Naming) -> Object:
    if metadata.get("name"):
        return metadata
    if olds is None:
        name = naming.name()
    elif is_autonamed(olds):
        name = str(_mapping(plain(olds).get("metadata")).get("name"))
    else:
        return metadata  # a fixed name was taken away: Diff reports it, as the genuine plugin does
    annotations = {**_mapping(metadata.get("annotations")), AUTONAMED: "true"}
    return {**metadata, "name": name, "annotations": annotations}


def _with_namespace(metadata: Object, obj: Object, default: str | None) -> Object:
    if default is None or metadata.get("namespace") or plain(obj.get("kind")) in CLUSTER_SCOPED:
        return metadata
    return {**metadata, "namespace": default}


def _fold_string_data(obj: Object) -> Object:
    """stringData goes over data, in base64, and what a Secret holds is secret as a whole."""
    folded = {key: value for key, value in obj.items() if key not in ("data", "stringData")}
    data, strings = (_mapping(plain(obj.get(key))) for key in ("data", "stringData"))
    if has_unknown(strings):
        if data:
            folded["data"] = Secret(data)
        return {**folded, "stringData": Secret(strings)}
    data = {**data, **{key: base64.b64encode(str(text).encode()).decode() for key, text in strings.items()}}
    return {**folded, "data": Secret(data)} if data else folded


def _mapping(value: Value) -> Object:
    value = value.value if isinstance(value, Secret) else value
    return value if isinstance(value, dict) else {}
