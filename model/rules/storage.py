"""Volumes and data engines."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import parts as rules
from model.findings import Finding
from model.settings import Settings


def unprotected(settings: Settings) -> Iterator[Finding]:
    """Data without protection is for throw-away stacks."""
    if not settings.storage.protect and not settings.example and not settings.kubernetes.render:
        yield rules.STORAGE_UNPROTECTED.found()


def no_backup(settings: Settings) -> Iterator[Finding]:
    """A stack that people use has backups, or somebody who says why not."""
    live = not settings.example and not settings.kubernetes.render and settings.scope != "dns"
    if live and settings.backup is None:
        yield rules.BACKUP_MISSING.found()


RULES = (unprotected, no_backup)
