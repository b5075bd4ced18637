"""The deployed identity as plain JSON: exported by the stack, and read back to judge the next change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.identity import dmarc, mta_sts, spf
from model.identity.place import foreign_domains
from model.names import Names
from model.rules import acknowledgements
from model.settings import Settings
from model.topology import egress_addresses, public_addresses, smarthost

VERSION = 1
"""Grows when a key changes its meaning; new keys may be added without."""


def snapshot(settings: Settings) -> dict[str, Any]:
    """What the world relies on, small enough for a stack output: no record lists, no secrets, one line per domain."""
    names, mail, egress, relay = (
        Names.of(settings),
        settings.mail,
        settings.network.egress,
        smarthost(settings),
    )
    policy = mta_sts.policy(settings)
    return {
        "version": VERSION,
        "domain": settings.domain,
        "domains": list(settings.domains),
        "foreign": list(foreign_domains(settings)),
        "ttl": settings.dns.ttl,
        "mx": {"stage": mail.mx.stage, "host": names.mx},
        "helo": names.helo,
        "addresses": {service: list(found) for service, found in public_addresses(settings).items()},
        "egress": {
            "mode": egress.mode if egress else "none",
            "addresses": list(egress_addresses(settings)),
            "announced": list(egress_addresses(settings, announced=True)),
            "relay": relay.host if relay else None,
        },
        "spf": {"sources": list(spf.sources(settings)), "all": mail.spf_all},
        "dkim": {
            name: {"stage": key.stage, "since": key.since, "publicKey": key.public_key}
            for name, key in sorted(mail.dkim.selectors.items())
        },
        "dmarc": {"policy": mail.dmarc.policy, "text": dmarc.text(settings)},
        "mtaSts": {
            "stage": mail.mta_sts.stage,
            "since": mail.mta_sts.since,
            "maxAge": mail.mta_sts.max_age,
            "id": mta_sts.policy_id(policy) if policy else None,
        },
        "acknowledged": acknowledgements.about_changes(settings),
        "tls": settings.tls.issuer,
        "tlsa": settings.tlsa.model_dump() if settings.tlsa and settings.dns.dnssec else None,
    }


def restored(exported: Mapping[str, Any]) -> dict[str, Any]:
    """A snapshot that went through the engine, as it was: the engine drops nulls, and makes all numbers fractions."""
    found: dict[str, Any] = {key: _whole(value) for key, value in exported.items()}
    if found:
        found.setdefault("tlsa", None)
        for section, key in (("egress", "relay"), ("mtaSts", "since"), ("mtaSts", "id")):
            found.setdefault(section, {}).setdefault(key, None)
    return found


def _whole(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
