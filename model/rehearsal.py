"""What a strict receiver would write about our mail, and what senders would make of our MX, from the model alone.

The verdicts are worked out from the records as DNS would answer them, not from the settings that made them, so a
record that is missing or wrong shows. Domains in foreign zones are judged as if their owners had published the sheet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from model.identity import dkim, mta_sts, plan
from model.identity.answers import Answers
from model.identity.cached_world import CachedWorld, Pair, cached_world
from model.identity.place import suffixes
from model.identity.ptr import name_of
from model.identity.rdata import MX, PTR, TLSA
from model.identity.spf_check import evaluate
from model.names import Names
from model.settings import Settings
from model.topology import egress_addresses

__all__ = ["CachedWorld", "Inbound", "Outbound", "Pair", "Rehearsal", "cached_world", "rehearse"]

_SHOWN = 20
"""Domains of the report that are printed one by one; equal ones beyond are counted."""


@dataclass(frozen=True, kw_only=True)
class Outbound:
    """One message from one egress address in the name of one domain, as the receiver records it."""

    address: str
    """Source address; "relay" when a smarthost delivers."""
    domain: str
    helo: str
    iprev: str
    spf: str
    spf_helo: str
    selector: str | None
    dkim: str
    dmarc: str
    policy: str

    @property
    def accepted(self) -> bool:
        """Whether a strict receiver takes the message: a confirmed reverse name, and DMARC fulfilled by SPF and by DKIM."""
        relayed = self.address == "relay"
        return self.dkim == self.dmarc == "pass" and (relayed or self.iprev == self.spf == "pass")

    def header(self) -> str:
        """The Authentication-Results header (RFC 8601 section 2.2)."""
        parts = ["Authentication-Results: receiver.example"]
        if self.address != "relay":
            parts.append(f"iprev={self.iprev} policy.iprev={self.address}")
            parts.append(f"spf={self.spf_helo} smtp.helo={self.helo}")
        parts.append(f"spf={self.spf} smtp.mailfrom={self.domain}")
        signed = f" header.d={self.domain} header.s={self.selector}" if self.selector else ""
        parts.append(f"dkim={self.dkim}{signed}")
        parts.append(f"dmarc={self.dmarc} (p={self.policy}) header.from={self.domain}")
        return "; ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """How a sender that knows MTA-STS and DANE reaches one domain."""

    domain: str
    mx: str
    mta_sts: str
    dane: str
    tls_rpt: bool

    def line(self) -> str:
        """One line of the report."""
        reports = "reported" if self.tls_rpt else "not reported"
        return f"{self.domain}: MX {self.mx}; mta-sts={self.mta_sts}; dane={self.dane}; TLS failures are {reports}"


@dataclass(frozen=True)
class Rehearsal:
    """All verdicts: egress address by domain, then domain by domain."""

    outbound: tuple[Outbound, ...]
    inbound: tuple[Inbound, ...]

    def text(self) -> str:
        """The report that an operator reads."""
        return "\n".join(
            (
                "Mail that we send:",
                *_some([v.header() for v in self.outbound]),
                "Mail that we receive:",
                *_some([v.line() for v in self.inbound]),
            )
        )


def rehearse(settings: Settings) -> Rehearsal:
    """The verdicts on this stack as it would be after `up` and after every human has done the tickets."""
    answers = Answers(plan(settings).records)
    return Rehearsal(tuple(_outbound(settings, answers)), tuple(_inbound(settings, answers)))


def _outbound(settings: Settings, answers: Answers) -> Iterator[Outbound]:
    helo = Names.of(settings).helo
    selector = next((s for s, key in settings.mail.dkim.selectors.items() if key.stage == "active"), None)
    signing = settings.mail.dkim.selectors[selector].public_key if selector else ""
    relayed = not egress_addresses(settings)
    for address in ("relay",) if relayed else egress_addresses(settings, announced=True):
        iprev = "none" if relayed else _iprev(answers, address, name_of(settings, address))
        spf_helo = "none" if relayed else evaluate(answers, address, helo).result
        for domain in settings.domains:
            spf = _relay_spf(answers, domain) if relayed else evaluate(answers, address, domain).result
            signed = _dkim(answers, selector, domain, signing)
            policy = _policy(answers, domain)
            aligned = "pass" in (spf, signed)
            dmarc = "none" if policy is None else "pass" if aligned else "fail"
            yield Outbound(
                address=address,
                domain=domain,
                helo=helo,
                iprev=iprev,
                spf=spf,
                spf_helo=spf_helo,
                selector=selector,
                dkim=signed,
                dmarc=dmarc,
                policy=policy or "none",
            )


def _iprev(answers: Answers, address: str, reverse: str) -> str:
    """Reverse name that leads back (RFC 8601 section 2.7.3)."""
    names = [value.target for value in answers.ask(reverse, "PTR") if isinstance(value, PTR)]
    return "pass" if any(address in answers.addresses(name) for name in names) else "fail"


def _relay_spf(answers: Answers, domain: str) -> str:
    """A relay's addresses are its own affair: pass is believed where our record includes it."""
    return "pass" if any("include:" in text for text in answers.text(domain, "v=spf1")) else "none"


def _dkim(answers: Answers, selector: str | None, domain: str, signing: str) -> str:
    """Verification of a signature by the active key (RFC 6376 section 6.1.2)."""
    if selector is None:
        return "none"
    records = answers.text(dkim.name(selector, domain), "v=DKIM1")
    keys = [_tags(text).get("p", "") for text in records]
    if len(keys) != 1 or not keys[0]:
        return "permerror"
    return "pass" if keys[0] == signing else "fail"


def _policy(answers: Answers, domain: str) -> str | None:
    """p= of the first record on the walk upwards (RFC 9989 section 4.10)."""
    for name in suffixes(domain):
        records = answers.text(f"_dmarc.{name}", "v=DMARC1")
        if len(records) == 1:
            tags = _tags(records[0])
            return tags["p"] if name == domain else tags.get("sp", tags["p"])
    return None


def _inbound(settings: Settings, answers: Answers) -> Iterator[Inbound]:
    policies = mta_sts.policies(settings)
    public, ours = settings.tls.issuer != "selfSigned", Names.of(settings).mx
    for domain in settings.domains:
        found = [value for value in answers.ask(domain, "MX") if isinstance(value, MX)]
        hosts = [value.exchange for value in sorted(found, key=lambda value: value.preference)]
        if not hosts:
            yield Inbound(domain=domain, mx="is not ours yet", mta_sts="none", dane="none", tls_rpt=False)
            continue
        body = policies.get(domain)
        ids = answers.text(f"_mta-sts.{domain}", "v=STSv1")
        sts = _sts(body, hosts, public=public) if body and ids == (mta_sts.text(body),) else "none"
        keys = [v.certificate for v in answers.ask(f"_25._tcp.{ours}", "TLSA") if isinstance(v, TLSA)]
        current = settings.tlsa.current if settings.tlsa else None
        dane = "none" if not keys else "pass" if current in keys else "fail"
        reported = bool(answers.text(f"_smtp._tls.{domain}", "v=TLSRPTv1"))
        reached = ", ".join(f"{host} ({', '.join(answers.addresses(host)) or 'not ours'})" for host in hosts)
        yield Inbound(domain=domain, mx=reached, mta_sts=sts, dane=dane, tls_rpt=reported)


def _sts(body: bytes, hosts: list[str], *, public: bool) -> str:
    """Validation of the MX against the served policy (RFC 8461 section 4)."""
    fields = [line.split(": ", 1) for line in body.decode("ascii").splitlines()]
    mode = next(value for key, value in fields if key == "mode")
    allowed = {value for key, value in fields if key == "mx"}
    fits = public and all(host in allowed for host in hosts)
    return f"{'pass' if fits else 'fail'} ({mode})"


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _some(lines: Iterable[str]) -> list[str]:
    every = [f"  {line}" for line in lines]
    return every[:_SHOWN] + ([f"  and {len(every) - _SHOWN} more"] if len(every) > _SHOWN else [])
