"""Public halves that must be there before anything is planned."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import files as rules
from model.findings import Finding
from model.settings import Settings


def public_halves(settings: Settings) -> Iterator[Finding]:
    """Render, previews and DNS work from public halves alone, so these cannot be made later."""
    if settings.passport_public_key is None:
        yield rules.PUBLIC_HALF_MISSING.found()
    if not settings.mail.dkim.selectors:
        yield rules.PUBLIC_HALF_MISSING_DKIM.found()


RULES = (public_halves,)
