"""Public halves that must be there before anything is planned."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import files as rules
from model.findings import Finding
from model.keys import pairs
from model.rules.names import is_placeholder
from model.settings import Settings
from model.shipped import ACCOUNT, ZONE_IDS, is_shipped_key


def public_halves(settings: Settings) -> Iterator[Finding]:
    """Render, previews and DNS work from public halves alone, so these cannot be made later."""
    if settings.passport_public_key is None:
        yield rules.PUBLIC_HALF_MISSING.found()
    if not settings.mail.dkim.selectors:
        yield rules.PUBLIC_HALF_MISSING_DKIM.found()


def example_keys(settings: Settings) -> Iterator[Finding]:
    """A copy of an example keeps none of what only stands for something: nobody has the keys, accounts and zones."""
    own = [d for d in settings.domains if not is_placeholder(d)]
    if settings.example and not own:
        return
    for pair in pairs(settings):
        if is_shipped_key(pair.public):
            yield rules.EXAMPLE_KEY.found(path=pair.path)
    if settings.tls.issuer == "acme" and settings.tls.account_uri == ACCOUNT:
        yield rules.EXAMPLE_VALUE_ACCOUNT.found()
    for zone, number in settings.dns.zone_ids.items():
        if number in ZONE_IDS:
            yield rules.EXAMPLE_VALUE.found(zone=zone)


RULES = (public_halves, example_keys)
