"""MTA-STS: senders accept no forged or unencrypted MX host (RFC 8461).

Order, kept by a dependency in the engine: the policy is served before the TXT record names it. Removal: stage
`removing` serves `mode: none` under a new id until the longest policy ever served is forgotten, then `none`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator

from model.identity import mx
from model.identity.rdata import TXT
from model.identity.record import Record
from model.names import Names
from model.settings import MtaSts, Settings

CONTENT_TYPE = "text/plain"
"""Media type of the policy (RFC 8461 section 3.2)."""
PATH = "/.well-known/mta-sts.txt"
"""Path of the policy on every host of `Names.policy_hosts`; redirects are not followed (section 3.3)."""
REMOVAL_MAX_AGE = 86400
"""Seconds that senders keep the policy that says `none`."""


def policy(settings: Settings, domain: str) -> bytes | None:
    """The bytes that the policy host of `domain` serves; None without MTA-STS, and where the domain is not live: the
    MX is somebody else's then, and so is the policy about it.
    """
    if settings.stage_of(domain) != "live":
        return None
    return own(settings, domain) if domain in settings.own_policies else shared(settings)


def shared(settings: Settings) -> bytes | None:
    """The policy of the live domains that have none of their own; None where there is no such domain, or no policy."""
    sharing = [domain for domain in settings.live if domain not in settings.own_policies]
    return _body(settings, settings.mail.mta_sts, sharing)


def own(settings: Settings, domain: str) -> bytes | None:
    """The policy that is about `domain` alone."""
    live = [domain] if settings.stage_of(domain) == "live" else []
    return _body(settings, settings.mta_sts_of(domain), live)


def policies(settings: Settings) -> dict[str, bytes]:
    """Live domain -> its policy, where it has one."""
    common, apart = shared(settings), frozenset(settings.own_policies)
    found = {domain: own(settings, domain) if domain in apart else common for domain in settings.live}
    return {domain: body for domain, body in found.items() if body is not None}


def _body(settings: Settings, sts: MtaSts, domains: Collection[str]) -> bytes | None:
    """One policy for these domains: it allows each server that any of them has in its MX.

    Lines end in CRLF (RFC 8461 section 3.2). Names stand as A-labels. A policy with mode none keeps its mx
    line: the RFC allows it, and older senders insist on one.
    """
    if sts.stage == "none" or not domains:
        return None
    removing = sts.stage == "removing"
    lines = (
        ("version", "STSv1"),
        ("mode", "none" if removing else sts.stage),
        *(("mx", host) for host in (Names.of(settings).mx, *mx.others(settings, domains))),
        ("max_age", REMOVAL_MAX_AGE if removing else sts.max_age),
    )
    return "".join(f"{key}: {value}\r\n" for key, value in lines).encode("ascii")


def policy_id(body: bytes) -> str:
    """Id of a policy: the first 32 hex digits of its SHA-256, so it changes with the bytes and with nothing else."""
    return hashlib.sha256(body).hexdigest()[:32]


def text(body: bytes) -> str:
    """The TXT record that tells senders to fetch this policy (RFC 8461 section 3.1)."""
    return f"v=STSv1; id={policy_id(body)}"


def records(settings: Settings) -> Iterator[Record]:
    """`_mta-sts` of every live domain (underscore here, hyphen in the host); none without a policy."""
    for domain, body in policies(settings).items():
        yield Record(
            f"_mta-sts.{domain}",
            TXT(text(body)),
            settings.dns.ttl,
            f"Senders fetch the policy at https://mta-sts.{domain}{PATH} anew when this id changes.",
        )
