"""Domains moved one by one: where each stands, what may be done today, what to wait for, and what comes after.

Nothing here knows which step is safe: each is tried as a change of the stack file on the judges that a preview asks
(model/step.py, model/rules), and a day is the first on which they find nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from model.deployed import Deployed
from model.findings import Finding
from model.identity import life_cycles, tls_rpt
from model.identity.place import foreign_domains
from model.identity.snapshot import snapshot
from model.itinerary import Hindrance, Itinerary, Move, Standing
from model.ledger import after
from model.rules import check
from model.settings import DkimSelector, DomainSettings, Settings
from model.step import judge_each

_FARTHEST = 400
"""Days to look ahead: more than a year, the longest that a policy is kept."""

Edits = Mapping[str, str]
"""Path below `kolab:` -> value."""


def itinerary(
    settings: Settings, possible: Sequence[Deployed], stack: str, today: datetime.date
) -> Itinerary:
    """The plan for this stack file, where the world has one of the `possible` models. Never raises."""
    known = bool(possible)
    pending = not known or [after(settings, possible)] != list(possible)
    course = _Course(settings, possible or (snapshot(settings),), stack, today)
    moves: list[Move] = []
    hindrances: list[Hindrance] = [
        Hindrance("the update that the stack file asks for", each) for each in course.standing
    ]
    for found in (*course.stages(), *course.keys(), *course.policies()):
        if isinstance(found, Move):
            moves.append(found)
        else:
            hindrances.append(found)
    return Itinerary(
        stack, today, settings.dns.ttl, known, pending, course.domains(), tuple(moves), tuple(hindrances)
    )


class _Course:
    """Tries one step after the other from the present stack file."""

    def __init__(
        self, settings: Settings, possible: Sequence[Deployed], stack: str, today: datetime.date
    ) -> None:
        self.settings, self.possible, self.stack, self.today = settings, possible, stack, today
        self.standing = self._errors(settings)
        """What speaks against the stack file as it is; no later step is blamed for it."""

    def domains(self) -> tuple[Standing, ...]:
        foreign = frozenset(foreign_domains(self.settings))
        keys = self.settings.mail.dkim.selectors.items()
        signing = [name for name, key in keys if key.stage == "active"]
        waiting = [name for name, key in keys if key.stage in ("staged", "published")]
        dkim = " ".join((*(signing or ["-"]), *(f"({name})" for name in waiting)))
        return tuple(self._standing(domain, dkim, domain in foreign) for domain in self.settings.domains)

    def _standing(self, domain: str, dkim: str, foreign: bool) -> Standing:
        settings, wanted = self.settings, self.settings.stage_of(domain)
        live = wanted == "live"
        return Standing(
            domain=domain,
            stage=self.possible[-1].stage_of(domain),
            wanted=wanted,
            dkim=dkim,
            mta_sts=settings.mta_sts_of(domain).stage if live else "-",
            tls_rpt=tls_rpt.rua(settings, domain) if live else "-",
            dmarc=settings.dmarc_of(domain).policy,
            foreign=foreign,
            next=_following(settings, domain),
        )

    def stages(self) -> Iterator[Move | Hindrance]:
        """hold -> shadow -> live, of each domain for itself."""
        for stage in ("shadow", "live"):
            group = [
                d
                for d in self.settings.domains
                if _following(self.settings, d) == stage and not self._under_way(d)
            ]
            free, refused = self._sorted(group, stage)
            if free:
                yield self._move(stage, free)
            reasons: dict[Finding, list[str]] = {}
            for domain, finding in refused:
                reasons.setdefault(finding, []).append(domain)
            for finding, domains in reasons.items():
                yield Hindrance(f"to {stage}", finding, tuple(domains))

    def _under_way(self, domain: str) -> bool:
        """Whether a step of the domain waits to be deployed: the next one comes after it."""
        return any(each.stage_of(domain) != self.settings.stage_of(domain) for each in self.possible)

    def _move(self, stage: str, domains: Sequence[str]) -> Move:
        when = "it is in the web application with its mailboxes (./kolab domain list), since mail may arrive"
        if stage == "live":
            when = "its owner is ready, it is in the web application with its mailboxes, and the TTL of its old MX was lowered a day before"
        commands = tuple(f"./kolab dns move {d} --to {stage} --stack {self.stack}" for d in domains)
        return Move(f"to {stage}", when, None, commands, tuple(domains))

    def _sorted(self, domains: Sequence[str], stage: str) -> tuple[list[str], list[tuple[str, Finding]]]:
        """Domains that may take the step, and those that may not with what speaks against it. All are tried at once,
        and in halves where that is refused: a thousand domains cost no thousand judgements."""
        if not domains:
            return [], []
        wrong = self._new(staged(self.settings, domains, stage))
        if not wrong:
            return list(domains), []
        if len(domains) == 1:
            return [], [(domains[0], wrong[0])]
        middle = len(domains) // 2
        first, second = (self._sorted(half, stage) for half in (domains[:middle], domains[middle:]))
        return first[0] + second[0], first[1] + second[1]

    def keys(self) -> Iterator[Move]:
        """The signing keys, one stage at a time."""
        selectors = self.settings.mail.dkim.selectors
        for name, key in sorted(selectors.items()):
            step = _KEY_STEPS.get(key.stage)
            if step is None:
                continue
            verb, stage, when = step
            days = self._first_day(partial(self._rekeyed, name, stage), life_cycles.dkim)
            if days is not None:
                command = f"./kolab dkim {verb} {name} --stack {self.stack}"
                yield Move(f"DKIM key {name}: {verb}", when, self._later(days), (command,))

    def _rekeyed(self, name: str, stage: str | None, day: datetime.date) -> Settings:
        selectors = dict(self.settings.mail.dkim.selectors)

        def moved(key: DkimSelector, to: str) -> DkimSelector:
            return key.model_copy(update={"stage": to, "since": day.isoformat()})

        if stage == "active":
            selectors = {
                other: moved(key, "retired") if key.stage == "active" else key
                for other, key in selectors.items()
            }
        if stage is None:
            del selectors[name]
        else:
            selectors[name] = moved(selectors[name], stage)
        dkim = self.settings.mail.dkim.model_copy(update={"selectors": selectors})
        return _with_mail(self.settings, dkim=dkim)

    def policies(self) -> Iterator[Move]:
        """MTA-STS and DMARC, where their domains are live: before that they are the business of another server."""
        for path, sharing in self._sharing("mta_sts", "mtaSts").items():
            if not any(self.settings.stage_of(domain) == "live" for domain in sharing):
                continue
            yield from self._transport(path, sharing)
        for path, sharing in self._sharing("dmarc", "dmarc").items():
            yield from self._authentication(path, sharing)

    def _sharing(self, field: str, key: str) -> dict[str, list[str]]:
        """Path of a policy -> the domains that have it."""
        found: dict[str, list[str]] = {}
        for domain in self.settings.domains:
            own = self.settings.per_domain.get(domain)
            path = f'domains["{domain}"].{key}' if own and getattr(own, field) else f"mail.{key}"
            found.setdefault(path, []).append(domain)
        return found

    def _transport(self, path: str, sharing: Sequence[str]) -> Iterator[Move]:
        present = self.settings.mta_sts_of(sharing[0])
        step = _TRANSPORT_STEPS.get(present.stage)
        if step is None:
            return
        stage, when = step

        def changed(day: datetime.date) -> Settings:
            policy = present.model_copy(update={"stage": stage, "since": day.isoformat()})
            if path.startswith("mail."):
                return _with_mail(self.settings, mta_sts=policy)
            return _with_domains(self.settings, sharing, mta_sts=policy)

        days = self._first_day(changed, life_cycles.mta_sts)
        if days is not None:
            day = self.today + datetime.timedelta(days=days)
            commands = self._set({f"{path}.stage": stage, f"{path}.since": day.isoformat()})
            own = () if path.startswith("mail.") else tuple(sharing)
            yield Move(f"MTA-STS: {present.stage} -> {stage}", when, self._later(days), commands, own)

    def _authentication(self, path: str, sharing: Sequence[str]) -> Iterator[Move]:
        policy = self.settings.dmarc_of(sharing[0]).policy
        stricter = _STRICTER.get(policy)
        if stricter is None:
            return
        held = [domain for domain in sharing if self.settings.stage_of(domain) != "live"]
        what = f"DMARC: {policy} -> {stricter}"
        own = () if path.startswith("mail.") else tuple(sharing)
        when = "two weeks of reports show no sender of yours that fails"
        if held:
            when = f"{_some(held)} {'is' if len(held) == 1 else 'are'} live too, and {when}"
        yield Move(what, when, None, self._set({f"{path}.policy": stricter}), own)

    def _set(self, edits: Edits) -> tuple[str, ...]:
        return tuple(
            f"./kolab pulumi config set --plaintext --path 'kolab:{path}' {value} --stack {self.stack}"
            for path, value in edits.items()
        )

    def _first_day(
        self,
        changed: Callable[[datetime.date], Settings],
        judge: Callable[[Deployed, Deployed, datetime.date], Iterator[Finding]],
    ) -> int | None:
        """Days until the step is allowed, whichever model the world has; None where no wait makes it so."""
        for days in range(_FARTHEST):
            day = self.today + datetime.timedelta(days=days)
            now = changed(day)
            if not any(
                each.severity == "error"
                for before in self.possible
                for each in judge(before, snapshot(now, before), day)
            ):
                return days
        return None

    def _later(self, days: int) -> datetime.date | None:
        return self.today + datetime.timedelta(days=days) if days else None

    def _errors(self, settings: Settings) -> tuple[Finding, ...]:
        found = (*check(settings), *judge_each(self.possible, settings, self.today).findings)
        return tuple(dict.fromkeys(each for each in found if each.severity == "error"))

    def _new(self, settings: Settings) -> list[Finding]:
        return [each for each in self._errors(settings) if each not in self.standing]


def staged(settings: Settings, domains: Sequence[str], stage: str) -> Settings:
    """The stack file with these domains at another stage."""
    return _with_domains(settings, domains, stage=stage)


def _following(settings: Settings, domain: str) -> str:
    """The stage that follows: through shadow where other servers are named that stay first."""
    stage = settings.stage_of(domain)
    if stage == "hold":
        return "shadow" if settings.other_mx_of(domain) else "live"
    return "live" if stage == "shadow" else ""


_KEY_STEPS: Mapping[str, tuple[str, str | None, str]] = {
    "staged": ("publish", "published", ""),
    "published": ("activate", "active", "every name server shows it, which the command asks"),
    "retired": ("revoke", "revoked", ""),
    "revoked": ("remove", None, ""),
}
"""Stage -> verb of `./kolab dkim`, the stage that it leads to, and what to make sure of."""
_TRANSPORT_STEPS: Mapping[str, tuple[str, str]] = {
    "none": ("testing", "the certificates of port 25 and of mta-sts. are trusted (./kolab doctor)"),
    "testing": ("enforce", "TLS reports show no failure"),
    "removing": ("none", ""),
}
"""Stage -> the stage that follows, and what to make sure of."""
_STRICTER = {"none": "quarantine", "quarantine": "reject"}


def _some(domains: Sequence[str]) -> str:
    return domains[0] if len(domains) == 1 else f"{domains[0]} and {len(domains) - 1} more"


def _with_mail(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"mail": settings.mail.model_copy(update=changes)})


def _with_domains(settings: Settings, domains: Sequence[str], **changes: object) -> Settings:
    own = {
        domain: settings.per_domain.get(domain, DomainSettings()).model_copy(update=changes)
        for domain in domains
    }
    return settings.model_copy(update={"per_domain": {**settings.per_domain, **own}})
