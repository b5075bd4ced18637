"""What a group of keys may look like, for whoever wrote one value in its place."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_WRITTEN = {
    "tls": "{issuer: existing, name: letsencrypt, kind: ClusterIssuer}",
    "network.egress": "{mode: nodes, nodes: {server1: [203.0.113.10]}}",
    "network.addresses": "{all: 203.0.113.10}",
    "network.public": "{10.0.0.5: 203.0.113.5}",
    "dns.zones": '{example.org: ""}',
    "dns.nameservers": "{ns1.example.net: []}",
    "kubernetes": "{context: prod, clusterIdentifier: prod-1}",
    "monitoring.alerts": "{email: oncall@example.net}",
}
"""Place -> an example of what people look for there."""


def example(place: str, kind: Any) -> str:
    """YAML on one line: what is required, else the first key of the group."""
    return _WRITTEN.get(place) or _of(kind)


def _of(kind: Any, field: FieldInfo | None = None) -> str:
    origin, held = get_origin(kind), get_args(kind)
    if origin in (Annotated, Union, UnionType):
        return _of(next(member for member in held if member is not NoneType), field)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _group(kind)
    if origin is dict:
        return f"{{<name>: {_of(held[1])}}}"
    if origin is tuple:
        return f"[{_of(held[0])}]"
    return _value(kind, field)


def _value(kind: Any, field: FieldInfo | None) -> str:
    if get_origin(kind) is Literal:
        return str(get_args(kind)[0])
    if kind is bool:
        return "true"
    default = field.default if field else None
    return str(default) if isinstance(default, str | int) else "<value>"


def _group(model: type[BaseModel]) -> str:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    chosen = {key: field for key, field in fields.items() if field.is_required()} or dict(
        list(fields.items())[:1]
    )
    return "{" + ", ".join(f"{key}: {_of(field.annotation, field)}" for key, field in chosen.items()) + "}"
