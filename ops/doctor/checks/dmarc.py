"""What receivers are told to do with mail that claims our domains and does not pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.identity import dmarc
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.dkim import tags
from ops.doctor.checks.words import SHOW_AND_PUSH
from ops.doctor.visit import Visit

_OBSOLETE = ("pct", "ri", "rf")
"""Tags that RFC 9989 has removed."""


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


def _dmarc_enforced(visit: Visit, domain: str) -> Iterator[str]:
    found = _policy(visit, domain)
    for tag in ("p", "sp"):
        if found.get(tag) == "none":
            yield f"_dmarc.{domain} says {tag}=none: receivers deliver what is forged"
    if found.get("t") == "y":
        yield f"_dmarc.{domain} says t=y: receivers apply one level less"


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


CHECKS = (
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
        fix=SHOW_AND_PUSH,
        subjects=_domains,
        look=_dmarc_policy,
    ),
    Check(
        id="dmarc-enforced",
        concern="dmarc",
        promise="The policy of a domain that is live is in earnest.",
        reason="Forged mail is delivered.",
        fix="when reports show nobody else who sends: mail.dmarc.policy quarantine, then reject; make up STACK={stack}",
        subjects=lambda v: v.settings.live,
        look=_dmarc_enforced,
        severity="warning",
    ),
    Check(
        id="dmarc-reports",
        concern="dmarc",
        promise="Reports go to the planned addresses.",
        reason="Nobody learns who writes in our name.",
        fix=SHOW_AND_PUSH,
        subjects=_domains,
        look=_dmarc_reports,
        severity="warning",
    ),
    Check(
        id="dmarc-obsolete",
        concern="dmarc",
        promise="The record has no tags that are gone.",
        reason="Receivers read the record in different ways.",
        fix=SHOW_AND_PUSH,
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
)
