"""Selectors of labels as Kubernetes writes them, and the labels that ours have to offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Selector = Mapping[str, Any] | None
"""An empty one takes everything; what none means is said where it stands."""


def of_namespace(name: str) -> dict[str, str]:
    """Labels of the stack's namespace by which others may choose it."""
    return {"kubernetes.io/metadata.name": name, "app.kubernetes.io/part-of": "kolab"}


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Kubernetes: apimachinery, LabelSelectorAsSelector."""
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(each, labels) for each in selector.get("matchExpressions") or ()
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case _:
            return value is None


def written(selector: Mapping[str, Any]) -> str:
    """A selector as kubectl writes it."""
    found = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    found += [
        f"{each['key']} {each['operator']} {' '.join(each.get('values') or ())}".rstrip()
        for each in selector.get("matchExpressions") or ()
    ]
    return ", ".join(found) or "everything"
