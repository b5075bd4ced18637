"""Property values as they travel between engine and plugin, and as Python values.

Python form: plain JSON values, `Secret` around what must stay secret, and UNKNOWN strings for what is not
known before something else has been made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark, the same for everybody
# One per type in the protocol; the engine uses the first for nearly everything.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = {
    UNKNOWN,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}

Value = Any
Object = dict[str, Any]


@dataclass(frozen=True)
class Secret:
    """A value that the engine must encrypt in the state and mask on the screen."""

    value: Value


def decode(struct: struct_pb2.Struct) -> Object:
    """The Python form of a protobuf Struct."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def encode(value: Object) -> struct_pb2.Struct:
    """The protobuf Struct of a Python form."""
    struct = struct_pb2.Struct()
    for key, item in value.items():
        _encode(item, struct.fields[key])
    return struct


def is_unknown(value: Value) -> bool:
    """Whether this very value is not known yet."""
    return isinstance(value, str) and value in _UNKNOWNS


def has_unknown(value: Value) -> bool:
    """Whether something inside is not known yet."""
    return _any(is_unknown, value)


def has_secret(value: Value) -> bool:
    """Whether something inside is secret."""
    return _any(lambda v: isinstance(v, Secret), value)


def plain(value: Value) -> Value:
    """A copy without the marks of secrets."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def mark_secrets(value: Value, like: Value) -> Value:
    """`value` with marks where `like` has them: what was secret on the way in is secret on the way out."""
    if isinstance(like, Secret):
        return Secret(plain(value))
    if isinstance(value, dict) and isinstance(like, dict):
        return {key: mark_secrets(item, like.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(like, list):
        return [mark_secrets(item, like[i] if i < len(like) else None) for i, item in enumerate(value)]
    return value


def _any(test: Callable[[Value], bool], value: Value) -> bool:
    if test(value):
        return True
    if isinstance(value, Secret):
        return _any(test, value.value)
    if isinstance(value, dict):
        return any(_any(test, item) for item in value.values())
    return isinstance(value, list) and any(_any(test, item) for item in value)


def _decode(value: struct_pb2.Value) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if _SIGNATURE in fields and fields[_SIGNATURE].string_value == _SECRET:
            return Secret(_decode(fields["value"]))
        return decode(value.struct_value)
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number  # every number is a double on the wire
    return None if kind in (None, "null_value") else getattr(value, kind)


def _encode(value: Value, into: struct_pb2.Value) -> None:
    if isinstance(value, Secret):
        into.struct_value.fields[_SIGNATURE].string_value = _SECRET
        _encode(value.value, into.struct_value.fields["value"])
    elif isinstance(value, dict):
        into.struct_value.SetInParent()
        for key, item in value.items():
            _encode(item, into.struct_value.fields[key])
    elif isinstance(value, list):
        into.list_value.SetInParent()
        for item in value:
            _encode(item, into.list_value.values.add())
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        into.number_value = value
    elif value is None:
        into.null_value = struct_pb2.NULL_VALUE
    else:
        into.string_value = value
