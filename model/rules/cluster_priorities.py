"""Whether data really win over convenience with the priorities that the cluster has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from model import priorities
from model.catalogue import priorities as rules
from model.findings import Finding
from model.settings import Settings


@dataclass(frozen=True)
class PriorityClass:
    """A class of the cluster, and whether pods without one get it."""

    value: int
    default: bool = False


def cluster_priorities(settings: Settings, classes: Mapping[str, PriorityClass] | None) -> Iterator[Finding]:
    """Findings about PriorityClasses; none where they could not be read, or the stack uses none."""
    if classes is None:
        return
    values: dict[priorities.Level, int] = {
        level: priorities.VALUES[level] for level in priorities.own(settings)
    }
    for level in priorities.MEMBERS:
        chosen = priorities.given(settings, level)
        if chosen is None:
            continue
        if chosen in classes:
            values[level] = classes[chosen].value
        else:
            usable = sorted(name for name in classes if not name.startswith("system-"))
            yield rules.PRIORITY_CLASS_UNKNOWN.found(
                level=level, chosen=chosen, classes=", ".join(usable) or "(there is none)"
            )
    others = max((each.value for each in classes.values() if each.default), default=0)
    data, convenience = values.get("data"), values.get("convenience")
    if data is None:
        return
    if convenience is not None and convenience >= data:
        yield rules.PRIORITY_ORDER.found(data=data, convenience=convenience)
    elif data < others:
        yield rules.PRIORITY_DEFAULT.found(data=data, others=others)
