"""Handshakes, judged."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from ops.doctor.check import Unseen
from ops.doctor.visit import Visit
from ops.doctor.wire import Talk, Tls

EXPIRY_DAYS = 14
"""Days before its end when a certificate should long have been renewed (cert-manager renews after two thirds)."""


def secured(talk: Talk) -> Tls:
    """The handshake of a conversation. Raises Unseen when there was none."""
    if talk.tls is None:
        raise Unseen(talk.broken or "there is no STARTTLS")
    return talk.tls


def ending(visit: Visit, where: str, tls: Tls) -> Iterator[str]:
    """Evidence of a certificate that has ended or is about to."""
    end = tls.certificate.not_valid_after_utc
    if end < visit.edge.now() + datetime.timedelta(days=EXPIRY_DAYS):
        yield f"{where} shows a certificate that ends on {end:%Y-%m-%d %H:%M} UTC"
