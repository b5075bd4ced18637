"""Rules about a change: what was deployed, and what the stack file asks for now.

A stack reads its own last `snapshot` at preview and passes it here. There is no clock: `today` is given by ops and
is None at preview, where the dates in the file are compared with each other. A finding here is a refusal that a
reviewed `kolab:acknowledge` entry with its rule id lifts, since every such change can be meant (a leaked key, a move
announced by other means).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from model.findings import Finding
from model.identity import life_cycles
from model.identity.snapshot import snapshot
from model.settings import Settings

__all__ = ["snapshot", "transition"]

Snapshot = Mapping[str, Any]


def transition(before: Snapshot, after: Settings, today: datetime.date | None = None) -> list[Finding]:
    """Findings about the step from the deployed model to this stack file; none for a first deployment."""
    if not before:
        return []
    now = snapshot(after)
    found = (
        *life_cycles.dkim(before, now, today),
        *life_cycles.mta_sts(before, now, today),
        *_inbound(before, now),
        *_addresses(before, now, single_node=after.single_node),
        *_egress(before, now),
        *life_cycles.tlsa(before, now),
        *_dmarc(before, now),
    )
    return [finding for finding in found if not after.acknowledged(finding.rule, finding.path)]


def _inbound(before: Snapshot, now: Snapshot) -> Iterator[Finding]:
    was, becomes = before.get("mx", {}), now["mx"]
    if was.get("stage") != "live":
        return
    if becomes["stage"] != "live":
        yield Finding(
            rule="mx-lost",
            path="kolab:mail.mx.stage",
            problem="goes back to hold: every MX would vanish and mail to all domains would bounce",
            fix="leave it live, or acknowledge it once the MX records point elsewhere",
            source="RFC 5321 section 5.1",
        )
    if was["host"] != becomes["host"]:
        yield Finding(
            rule="mx-moved",
            path="kolab:hosts.mx",
            problem=f"changes from {was['host']} to {becomes['host']}, which owners of foreign domains have in their MX",
            fix="keep the name; or tell them, and acknowledge it",
        )
    lost = sorted(set(before.get("domains", ())) - set(now["domains"]))
    if lost:
        yield Finding(
            rule="domain-lost",
            path="kolab:domain" if before.get("domain") in lost else "kolab:hostedDomains",
            problem=f"loses {', '.join(lost)}: their MX records would vanish and mail to them would bounce",
            fix="put them back, or acknowledge it once their mail goes elsewhere",
        )


def _addresses(before: Snapshot, now: Snapshot, *, single_node: bool) -> Iterator[Finding]:
    moves: dict[tuple[str, ...], list[str]] = {}
    for service, old in sorted(before.get("addresses", {}).items()):
        new = now["addresses"].get(service, [])
        gone = [address for address in old if address not in new]
        if gone:
            key = "all" if single_node else service
            moves.setdefault((key, ", ".join(gone), ", ".join(new) or "nothing"), []).append(service)
    for (key, lost, kept), services in moves.items():
        yield Finding(
            rule="address-moved",
            path=f"kolab:network.addresses.{key}",
            problem=f"moves {', '.join(services)} from {lost} to {kept}: for {before.get('ttl')} seconds clients and senders go to the old address",
            fix="lower dns.ttl one day before, keep the old address forwarding for that time, and acknowledge it",
        )


def _egress(before: Snapshot, now: Snapshot) -> Iterator[Finding]:
    old, new = before.get("egress", {}), now["egress"]
    unknown = [address for address in new["addresses"] if address not in old.get("announced", ())]
    if unknown:
        yield Finding(
            rule="egress-unannounced",
            path="kolab:network.egress",
            problem=f"sends from {', '.join(unknown)}, which SPF, HELO and PTR did not name so far: for {before.get('ttl')} seconds receivers refuse such mail",
            fix="list them under network.announcedEgress first, let PTR be set, wait for the TTL, then move; or acknowledge it",
            source="RFC 7208 section 4.6",
        )
    dropped = [address for address in old.get("addresses", ()) if address not in new["announced"]]
    if dropped:
        yield Finding(
            rule="egress-dropped",
            path="kolab:network.egress",
            problem=f"no longer names {', '.join(dropped)}, where pods may send from until the last has moved",
            fix="keep them under network.announcedEgress for this step; or acknowledge it once nothing sends from there",
            source="RFC 7208 section 4.6",
        )
    if old.get("relay") != new["relay"] and new["relay"]:
        yield Finding(
            rule="egress-relay-changed",
            path="kolab:network.egress.host",
            problem=f"becomes {new['relay']}, whose addresses SPF did not include so far",
            fix="acknowledge it: DKIM carries the mail until caches follow",
            source="RFC 7208 section 4.6",
        )
    if before.get("helo") != now["helo"] and set(old.get("addresses", ())) & set(new["addresses"]):
        yield Finding(
            rule="helo-moved",
            path="kolab:hosts.helo",
            problem=f"changes from {before.get('helo')} to {now['helo']}, but the addresses keep the old PTR until its caches forget it",
            fix="keep the name, or move to new addresses; or acknowledge it",
            source="RFC 8601 section 2.7.3",
        )


def _dmarc(before: Snapshot, now: Snapshot) -> Iterator[Finding]:
    if before.get("dmarc", {}).get("policy") == "none" and now["dmarc"]["policy"] == "reject":
        yield Finding(
            rule="dmarc-jump",
            path="kolab:mail.dmarc.policy",
            severity="warning",
            problem="goes from none to reject in one step",
            fix="read the reports under quarantine first, or acknowledge it",
        )
