"""What a stack file will be known by once it is deployed."""

from __future__ import annotations

from collections.abc import Collection

from model.deployed import Deployed, DkimKey, Dmarc, MtaSts, Mx, Sending, Spf, Tlsa
from model.identity import cached_policies, dmarc, mta_sts, mx, spf
from model.identity.place import foreign_domains
from model.names import Names
from model.rules import acknowledgements
from model.settings import MtaSts as Wanted
from model.settings import Settings
from model.topology import egress_addresses, public_addresses, smarthost


def snapshot(settings: Settings, before: Deployed | None = None) -> Deployed:
    """The deployed model of this stack file: of a preview's wish, or of what an update has just made.

    `before` is the model that it follows: what the caches of others may still hold is remembered from there.
    """
    now = _alone(settings)
    return cached_policies.remembered(now, [before] if before else [])


def _alone(settings: Settings) -> Deployed:
    names, mail = Names.of(settings), settings.mail
    stage = "live" if settings.live else "shadow" if settings.taking else "hold"
    relay, apart = smarthost(settings), frozenset(settings.own_policies)
    sharing = [domain for domain in settings.live if domain not in apart]
    return Deployed(
        domain=settings.domain,
        domains=settings.domains,
        foreign=tuple(foreign_domains(settings)),
        ttl=settings.dns.ttl,
        mx=Mx(stage=stage, host=names.mx),
        stages={d: s for d in settings.domains if (s := settings.stage_of(d)) != stage},
        helo=names.helo,
        addresses=public_addresses(settings),
        egress=Sending(
            addresses=egress_addresses(settings),
            announced=egress_addresses(settings, announced=True),
            relay=relay.host if relay else None,
        ),
        spf=Spf(sources=spf.sources(settings), all=mail.spf_all),
        dkim={
            name: DkimKey(stage=key.stage, since=key.since, public_key=key.public_key)
            for name, key in sorted(mail.dkim.selectors.items())
        },
        dmarc_policies={
            d: p for d in settings.domains if (p := settings.dmarc_of(d).policy) != mail.dmarc.policy
        },
        dmarc=Dmarc(policy=mail.dmarc.policy, text=dmarc.text(settings, settings.domain)),
        mta_sts=_policy(settings, mail.mta_sts, mta_sts.shared(settings), sharing),
        policies={
            domain: _policy(settings, settings.mta_sts_of(domain), mta_sts.own(settings, domain), (domain,))
            for domain in settings.own_policies
        },
        mariadb=settings.database_release,
        tls=settings.tls.issuer,
        tlsa=Tlsa(current=settings.tlsa.current, next=settings.tlsa.next)
        if settings.tlsa and settings.dns.dnssec
        else None,
        acknowledged=acknowledgements.about_changes(settings),
        rotations=dict(sorted(settings.rotations.items())),
        files=settings.files.engine if settings.own_files else "none",
    )


def _policy(settings: Settings, wanted: Wanted, served: bytes | None, domains: Collection[str]) -> MtaSts:
    return MtaSts(
        stage=wanted.stage,
        since=wanted.since,
        max_age=wanted.max_age,
        others=mx.others(settings, domains) if served else (),
        id=mta_sts.policy_id(served) if served else None,
    )
