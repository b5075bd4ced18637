"""The published keys of our signatures, against those of the stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from model.identity import dkim
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.words import REFUSED, SHOW_AND_PUSH
from ops.doctor.visit import Visit

_TAGS = re.compile(r"\s*([A-Za-z]+)\s*=\s*([^;]*)")


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


CHECKS = (
    Check(
        id="dkim-single",
        concern="dkim",
        promise="A selector has one record.",
        reason=REFUSED,
        fix="remove the other record of {subject}; ./kolab dns compare --stack {stack}",
        subjects=_selectors,
        look=_dkim_single,
    ),
    Check(
        id="dkim-equals",
        concern="dkim",
        promise="The published key is the one that signs.",
        reason=REFUSED,
        fix=SHOW_AND_PUSH,
        subjects=_visible,
        look=_dkim_equals,
    ),
    Check(
        id="dkim-parses",
        concern="dkim",
        promise="The published key is an RSA key of 2048 bits or more.",
        reason=REFUSED,
        fix=SHOW_AND_PUSH,
        subjects=_visible,
        look=_dkim_parses,
    ),
    Check(
        id="dkim-flags",
        concern="dkim",
        promise="The key is in earnest, and for reports as well.",
        reason="Signatures count for nothing, or our reports do not.",
        fix=SHOW_AND_PUSH,
        subjects=_visible,
        look=_dkim_flags,
        severity="warning",
    ),
    Check(
        id="dkim-revoked",
        concern="dkim",
        promise="A revoked key is empty in DNS.",
        reason="Whoever has the key signs in our name.",
        fix=SHOW_AND_PUSH,
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
)
