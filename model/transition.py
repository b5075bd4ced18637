"""Rules about a change: what was deployed, and what the stack file asks for now.

A stack reads its own last deployed model at preview and passes it here. There is no clock: `today` is given by ops and
is None at preview, where the dates in the file are compared with each other. A finding here is a refusal that a
reviewed `kolab:acknowledge` entry with its rule id lifts, since every such change can be meant (a leaked key, a move
announced by other means).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import get_args

from model import rotation
from model.catalogue import changes as rules
from model.catalogue import data, engines, names
from model.deployed import Deployed
from model.findings import Finding
from model.identity import life_cycles
from model.identity.snapshot import snapshot
from model.settings import FilesEngine, Settings

__all__ = ["snapshot", "transition"]


def transition(
    before: Deployed | None,
    after: Settings,
    today: datetime.date | None = None,
    secrets: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Findings about the step from the deployed model to this stack file; none for a first deployment.

    `secrets` are the fingerprints of model/rotation.py; without them, no secret is compared.
    """
    if before is None:
        return []
    now = snapshot(after, before)
    found = (
        *life_cycles.dkim(before, now, today),
        *life_cycles.mta_sts(before, now, today),
        *_inbound(before, now),
        *_addresses(before, now, single_node=after.single_node),
        *_egress(before, now),
        *life_cycles.tlsa(before, now),
        *_dmarc(before, now),
        *_mariadb(before, now),
        *_files(before, after),
        *(rotation.judge(before, after, secrets) if secrets else ()),
    )
    return [finding for finding in found if not after.acknowledged(finding.rule, finding.path)]


def _inbound(before: Deployed, now: Deployed) -> Iterator[Finding]:
    was, becomes = before.mx, now.mx
    if before.domain != now.domain:
        if was.stage == "hold":
            yield rules.DOMAIN_CHANGED.found(old=before.domain, new=now.domain)
        else:
            yield names.DOMAIN_FIXED.found(old=before.domain, new=now.domain)
    if was.stage == "hold":
        return
    if becomes.stage == "hold":
        yield rules.MX_LOST.found()
    else:
        for domain in now.domains:
            if before.stage_of(domain) != "hold" == now.stage_of(domain):
                yield rules.MX_LOST_OF_DOMAIN.found(domain=domain)
    if was.host != becomes.host:
        yield rules.MX_MOVED.found(old=was.host, new=becomes.host)
    lost = sorted(before.taking - set(now.domains))
    if lost:
        yield rules.DOMAIN_LOST.found(
            path="kolab:domain" if before.domain in lost else "kolab:hostedDomains",
            domains=", ".join(lost),
        )


def _addresses(before: Deployed, now: Deployed, *, single_node: bool) -> Iterator[Finding]:
    moves: dict[tuple[str, ...], list[str]] = {}
    for service, old in sorted(before.addresses.items()):
        new = now.addresses.get(service, ())
        gone = [address for address in old if address not in new]
        if gone:
            key = "all" if single_node else service
            moves.setdefault((key, ", ".join(gone), ", ".join(new) or "nothing"), []).append(service)
    for (key, lost, kept), services in moves.items():
        yield rules.ADDRESS_MOVED.found(
            key=key, services=", ".join(services), lost=lost, kept=kept, seconds=before.ttl
        )


def _egress(before: Deployed, now: Deployed) -> Iterator[Finding]:
    old, new = before.egress, now.egress
    unknown = [address for address in new.addresses if address not in old.announced]
    if unknown:
        yield rules.EGRESS_UNANNOUNCED.found(addresses=", ".join(unknown), seconds=before.ttl)
    dropped = [address for address in old.addresses if address not in new.announced]
    if dropped:
        yield rules.EGRESS_DROPPED.found(addresses=", ".join(dropped))
    if new.relay and old.relay != new.relay:
        yield rules.EGRESS_RELAY_CHANGED.found(relay=new.relay)
    known = {*old.addresses} & {*new.announced} | {*new.addresses} & {*old.announced}
    if before.helo != now.helo and known:
        yield rules.HELO_MOVED.found(old=before.helo, new=now.helo)


def _mariadb(before: Deployed, now: Deployed) -> Iterator[Finding]:
    old, new = before.mariadb, now.mariadb
    if takes_over(before, now.mariadb):
        yield engines.DATABASE_TAKEN_OVER.found(old=old, new=new)
    elif new and _number(new) < _number(old):
        yield engines.DATABASE_GOES_BACK.found(old=old, new=new)


def takes_over(before: Deployed, release: str) -> bool:
    """Whether a server of `release` finds data of an older one."""
    return bool(before.mariadb and release) and _number(before.mariadb) < _number(release)


def _number(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split("."))) if release else ()


_FILES_STAGES = get_args(FilesEngine)
"""In the order in which files move; from the third on people's files are in the gateway."""
_FILES_SERVED = 2


def _files(before: Deployed, after: Settings) -> Iterator[Finding]:
    if not after.own_files or before.files not in _FILES_STAGES:
        return
    was, becomes = _FILES_STAGES.index(before.files), _FILES_STAGES.index(after.files.engine)
    if becomes > was + 1:
        yield data.FILES_STAGE_SKIPPED.found(
            first=before.files, second=after.files.engine, next=_FILES_STAGES[was + 1]
        )
    elif becomes < was and was >= _FILES_SERVED:
        yield data.FILES_BACK.found(first=before.files, second=after.files.engine)


def _dmarc(before: Deployed, now: Deployed) -> Iterator[Finding]:
    if before.dmarc.policy == "none" and now.dmarc.policy == "reject":
        yield rules.DMARC_JUMP.found()
    for domain, policy in now.dmarc_policies.items():
        if domain in before.domains and before.dmarc_of(domain) == "none" and policy == "reject":
            yield rules.DMARC_JUMP.found().about("mail.dmarc", f"domains.{domain}.dmarc")
