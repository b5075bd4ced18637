"""Volumes and data engines."""

from __future__ import annotations

from collections.abc import Iterator

from model.findings import Finding
from model.settings import Settings


def unprotected(settings: Settings) -> Iterator[Finding]:
    """Data without protection is for throw-away stacks."""
    if not settings.storage.protect and not settings.example and not settings.kubernetes.render:
        yield Finding(
            rule="storage-unprotected",
            path="kolab:storage.protect",
            severity="warning",
            problem="is off: one wrong line may delete every mailbox",
            fix="set it to true, or acknowledge it for a throw-away stack",
        )


RULES = (unprotected,)
