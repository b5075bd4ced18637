"""MTA-STS: senders accept no forged or unencrypted MX host (RFC 8461).

Order, kept by a dependency in the engine: the policy is served before the TXT record names it. Removal: stage
`removing` serves `mode: none` under a new id until the longest policy ever served is forgotten, then `none`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from model.identity import mx
from model.identity.rdata import TXT
from model.identity.record import Record
from model.names import Names
from model.settings import Settings

CONTENT_TYPE = "text/plain"
"""Media type of the policy (RFC 8461 section 3.2)."""
PATH = "/.well-known/mta-sts.txt"
"""Path of the policy on every host of `Names.policy_hosts`; redirects are not followed (section 3.3)."""
REMOVAL_MAX_AGE = 86400
"""Seconds that senders keep the policy that says `none`."""


def policy(settings: Settings) -> bytes | None:
    """The bytes that every policy host serves, the same for all live domains; None without MTA-STS,
    and where none is live: the MX is somebody else's then, and so is the policy about it.

    Lines end in CRLF (RFC 8461 section 3.2). Names stand as A-labels. A policy with mode none keeps its mx
    line: the RFC allows it, and older senders insist on one.
    """
    sts = settings.mail.mta_sts
    if sts.stage == "none" or not settings.live:
        return None
    removing = sts.stage == "removing"
    lines = (
        ("version", "STSv1"),
        ("mode", "none" if removing else sts.stage),
        # One policy for all domains: each server that any of them has in its MX.
        *(("mx", host) for host in (Names.of(settings).mx, *mx.others(settings))),
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
    body = policy(settings)
    if body is None:
        return
    for domain in settings.live:
        yield Record(
            f"_mta-sts.{domain}",
            TXT(text(body)),
            settings.dns.ttl,
            f"Senders fetch the policy at https://mta-sts.{domain}{PATH} anew when this id changes.",
        )
