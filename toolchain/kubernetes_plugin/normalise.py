"""Passes built-in kinds through their Go types, as the genuine plugin does: what Go would not keep, goes.

Unknown fields vanish, so do empty values that Go omits, and quantities get their canonical form. The types lie
in go_types.json, written by toolchain/go/kubernetes-types. Custom resources and kinds it has not are untouched.
"""

from __future__ import annotations

import functools
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from .wire import Object, Secret, Value, is_unknown

_SUFFIXES: dict[str, Fraction] = {
    **{
        suffix: Fraction(1000) ** power
        for power, suffix in enumerate(["n", "u", "m", "", "k", "M", "G", "T", "P", "E"], -3)
    },
    **{
        suffix: Fraction(1024) ** power
        for power, suffix in enumerate(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"], 1)
    },
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?|[eE][+-]?\d+)")


class Mismatch(Exception):
    """A value is not of its Go type."""


def through_go_type(obj: Object) -> Object:
    """The object as Go would write it; as it was, when a value has the wrong type."""
    obj = json_names(obj)
    name = _types()["kinds"].get(f"{obj.get('apiVersion')}/{obj.get('kind')}")
    if name is None:
        return obj
    try:
        return _struct(obj, name)
    except Mismatch:
        return obj


def json_names(value: Value) -> Value:
    """The Python SDK cannot write some names of a CRD's schema as keywords: turn them back."""
    return _renamed(value, re.compile(r"^x_kubernetes_\w+$"), "_", "-")


def sdk_names(value: Value) -> Value:
    """The other way round: what the program gets to see as outputs."""
    return _renamed(value, re.compile(r"^x-kubernetes-[\w-]+$"), "-", "_")


def quantity(value: Value) -> str:
    """Canonical form: the largest suffix that leaves a whole number, binary only if it was binary."""
    found = _QUANTITY.fullmatch(str(value)) if not isinstance(value, bool) else None
    if found is None:
        raise Mismatch(f"{value!r} is not a quantity")
    digits, suffix = found.groups()
    if suffix[:1] in ("e", "E") and suffix != "E" and len(suffix) > 1 and not suffix.endswith("i"):
        return f"{digits}{suffix.lower()}"
    number = Fraction(digits) * _SUFFIXES[suffix]
    # Like Go: a binary quantity below 1024, or with a fraction, is written with decimal suffixes.
    binary = suffix.endswith("i") and abs(number) >= 1024 and number.denominator == 1
    units = [s for s in _SUFFIXES if s == "" or s.endswith("i") == binary]
    for unit in sorted(units, key=lambda s: _SUFFIXES[s], reverse=True):
        if (number / _SUFFIXES[unit]).denominator == 1:
            return f"{number / _SUFFIXES[unit]}{unit}" if number else "0"
    raise Mismatch(f"{value!r} is finer than a billionth")


def _convert(value: Value, type_: str) -> Value:  # noqa: PLR0911 - one return per kind of type
    if isinstance(value, Secret):
        return Secret(_convert(value.value, type_))
    if value is None or is_unknown(value):
        return value
    if type_.startswith("*"):
        return _convert(value, type_[1:])
    if type_.startswith("any"):
        _, _, alternative = type_.partition("|")
        return _struct(value, alternative) if alternative and isinstance(value, dict) else value
    if type_.startswith("[]"):
        return [_convert(item, type_[2:]) for item in _expect(value, list)]
    if type_.startswith("{}"):
        return {key: _convert(item, type_[2:]) for key, item in _expect(value, dict).items()}
    if type_ == "quantity":
        return quantity(value)
    scalar = {"string": str, "bytes": str, "bool": bool, "int": int, "float": int | float}.get(type_)
    if scalar is None:
        return _struct(_expect(value, dict), type_)
    if not isinstance(value, scalar) or (isinstance(value, bool) and scalar is not bool):
        raise Mismatch(f"{value!r} is no {type_}")
    return value


def _struct(obj: Object, name: str) -> Object:
    fields = _types()["types"].get(name)
    if fields is None:
        return obj
    result = {}
    for key, value in obj.items():
        type_ = fields.get(key)
        if type_ is None:
            continue
        converted = _convert(value, type_.removeprefix("?"))
        if not (type_.startswith("?") and _is_empty(converted, type_[1:])):
            result[key] = converted
    return result


def _is_empty(value: Value, type_: str) -> bool:
    """What Go's `omitempty` leaves out: a pointer only when it is nil, a struct never."""
    value = value.value if isinstance(value, Secret) else value
    if value is None:
        return True
    if type_.startswith("*") or type_ == "quantity":
        return False
    if isinstance(value, dict):
        return not value and type_.startswith("{}")
    return value in ("", 0, False) or value == []


def _expect(value: Value, kind: type) -> Any:
    if not isinstance(value, kind):
        raise Mismatch(f"{value!r} is no {kind.__name__}")
    return value


def _renamed(value: Value, names: re.Pattern[str], old: str, new: str) -> Value:
    if isinstance(value, dict):
        renamed = {k.replace(old, new) if names.match(k) else k: v for k, v in value.items()}
        return {key: _renamed(item, names, old, new) for key, item in renamed.items()}
    if isinstance(value, Secret):
        return Secret(_renamed(value.value, names, old, new))
    return [_renamed(item, names, old, new) for item in value] if isinstance(value, list) else value


@functools.cache
def _types() -> dict[str, Any]:
    types: dict[str, Any] = json.loads(Path(__file__).with_name("go_types.json").read_text())
    return types
