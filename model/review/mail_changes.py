"""What changes for the world: addresses, records, keys, policies, and what receivers make of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model import identity
from model.deployed import Deployed
from model.findings import counted, some
from model.identity import next_steps
from model.identity.next_steps import NextStep
from model.identity.record import Record
from model.identity.tlsa import ANNOUNCED_TTLS
from model.rehearsal import rehearse
from model.review.item import Item
from model.settings import MtaSts, Settings
from model.topology import egress_addresses, public_addresses


def addresses(before: Settings, after: Settings) -> Iterator[Item]:
    """Public and egress addresses that come, go or move."""
    old, new = public_addresses(before), public_addresses(after)
    moves: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for service in sorted({*old, *new}):
        was, becomes = old.get(service, ()), new.get(service, ())
        if was != becomes:
            moves.setdefault((was, becomes), []).append(service)
    for (was, becomes), services in moves.items():
        text = f"{', '.join(services)}: {_listed(was)} -> {_listed(becomes)}"
        lost = [address for address in was if address not in becomes]
        if lost:
            wait = duration(before.dns.ttl)
            text += f". For up to {wait} (TTL) clients and senders still go to {_listed(lost)}"
        yield Item(text, "care" if lost else "safe")
    left, right = (egress_addresses(s, announced=True) for s in (before, after))
    if came := [address for address in right if address not in left]:
        yield Item(
            f"mail may leave from {_listed(came)}: SPF, HELO and PTR name it from now on, and it needs its PTR set by its owner",
            "care",
        )
    if gone := [address for address in left if address not in right]:
        yield Item(f"mail no longer leaves from {_listed(gone)}", "care")


def records(before: Settings, after: Settings) -> Iterator[Item]:
    """Records that come, change and go, each with its reason."""
    old, new = _grouped(before), _grouped(after)
    added, changed, removed = [], [], []
    for key in sorted({*old, *new}):
        was, becomes = old.get(key, ()), new.get(key, ())
        if [r.render() for r in was] == [r.render() for r in becomes]:
            continue
        if not was:
            added += [_line("+", record) for record in becomes]
        elif not becomes:
            removed += [_line("-", record) for record in was]
        else:
            kept = {record.render() for record in was} & {record.render() for record in becomes}
            changed += [_line("-", record) for record in was if record.render() not in kept]
            changed += [_line("+", record) for record in becomes if record.render() not in kept]
    if added:
        yield Item(f"{counted(len(added), 'record')} added", "safe", tuple(added))
    if changed:
        lines = tuple(changed)
        yield Item(f"{counted(sum(line.startswith('+') for line in lines), 'record')} changed", "care", lines)
    if removed:
        yield Item(f"{counted(len(removed), 'record')} removed", "care", tuple(removed))


def all_records(after: Settings) -> Iterator[Item]:
    """What a first deployment publishes."""
    lines = tuple(_line("+", record) for record in identity.records(after))
    yield Item(f"{counted(len(lines), 'record')} published", "safe", lines)


def stages(before: Settings, after: Settings, now: Deployed) -> Iterator[Item]:
    """Steps of what lives in the caches of others, each with the one that follows and the first day on which it is safe.

    `now` is the deployed model of `after`, which knows what the caches hold of before.
    """
    was, becomes = before.mail, after.mail
    yield from _arrivals(before, after)
    yield from _domains(before, after)
    yield from _dkim(before, after, now)
    yield from _policies(before, after, now)
    if was.dmarc != becomes.dmarc:
        yield Item(f"DMARC: p={was.dmarc.policy} -> p={becomes.dmarc.policy}, or its details", "care")
    if before.tlsa != after.tlsa:
        yield Item(f"TLSA: {_tlsa(before)} -> {_tlsa(after)}{_next_pin(before, after)}", "care")


def receivers(before: Settings | None, after: Settings) -> Iterator[Item]:
    """What strict receivers would say, before and after, as far as it differs."""
    old = rehearse(before).text().splitlines() if before else []
    new = rehearse(after).text().splitlines()
    failing = [line.strip() for line in new if "=fail" in line or "permerror" in line]
    gone = tuple(f"- {line.strip()}" for line in old if line not in new)
    came = tuple(f"+ {line.strip()}" for line in new if line not in old)
    if failing:
        yield Item(
            f"{counted(len(failing), 'verdict')} of a strict receiver would be a failure",
            "care",
            tuple(failing),
        )
    if before and (gone or came):
        yield Item("receivers see us differently", "safe", (*gone, *came))
    elif before:
        yield Item("receivers see no difference")
    elif not failing:
        yield Item("a strict receiver takes our mail once records and tickets are done", "safe", tuple(new))


def _arrivals(before: Settings, after: Settings) -> Iterator[Item]:
    """Domains whose mail starts or stops to arrive here."""
    both = [domain for domain in after.domains if domain in before.domains]
    steps: dict[tuple[str, str], list[str]] = {}
    for domain in both:
        step = (before.stage_of(domain), after.stage_of(domain))
        if step[0] != step[1]:
            steps.setdefault(step, []).append(domain)
    for (_, becomes), domains in steps.items():
        said = {
            "live": f"the world starts to send mail for {_listed(domains)} here: MX records appear",
            "shadow": f"mail for {_listed(domains)} comes here where the servers before ours do not answer",
            "hold": f"MX records of {_listed(domains)} go away: the world stops sending that mail here",
        }
        yield Item(said[becomes], "care")


def _domains(before: Settings, after: Settings) -> Iterator[Item]:
    if came := [domain for domain in after.domains if domain not in before.domains]:
        yield Item(f"domains added: {_listed(came)}")
    if gone := [domain for domain in before.domains if domain not in after.domains]:
        yield Item(f"domains removed: {_listed(gone)}. Mail to them bounces once their MX is gone", "care")


def _dkim(before: Settings, after: Settings, now: Deployed) -> Iterator[Item]:
    old, new = before.mail.dkim.selectors, after.mail.dkim.selectors
    for name in sorted({*old, *new}):
        was = old[name].stage if name in old else "absent"
        becomes = new[name].stage if name in new else "absent"
        if was != becomes:
            yield Item(f"DKIM key {name}: {was} -> {becomes}. {_next_key(now, name)}", "care")
        elif new[name].public_key != old[name].public_key:
            yield Item(f"DKIM key {name} is another key under the same name", "care")


def _next_key(now: Deployed, name: str) -> str:
    if name not in now.dkim:
        return "Its name is gone from DNS"
    following = next_steps.of_key(now, name)
    return _sentence(following) if following else "It signs from now on"


def _policies(before: Settings, after: Settings, now: Deployed) -> Iterator[Item]:
    """Stages of MTA-STS: of all domains in one line, of those with a policy of their own by name."""
    was, becomes = before.mail.mta_sts, after.mail.mta_sts
    if was.stage != becomes.stage:
        following = next_steps.of_policy(now)
        yield Item(f"MTA-STS: {was.stage} -> {becomes.stage}. {_mta_sts(becomes, following)}", "care")
    for domain in dict.fromkeys((*before.own_policies, *after.own_policies)):
        if domain not in before.domains or domain not in after.domains:
            continue
        was, becomes = before.mta_sts_of(domain), after.mta_sts_of(domain)
        if was.stage != becomes.stage:
            said = _mta_sts(becomes, next_steps.of_policy(now, domain))
            yield Item(f"MTA-STS of {domain}: {was.stage} -> {becomes.stage}. {said}", "care")


def _mta_sts(policy: MtaSts, following: NextStep | None) -> str:
    said = {
        "none": "Senders use TLS where it is offered",
        "testing": "Senders report failures and deliver all the same",
        "enforce": f"Senders that have seen it refuse to deliver to anything else for {duration(policy.max_age)}",
        "removing": f"Senders forget the policy within {duration(policy.max_age)}",
    }[policy.stage]
    return f"{said}. {_sentence(following)}" if following else said


def _sentence(following: NextStep) -> str:
    words = following.words()
    return f"{words[0].upper()}{words[1:]}"


def _next_pin(before: Settings, after: Settings) -> str:
    """What follows for the key of port 25. No file says when one was announced: the wait begins with the update."""
    was, becomes = before.tlsa, after.tlsa
    if becomes is None:
        return ""
    announced = becomes.next and (was is None or was.current == becomes.current)
    if announced:
        wait = duration(ANNOUNCED_TTLS * after.dns.ttl)
        return f". Next: ./kolab tlsa switch, not before {wait} after this update"
    return ". Next: ./kolab tlsa next, once every pod shows the key in use"


def _tlsa(settings: Settings) -> str:
    keys = settings.tlsa
    if keys is None:
        return "none"
    return f"{keys.current[:12]}" + (f" and {keys.next[:12]} announced" if keys.next else "")


def _grouped(settings: Settings) -> dict[tuple[str, str], list[Record]]:
    found: dict[tuple[str, str], list[Record]] = {}
    for record in identity.records(settings):
        found.setdefault((record.name, _sort_of(record)), []).append(record)
    return {key: sorted(value, key=lambda r: r.content) for key, value in found.items()}


def _sort_of(record: Record) -> str:
    """TXT records of one name are different things; what stands before the first `;` or blank tells them apart."""
    return f"TXT {record.content[:8]}" if record.type == "TXT" else record.type


def _line(sign: str, record: Record) -> str:
    return f"{sign} {record.name} {record.ttl} {record.type} {record.content}  # {record.why}"


def _listed(values: Sequence[str]) -> str:
    return some(values, 5) or "nothing"


def duration(seconds: int) -> str:
    """Seconds in words: 90000 is 1 day."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            amount = seconds / length
            text = f"{amount:.0f}" if amount == int(amount) else f"{amount:.1f}"
            return f"{text} {unit}{'' if text == '1' else 's'}"
    return f"{seconds} seconds"
