"""Domain ownership as Kolab checks it: the value depends on the domain alone, so it can stand there in advance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from model.identity.rdata import TXT
from model.identity.record import Record
from model.settings import Settings


def code(domain: str) -> str:
    """The code that Kolab expects for `domain` (upstream: src/app/Domain.php)."""
    return hashlib.md5(f"hkccp-verify-{domain}".encode(), usedforsecurity=False).hexdigest()


def records(settings: Settings) -> Iterator[Record]:
    """`kolab-verify=` at every mail domain."""
    for domain in settings.domains:
        yield Record(
            domain,
            TXT(f"kolab-verify={code(domain)}"),
            settings.dns.ttl,
            f"Kolab accepts {domain} once it finds this code.",
        )
