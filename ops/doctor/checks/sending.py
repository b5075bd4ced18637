"""What receivers make of mail from us: SPF, DKIM, DMARC and reverse names, evaluated as they do it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from model.identity import dkim, dmarc
from model.identity.ptr import name_of
from model.identity.rdata import PTR, Value
from model.identity.spf import MAX_BYTES, MAX_LOOKUPS, MAX_VOIDS
from model.identity.spf_check import evaluate
from model.identity.spf_count import Uncountable, count
from ops.doctor.check import Check, Unseen
from ops.doctor.visit import Visit

_STRANGER = {4: "203.0.113.254", 6: "2001:db8:ffff::254"}
"""Addresses of documentation (RFC 5737, RFC 3849): nobody sends from there, and no record may let them."""
_SHOW = "./kolab dns show --wide --stack {stack}; ./kolab dns push --stack {stack}"
_TAGS = re.compile(r"\s*([A-Za-z]+)\s*=\s*([^;]*)")
_GENERIC = re.compile(
    r"(\d{1,3}[-.x]){3}\d{1,3}|\b(dyn|dynamic|dhcp|pool|dsl|cable|ppp|static|customer|client)\b",
    re.IGNORECASE,
)
_OBSOLETE = ("pct", "ri", "rf")
"""Tags that RFC 9989 has removed."""


@dataclass(frozen=True)
class Live:
    """The published world, in the shape that the evaluator of the model asks."""

    visit: Visit

    def ask(self, name: str, kind: str) -> tuple[Value, ...]:
        """Values of that type at `name` or where its aliases lead."""
        return self.visit.dns.published(name, kind).values

    def text(self, name: str, start: str) -> tuple[str, ...]:
        """TXT records at `name` that begin with `start`."""
        return self.visit.dns.text(name, start)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Addresses of `name`."""
        return self.visit.dns.addresses(name)


@dataclass(frozen=True)
class Sender:
    """A name in MAIL FROM or EHLO, and an address that sends."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} from {self.address}"


def _spf_names(visit: Visit) -> Iterator[str]:
    """Names that our mail is sent as and that have a planned SPF record."""
    for name in dict.fromkeys((*visit.settings.domains, visit.names.helo)):
        if any(getattr(v, "text", "").startswith("v=spf1") for v in visit.values(name, "TXT")):
            yield name


def _record(visit: Visit, name: str) -> str:
    found = visit.dns.text(name, "v=spf1")
    if len(found) != 1:
        raise Unseen(f"{name} has {len(found)} SPF records")
    return found[0]


def _spf_single(visit: Visit, name: str) -> Iterator[str]:
    found = visit.dns.text(name, "v=spf1")
    if len(found) > 1:
        yield f"{name} has {len(found)} SPF records, and receivers call that a permanent error"


def _spf_lookups(visit: Visit, name: str) -> Iterator[str]:
    _record(visit, name)
    try:
        number = count(name, lambda asked: visit.dns.text(asked, ""))
    except Uncountable as problem:
        yield str(problem)
        return
    if number > MAX_LOOKUPS:
        yield f"{name} costs {number} lookups, {MAX_LOOKUPS} are allowed"


def _spf_voids(visit: Visit, name: str) -> Iterator[str]:
    _record(visit, name)
    found = evaluate(Live(visit), _STRANGER[4], name)
    if found.voids > MAX_VOIDS:
        yield f"{name} asks {found.voids} questions without an answer, {MAX_VOIDS} are allowed"


def _spf_size(visit: Visit, name: str) -> Iterator[str]:
    size = len(_record(visit, name).encode())
    if size > MAX_BYTES:
        yield f"the SPF record of {name} has {size} bytes, {MAX_BYTES} fit into an answer"


def _spf_terms(visit: Visit, name: str) -> Iterator[str]:
    for term in _record(visit, name).split()[1:]:
        plain = term.lower().lstrip("+-~?")
        if plain == "ptr" or plain.startswith("ptr:"):
            yield f"{name} has {term}, which many receivers do not follow (RFC 7208 section 5.5)"
        if plain == "all" and term[0] not in "-~?":
            yield f"{name} ends with {term}: the whole world may write in its name"


def _senders(visit: Visit) -> Iterator[Sender]:
    yield from (Sender(name, address) for name in _spf_names(visit) for address in visit.egress)


def _spf_passes(visit: Visit, sender: Sender) -> Iterator[str]:
    _record(visit, sender.name)
    found = evaluate(Live(visit), sender.address, sender.name)
    if found.result == "unknown":
        raise Unseen(f"{', '.join(found.foreign)} cannot be looked into")
    if found.result != "pass":
        yield f"SPF of {sender.name} says {found.result} to our own address {sender.address}"


def _strangers(visit: Visit) -> Iterator[Sender]:
    yield from (Sender(name, address) for name in _spf_names(visit) for address in _STRANGER.values())


def _spf_refuses(visit: Visit, sender: Sender) -> Iterator[str]:
    _record(visit, sender.name)
    found = evaluate(Live(visit), sender.address, sender.name).result
    if found in ("pass", "neutral"):
        yield f"SPF of {sender.name} says {found} to {sender.address}, which is nobody's"


@dataclass(frozen=True)
class Selector:
    """A key at a mail domain."""

    name: str
    domain: str

    def __str__(self) -> str:
        return dkim.name(self.name, self.domain)


def _selectors(visit: Visit) -> Iterator[Selector]:
    for name, key in visit.settings.mail.dkim.selectors.items():
        if key.stage != "staged":
            yield from (Selector(name, domain) for domain in visit.settings.domains)


def _visible(visit: Visit) -> Iterator[Selector]:
    stages = visit.settings.mail.dkim.selectors
    yield from (each for each in _selectors(visit) if stages[each.name].stage in dkim.VISIBLE)


def _revoked(visit: Visit) -> Iterator[Selector]:
    stages = visit.settings.mail.dkim.selectors
    yield from (each for each in _selectors(visit) if stages[each.name].stage == "revoked")


def _key(visit: Visit, selector: Selector) -> dict[str, str]:
    found = [t for t in visit.dns.text(str(selector), "") if "p=" in t.lower()]
    if len(found) != 1:
        raise Unseen(f"{selector} has {len(found)} keys")
    return tags(found[0])


def tags(text: str) -> dict[str, str]:
    """Tags of a DKIM or DMARC record, names in lower case (RFC 6376 section 3.2)."""
    found = (_TAGS.match(part) for part in text.split(";"))
    return {match[1].lower(): match[2].strip() for match in found if match}


def _dkim_single(visit: Visit, selector: Selector) -> Iterator[str]:
    found = [t for t in visit.dns.text(str(selector), "") if "p=" in t.lower()]
    if not found:
        yield f"there is no key at {selector}"
    if len(found) > 1:
        yield f"{selector} has {len(found)} records, and which one receivers take is left to them"


def _dkim_equals(visit: Visit, selector: Selector) -> Iterator[str]:
    planned = visit.settings.mail.dkim.selectors[selector.name].public_key
    published = re.sub(r"\s", "", _key(visit, selector).get("p", ""))
    if not published:
        yield f"{selector} is revoked in DNS (p= is empty), and our mail is still verified with it"
    elif published != planned:
        yield f"{selector} shows another key than the one of the stack"


def _dkim_parses(visit: Visit, selector: Selector) -> Iterator[str]:
    found = _key(visit, selector)
    published = re.sub(r"\s", "", found.get("p", ""))
    if found.get("v", "DKIM1") != "DKIM1" or found.get("k", "rsa") != "rsa":
        yield f"{selector} is not of the form v=DKIM1; k=rsa"
    if "h" in found and "sha256" not in found["h"].split(":"):
        yield f"{selector} does not allow sha256"
    if not published:
        return
    try:
        bits = dkim.bits(published)
    except ValueError as problem:
        yield f"the key at {selector} {problem}"
        return
    if bits < dkim.MIN_BITS:
        yield f"the key at {selector} has {bits} bits, {dkim.MIN_BITS} are the least"


def _dkim_flags(visit: Visit, selector: Selector) -> Iterator[str]:
    found = _key(visit, selector)
    if "y" in found.get("t", "").split(":"):
        yield f"{selector} says t=y: receivers treat our mail as unsigned"
    services = found.get("s", "*").split(":")
    if "*" not in services and "tlsrpt" not in services:
        yield f"{selector} says s={found['s']}: our TLS reports are not believed (RFC 8460 section 5.3)"


def _dkim_revoked(visit: Visit, selector: Selector) -> Iterator[str]:
    if _key(visit, selector).get("p"):
        yield f"{selector} is revoked, and DNS still shows its key"


def _dkim_staged(visit: Visit) -> Iterator[Selector]:
    for name, key in visit.settings.mail.dkim.selectors.items():
        if key.stage == "staged":
            yield from (Selector(name, domain) for domain in visit.settings.domains)


def _dkim_early(visit: Visit, selector: Selector) -> Iterator[str]:
    if visit.dns.published(str(selector), "TXT").values:
        yield f"{selector} is only staged, and DNS has something there already"


def _domains(visit: Visit) -> tuple[str, ...]:
    return visit.settings.domains


def _policy(visit: Visit, domain: str) -> dict[str, str]:
    found = visit.dns.text(f"_dmarc.{domain}", "v=DMARC1")
    if len(found) != 1:
        raise Unseen(f"_dmarc.{domain} has {len(found)} records")
    return tags(found[0])


def _dmarc_single(visit: Visit, domain: str) -> Iterator[str]:
    found = len(visit.dns.text(f"_dmarc.{domain}", "v=DMARC1"))
    if found != 1:
        yield f"_dmarc.{domain} has {found or 'no'} DMARC record{'s' if found > 1 else ''}"


_STRENGTH = {"none": 0, "quarantine": 1, "reject": 2}


def _dmarc_policy(visit: Visit, domain: str) -> Iterator[str]:
    planned, found = visit.settings.dmarc_of(domain).policy, _policy(visit, domain).get("p", "")
    if found not in _STRENGTH:
        yield f"_dmarc.{domain} has p={found or 'nothing'}, which receivers do not know"
    elif _STRENGTH[found] < _STRENGTH[planned]:
        yield f"_dmarc.{domain} says p={found}, planned is {planned}"


def _dmarc_reports(visit: Visit, domain: str) -> Iterator[str]:
    found = _policy(visit, domain).get("rua", "").lower()
    for address in dmarc.rua(visit.settings, domain):
        if f"mailto:{address}".lower() not in found:
            yield f"reports about {domain} do not go to {address}"


def _dmarc_obsolete(visit: Visit, domain: str) -> Iterator[str]:
    found = _policy(visit, domain)
    for tag in _OBSOLETE:
        if tag in found:
            yield f"_dmarc.{domain} has {tag}=, which RFC 9989 removed"
    if "!" in found.get("rua", ""):
        yield f"_dmarc.{domain} limits the size of reports with !, which RFC 9989 removed"


@dataclass(frozen=True)
class Consent:
    """Reports about `domain` that `report` takes."""

    domain: str
    report: str

    def __str__(self) -> str:
        return dmarc.authorisation_name(self.domain, self.report)


def _consents(visit: Visit) -> Iterator[Consent]:
    yield from (Consent(*each) for each in dmarc.authorisations(visit.settings))


def _dmarc_consent(visit: Visit, consent: Consent) -> Iterator[str]:
    if not visit.dns.text(str(consent), "v=DMARC1"):
        yield f"{consent.report} does not say at {consent} that it takes reports about {consent.domain}"


def _addresses(visit: Visit) -> tuple[str, ...]:
    return visit.egress


def _names(visit: Visit, address: str) -> tuple[str, ...]:
    found = visit.dns.published(name_of(visit.settings, address), "PTR").values
    return tuple(value.target for value in found if isinstance(value, PTR))


def _ptr_there(visit: Visit, address: str) -> Iterator[str]:
    names = _names(visit, address)
    if not names:
        yield f"{address} has no reverse name"
    elif visit.names.helo not in names:
        yield f"{address} is called {', '.join(names)}, and greets as {visit.names.helo}"


def _ptr_single(visit: Visit, address: str) -> Iterator[str]:
    names = _names(visit, address)
    if len(names) > 1:
        yield f"{address} has {len(names)} reverse names: {', '.join(names)}"


def _ptr_confirmed(visit: Visit, address: str) -> Iterator[str]:
    for name in _names(visit, address):
        if address not in visit.dns.addresses(name):
            yield f"{address} is called {name}, which does not lead back to it"


def _ptr_generic(visit: Visit, address: str) -> Iterator[str]:
    for name in _names(visit, address):
        if _GENERIC.search(name):
            yield f"{address} is called {name}, which looks like a line of a customer"


def _one_family(visit: Visit, name: str) -> Iterator[str]:
    have = set(visit.dns.addresses(name))
    missing = set(visit.egress) - have
    if missing:
        yield f"{name} does not lead to {', '.join(sorted(missing))}, where it greets from"


def _helo(visit: Visit) -> Iterator[str]:
    if visit.egress:
        yield visit.names.helo


_STOPS = "Receivers refuse our mail or put it into spam."
_PTR = "./kolab dns tickets --stack {stack}: whoever owns {subject} sets its reverse name"


CHECKS = (
    Check(
        id="spf-single",
        concern="spf",
        promise="A name has one SPF record.",
        reason=_STOPS,
        fix="remove the other record of {subject}; ./kolab dns compare --stack {stack}",
        subjects=_spf_names,
        look=_spf_single,
    ),
    Check(
        id="spf-lookups",
        concern="spf",
        promise="An SPF record costs ten lookups at most.",
        reason=_STOPS,
        fix="./kolab dns count --stack {stack}, and drop an include",
        subjects=_spf_names,
        look=_spf_lookups,
    ),
    Check(
        id="spf-voids",
        concern="spf",
        promise="An SPF record asks for names that exist.",
        reason=_STOPS,
        fix="drop the mechanism whose name is gone: " + _SHOW,
        subjects=_spf_names,
        look=_spf_voids,
    ),
    Check(
        id="spf-size",
        concern="spf",
        promise="An SPF record fits into a DNS answer.",
        reason=_STOPS,
        fix="join networks or move some into an include",
        subjects=_spf_names,
        look=_spf_size,
        severity="warning",
    ),
    Check(
        id="spf-terms",
        concern="spf",
        promise="An SPF record ends with -all or ~all and has no ptr.",
        reason="Anybody may send in our name, or receivers stop reading.",
        fix=_SHOW,
        subjects=_spf_names,
        look=_spf_terms,
    ),
    Check(
        id="spf-passes",
        concern="spf",
        promise="SPF passes for every egress address.",
        reason=_STOPS,
        fix=_SHOW,
        subjects=_senders,
        look=_spf_passes,
    ),
    Check(
        id="spf-refuses",
        concern="spf",
        promise="SPF refuses an address that is nobody's.",
        reason="Anybody may send in our name.",
        fix=_SHOW,
        subjects=_strangers,
        look=_spf_refuses,
    ),
    Check(
        id="dkim-single",
        concern="dkim",
        promise="A selector has one record.",
        reason=_STOPS,
        fix="remove the other record of {subject}; ./kolab dns compare --stack {stack}",
        subjects=_selectors,
        look=_dkim_single,
    ),
    Check(
        id="dkim-equals",
        concern="dkim",
        promise="The published key is the one that signs.",
        reason=_STOPS,
        fix=_SHOW,
        subjects=_visible,
        look=_dkim_equals,
    ),
    Check(
        id="dkim-parses",
        concern="dkim",
        promise="The published key is an RSA key of 2048 bits or more.",
        reason=_STOPS,
        fix=_SHOW,
        subjects=_visible,
        look=_dkim_parses,
    ),
    Check(
        id="dkim-flags",
        concern="dkim",
        promise="The key is in earnest, and for reports as well.",
        reason="Signatures count for nothing, or our reports do not.",
        fix=_SHOW,
        subjects=_visible,
        look=_dkim_flags,
        severity="warning",
    ),
    Check(
        id="dkim-revoked",
        concern="dkim",
        promise="A revoked key is empty in DNS.",
        reason="Whoever has the key signs in our name.",
        fix=_SHOW,
        subjects=_revoked,
        look=_dkim_revoked,
    ),
    Check(
        id="dkim-staged",
        concern="dkim",
        promise="A staged key is not in DNS yet.",
        reason="Something else stands where the key will be published.",
        fix="remove the record of {subject}, or ./kolab dkim publish --stack {stack}",
        subjects=_dkim_staged,
        look=_dkim_early,
        severity="warning",
    ),
    Check(
        id="dmarc-single",
        concern="dmarc",
        promise="A domain has one DMARC record.",
        reason="Receivers ignore all of them.",
        fix="remove the other record of {subject}; ./kolab dns compare --stack {stack}",
        subjects=_domains,
        look=_dmarc_single,
    ),
    Check(
        id="dmarc-policy",
        concern="dmarc",
        promise="The published policy is no weaker than the planned one.",
        reason="Forged mail is delivered.",
        fix=_SHOW,
        subjects=_domains,
        look=_dmarc_policy,
    ),
    Check(
        id="dmarc-reports",
        concern="dmarc",
        promise="Reports go to the planned addresses.",
        reason="Nobody learns who writes in our name.",
        fix=_SHOW,
        subjects=_domains,
        look=_dmarc_reports,
        severity="warning",
    ),
    Check(
        id="dmarc-obsolete",
        concern="dmarc",
        promise="The record has no tags that are gone.",
        reason="Receivers read the record in different ways.",
        fix=_SHOW,
        subjects=_domains,
        look=_dmarc_obsolete,
        severity="warning",
    ),
    Check(
        id="dmarc-consent",
        concern="dmarc",
        promise="Domains that take reports about others say so.",
        reason="Receivers send no report.",
        fix="./kolab dns tickets --stack {stack}: the record {subject}",
        subjects=_consents,
        look=_dmarc_consent,
        severity="warning",
    ),
    Check(
        id="ptr-name",
        concern="reverse",
        promise="Each egress address is called by the name in its EHLO.",
        reason=_STOPS,
        fix=_PTR,
        subjects=_addresses,
        look=_ptr_there,
    ),
    Check(
        id="ptr-single",
        concern="reverse",
        promise="An egress address has one name.",
        reason="Receivers pick one by chance.",
        fix=_PTR,
        subjects=_addresses,
        look=_ptr_single,
        severity="warning",
    ),
    Check(
        id="ptr-confirmed",
        concern="reverse",
        promise="Each reverse name leads back to its address.",
        reason=_STOPS,
        fix=_SHOW,
        subjects=_addresses,
        look=_ptr_confirmed,
    ),
    Check(
        id="ptr-generic",
        concern="reverse",
        promise="Reverse names do not look like customers' lines.",
        reason="Blocklists and receivers refuse such names.",
        fix=_PTR,
        subjects=_addresses,
        look=_ptr_generic,
        severity="warning",
    ),
    Check(
        id="helo-addresses",
        concern="reverse",
        promise="The name in our EHLO leads to every egress address.",
        reason=_STOPS,
        fix=_SHOW,
        subjects=_helo,
        look=_one_family,
    ),
)
