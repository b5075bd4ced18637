"""What one line of a log says of a message. Formats: Postfix (smtpd, cleanup, qmgr, delivery), amavisd's log_templ, Cyrus' lmtpd."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from model.monitoring.log_program import SYSLOG
from ops.queue.advice import advice

_HEAD = re.compile(r"^\[pod/(?P<pod>[^/]+)/(?P<container>[^\]]+)\] (?P<time>\S+) (?P<line>.*)$")
_SYSLOG = re.compile(SYSLOG)
_QUEUED = re.compile(r"^(?P<id>NOQUEUE|[0-9A-Za-z]{6,}): (?P<rest>.*)$")
_CLIENT = re.compile(r"^client=(?P<client>[^,]+)(?:.*sasl_username=(?P<login>[^, ]+))?")
_MESSAGE = re.compile(r"^message-id=(?P<message><[^>]*>)")
_FROM = re.compile(r"^from=<(?P<sender>[^>]*)>, size=(?P<size>\d+)")
_TO = re.compile(
    r"^to=<(?P<to>[^>]*)>,(?: orig_to=<(?P<original>[^>]*)>,)? relay=(?P<relay>[^,]+),.* dsn=(?P<dsn>[^,]+),"
    r" status=(?P<status>\w+) \((?P<said>.*)\)"
)
_NEXT = re.compile(r"queued as (?P<id>[0-9A-Za-z]{6,})")
_REJECT = re.compile(
    r"^reject: (?P<stage>\w+) from (?P<client>[^ ]+): (?P<said>.*?); from=<(?P<sender>[^>]*)>(?: to=<(?P<to>[^>]*)>)?"
)
_BOUNCE = re.compile(r"^sender (?:non-delivery|delivery status) notification: (?P<id>[0-9A-Za-z]{6,})")
_AMAVIS = re.compile(
    r"(?P<done>Passed|Blocked) (?P<verdict>[A-Z-]+)\b.*?<(?P<sender>[^>]*)> -> (?P<to><[^ ]*>),(?P<rest>.*)$"
)
_CYRUS = re.compile(r"^Delivered: (?P<message><[^>]*>) to mailbox: (?P<mailbox>\S+)")
_TWICE = re.compile(r"^dupelim: eliminated duplicate message to (?P<mailbox>\S+) id (?P<message><[^>]*>)")
_VERDICTS = {
    "CLEAN": "nothing is wrong with it",
    "SPAMMY": "probably spam: marked in its subject and by X-Spam-Flag, and delivered",
    "SPAM": "spam: the filter's score is above its limit",
    "INFECTED": "a virus was found",
    "BANNED": "a kind of attachment that is not let through",
    "BAD-HEADER": "its header breaks the rules for mail (RFC 5322)",
    "UNCHECKED": "it could not be looked into, as when it is encrypted",
}


_TESTS = 5
"""Of a filter, that are told: dozens weigh next to nothing."""


@dataclass(frozen=True)
class Step:
    """Something that happened to a message. `keys` join it with other steps: queue ids of a pod, and the Message-ID."""

    time: str
    where: str
    what: str
    keys: frozenset[str]
    addresses: frozenset[str] = frozenset()
    problem: bool = False
    advice: str = field(default="", compare=False)


def read(lines: Iterable[str]) -> Iterator[Step]:
    """The steps of `kubectl logs --prefix --timestamps`; lines about no message are none."""
    for text in lines:
        head = _HEAD.match(text.rstrip("\n"))
        if not head:
            continue
        pod, time, line = head["pod"], head["time"][:19] + "Z", head["line"]
        amavis = _AMAVIS.search(line)
        if amavis and head["container"] == "amavis":
            yield _of_amavis(pod, time, amavis)
            continue
        syslog = _SYSLOG.match(line)
        process, said = (syslog["process"], syslog["text"]) if syslog else ("", line)
        if head["container"] == "imap":
            yield from _of_cyrus(time, said)
        elif process.startswith("postfix") and (queued := _QUEUED.match(said)):
            yield from _of_postfix(pod, time, process, queued["id"], queued["rest"])


def _of_postfix(pod: str, time: str, process: str, identity: str, rest: str) -> Iterator[Step]:
    where = f"Postfix {process.removeprefix('postfix/')} ({pod})"
    keys = frozenset() if identity == "NOQUEUE" else frozenset({f"{pod} {identity}"})
    if found := _CLIENT.match(rest):
        login = f", who logged in as {found['login']}" if found["login"] else ""
        yield Step(time, where, f"taken from {found['client']}{login}", keys, _lower(found["login"]))
    elif found := _MESSAGE.match(rest):
        yield Step(time, where, f"its Message-ID is {found['message']}", keys | {found["message"]})
    elif found := _FROM.match(rest):
        sender = found["sender"] or "<>, a bounce"
        yield Step(
            time, where, f"in the queue: from {sender}, {found['size']} bytes", keys, _lower(found["sender"])
        )
    elif found := _TO.match(rest):
        yield _delivery(pod, time, where, keys, found)
    elif found := _REJECT.match(rest):
        what = f"refused at {found['stage']} from {found['client']}: {found['said']}"
        known = _lower(found["sender"], found["to"])
        yield Step(time, where, what, keys or frozenset({f"{pod} {time} {what}"}), known, problem=True)
    elif found := _BOUNCE.match(rest):
        what = f"a notice about it goes to its sender, in the queue as {found['id']}"
        yield Step(time, where, what, keys, problem=True)


def _delivery(pod: str, time: str, where: str, keys: frozenset[str], found: re.Match[str]) -> Step:
    onward = _NEXT.search(found["said"])
    # Handed on within the pod: its next life has another queue id.
    inside = onward and ("127.0.0.1" in found["relay"] or "localhost" in found["relay"])
    whom = found["to"] + (f" (for {found['original']})" if found["original"] else "")
    what = {"sent": f"given to {found['relay']} for {whom}", "deferred": f"not yet delivered to {whom}"}.get(
        found["status"], f"{found['status']} for {whom}"
    )
    bad = found["status"] != "sent"
    return Step(
        time, where, f"{what}: {found['said']}", keys | {f"{pod} {onward['id']}"} if inside and onward else keys,
        _lower(found["to"], found["original"]), problem=bad, advice=advice(found["said"]) if bad else "",
    )  # fmt: skip


def _of_amavis(pod: str, time: str, found: re.Match[str]) -> Step:
    rest = found["rest"]

    def one(name: str) -> str:
        value = re.search(rf"{name}: ?([^, ]+)", rest)
        return value[1] if value else ""

    keys = {f"{pod} {each}" for each in (one("Queue-ID"), one("queued_as")) if each}
    keys |= {message} if (message := one("Message-ID")) else set()
    meaning = _VERDICTS.get(found["verdict"], "")
    score = f", score {one('Hits')}" if one("Hits") not in ("", "-") else ""
    tests = f", by {weights}" if (weights := _weights(rest)) else ""
    let = "let through" if found["done"] == "Passed" else "stopped"
    whom = re.findall(r"<([^>]*)>", found["to"])
    kept = one("quarantine").partition("-")[2]
    return Step(
        time, f"Amavis ({pod})", f"{let} as {found['verdict']}{score}{tests}: {meaning or 'see its log'}",
        frozenset(keys), _lower(found["sender"], *whom), problem=found["done"] == "Blocked",
        advice=f"The filter keeps it for some days: ./kolab quarantine release {kept} delivers it." if kept else "",
    )  # fmt: skip


def _weights(rest: str) -> str:
    """The tests that made the score, the heaviest first."""
    found = re.search(r"Tests: \[([^\]]*)\]", rest)
    each = re.findall(r"(\w+)=(-?[0-9.]+)", found[1] if found else "")
    heavy = sorted(each, key=lambda pair: -abs(float(pair[1])))[:_TESTS]
    return ", ".join(f"{name} {weight}" for name, weight in heavy)


def _of_cyrus(time: str, said: str) -> Iterator[Step]:
    if found := _CYRUS.match(said):
        yield Step(time, "Cyrus", f"in mailbox {found['mailbox']}", frozenset({found["message"]}))
    elif found := _TWICE.match(said):
        what = f"is in {found['mailbox']} already, so this copy is dropped"
        yield Step(time, "Cyrus", what, frozenset({found["message"]}))


def _lower(*addresses: str | None) -> frozenset[str]:
    return frozenset(each.lower() for each in addresses if each)


def messages(steps: Iterable[Step]) -> list[list[Step]]:
    """Steps of the same message together, in the order of time; the oldest message first."""
    parents: dict[str, str] = {}

    def root(key: str) -> str:
        while parents.setdefault(key, key) != key:
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    found = [step for step in steps if step.keys]
    for step in found:
        first, *others = step.keys
        for other in others:
            parents[root(other)] = root(first)
    groups: dict[str, list[Step]] = {}
    for step in found:
        groups.setdefault(root(next(iter(step.keys))), []).append(step)
    ordered = (sorted(group, key=lambda step: step.time) for group in groups.values())
    return sorted(ordered, key=lambda group: group[0].time)


def about(groups: Iterable[list[Step]], wanted: str) -> list[list[Step]]:
    """Messages with this Message-ID (with or without its brackets), or from or to this address, or with this queue id."""
    word = wanted.strip()
    keys = {word, f"<{word}>"}
    return [
        group
        for group in groups
        if any(
            keys & step.keys
            or word.lower() in step.addresses
            or any(key.endswith(f" {word}") for key in step.keys)
            for step in group
        )
    ]
