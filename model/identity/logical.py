"""Names of records in the state of a stack."""

from __future__ import annotations

import hashlib

from model.identity.rdata import ROOT
from model.identity.record import Record

_ONE_EACH = ("CNAME", "PTR", "SRV")
"""Types of which a name of ours has one record only."""


def logical_name(record: Record, own_mx: str | None = None) -> str:
    """A name that stays while the record's value changes, so that an edit is an update and not a new record.

    Types of which a name may have several carry what tells them apart: the kind of text, or the value. These are made
    before the old ones are deleted, so that a name never lacks an address, an issuer or a key in between.
    Of several MX, the one to `own_mx` moves in place; None means that there is no other.
    """
    if record.type == "TXT":
        kind = record.content.strip('"').split(";")[0].split(" ")[0].split("=")
        mark = "-".join(part for part in kind[:2] if len(part) <= 8)
    elif record.type in _ONE_EACH or (
        record.type == "MX" and record.target in (own_mx or record.target, ROOT)
    ):
        mark = ""
    elif record.type == "MX":
        # Its preference may change, its host is what it is.
        mark = _digest(str(record.target))
    else:
        mark = _digest(record.content)
    return "-".join(filter(None, (record.type.lower(), record.name, mark)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
