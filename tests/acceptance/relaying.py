"""Whoever finds a way to send mail through us to somebody else will use it: every way that is known is tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from model import topology
from tests.acceptance.stack import JANE, NAMESPACE, PASSWORD, STRANGER, Stack
from tests.support.reach import OPEN

_Each = TypeVar("_Each")
_US, _THEM = "example.org", "sender.test"
VICTIM = f"victim@{_THEM}"
"""Somebody whose server exists, so that no attempt fails for another reason."""

ENVELOPES = (
    f"{STRANGER} {VICTIM}",
    f" {VICTIM}",
    f"{JANE} {VICTIM}",
    f"nobody@{_US} {VICTIM}",
    f"postmaster {VICTIM}",
    f"{STRANGER} victim%{_THEM}@{_US}",
    f"{STRANGER} victim%{_THEM}",
    f"{STRANGER} {_THEM}!victim",
    f"{STRANGER} {_THEM}!victim@{_US}",
    f"{STRANGER} @{_US},@client.{_THEM}:{VICTIM}",
    f"{STRANGER} @{_US}:{VICTIM}",
    f'{STRANGER} "{VICTIM}"@{_US}',
    f'{STRANGER} "victim%{_THEM}"@{_US}',
    f"{STRANGER} {VICTIM}@{_US}",
    f"{STRANGER} victim@[203.0.113.9]",
)
"""Sender and recipient as a spammer writes them: plain, from nobody, in our name, and every old way to say `via`."""
_OURS = f"{STRANGER} {JANE}"
"""An honest letter, which shows that the door is open at all."""

HIDDEN = (
    topology.AMAVIS.port("inbound").number,
    topology.REINJECTION_PORT,
    topology.AMAVIS.port("originating").number,
)
"""Ports of Postfix' pod that trust whoever reaches them: they answer to that pod alone."""
_SMTP, _SUBMISSION, _ANSWERS = (
    topology.POSTFIX.port(name).number for name in ("smtp-in", "submission", "answers")
)


def assert_no_open_relay(stack: Stack) -> None:
    """Every way at once, at every replica of Postfix: has to hold after each restart, too."""
    found = _at_once(lambda way: way(stack), _WAYS)
    assert not found, "\n".join(["Postfix is open", *found])


def from_the_internet(stack: Stack) -> list[str]:
    """Attempts at the public address that were not refused for good, and an honest letter that was."""
    answers = json.loads(stack.client("envelopes", stack.names.mx, "25", _OURS, *ENVELOPES))
    honest = answers.pop(_OURS)
    closed = [] if honest.startswith("354") else [f"an honest letter is refused as well: {honest}"]
    return closed + _not_refused("the internet", answers, for_good=True)


def from_a_pod(stack: Stack, client: str | None = None, namespace: str = NAMESPACE) -> list[str]:
    """Attempts of a pod that reaches port 25 from inside, by default Blackbox's: it is a stranger like all others."""
    pod = client or stack.pod("blackbox")
    found = []
    for replica in _replicas(stack):
        line = stack.client_line("envelopes", replica.address, str(_SMTP), *ENVELOPES)
        answers = json.loads(stack.in_pod(pod, line, namespace=namespace))
        found += _not_refused(f"{pod} at {replica.pod}", answers)
    return found


def from_the_nodes(stack: Stack) -> list[str]:
    """Attempts of the nodes themselves; a replica's own node reaches both of its ports."""
    found = []
    for replica in _replicas(stack):
        for node in stack.lab.nodes:
            for port in (_SMTP, _SUBMISSION) if node.name == replica.node else (_SMTP,):
                line = stack.client_line("envelopes", replica.address, str(port), *ENVELOPES)
                found += _not_refused(f"{node.name} at {replica.pod}:{port}", json.loads(node.run(line)))
    return found


def without_a_password(stack: Stack) -> list[str]:
    """Attempts of a pod that may submit: being inside is no login, whoever the mail is from and to."""
    pod = stack.pod("webapp")
    found = []
    for replica in _replicas(stack):
        line = stack.client_line("envelopes", replica.address, str(_SUBMISSION), *ENVELOPES, _OURS)
        answers = json.loads(stack.in_pod(pod, line))
        found += _not_refused(f"{pod} at {replica.pod}", answers, for_good=True)
    return found


def with_a_password(stack: Stack) -> list[str]:
    """What port 25 says to a right password: there it could be guessed, past every limit of the proxy."""
    answers = stack.client("password", stack.names.mx, "25", JANE, PASSWORD).splitlines()
    return [f"port 25 takes passwords, {each}" for each in answers if each.partition(": ")[2][:1] != "5"]


def at_hidden_ports(stack: Stack, *clients: tuple[str, str]) -> list[str]:
    """Who reaches ports that trust their callers; `clients` are pods and namespaces besides two of ours and the nodes.

    Also that nobody listens there at all, since silence then says nothing.
    """
    replicas = _replicas(stack)
    line = _probe(stack, HIDDEN, *(replica.address for replica in replicas))
    pods = [*((stack.pod(daemon), NAMESPACE) for daemon in ("webapp", "redis")), *clients]

    def reached(who: str, answers: str) -> list[str]:
        return [f"{who} reaches {each}" for each, answer in json.loads(answers).items() if answer == OPEN]

    def inside(replica: _Replica) -> list[str]:
        answers = json.loads(stack.in_pod(replica.pod, _probe(stack, HIDDEN, "127.0.0.1")))
        return [f"{replica.pod} has nobody at {each}" for each, answer in answers.items() if answer != OPEN]

    return [
        *_at_once(lambda pod: reached(pod[0], stack.in_pod(pod[0], line, namespace=pod[1])), pods),
        *_at_once(lambda node: reached(node.name, node.run(line)), stack.lab.nodes),
        *_at_once(inside, replicas),
    ]


def at_inner_ports(stack: Stack) -> list[str]:
    """Pods of ours that reach a port of Postfix although no connection of theirs leads there."""
    addresses = [replica.address for replica in _replicas(stack)]

    def reached(daemon: str, *ports: int) -> list[str]:
        pod = stack.pod(daemon)
        answers = json.loads(stack.in_pod(pod, _probe(stack, ports, *addresses)))
        return [f"{pod} reaches {each}" for each, answer in answers.items() if answer == OPEN]

    ways = {"webapp": (_SMTP, _ANSWERS), "redis": (_SMTP, _SUBMISSION, _ANSWERS)}
    return _at_once(lambda each: reached(each, *ways[each]), ways)


@dataclass(frozen=True)
class _Replica:
    """A pod of Postfix."""

    pod: str
    address: str
    node: str


def _replicas(stack: Stack) -> list[_Replica]:
    pods = stack.pods("postfix")
    assert pods, "there is no pod of Postfix"
    return [
        _Replica(pod["metadata"]["name"], pod["status"]["podIP"], pod["spec"]["nodeName"]) for pod in pods
    ]


def _probe(stack: Stack, ports: Sequence[int], *addresses: str) -> list[str]:
    targets = (f"tcp/{address}:{port}" for address in addresses for port in ports)
    return stack.client_line("probe", "3", *targets)


def _at_once(attempt: Callable[[_Each], list[str]], everybody: Iterable[_Each]) -> list[str]:
    """Faults of all attempts, most of whose time is waiting for an answer that shall not come."""
    with ThreadPoolExecutor() as pool:
        return [fault for faults in pool.map(attempt, everybody) for fault in faults]


def _not_refused(who: str, answers: Mapping[str, str], *, for_good: bool = False) -> list[str]:
    """Attempts that were not answered with a refusal. Whose name nobody knows may be asked to come again (4xx)."""
    refusals = ("5",) if for_good else ("4", "5")
    return [
        f"{who}: from <{each.replace(' ', '> to <')}>: {answer}"
        for each, answer in answers.items()
        if not answer.startswith(refusals)
    ]


_WAYS = (
    from_the_internet,
    from_a_pod,
    from_the_nodes,
    without_a_password,
    with_a_password,
    at_hidden_ports,
    at_inner_ports,
)
