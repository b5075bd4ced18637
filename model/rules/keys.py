"""Public halves that must be there before anything is planned."""

from __future__ import annotations

from collections.abc import Iterator

from model.findings import Finding
from model.settings import Settings


def public_halves(settings: Settings) -> Iterator[Finding]:
    """Render, previews and DNS work from public halves alone, so these cannot be made later."""
    if settings.passport_public_key is None:
        yield Finding(
            rule="public-half-missing",
            path="kolab:passportPublicKey",
            problem="is missing",
            fix="./kolab secrets --stack <stack> writes it beside its private key",
        )
    if not settings.mail.dkim.selectors:
        yield Finding(
            rule="public-half-missing",
            path="kolab:mail.dkim.selectors",
            problem="is empty: Amavis would make a key of its own that no DNS record names",
            fix="./kolab secrets --stack <stack> makes the first DKIM key",
        )


RULES = (public_halves,)
