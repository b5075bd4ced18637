"""Makes the JSON schemas in v1.34/ from the OpenAPI of a running API server.

A running one, because only it publishes enums and knows the custom resources that are installed. How to
start one for this purpose: README.md. Uses `kubectl` and the standard library only.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

TARGET = Path(__file__).parent / "v1.34"
DEFINITIONS = "#/definitions/"

# Everything a stack may contain. A kind that is not here is refused by the validator: add it, then regenerate.
KINDS = {
    "v1": ("ConfigMap", "Namespace", "PersistentVolumeClaim", "Secret", "Service", "ServiceAccount"),
    "admissionregistration.k8s.io/v1": ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    "apiextensions.k8s.io/v1": ("CustomResourceDefinition",),
    "apps/v1": ("DaemonSet", "Deployment", "StatefulSet"),
    "batch/v1": ("CronJob", "Job"),
    "cert-manager.io/v1": ("Certificate", "ClusterIssuer", "Issuer"),
    "gateway.networking.k8s.io/v1": ("BackendTLSPolicy", "HTTPRoute"),
    "gateway.networking.k8s.io/v1beta1": ("ReferenceGrant",),
    "metallb.io/v1beta1": ("BGPAdvertisement", "IPAddressPool", "L2Advertisement"),
    "metallb.io/v1beta2": ("BGPPeer",),
    "monitoring.coreos.com/v1": ("PrometheusRule",),
    "monitoring.coreos.com/v1alpha1": ("ScrapeConfig",),
    "networking.k8s.io/v1": ("Ingress", "NetworkPolicy"),
    "policy/v1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "scheduling.k8s.io/v1": ("PriorityClass",),
    "storage.k8s.io/v1": ("StorageClass",),
}

# What the API server's own parsers accept; its OpenAPI calls all of these just "string".
QUANTITY = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
RFC3339 = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"

# Formats become plain keywords: a validator may ignore a format, and most do.
FORMATS: dict[str, Schema] = {
    "byte": {"pattern": BASE64},
    "date-time": {"pattern": RFC3339},
    "double": {},
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"minimum": -(2**63), "maximum": 2**63 - 1},
}

# Types whose published schema says less, or other, than what the server accepts.
SCALARS: dict[str, Schema] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"], "pattern": QUANTITY},
    # Go writes null for a time that is not set: creationTimestamp in most manifests that upstreams publish.
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": ["string", "null"], "pattern": RFC3339},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"]} | FORMATS["int32"],
}

KEPT = {
    "enum", "maximum", "maxItems", "maxLength", "maxProperties", "minimum", "minItems", "minLength", "minProperties",
    "pattern", "required", "type", "uniqueItems", "x-kubernetes-list-map-keys",
}  # fmt: skip
NESTED = {"additionalProperties", "items", "not"}
NESTED_LISTS = {"allOf", "anyOf", "oneOf"}
TRANSLATED: dict[str, Callable[[Any], Schema]] = {
    "format": FORMATS.__getitem__,
    "x-kubernetes-list-type": lambda value: {"uniqueItems": True} if value == "set" else {},
    "x-kubernetes-preserve-unknown-fields": lambda value: {"additionalProperties": True} if value else {},
}
DROPPED = {
    "default", "description", "example", "externalDocs", "title", "x-kubernetes-group-version-kind",
    "x-kubernetes-map-type", "x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy",
    "x-kubernetes-selectable-fields", "x-kubernetes-unions",
    "x-kubernetes-validations",  # CEL: judged by a real API server only
}  # fmt: skip


def main() -> None:
    """Replace what lies in TARGET."""
    version = _get("/version")["gitVersion"]
    if not version.startswith(f"{TARGET.name}."):
        raise SystemExit(f"the API server is {version}, and these are the schemas of {TARGET.name}")
    files = render(published(), KINDS)
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir()
    for name, text in files.items():
        (TARGET / name).write_text(text)


def published() -> dict[str, Schema]:
    """All schemas of the API server that kubectl talks to, by name."""
    schemas: dict[str, Schema] = {}
    for group in _get("/openapi/v3")["paths"].values():
        schemas |= _get(group["serverRelativeURL"]).get("components", {}).get("schemas", {})
    return schemas


def render(published: dict[str, Schema], kinds: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """The files: one per kind, named as kubeconform looks for them, and the definitions that these reach."""
    files: dict[str, str] = {}
    definitions: dict[str, Schema] = {}
    for api_version, of_group in kinds.items():
        for kind in of_group:
            # Apart from the type itself, which may also stand inside others: a volumeClaimTemplate is a claim.
            root = file_name(api_version, kind).removesuffix(".json")
            definitions[root] = _top_level(convert(_find(published, api_version, kind)), api_version, kind)
            files[f"{root}.json"] = json.dumps({"$ref": f"_definitions.json{DEFINITIONS}{root}"}) + "\n"
    waiting = list(definitions)
    while waiting:
        for name in set(_references(definitions[waiting.pop()])) - definitions.keys():
            definitions[name] = SCALARS.get(name) or convert(published[name])
            waiting.append(name)
    # One definition a line: a diff between two versions can be read.
    lines = ",\n".join(f"{json.dumps(name)}: {_compact(definitions[name])}" for name in sorted(definitions))
    return files | {"_definitions.json": f'{{"definitions": {{\n{lines}\n}}}}\n'}


def file_name(api_version: str, kind: str) -> str:
    """What kubeconform makes of `{{.ResourceKind}}{{.KindSuffix}}.json`."""
    group, _, version = api_version.rpartition("/")
    return "-".join(part for part in (kind.lower(), group.split(".")[0], version) if part) + ".json"


def convert(schema: Schema) -> Schema:
    """An OpenAPI schema as JSON Schema: unknown fields refused, formats spelled out, prose dropped."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]} | {k: v for k, v in schema.items() if k in KEPT - {"type"}}
    if "$ref" in schema:
        return {"$ref": DEFINITIONS + schema["$ref"].removeprefix("#/components/schemas/")}
    if _is_only_a_reference(schema):
        return convert(schema["allOf"][0])
    converted: Schema = {}
    for keyword, value in schema.items():
        if keyword in KEPT:
            converted[keyword] = value
        elif keyword in NESTED:
            converted[keyword] = convert(value) if isinstance(value, dict) else value
        elif keyword in NESTED_LISTS:
            converted[keyword] = [convert(each) for each in value]
        elif keyword == "properties":
            # By name, never by keyword: CustomResourceDefinition has properties called `$ref` and `enum`.
            converted[keyword] = {name: convert(each) for name, each in value.items()}
        elif keyword in TRANSLATED:
            converted |= TRANSLATED[keyword](value)
        elif keyword not in DROPPED:
            raise ValueError(
                f"the OpenAPI keyword {keyword} is new here: decide what it means for a manifest"
            )
    if converted.get("type") == "object" and "properties" in converted:
        converted.setdefault("additionalProperties", False)
    return converted


def _top_level(schema: Schema, api_version: str, kind: str) -> Schema:
    """A whole manifest: it says what it is and has a name; `status` is the cluster's to write."""
    properties = {name: each for name, each in schema["properties"].items() if name != "status"}
    properties |= {
        "apiVersion": {"enum": [api_version]},
        "kind": {"enum": [kind]},
        "metadata": {"allOf": [properties["metadata"], {"required": ["name"]}]},
    }
    required = sorted({"apiVersion", "kind", "metadata", *schema.get("required", ())} - {"status"})
    return schema | {"properties": properties, "required": required}


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(DEFINITIONS)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _references(each)


def _is_only_a_reference(schema: Schema) -> bool:
    """`allOf: [$ref]` is how OpenAPI hangs a description or a default on a reference."""
    return len(schema.get("allOf", ())) == 1 and schema.keys() - DROPPED == {"allOf"}


def _find(published: dict[str, Schema], api_version: str, kind: str) -> Schema:
    group, _, version = api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": kind}
    found = [each for each in published.values() if wanted in each.get("x-kubernetes-group-version-kind", ())]
    if len(found) != 1:
        raise ValueError(
            f"the API server publishes {len(found)} schemas for {api_version} {kind}: are the CRDs in?"
        )
    return found[0]


def _compact(schema: Schema) -> str:
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def _get(path: str) -> Any:
    answer = subprocess.run(["kubectl", "get", "--raw", path], check=True, capture_output=True)
    return json.loads(answer.stdout)


if __name__ == "__main__":
    main()
