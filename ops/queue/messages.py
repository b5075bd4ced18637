"""Messages that wait in Postfix, of all its replicas."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from model.settings import Settings
from ops.kubectl import Kubectl
from ops.stacks import StackProblem

Found = TypeVar("Found")


@dataclass(frozen=True)
class Message:
    """A message that waits. `recipients` are those that have not got it yet, each with the reason (may be empty)."""

    pod: str
    id: str
    queue: str
    sender: str
    size: int
    arrived: datetime.datetime
    recipients: tuple[tuple[str, str], ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each reason once."""
        return tuple(dict.fromkeys(reason for _, reason in self.recipients if reason))


@dataclass(frozen=True)
class Wanted:
    """Which messages are meant; whatever is given must hold. A domain is that of the sender or of a recipient."""

    ids: tuple[str, ...] = ()
    sender: str | None = None
    recipient: str | None = None
    domain: str | None = None
    queue: str | None = None

    def holds(self, message: Message) -> bool:
        """Whether a message is meant."""
        who = [address for address, _ in message.recipients]
        return (
            (not self.ids or message.id in self.ids)
            and (self.sender is None or _matches(message.sender, self.sender))
            and (self.recipient is None or any(_matches(each, self.recipient) for each in who))
            and (
                self.domain is None
                or any(_domain(each) == self.domain.lower().lstrip("@") for each in (message.sender, *who))
            )
            and (self.queue is None or message.queue == self.queue)
        )

    @property
    def everything(self) -> bool:
        """Whether nothing narrows it down."""
        return self == Wanted()


def _matches(address: str, wanted: str) -> bool:
    """`wanted` is an address, `<>` for bounces, or a domain with or without its @."""
    if wanted in ("<>", ""):
        return not address
    return address.lower() == wanted.lower() or _domain(address) == wanted.lower().lstrip("@")


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def read(pod: str, text: str) -> list[Message]:
    """What `postqueue -j` prints: an object on each line (postqueue(1), JSON OBJECT FORMAT)."""
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        each = json.loads(line)
        found.append(
            Message(
                pod=pod,
                id=each["queue_id"],
                queue=each["queue_name"],
                sender="" if each["sender"] == "MAILER-DAEMON" else each["sender"],
                size=each["message_size"],
                arrived=datetime.datetime.fromtimestamp(each["arrival_time"], datetime.UTC),
                recipients=tuple((r["address"], r.get("delay_reason", "")) for r in each["recipients"]),
            )
        )
    return found


def replicas(settings: Settings) -> tuple[str, ...]:
    """Pods of Postfix; each has a queue of its own."""
    return tuple(f"postfix-{number}" for number in range(settings.pods("postfix")))


def everywhere(
    settings: Settings, one: Callable[[str], list[Found]]
) -> tuple[list[Found], dict[str, StackProblem]]:
    """What `one` finds in each pod, all asked at once, and which replicas do not tell."""

    def tried(pod: str) -> list[Found] | StackProblem:
        try:
            return one(pod)
        except StackProblem as problem:
            return problem

    pods = replicas(settings)
    with ThreadPoolExecutor(len(pods)) as pool:
        answers = dict(zip(pods, pool.map(tried, pods), strict=True))
    found = [each for answer in answers.values() if isinstance(answer, list) for each in answer]
    return found, {pod: answer for pod, answer in answers.items() if isinstance(answer, StackProblem)}


def look(
    cluster: Kubectl, settings: Settings, *, seconds: int = 60
) -> tuple[list[Message], dict[str, StackProblem]]:
    """What waits everywhere, oldest first, and which replicas do not tell."""

    def one(pod: str) -> list[Message]:
        return read(pod, cluster.execute(pod, "postfix", "postqueue", "-j", seconds=seconds))

    found, silent = everywhere(settings, one)
    return sorted(found, key=lambda message: message.arrived), silent


def age(passed: datetime.timedelta) -> str:
    """A duration in its largest unit."""
    minutes = int(passed.total_seconds() // 60)
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"
