"""Who reaches what on a stack, tried out: every pod asks every port that there is, all at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from model import topology
from model.rules.cluster_network import NetworkFacts, completed
from tests.acceptance.configs import egress
from tests.acceptance.stack import NAMESPACE, Stack
from tests.acceptance.strangers import ELSEWHERE, Stranger, strangers
from tests.support.reach import OPEN, Policy, Target

_PATIENCE, _MORE_PATIENCE = 3, 30
"""Seconds that an answer may take; and that a second try waits for one that has to come."""
_AT_ONCE = 8
_LISTENING = (25, 53, 80, 443, 465, 587, 6443)
_LOGS = f"{NAMESPACE}-logs"
METADATA = ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
"""Of most clouds, of Alibaba, Azure and Oracle."""
_PRIVATE = "172.20.0.9"
"""Somebody in a private network beyond the router."""
UNKNOWN, UNKNOWN_LOGS, FOREIGN = "unknown", "unknown-logs", "foreign"
"""Strangers: without labels of ours in either of our namespaces, and in a namespace of somebody else."""


@dataclass(frozen=True)
class Source:
    """A pod that asks. `outward`: whether its node can reach the world at all."""

    name: str
    pod: str
    namespace: str
    address: str
    outward: bool

    def __str__(self) -> str:
        return self.name if self.pod.startswith("acceptance-") else f"{self.name} ({self.pod})"


Answers = dict[tuple[Source, Target], str]


@contextmanager
def tried(stack: Stack) -> Iterator[Answers]:
    """What every pod of the stack and every stranger saw of every target."""
    with (
        strangers(stack, _strangers(stack)) as made,
        _world(stack, made[FOREIGN]["status"]["podIP"]) as world,
    ):
        pods = _pods(stack)
        sources = [*_daemons(stack, pods), *_stand_ins(made)]
        targets = {*_inside(stack, pods), *_services(stack), *world}
        yield _ask_all(stack, sources, sorted(targets))


def inside(stack: Stack) -> list[Target]:
    """Every port of every pod of the daemons, at the pod's own address."""
    return sorted({*_inside(stack, _pods(stack))})


def policy_of(stack: Stack) -> Policy:
    """What its topology allows, now that the cluster has said where its API server is."""
    api = frozenset({(stack.lab.settings.control_plane, 6443)})
    return Policy(completed(stack.settings, NetworkFacts(api=api)))


def jobs(stack: Stack) -> dict[str, dict[str, str]]:
    """Labels of the pods of Jobs and CronJobs by daemon: their pods do not last, a stand-in with the same labels does."""
    found = {}
    for each in stack.get("jobs,cronjobs")["items"]:
        spec = each["spec"]["jobTemplate"]["spec"] if each["kind"] == "CronJob" else each["spec"]
        labels: dict[str, str] = spec["template"]["metadata"]["labels"]
        name = labels.get("app.kubernetes.io/name")
        if name and _owner(each) is None:
            found[name] = {key: labels[key] for key in labels if key.startswith("app.kubernetes.io/")}
    return found


def _strangers(stack: Stack) -> list[Stranger]:
    stand_ins = [Stranger(name, labels=labels) for name, labels in jobs(stack).items()]
    return [
        *stand_ins,
        Stranger(UNKNOWN),
        *([Stranger(UNKNOWN_LOGS, _LOGS)] if stack.settings.monitoring.enabled else []),
        Stranger(FOREIGN, ELSEWHERE),
    ]


def _stand_ins(made: dict[str, dict[str, Any]]) -> list[Source]:
    return [
        Source(
            name, pod["metadata"]["name"], pod["metadata"]["namespace"], pod["status"]["podIP"], outward=True
        )
        for name, pod in made.items()
    ]


def _pods(stack: Stack) -> list[dict[str, Any]]:
    """Pods of daemons, in both namespaces."""
    names = {daemon.name for daemon in topology.daemons(stack.settings)}
    return [
        pod
        for namespace in (NAMESPACE, _LOGS)
        for pod in stack.lab.get("pods", "-n", namespace)["items"]
        if pod["metadata"]["labels"].get("app.kubernetes.io/name") in names
        and _owner(pod) != "Job"
        and pod["status"].get("phase") == "Running"
    ]


def _owner(each: dict[str, Any]) -> str | None:
    owners = each["metadata"].get("ownerReferences") or [{}]
    kind: str | None = owners[0].get("kind")
    return kind


def _daemons(stack: Stack, pods: Iterable[dict[str, Any]]) -> list[Source]:
    outward = egress(stack.settings)
    return [
        Source(
            _daemon(pod),
            pod["metadata"]["name"],
            pod["metadata"]["namespace"],
            pod["status"]["podIP"],
            pod["spec"]["nodeName"] in outward,
        )
        for pod in pods
    ]


def _daemon(pod: dict[str, Any]) -> str:
    name: str = pod["metadata"]["labels"]["app.kubernetes.io/name"]
    return name


def _inside(stack: Stack, pods: Sequence[dict[str, Any]]) -> Iterator[Target]:
    """Ports at the pods' own addresses: those of the topology, and whatever else somebody listens on."""
    policy = Policy(stack.settings)
    known = {daemon.name: policy.ports(daemon) for daemon in topology.daemons(stack.settings)}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        heard = list(pool.map(lambda pod: _heard(stack, pod), pods))
    for pod, numbers in zip(pods, heard, strict=True):
        address = pod["status"]["podIP"]
        ports = {(port.protocol, port.number) for port in known[_daemon(pod)]}
        for protocol, number in {*ports, *(("TCP", number) for number in numbers)}:
            yield Target(_daemon(pod), protocol, number, address, number)


def _heard(stack: Stack, pod: dict[str, Any]) -> set[int]:
    """Ports that somebody in a pod listens on, not only for himself."""
    where = pod["metadata"]["name"], pod["metadata"]["namespace"]
    lines = stack.in_pod(where[0], ["ss", "-Hltn"], namespace=where[1]).splitlines()
    sockets = [line.split()[3].rpartition(":") for line in lines]
    return {int(port) for address, _, port in sockets if not address.startswith(("127.", "[::1]"))}


def _services(stack: Stack) -> Iterator[Target]:
    """The same ports at addresses of Services, those of the world included."""
    settings = stack.settings
    public = {(f"public-{each.service}", each.target.name): each for each in topology.public_ports(settings)}
    daemons = {daemon.name: daemon for daemon in topology.daemons(settings)}
    for service in stack.get("services")["items"]:
        name, spec = service["metadata"]["name"], service["spec"]
        addresses = [spec["clusterIP"]] if spec.get("clusterIP", "None") != "None" else []
        addresses += [each["ip"] for each in service["status"].get("loadBalancer", {}).get("ingress", ())]
        for port in spec["ports"]:
            if each := public.get((name, port["name"])):
                owner, number = each.daemon.name, each.target.number
            elif name in daemons:
                owner, number = name, daemons[name].port(port["name"]).number
            else:
                continue
            for address in addresses:
                yield Target(owner, port["protocol"], number, address, port["port"])


@contextmanager
def _world(stack: Stack, neighbour: str) -> Iterator[list[Target]]:
    """Places outside: somebody on the internet, metadata services of clouds, a private network, the Kubernetes API, the
    cluster's DNS, nodes, a pod of another namespace."""
    lab = stack.lab
    # Not the client's own address: other tests listen there.
    somebody = str(IPv4Network(lab.settings.internet)[80])
    with ExitStack() as opened:
        near = ((_PRIVATE, (25, 80, 443)), *((address, (53, 80)) for address in METADATA))
        for address, ports in ((somebody, _LISTENING), *near):
            opened.enter_context(lab.internet.also(address))
            listener = lab.internet.start(stack.client_line("listen", address, *map(str, ports)))
            opened.callback(listener.wait)
            opened.callback(listener.terminate)
            assert listener.stdout
            line = listener.stdout.readline()
            assert line == "listening\n", line
        yield [
            *(Target("internet", "TCP", number, somebody, number) for number in _LISTENING),
            *(Target("internet", protocol, 53, lab.settings.internet_dns, 53) for protocol in ("TCP", "UDP")),
            *(
                Target("metadata", "TCP", number, address, number)
                for address in METADATA
                for number in (53, 80)
            ),
            *(Target("private", "TCP", number, _PRIVATE, number) for number in (25, 80, 443)),
            Target("kubernetes", "TCP", 443, lab.settings.api_service, 443),
            Target("kubernetes", "TCP", 6443, lab.settings.control_plane, 6443),
            *(
                Target("names", protocol, 53, address, 53)
                for address in (lab.settings.cluster_dns, *_dns_pods(stack))
                for protocol in ("TCP", "UDP")
            ),
            *(Target("names", "TCP", 8080, address, 8080) for address in _dns_pods(stack)),
            *(
                Target("node", "TCP", 10250, lab.settings.node_address(node), 10250)
                for node in lab.settings.node_names
            ),
            Target("neighbour", "TCP", 8080, neighbour, 8080),
        ]


def _dns_pods(stack: Stack) -> list[str]:
    pods = stack.lab.get("pods", "-n", "kube-system", "-l", "k8s-app=kube-dns")["items"]
    return [pod["status"]["podIP"] for pod in pods if pod["status"].get("podIP")]


def _ask_all(stack: Stack, sources: Sequence[Source], targets: Sequence[Target]) -> Answers:
    policy = policy_of(stack)
    found: Answers = {}
    homes = {source.address for source in sources}

    def ask(source: Source) -> dict[Target, str]:
        chosen = [target for target in targets if _telling(source, target, homes)]
        answers = probe(stack, source, chosen, _PATIENCE)
        # On a busy machine an answer may come late; one that must not come needs no second chance.
        late = [each for each in chosen if answers[each] != OPEN and allowed(policy, source, each)]
        return {**answers, **(probe(stack, source, late, _MORE_PATIENCE) if late else {})}

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for source, answers in zip(sources, pool.map(ask, sources), strict=True):
            found |= {(source, target): answer for target, answer in answers.items()}
    return found


def _telling(source: Source, target: Target, homes: set[str]) -> bool:
    """Whether an answer says anything. A pod always reaches itself, and may do so through its own Service; where a
    node has no way out, silence of the world is no policy's work."""
    if target.owner in ("internet", "metadata", "private"):
        return source.outward
    if target.owner == "neighbour":
        return source.name != FOREIGN
    if target.owner == source.name:
        return target.address in homes - {source.address}
    return True


def allowed(policy: Policy, source: Source, target: Target) -> bool:
    """Whether a source may reach a target."""
    if source.name == FOREIGN:
        return policy.of_stranger(target)
    if source.name in (UNKNOWN, UNKNOWN_LOGS):
        return False
    return policy.of_daemon(source.name, target)


def probe(stack: Stack, source: Source, targets: Sequence[Target], seconds: int) -> dict[Target, str]:
    """What one pod sees of these targets."""
    line = stack.client_line("probe", str(seconds), *(target.wire for target in targets))
    answers = json.loads(stack.in_pod(source.pod, line, namespace=source.namespace))
    return {target: answers[target.wire] for target in targets}
