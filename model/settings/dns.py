"""Public names, and who publishes their records."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field

from model.settings.base import Section
from model.texts import CaaIssuer, ZoneId
from model.types import Addresses, Hostname, Network, ReverseZone, no_name_twice
from model.urls import ReportTarget


class Hosts(Section):
    """Public names. Empty ones are derived from the domain."""

    website: Hostname | None = None
    """Web interface, API and /webmail. Default: the domain itself."""
    mx: Hostname | None = None
    """Name in the MX record and in the certificate of port 25. Default: mx.<domain>."""
    helo: Hostname | None = None
    """Name Postfix says in EHLO; A/AAAA and PTR of every egress address. Default: mail.<domain>."""
    imap: Hostname | None = None
    """IMAP. Default: imap.<domain>."""
    smtp: Hostname | None = None
    """Submission. Default: smtp.<domain>."""
    sieve: Hostname | None = None
    """ManageSieve. Default: sieve.<domain>."""
    turn: Hostname | None = None
    """TURN. Default: turn.<domain>."""
    monitoring: Hostname | None = None
    """A name of their own for the monitoring pages, so that they share no origin with the webmail. Default: the website has them."""


class PtrManual(Section):
    """PTR records are set by a human at the owner of the addresses."""

    provider: Literal["manual"] = "manual"
    """Kind of reverse DNS."""


class PtrZones(Section):
    """Reverse zones that you run yourself, published through the same provider as the forward ones."""

    provider: Literal["zones"]
    """Kind of reverse DNS."""
    zones: Annotated[dict[ReverseZone, ZoneId], BeforeValidator(no_name_twice), Field(min_length=1)]
    """Reverse zone name (also RFC 2317 child zones such as 0-15.2.0.192.in-addr.arpa) -> zone id at the provider, or "" for zone files."""
    networks: Annotated[dict[ReverseZone, Network], BeforeValidator(no_name_twice)] = {}
    """For RFC 2317 zones whose name does not say which addresses they have (customer.2.0.192.in-addr.arpa has its whole network, a zone elsewhere none): the zone, or a name in one of ours -> IPv4 network of /24 or smaller."""


Ptr = Annotated[PtrManual | PtrZones, Discriminator("provider")]


class Caa(Section):
    """Certification authorities beside the one of kolab:tls (RFC 8659)."""

    issue: tuple[CaaIssuer, ...] = ()
    """Others that may issue certificates, such as `digicert.com` or `letsencrypt.org; validationmethods=dns-01`."""
    issuewild: tuple[CaaIssuer, ...] | None = None
    """Who may issue wildcard certificates; `[]` is nobody. Default: those that may issue others."""
    critical: bool = False
    """Flag 128: an authority that does not know one of these properties must not issue (RFC 8659 section 4.1)."""
    iodef: ReportTarget | None = None
    """Where authorities report what they refused. Default: mail.reports.caaIodef."""
    whole: bool = False
    """Publish it at the domain itself too, where it governs every name below that has no CAA of its own."""


class Shard(Section):
    """One of several stacks that publish records: the engine's work grows with the square of a stack's size."""

    index: Annotated[int, Field(ge=0)]
    """Number of this stack, from 0."""
    count: Annotated[int, Field(ge=1, le=1000)]
    """How many such stacks there are; changing it moves zones between them."""


class Dns(Section):
    """Who publishes the records."""

    provider: Literal["cloudflare", "zonefile"] = "zonefile"
    """`zonefile` leaves publishing to `./kolab dns export` and `./kolab dns push`."""
    zones: Annotated[dict[Hostname, ZoneId], BeforeValidator(no_name_twice)] = {}
    """Zone -> Cloudflare zone id ("" with zonefile). Hosted domains outside these zones get a CNAME sheet."""
    ttl: Annotated[int, Field(ge=60, le=86400)] = 3600
    """Seconds that resolvers keep our records."""
    shard: Shard | None = None
    """scope dns only: which part of the zones this stack publishes."""
    ptr: Ptr = PtrManual()
    """Reverse DNS."""
    dnssec: bool = False
    """Whether the zones are signed: without it no TLSA is published (RFC 7672 section 2.1)."""
    caa: Caa = Caa()
    """Other authorities for the names of every domain that says nothing of its own under kolab:domains."""
    nameservers: Annotated[dict[Hostname, Addresses], BeforeValidator(no_name_twice)] = {}
    """Authoritative servers -> their addresses (glue; needed only for names inside our zones). For NS and SOA of zone files; Cloudflare fills its own."""

    @property
    def zone_ids(self) -> dict[str, str]:
        """Zone -> id at the provider, forward and reverse ones."""
        reverse = self.ptr.zones if isinstance(self.ptr, PtrZones) else {}
        return {**self.zones, **reverse}
