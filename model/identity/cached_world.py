"""The world between two deployments: old and new DNS, each with old and new services.

Resolvers keep what they have read for a TTL, and pods change one after the other, so every combination occurs. A
change is safe when mail passes in all four. MTA-STS policies are kept far longer than records, so the policy that a
sender holds varies on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from operator import methodcaller
from typing import Literal

from model.catalogue import changes as rules
from model.deployed import Deployed, Tlsa
from model.findings import Finding
from model.identity import cached_policies
from model.identity.dkim import VISIBLE
from model.identity.life_cycles import SHARED, own_path
from model.identity.snapshot import snapshot
from model.settings import Settings

Outcome = Literal["delivered", "delayed", "bounced"]
_RANK: tuple[Outcome, ...] = ("delivered", "delayed", "bounced")


@dataclass(frozen=True)
class Trouble:
    """What goes wrong in one combination, and the step that has to come first."""

    outcome: Outcome
    path: str
    reason: str
    first: str


@dataclass(frozen=True)
class Pair:
    """One combination of what resolvers say and what pods do."""

    dns: Literal["old", "new"]
    services: Literal["old", "new"]
    troubles: tuple[Trouble, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst that happens to mail."""
        return max((t.outcome for t in self.troubles), key=_RANK.index, default="delivered")


@dataclass(frozen=True)
class CachedWorld:
    """The verdict on a change."""

    pairs: tuple[Pair, ...]
    ttl: int
    """Seconds after which no resolver holds the old records."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """A refusal for every way in which mail bounces, with the step that makes the change safe."""
        found = {t.reason: t for pair in self.pairs for t in pair.troubles if t.outcome == "bounced"}
        where = {t.reason: f"{p.dns} DNS, {p.services} services" for p in self.pairs for t in p.troubles}
        return tuple(
            rules.CACHED_WORLD.found(path=t.path, where=where[reason], reason=reason, first=t.first)
            for reason, t in found.items()
        )

    def plan(self) -> str:
        """The order that is safe: what comes first, how long to wait, then the change itself. Empty when it is safe now."""
        first = dict.fromkeys(t.first for p in self.pairs for t in p.troubles if t.outcome == "bounced")
        if not first:
            return ""
        steps = "\n".join(f"   - {step}" for step in first)
        return f"1. First, on its own:\n{steps}\n2. Wait {self.ttl} seconds, then make the rest of this change.\n"


def cached_world(before: Deployed | None, after: Settings) -> CachedWorld:
    """All four combinations of the deployed model and this stack file; nothing to say about a first deployment."""
    if before is None:
        return CachedWorld((), 0)
    now = snapshot(after, before)
    world: dict[Literal["old", "new"], Deployed] = {"old": before, "new": now}
    pairs = tuple(
        Pair(
            dns, services, tuple(dict.fromkeys(_troubles(world[dns], world[services], (before, now), after)))
        )
        for dns in world
        for services in world
    )
    return CachedWorld(pairs, before.ttl)


def _troubles(
    dns: Deployed, services: Deployed, policies: tuple[Deployed, Deployed], after: Settings
) -> Iterator[Trouble]:
    found = [*_sent(dns, services), *_received(dns, services, policies)]
    for path, seen in _groups(*policies):
        first, second = map(seen, policies)
        for trouble in _policed(seen(dns), seen(services), (first, second)):
            found.append(replace(trouble, first=trouble.first.replace(SHARED, path)))
    for trouble in found:
        accepted = after.acknowledged("cached-world", trouble.path)
        if not (accepted and trouble.outcome == "bounced"):
            yield trouble


def _sent(dns: Deployed, services: Deployed) -> Iterator[Trouble]:
    """Mail that these services send, judged by receivers with this DNS."""
    for address in services.egress.addresses:
        unknown = address not in dns.egress.announced
        if unknown or dns.helo != services.helo:
            yield Trouble(
                "bounced",
                "kolab:network.egress" if unknown else "kolab:hosts.helo",
                f"receivers do not know {address} as {services.helo} and refuse it",
                "list new source addresses under network.announcedEgress, and keep the HELO name",
            )
    relay = services.egress.relay
    if relay and relay != dns.egress.relay and dns.spf.all == "-all":
        yield Trouble(
            "bounced",
            "kolab:network.egress",
            f"SPF ends in -all and does not include {relay}",
            "set mail.spfAll to ~all",
        )
    signing = services.signing
    if signing is None:
        return
    key, seen = services.dkim[signing], dns.dkim.get(signing)
    if seen is None or seen.stage not in VISIBLE or seen.public_key != key.public_key:
        yield Trouble(
            "bounced",
            f"kolab:mail.dkim.selectors.{signing}",
            f"signatures by {signing} cannot be verified",
            f"keep {signing} published for as long as anybody signs with it, and publish a new key before it signs",
        )


def _received(dns: Deployed, services: Deployed, policies: tuple[Deployed, Deployed]) -> Iterator[Trouble]:
    """Mail from senders with this DNS that arrives at these services; a domain on hold has its mail elsewhere."""
    if dns.mx.stage == "hold":
        if services.mx.stage == "live" and any(p.mx.stage == "live" for p in policies[:1]):
            yield Trouble(
                "bounced",
                "kolab:mail.mx.stage",
                "senders find no MX and no other server is known",
                "point the MX records elsewhere, then acknowledge it",
            )
        return
    listening = services.addresses.get("smtp", ())
    deaf = [address for address in dns.addresses.get("smtp", ()) if address not in listening]
    if deaf:
        yield Trouble(
            "delayed",
            "kolab:network.addresses",
            f"nobody answers at {', '.join(deaf)} until caches follow, and senders try again",
            "lower dns.ttl, and keep the old address forwarding",
        )
    yield from _pinned(dns.tlsa, services.tlsa)


def _policed(dns: Deployed, services: Deployed, policies: tuple[Deployed, Deployed]) -> Iterator[Trouble]:
    """The same under the MTA-STS policies that these senders may hold."""
    if dns.mx.stage == "hold":
        return
    host = dns.mx.host
    for policy in policies:
        enforced = policy.mta_sts.stage == "enforce" and policy.mx.stage == "live"
        if enforced and (policy.mx.host != host or services.mx.host != host):
            yield Trouble(
                "bounced",
                "kolab:hosts.mx",
                f"the MTA-STS policy that allows only {policy.mx.host} does not fit {host}, with a certificate for {services.mx.host}",
                f"set mail.mtaSts.stage to testing and wait {policies[0].mta_sts.max_age} seconds",
            )
        was = policies[0]
        known = (was.tls, was.mta_sts.stage, was.mx.stage) == ("selfSigned", "enforce", "live")
        if enforced and services.tls == "selfSigned" and not known:
            yield Trouble(
                "bounced",
                "kolab:tls",
                "senders hold an MTA-STS policy and refuse a self-signed certificate",
                f"set mail.mtaSts.stage to testing and wait {policies[0].mta_sts.max_age} seconds",
            )
    yield from _remembered(dns, services, policies)


def _groups(before: Deployed, now: Deployed) -> Iterator[tuple[str, Callable[[Deployed], Deployed]]]:
    """Senders by the MTA-STS policy that they hold: path of the policy, and what they see of a model."""
    apart = sorted({*before.policies, *now.policies})
    yield SHARED, methodcaller("sharing", apart)
    for domain in apart:
        yield own_path(domain), methodcaller("seen_by", domain)


def _remembered(dns: Deployed, services: Deployed, policies: tuple[Deployed, Deployed]) -> Iterator[Trouble]:
    """Enforced policies of before the last step, where this one changes what they demand."""
    before, now = policies
    for policy in now.mta_sts.cached:
        safe = cached_policies.forgotten_on(policy)
        wait = f"wait until {safe or 'they are forgotten'}, and write that day to mail.mtaSts.since"
        if before.mx.host != now.mx.host and not {dns.mx.host, services.mx.host} <= set(policy.hosts):
            yield Trouble(
                "bounced",
                "kolab:hosts.mx",
                f"senders may still hold the MTA-STS policy that allows only {', '.join(policy.hosts)}",
                wait,
            )
        if before.tls != now.tls == services.tls == "selfSigned":
            yield Trouble(
                "bounced",
                "kolab:tls",
                "senders may still hold an MTA-STS policy and refuse a self-signed certificate",
                wait,
            )


def _pinned(published: Tlsa | None, shown: Tlsa | None) -> Iterator[Trouble]:
    """Senders with DANE deliver only to a key that DNS names."""
    keys = published.hashes if published else frozenset()
    if keys and shown and shown.current not in keys:
        yield Trouble(
            "bounced",
            "kolab:tlsa",
            f"port 25 shows a key that TLSA does not name ({shown.current[:16]}...)",
            "publish the new key as tlsa.next, and keep the old one as tlsa.next in the step that switches",
        )
