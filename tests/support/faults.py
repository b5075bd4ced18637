"""What can go wrong in the little world, one thing each, and which check has to notice."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from model.identity import mta_sts
from model.identity.rdata import TXT, parse_value
from tests.support.little_world import LittleWorld, Zone, autoconfig

_SECOND = "192.0.2.252"
_SMTP, _PROXY, _SIEVE = ("192.0.2.11", 25), "192.0.2.10", ("192.0.2.13", 4190)
_EVERY = ("example.org", *(f"*.{domain}" for domain in ("example.org", "example.net", "example.com")))

Values = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    name: str
    check: str
    """Notices it, and only checks of the same concern beside it."""
    make: Callable[[LittleWorld], None]
    stack: Callable[[Values], None] = lambda values: None
    """The stack file that the fault needs."""


@dataclass(frozen=True)
class InZones:
    """A fault of what all name servers hold: any world that has zones can have it."""

    change: Callable[[Zone], object]

    def __call__(self, world: LittleWorld) -> None:
        """In the little world."""
        world.state.both(self.change)


@dataclass(frozen=True)
class AtOneServer:
    """A fault of what the second of two name servers holds."""

    change: Callable[[Zone], object]

    def __call__(self, world: LittleWorld) -> None:
        """In the little world."""
        self.change(world.state.servers[_SECOND])


@dataclass(frozen=True)
class InCache:
    """What a resolver still has although the servers say something else by now."""

    name: str
    kind: str
    values: tuple[str, ...]

    def __call__(self, world: LittleWorld) -> None:
        """In the little world."""
        world.state.cached = {(self.name, self.kind): list(self.values)}


def _set(name: str, kind: str, *values: str) -> InZones:
    return InZones(lambda zone: zone.__setitem__((name, kind), list(values)))


def _gone(name: str, kind: str) -> InZones:
    """Whatever is taken away has to be there, unless the stack file has taken it away already."""
    return InZones(lambda zone: zone.pop((name, kind)))


def _parsed(value: str) -> TXT:
    found = parse_value("TXT", value)
    assert isinstance(found, TXT)
    return found


def _text(name: str, old: str, new: str) -> InZones:
    """Replaces a part of a record on all servers; the part has to be there."""
    return _rewritten(name, lambda text: text.replace(old, new))


def _rewritten(name: str, rewrite: Callable[[str], str]) -> InZones:
    def change(zone: Zone) -> None:
        before = [_parsed(value) for value in zone[name, "TXT"]]
        after = [TXT(rewrite(each.text)) for each in before]
        assert after != before, f"nothing at {name} has changed"
        zone[name, "TXT"] = [str(each) for each in after]

    return InZones(change)


def _more(name: str, kind: str, value: str) -> InZones:
    return InZones(lambda zone: zone.setdefault((name, kind), []).append(value))


def _alias(name: str, target: str) -> InZones:
    """Servers have nothing else beside an alias (RFC 1034 section 3.6.2)."""

    def change(zone: Zone) -> None:
        for key in [key for key in zone if key[0] == name]:
            del zone[key]
        zone[name, "CNAME"] = [target]

    return InZones(change)


def _all(*makes: InZones) -> InZones:
    return InZones(lambda zone: [each.change(zone) for each in makes])


def _mail(place: tuple[str, int], **changes: Any) -> Callable[[LittleWorld], None]:
    def make(world: LittleWorld) -> None:
        for key, value in changes.items():
            setattr(world.state.mail[place], key, value)

    return make


def _refusing(recipient: str) -> Callable[[LittleWorld], None]:
    def make(world: LittleWorld) -> None:
        before = world.state.mail[_SMTP].takes
        world.state.mail[_SMTP].takes = tuple(each for each in before if each != recipient)
        assert before != world.state.mail[_SMTP].takes, f"{recipient} was never taken"

    return make


def _mail_tls(place: tuple[str, int], *names: str, **how: Any) -> Callable[[LittleWorld], None]:
    def make(world: LittleWorld) -> None:
        key = world.key if place == _SMTP else None
        world.state.mail[place].context = world.authority.context(names, **{"key": key, **how})

    return make


def _page(
    host: str, path: str, status: int, body: bytes = b"", **headers: str
) -> Callable[[LittleWorld], None]:
    def make(world: LittleWorld) -> None:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        assert (host, path) in world.state.web.pages, (host, path)
        world.state.web.pages[host, path] = (status, named, body)

    return make


def _web_tls(host: str, *names: str, **how: Any) -> Callable[[LittleWorld], None]:
    return lambda world: world.state.web.use(host, world.authority.context(names, **how))


def _at(state: str, value: Any) -> Callable[[LittleWorld], None]:
    return lambda world: setattr(world.state, state, value)


def _selector(name: str, stage: str) -> Callable[[Values], None]:
    return lambda values: values["mail"]["dkim"]["selectors"][name].__setitem__("stage", stage)


def _policy(world: LittleWorld) -> bytes:
    body = mta_sts.shared(world.settings)
    assert body
    return body


def _policy_page(change: Callable[[bytes], bytes]) -> Callable[[LittleWorld], None]:
    def make(world: LittleWorld) -> None:
        page = ("mta-sts.example.org", mta_sts.PATH)
        world.state.web.pages[page] = (200, {"Content-Type": "text/plain"}, change(_policy(world)))

    return make


def _another_key(text: str) -> str:
    """The same with one letter of the key changed, far from its head and its end."""
    place = text.index("p=") + 60
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


_ACTIVE = "k202605._domainkey.example.org"
_SPF = '"v=spf1 ip4:198.51.100.11 ip4:198.51.100.12 ~all"'
_PTR = "11.100.51.198.in-addr.arpa"
_SOON = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=5)).isoformat()


def _without_tlsa(values: Values) -> None:
    values.pop("tlsa", None)


def _unsigned(values: Values) -> None:
    values.pop("tlsa", None)
    values["dns"]["dnssec"] = False


def _without_sts(values: Values) -> None:
    values["mail"]["mtaSts"] = {"stage": "none"}


FAULTS = (
    # The zones.
    Fault("a name server is silent", "zones-answer", _at("silent", {_SECOND})),
    Fault(
        "a secondary has an old serial",
        "zones-serial",
        AtOneServer(
            lambda z: z.__setitem__(
                ("example.org", "SOA"), ["ns1.dns.example. h.example.org. 2026112500 7200 3600 1209600 300"]
            )
        ),
    ),
    Fault("the zone has one server", "zones-two-servers", _set("example.org", "NS", "ns1.dns.example.")),
    Fault(
        "the registrar names other servers",
        "zones-delegation",
        InCache("example.org", "NS", ("ns2.dns.example.", "ns1.dns.example.", "ns3.dns.example.")),
    ),
    Fault(
        "a record is kept for a month",
        "zones-ttl",
        lambda w: w.state.ttl.__setitem__(("example.org", "MX"), 2592000),
    ),
    Fault("a resolver has an old MX", "caches-agree", InCache("example.org", "MX", ("10 old.example.org.",))),
    Fault("the parent has no DS", "dnssec-ds", _gone("example.org", "DS")),
    Fault("the zone is not signed", "dnssec-signed", _gone("example.org", "DS"), _unsigned),
    Fault(
        "signatures are broken",
        "dnssec-validates",
        lambda w: w.state.__setattr__("unvalidated", {"example.org"}),
    ),
    Fault(
        "the domain ends in five days",
        "domain-expiry",
        lambda w: w.state.ends.__setitem__("example.org", _SOON),
    ),
    # Names.
    Fault("a host has no address", "hosts-record", _gone("imap.example.org", "A")),
    Fault("a host has another address", "hosts-record", _set("turn.example.org", "A", "203.0.113.9")),
    Fault("a host has one address too many", "hosts-record", _more("smtp.example.org", "A", "203.0.113.9")),
    Fault(
        "one of two servers lacks a host",
        "hosts-record",
        AtOneServer(lambda z: z.pop(("sieve.example.org", "A"))),
    ),
    Fault(
        "the MX is an alias",
        "hosts-no-alias",
        _all(
            _alias("mx.example.org", "elsewhere.example.org."),
            _set("elsewhere.example.org", "A", "192.0.2.11"),
        ),
    ),
    Fault("a domain has no MX", "mx-record", _gone("example.net", "MX")),
    Fault("the MX is somebody else's", "mx-ours", _set("example.org", "MX", "10 mx.example.net.")),
    Fault("an old MX stands beside ours", "mx-record", _more("example.net", "MX", "5 old.example.net.")),
    Fault("the domain says that it takes no mail", "mx-record", _set("example.net", "MX", "0 .")),
    Fault("a web host takes mail", "null-mx-record", _gone("admin.example.org", "MX")),
    Fault(
        "the code of Kolab is gone", "ownership-record", _text("example.net", "kolab-verify", "kolab-gone")
    ),
    # SPF.
    Fault("there is no SPF record", "spf-record", _text("example.net", "v=spf1", "spf1")),
    Fault("there are two SPF records", "spf-single", _more("example.org", "TXT", '"v=spf1 mx -all"')),
    Fault("SPF forgets an egress address", "spf-passes", _text("example.org", " ip4:198.51.100.12", "")),
    Fault("SPF lets everybody send", "spf-refuses", _text("example.org", "~all", "+all")),
    Fault("SPF decides nothing", "spf-refuses", _text("example.net", "~all", "?all")),
    Fault("SPF ends with a plain all", "spf-terms", _text("example.net", "~all", "all")),
    Fault("SPF has ptr", "spf-terms", _text("example.org", "~all", "ptr ~all")),
    Fault(
        "SPF costs eleven lookups",
        "spf-lookups",
        _text("example.org", "~all", " ".join(["a:mx.example.org"] * 11) + " ~all"),
    ),
    Fault(
        "SPF includes a name without a record",
        "spf-lookups",
        _text("example.org", "~all", "include:gone.example.org ~all"),
    ),
    Fault("SPF includes itself", "spf-lookups", _text("example.org", "~all", "include:example.org ~all")),
    Fault(
        "SPF asks for names that are gone",
        "spf-voids",
        _text("example.org", "~all", "a:g1.example.org a:g2.example.org a:g3.example.org ~all"),
    ),
    Fault(
        "SPF is too long",
        "spf-size",
        _text(
            "example.org",
            " ~all",
            " ip4:198.51.100.11" * 26 + " ~all",
        ),
    ),
    Fault("the HELO name has no SPF", "spf-record", _gone("mail.example.org", "TXT")),
    # DKIM.
    Fault("the key is gone", "dkim-single", _gone(_ACTIVE, "TXT")),
    Fault(
        "the key is gone at a hosted domain", "dkim-record", _gone("k202605._domainkey.example.net", "TXT")
    ),
    Fault(
        "a customer's alias leads elsewhere",
        "dkim-record",
        _set("k202605._domainkey.example.com", "CNAME", "k202611._domainkey.example.org."),
    ),
    Fault("a selector has two records", "dkim-single", _more(_ACTIVE, "TXT", '"v=DKIM1; p="')),
    Fault(
        "the key is another one",
        "dkim-equals",
        _rewritten(_ACTIVE, _another_key),
    ),
    Fault(
        "the key is revoked too early", "dkim-equals", _set(_ACTIVE, "TXT", '"v=DKIM1; k=rsa; h=sha256; p="')
    ),
    Fault(
        "the key is cut off",
        "dkim-parses",
        _set(_ACTIVE, "TXT", '"v=DKIM1; k=rsa; h=sha256; p=MIIBIjANBgkqhkiG9w0BAQ"'),
    ),
    Fault("the key is of another kind", "dkim-parses", _text(_ACTIVE, "k=rsa", "k=ed25519")),
    Fault("the key allows sha1 alone", "dkim-parses", _text(_ACTIVE, "h=sha256", "h=sha1")),
    Fault("the key is for tests", "dkim-flags", _text(_ACTIVE, "k=rsa", "k=rsa; t=y")),
    Fault("the key is for mail alone", "dkim-flags", _text(_ACTIVE, "k=rsa", "k=rsa; s=email")),
    Fault(
        "a revoked key is still there",
        "dkim-revoked",
        _set("k202611._domainkey.example.org", "TXT", '"v=DKIM1; k=rsa; p=MIIBIjANBgkq"'),
        _selector("k202611", "revoked"),
    ),
    Fault(
        "something stands where a staged key will",
        "dkim-staged",
        _set("k202611._domainkey.example.org", "TXT", '"v=DKIM1; k=rsa; p=MIIBIjANBgkq"'),
        _selector("k202611", "staged"),
    ),
    # DMARC.
    Fault("there is no DMARC record", "dmarc-single", _gone("_dmarc.example.net", "TXT")),
    Fault(
        "there are two DMARC records",
        "dmarc-single",
        _more("_dmarc.example.org", "TXT", '"v=DMARC1; p=none"'),
    ),
    Fault(
        "the policy of names that do not exist is another one",
        "dmarc-record",
        _text("_dmarc.example.net", "np=reject", "np=none"),
    ),
    Fault("the policy is weaker", "dmarc-policy", _text("_dmarc.example.org", "p=quarantine", "p=none")),
    Fault(
        "the policy is misspelt", "dmarc-policy", _text("_dmarc.example.org", "p=quarantine", "p=quarantaine")
    ),
    Fault(
        "forgeries are let through", "dmarc-enforced", _text("_dmarc.example.org", "p=quarantine", "p=none")
    ),
    Fault(
        "forgeries in the name of hosts are let through",
        "dmarc-enforced",
        _text("_dmarc.example.org", "p=quarantine", "p=quarantine; sp=none"),
    ),
    Fault(
        "the policy of DMARC is a rehearsal",
        "dmarc-enforced",
        _text("_dmarc.example.org", "p=quarantine", "p=quarantine; t=y"),
    ),
    Fault("reports go nowhere", "dmarc-reports", _text("_dmarc.example.org", "rua=", "rux=")),
    Fault("the record has pct", "dmarc-obsolete", _text("_dmarc.example.org", "np=", "pct=50; np=")),
    Fault(
        "reports are limited in size",
        "dmarc-obsolete",
        _text("_dmarc.example.org", "dmarc-reports@example.org", "dmarc-reports@example.org!10m"),
    ),
    Fault(
        "the consent to reports is gone",
        "dmarc-consent",
        _gone("example.net._report._dmarc.example.org", "TXT"),
    ),
    # Reverse names.
    Fault("an egress address has no name", "ptr-name", _gone(_PTR, "PTR")),
    Fault("an egress address has another name", "ptr-name", _set(_PTR, "PTR", "smtp.example.org.")),
    Fault(
        "an egress address has two names",
        "ptr-single",
        _set(_PTR, "PTR", "mail.example.org.", "other.example.org."),
    ),
    Fault("the name does not lead back", "ptr-confirmed", _set("mail.example.org", "A", "198.51.100.12")),
    Fault(
        "the name is the provider's", "ptr-generic", _set(_PTR, "PTR", "11.100.51.198.dyn.provider.example.")
    ),
    Fault(
        "the HELO name forgets an address", "helo-addresses", _set("mail.example.org", "A", "198.51.100.11")
    ),
    Fault(
        "the reverse name differs from the plan", "reverse-record", _more(_PTR, "PTR", "third.example.org.")
    ),
    # MTA-STS, TLS-RPT, DANE, CAA.
    Fault("the policy is not found", "mta-sts-reached", _page("mta-sts.example.org", mta_sts.PATH, 404)),
    Fault(
        "the policy is somewhere else",
        "mta-sts-reached",
        _page("mta-sts.example.org", mta_sts.PATH, 301, Location="https://example.org/policy"),
    ),
    Fault(
        "the policy host has a wrong certificate",
        "mta-sts-certificate",
        _web_tls("mta-sts.example.org", "other.example.org"),
    ),
    Fault(
        "the policy host has an expired certificate",
        "mta-sts-certificate",
        _web_tls("mta-sts.example.org", "mta-sts.example.org", days=-1),
    ),
    Fault(
        "the policy host has nobody's certificate",
        "mta-sts-certificate",
        _web_tls("mta-sts.example.net", "mta-sts.example.net", trusted=False),
    ),
    Fault(
        "the policy is HTML",
        "mta-sts-type",
        lambda w: w.state.web.pages.__setitem__(
            ("mta-sts.example.org", mta_sts.PATH), (200, {"Content-Type": "text/html"}, _policy(w))
        ),
    ),
    Fault("the policy is endless", "mta-sts-size", _policy_page(lambda body: body + b"x: y\r\n" * 20000)),
    Fault(
        "the policy is another one",
        "mta-sts-body",
        _policy_page(lambda body: body.replace(b"enforce", b"testing")),
    ),
    Fault(
        "the policy is a rehearsal",
        "mta-sts-enforced",
        _policy_page(lambda body: body.replace(b"enforce", b"testing")),
    ),
    Fault("there is no policy", "mta-sts-enforced", lambda world: None, _without_sts),
    Fault("the id is old", "mta-sts-id", _text("_mta-sts.example.org", "id=", "id=0")),
    Fault(
        "the id has a hyphen", "mta-sts-id", _set("_mta-sts.example.org", "TXT", '"v=STSv1; id=2026-11-26"')
    ),
    Fault("there are two ids", "mta-sts-id", _more("_mta-sts.example.org", "TXT", '"v=STSv1; id=1"')),
    Fault(
        "the policy forgets the MX",
        "mta-sts-mx",
        _policy_page(lambda body: body.replace(b"mx: mx.", b"mx: mail.")),
    ),
    Fault("the record of MTA-STS is gone", "mta-sts-record", _gone("_mta-sts.example.net", "TXT")),
    Fault("the policy host has no address", "mta-sts-record", _gone("mta-sts.example.net", "A")),
    Fault(
        "a policy is announced that is none",
        "mta-sts-stray",
        _set("_mta-sts.example.org", "TXT", '"v=STSv1; id=1"'),
        _without_sts,
    ),
    Fault(
        "TLS reports go elsewhere",
        "tls-rpt-address",
        _text("_smtp._tls.example.org", "tls-reports@", "nobody@"),
    ),
    Fault("the record of TLS reports is gone", "tls-rpt-record", _gone("_smtp._tls.mx.example.org", "TXT")),
    Fault(
        "the next TLSA key is missing",
        "dane-record",
        InZones(lambda z: z["_25._tcp.mx.example.org", "TLSA"].pop()),
    ),
    Fault(
        "port 25 shows another key",
        "dane-key",
        _mail_tls(_SMTP, "mx.example.org", "mail.example.org", key=None),
    ),
    Fault("a signed zone has no TLSA record", "dane-used", lambda world: None, _without_tlsa),
    Fault(
        "a TLSA record stands without a plan",
        "dane-stray",
        _set("_25._tcp.mx.example.org", "TLSA", "3 1 1 " + "ab" * 32),
        _without_tlsa,
    ),
    Fault(
        "another authority alone may issue",
        "caa-allows",
        _set("mx.example.org", "CAA", '0 issue "other.example"', '0 iodef "mailto:postmaster@example.org"'),
    ),
    Fault(
        "a CAA property is critical and unknown",
        "caa-allows",
        _more("imap.example.org", "CAA", '128 strange "x"'),
    ),
    Fault("the CAA of a host is gone", "caa-record", _gone("admin.example.org", "CAA")),
    # Port 25.
    Fault("port 25 is closed", "smtp-answers", lambda w: w.state.closed.add(_SMTP)),
    Fault("port 25 greets as somebody else", "smtp-greets", _mail(_SMTP, banner="localhost ESMTP")),
    Fault("something else answers on port 25", "smtp-greets", _mail(_SMTP, protocol="imap")),
    Fault("port 25 has no STARTTLS", "smtp-starttls", _mail(_SMTP, clear=("SIZE 52428800",))),
    Fault("port 25 refuses STARTTLS", "smtp-starttls", _mail(_SMTP, starttls=False)),
    Fault("the certificate has another name", "smtp-name", _mail_tls(_SMTP, "other.example.org")),
    Fault(
        "nobody has signed the certificate", "smtp-chain", _mail_tls(_SMTP, "mx.example.org", trusted=False)
    ),
    Fault("the certificate has ended", "smtp-expiry", _mail_tls(_SMTP, "mx.example.org", days=-1)),
    Fault("the certificate ends soon", "smtp-expiry", _mail_tls(_SMTP, "mx.example.org", days=5)),
    Fault("port 25 offers a login", "smtp-no-auth", _mail(_SMTP, secret=("SIZE 52428800", "AUTH PLAIN"))),
    Fault("port 25 keeps sizes to itself", "smtp-size", _mail(_SMTP, clear=("STARTTLS",))),
    Fault(
        "strangers may relay",
        "smtp-relay",
        lambda w: w.state.mail[_SMTP].__setattr__(
            "takes", (*w.state.mail[_SMTP].takes, "doctor@admin.example.org")
        ),
    ),
    Fault("postmaster is unknown", "smtp-postmaster", _refusing("postmaster@example.net")),
    Fault("abuse is unknown", "smtp-roles", _refusing("abuse@example.com")),
    Fault("reports are refused", "smtp-roles", _refusing("dmarc-reports@example.org")),
    Fault("the mailbox of roles was never made", "smtp-mailbox", _refusing("postmaster-team@example.org")),
    # Mail programs.
    Fault("port 993 is closed", "clients-open", lambda w: w.state.closed.add((_PROXY, 993))),
    Fault("port 587 has no STARTTLS", "clients-tls", _mail((_PROXY, 587), clear=())),
    Fault("ManageSieve refuses STARTTLS", "clients-tls", _mail(_SIEVE, starttls=False)),
    Fault("port 465 speaks without TLS", "clients-tls", _mail((_PROXY, 465), implicit=False)),
    Fault("IMAP has another name", "clients-certificate", _mail_tls((_PROXY, 993), "other.example.org")),
    Fault(
        "submission has nobody's certificate",
        "clients-certificate",
        _mail_tls((_PROXY, 465), "smtp.example.org", trusted=False),
    ),
    Fault(
        "the certificate of IMAP ends soon",
        "clients-expiry",
        _mail_tls((_PROXY, 993), "imap.example.org", days=3),
    ),
    Fault(
        "submission takes passwords in clear text",
        "clients-clear-login",
        _mail((_PROXY, 587), clear=("STARTTLS", "AUTH PLAIN")),
    ),
    Fault(
        "IMAP takes passwords in clear text",
        "clients-clear-login",
        _mail((_PROXY, 143), clear=("IMAP4rev1", "STARTTLS")),
    ),
    Fault(
        "ManageSieve takes passwords in clear text",
        "clients-clear-login",
        _mail(_SIEVE, clear=('"SASL" "PLAIN"', '"STARTTLS"')),
    ),
    Fault("submission offers no login", "clients-login", _mail((_PROXY, 465), secret=("PIPELINING",))),
    Fault("IMAP takes TLS 1.0", "clients-old-tls", _mail_tls((_PROXY, 993), "imap.example.org", old=True)),
    Fault("the database is open to the world", "inside-closed", lambda w: w.state.opened.add((_PROXY, 3306))),
    Fault("Redis is open to the world", "inside-closed", lambda w: w.state.opened.add(("192.0.2.11", 6379))),
    # Discovery.
    Fault("an SRV record is gone", "discovery-record", _gone("_imaps._tcp.example.org", "SRV")),
    Fault(
        "an SRV record leads to another port",
        "discovery-record",
        _set("_submissions._tcp.example.org", "SRV", "0 1 587 smtp.example.org."),
    ),
    Fault(
        "POP3 is offered that is not there",
        "discovery-record",
        _set("_pop3s._tcp.example.net", "SRV", "0 1 995 imap.example.org."),
    ),
    Fault("the path of calendars is gone", "discovery-record", _gone("_caldavs._tcp.example.org", "TXT")),
    Fault(
        "autoconfig is gone",
        "autoconfig-answers",
        _page("autoconfig.example.org", "/mail/config-v1.1.xml", 404),
    ),
    Fault(
        "autoconfig has a wrong certificate",
        "autoconfig-answers",
        _web_tls("autoconfig.example.org", "other.example.org"),
    ),
    Fault(
        "autoconfig leads to a port that is closed",
        "autoconfig-true",
        _page("autoconfig.example.org", "/mail/config-v1.1.xml", 200, autoconfig("imap.example.org", 995)),
    ),
    Fault(
        "autoconfig leads to somebody else",
        "autoconfig-true",
        _page("autoconfig.example.org", "/mail/config-v1.1.xml", 200, autoconfig("imap.example.net", 993)),
    ),
    Fault(
        "autoconfig goes without TLS",
        "autoconfig-true",
        _page(
            "autoconfig.example.org",
            "/mail/config-v1.1.xml",
            200,
            autoconfig("imap.example.org", 143, "plain"),
        ),
    ),
    Fault(
        "autoconfig is no XML",
        "autoconfig-true",
        _page("autoconfig.example.org", "/mail/config-v1.1.xml", 200, b"<html><br>"),
    ),
    Fault(
        "autodiscover fails",
        "autodiscover-answers",
        _page("autodiscover.example.org", "/autodiscover/autodiscover.xml", 500),
    ),
    Fault("calendars are not found", "dav-redirect", _page("example.org", "/.well-known/caldav", 404)),
    # The web.
    Fault("port 443 is broken", "web-answers", _page("example.org", "/", 502)),
    Fault(
        "the website has another name", "web-certificate", _web_tls("admin.example.org", "other.example.org")
    ),
    Fault(
        "the certificate of the website ends soon",
        "web-expiry",
        _web_tls("example.org", "example.org", days=5),
    ),
    Fault("port 80 does not lead to https", "web-redirect", _at("redirect", (200, ""))),
    Fault(
        "port 80 leads somewhere else", "web-redirect", _at("redirect", (301, "https://elsewhere.example/"))
    ),
    Fault("foreign names are answered", "web-foreign", lambda w: setattr(w.state.web, "default", 200)),
    Fault("browsers are not told to insist", "web-hsts", _page("example.org", "/webmail/", 200)),
    Fault("the website takes TLS 1.0", "web-old-tls", _web_tls("", *_EVERY, old=True)),
    Fault(
        "the clock is ten minutes off",
        "clock",
        lambda w: setattr(
            w.state.web, "now", lambda: datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=10)
        ),
    ),
    Fault("TURN is silent", "turn-answers", _at("stun", "silent")),
    Fault("TURN relays for anybody", "turn-closed", _at("allocate", "granted")),
    # Blocklists.
    Fault(
        "an egress address is listed",
        "blocklist-address",
        _set("11.100.51.198.zen.spamhaus.org", "A", "127.0.0.4"),
    ),
    Fault("a domain is listed", "blocklist-domain", _set("example.net.dbl.spamhaus.org", "A", "127.0.1.2")),
    Fault("the resolver is silent", "caches-answer", _at("silent", {"192.0.2.250"})),
)
