"""Mail identity and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from model.settings.base import Section
from model.texts import DelegationSigner
from model.types import (
    Addresses,
    Email,
    Hostname,
    MessageSize,
    Network,
    SpfMechanism,
    SpfName,
    bytes_of,
)


class OtherMx(Section):
    """A mail server of somebody else in the MX of our domains: a backup, or the server that a domain moves away from."""

    host: Hostname
    """Its name. An MTA-STS policy names it too, so it must offer TLS with a certificate for this name."""
    preference: Annotated[int, Field(ge=0, le=65535)]
    """Senders try the lowest first: above ours for a backup, below ours while the other server is still the first."""


class Mx(Section):
    """Whether the world may send us mail yet."""

    stage: Literal["hold", "live"] = "hold"
    """`hold` publishes nothing that leads mail or mail clients here or speaks for the server that has them now (MX, MTA-STS with its policy and host, TLS-RPT of the domains, autodiscover, autoconfig, SRV), so a first `up` never empties a live domain."""
    preference: Annotated[int, Field(ge=0, le=65535)] = 10
    """Preference of our MX."""
    others: tuple[OtherMx, ...] = ()
    """Servers of somebody else beside ours, published and withdrawn together with our MX."""


DkimStage = Literal["staged", "published", "active", "retired", "revoked"]
SELECTOR = r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"
"""Names of DKIM keys."""
Selector = Annotated[str, Field(pattern=SELECTOR)]


class DkimSelector(Section):
    """One DKIM key. Its private half is the flat secret key kolab:dkimKey-<selector>."""

    stage: DkimStage
    """staged -> published -> active -> retired (11 days or more) -> revoked -> removed from this file."""
    public_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=800)]
    """Base64 of the DER SubjectPublicKeyInfo: the p= of the record (RFC 6376 section 3.6.1)."""
    since: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """Day on which this stage began, written by `./kolab dkim`."""


class Dkim(Section):
    """Keys that sign outgoing mail, all domains alike."""

    selectors: dict[Selector, DkimSelector] = {}
    """Selector -> key."""
    reserved: tuple[Selector, ...] = ()
    """Names of selectors to come. Owners of foreign domains publish their CNAMEs now, so that rotations never need them."""


class MtaSts(Section):
    """Policy that makes senders refuse forged or unencrypted MX hosts (RFC 8461)."""

    stage: Literal["none", "testing", "enforce", "removing"] = "none"
    """none -> testing -> enforce, one step at a time; back to none only through removing, which serves `mode: none` until every sender has forgotten the old policy (RFC 8461 section 8.3)."""
    max_age: Annotated[int, Field(ge=86400, le=31557600)] = 604800
    """Seconds that senders keep the policy. The largest value that senders may still hold is remembered with its day; while removing, name a larger one here if it was served before this stack was."""
    since: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    """Day on which this stage, or this maxAge, began; the waits count from here."""


class Senders(Section):
    """Others who may send in the name of our domains. Their terms stand behind ours in SPF."""

    includes: tuple[SpfName, ...] = ()
    """SPF records of services that send for us (`include:`), such as servers.mcsv.net."""
    networks: tuple[Network, ...] = ()
    """Networks or addresses of servers that send for us (`ip4:`, `ip6:`)."""
    mechanisms: tuple[SpfMechanism, ...] = ()
    """Other mechanisms, as they stand in a record that exists (`a:web.example.net`, `mx`, `exists:…`). Each costs a lookup."""
    counted: dict[SpfName, Annotated[int, Field(ge=0, le=100)]] = {}
    """Include -> DNS lookups inside it, written by `./kolab dns count`: receivers stop at ten in all (RFC 7208 section 4.6.4)."""


class Dmarc(Section):
    """What receivers do with mail that claims our domains and does not pass (RFC 9989)."""

    policy: Literal["none", "quarantine", "reject"] = "none"
    """p="""
    subdomain_policy: Literal["none", "quarantine", "reject"] | None = None
    """sp="""
    nonexistent_policy: Literal["none", "quarantine", "reject"] | None = "reject"
    """np=; the default waits until the domain is live."""
    testing: bool = False
    """t=y: receivers apply one level less."""
    rua: tuple[Email, ...] = ()
    """Where aggregate reports go. Default: dmarc-reports@ the primary domain."""
    ruf: tuple[Email, ...] = ()
    """Where reports about single messages go; few receivers send them, and they hold personal data (RFC 9991)."""
    fo: Annotated[str, Field(pattern=r"^[01ds](:[01ds]){0,3}$")] | None = None
    """fo=: which failures are reported singly; means nothing without ruf."""


class Reports(Section):
    """Mail addresses that DNS names; all must be deliverable here or elsewhere."""

    tls_rpt: Email | None = None
    """TLS reports (RFC 8460). Default: tls-reports@ the primary domain."""
    caa_iodef: Email | None = None
    """Certificate mis-issue reports (RFC 8659). Default: postmaster@ the primary domain."""


class RateLimits(Section):
    """How much people may send. The web application's own limits stand in its code: 10 messages or 100 recipients an hour for an account with all its people, who are suspended above 25 (250) while it is younger than two months. They fit free trial accounts, not an organisation; all that can be chosen is for whom they hold."""

    unlimited: tuple[Hostname, ...] | None = None
    """Domains whose people may send as much as they like. Default: all domains of this stack; an empty list slows down everybody but system mail."""


class Spam(Section):
    """What happens to spam: it arrives, and says what it is. Nothing is thrown away for its score, and nothing is sent back to whoever it names as its sender."""

    mark_at: Annotated[float, Field(ge=1, le=50)] = 6.2
    """SpamAssassin's score from which a message has `X-Spam-Flag: YES`, which mail programs and filters file by. Lower marks more, also honest mail; headers of every message show its own score."""
    mark_subject: bool = True
    """Whether ***SPAM*** stands before its subject, too."""
    quarantine_at: Annotated[float, Field(ge=1, le=1000)] | None = None
    """Score from which spam is kept in the quarantine instead of delivered, at least `markAt`; neither sender nor recipient is told, and `./kolab quarantine` lists and releases it. Default: all spam arrives, and the quarantine is for viruses alone."""


class Outbound(Section):
    """Mail that goes straight to the servers of its receivers. DANE asks the DNS which key a server must show."""

    dane: bool = False
    """Whether a server whose domain publishes keys for port 25 (TLSA, signed with DNSSEC) gets mail only when it shows one of them; whoever publishes none gets mail as before (RFC 7672). A resolver that validates runs beside each Postfix, and asks on port 53 in the world: off by default, since firewalls must let it. Not with a smarthost."""
    resolvers: Addresses = ()
    """Resolvers that are asked about the world instead of the servers of its zones themselves, where only these may be reached. They must hand signatures through, and need not be believed."""
    internal_domains: tuple[Hostname, ...] = ()
    """Domains that only the cluster's DNS knows, such as the company's own: they are asked there, and signatures are not demanded. Names of external engines are among them by themselves."""
    trust_anchors: tuple[DelegationSigner, ...] = ()
    """DS records of the root's keys, `<tag> <algorithm> <digest type> <digest>`, in a network whose root is its own. Default: both keys of the Internet's root."""
    exempt: tuple[Hostname, ...] = ()
    """Receiving domains (the part after @) whose servers show another key than their zone names and will not mend it: mail to them goes with TLS, to whoever answers."""


class Mail(Section):
    """Mail identity and limits."""

    maintenance: bool = False
    """Whether Postfix begins with maintenance on: port 25 answers 451, so that senders come again, and nothing leaves the queue. For a stack whose accounts are still to be restored: without them every recipient would be unknown, and mail would go back for good."""
    mx: Mx = Mx()
    """Inbound switch."""
    dkim: Dkim = Dkim()
    """Signing keys."""
    mta_sts: MtaSts = MtaSts()
    """Inbound transport policy."""
    dmarc: Dmarc = Dmarc()
    """Outbound authentication policy."""
    reports: Reports = Reports()
    """Report addresses."""
    senders: Senders = Senders()
    """Others who send in our name, for every domain that says nothing of its own under kolab:domains."""
    spf_all: Literal["~all", "-all"] = "~all"
    """End of SPF records; ~all keeps forwarded mail judged by DKIM and DMARC instead of refused at once."""
    postmaster: Email | None = None
    """Existing mailbox that receives postmaster@ and abuse@ of every domain (RFC 5321 section 4.5.1). Required before mx.stage: live."""
    outbound: Outbound = Outbound()
    """How mail leaves."""
    rate_limits: RateLimits = RateLimits()
    """How much people may send."""
    spam: Spam = Spam()
    """What happens to spam."""
    quarantine_days: Annotated[int, Field(ge=1, le=90)] = 14
    """Days for which a message that the filter keeps from people can be released: a virus, or spam from `spam.quarantineAt`. The oldest go earlier when all of them fill a quarter of `storage.filters`."""
    message_size_limit: MessageSize = "50Mi"
    """Largest accepted message. Above 10Mi the content filter must stay off: the web application takes no more."""
    content_filter: bool = False
    """Run mail through the web application's filter (invitations, external-sender notes)."""
    antivirus: bool = False
    """ClamAV beside Amavis: about 2 GiB of memory more."""

    @property
    def web_body_limit(self) -> int:
        """Largest body of a request to the website, in bytes: attachments travel as base64, a third larger."""
        return bytes_of(self.message_size_limit) * 3 // 2
