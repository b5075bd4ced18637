"""What pods put up with on nodes."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import cluster as rules
from model.findings import Finding
from model.settings import Settings


def tolerations(settings: Settings) -> Iterator[Finding]:
    """The API refuses a value beside Exists."""
    for each in settings.kubernetes.tolerations:
        if each.operator == "Exists" and each.value is not None:
            yield rules.TOLERATION_VALUE.found(key=each.key)


RULES = (tolerations,)
