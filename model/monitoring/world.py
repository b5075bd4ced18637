"""What blackbox asks the cluster's DNS all day about this stack: the records that mail stands or falls with, and blocklists.

The doctor's questions that need no eye outside (docs/adr/0017). Expected are the records of the model, one question for
each, so that a value beside others (TXT of other services) is found. Nothing is asked before a domain is live.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from model import identity
from model.identity.rdata import TXT
from model.identity.record import Record
from model.names import Names
from model.settings import Settings
from model.topology import dns_addresses, egress_addresses

BLOCKLISTS = ("zen.spamhaus.org", "bl.spamcop.net")
"""Lists that receivers use, and that answer stacks of this size without a contract."""
DOMAINS = 50
"""Mail domains that are asked about; `./kolab doctor` looks at all. Each is five questions every two minutes."""
_CHUNK = 255
"""Bytes of one string of a TXT record (RFC 1035 section 3.3.14); who publishes may cut anywhere."""
_NO_MAIL = "v=spf1 -all"
_TEXTS = {"v=DKIM1": "dkim", "v=spf1": "records", "v=DMARC1": "records", "v=STSv1": "records"}
"""How a text that mail depends on begins -> the probe that asks for it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question. `wanted`: an answer that matches must be there; else none that matches `unwanted` may be."""

    probe: str
    name: str
    type: str
    about: str
    wanted: str = ""
    unwanted: str = ""

    @property
    def module(self) -> str:
        """Name of blackbox' module: each question has one of its own."""
        return f"{self.probe}-{self.key}"

    @property
    def key(self) -> str:
        """Tells it from the others of its probe."""
        return hashlib.sha256(f"{self.name} {self.type} {self.wanted}".encode()).hexdigest()[:10]


def resolver(settings: Settings) -> str | None:
    """host:port of the cluster's DNS; None where its address is not known."""
    addresses = dns_addresses(settings)
    if not addresses:
        return None
    return f"[{addresses[0]}]:53" if ":" in addresses[0] else f"{addresses[0]}:53"


def questions(settings: Settings) -> tuple[Question, ...]:
    """Every question of a stack to whose mail the world is led."""
    if not settings.live or resolver(settings) is None:
        return ()
    records = dict.fromkeys(identity.records(settings))
    found = [question for record in records if (question := _of_record(settings, record))]
    # By name: in what order a stack file names its zones changes no pod.
    return (*sorted(found, key=lambda each: (each.about, each.key)), *_blocklists(settings))


def _of_record(settings: Settings, record: Record) -> Question | None:
    probe = _probe(settings, record)
    if probe is None:
        return None
    about = f"{record.name} {record.type}"
    return Question(probe=probe, name=record.name, type=record.type, about=about, wanted=answer(record))


def _probe(settings: Settings, record: Record) -> str | None:
    """Which probe asks for a record, if any."""
    if record.type in ("PTR", "TLSA"):
        return "ptr" if record.type == "PTR" else "records"
    if record.type in ("A", "AAAA"):
        names = Names.of(settings)
        return "records" if record.name in (names.mx, names.helo) else None
    asked = settings.live[:DOMAINS]
    if record.type == "MX":
        return "records" if record.name in asked else None
    if not any(record.name == each or record.name.endswith(f".{each}") for each in asked):
        return None
    if isinstance(record.value, TXT):
        return _of_text(record.value.text)
    return "dkim" if record.type == "CNAME" and "._domainkey." in record.name else None


def _of_text(text: str) -> str | None:
    # Hosts of the web send no mail, and nobody misses it when they no longer say so.
    return (
        None if text == _NO_MAIL else next((p for begin, p in _TEXTS.items() if text.startswith(begin)), None)
    )


def answer(record: Record) -> str:
    """A regular expression of the answer's line as blackbox sees it: name, TTL, class, type and value with tabs between."""
    head = rf"\tIN\t{record.type}\t"
    if isinstance(record.value, TXT):
        whole = record.value.text
        cut = '(?:" ")?' if len(whole) > _CHUNK else ""
        return f'{head}"{cut.join(re.escape(letter) for letter in whole)}"$'
    # Names and hexadecimal digits: their case is the server's affair.
    return f"(?i){head}{re.escape(record.content)}$"


def _blocklists(settings: Settings) -> Iterator[Question]:
    for address in egress_addresses(settings):
        pointer = ipaddress.ip_address(address).reverse_pointer.rsplit(".", 2)[0]
        for name in BLOCKLISTS:
            yield Question(
                probe="blocklist",
                name=f"{pointer}.{name}",
                type="A",
                about=f"{address} at {name}",
                # RFC 5782: listings are in 127.0.0.0/8; 127.255.255.0/24 says that the list does not answer this resolver.
                unwanted=r"\tA\t127\.0\.",
            )
