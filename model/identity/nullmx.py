"""Null MX and a closed SPF for hosts that neither take nor send mail, so that nobody can write in their name.

Receivers fall back to A where MX is missing (RFC 5321 section 5.1), so every web host would otherwise look like a
mail domain. DMARC for these names is inherited from the domain above them (sp=, RFC 9989 section 4.10).
"""

from __future__ import annotations

from collections.abc import Iterator

from model.identity.hosts import hosts
from model.identity.rdata import MX, ROOT, TXT
from model.identity.record import Record
from model.names import Names
from model.settings import Settings


def records(settings: Settings) -> Iterator[Record]:
    """`MX 0 .` (RFC 7505) and `v=spf1 -all` on every host that is no mail domain and not the HELO name.

    The HELO name is left out: bounces leave in its name, and receivers that check the sender would refuse
    mail from a name with null MX (RFC 7505 section 4.2).
    """
    mail = {*settings.domains, Names.of(settings).helo}
    for name in dict.fromkeys(host.name for host in hosts(settings)):
        if name not in mail:
            yield Record(name, MX(0, ROOT), settings.dns.ttl, f"Nobody has a mailbox at {name}.")
            yield Record(name, TXT("v=spf1 -all"), settings.dns.ttl, f"No mail comes from @{name}.")
