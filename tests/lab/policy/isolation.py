"""NetworkPolicies as the Kubernetes documentation defines them, resolved to addresses and ports.

Pure: objects in, for each pod's address what may reach it and what it may reach. filter.py makes packet filters of
that, test_networkpolicy_cases.py checks it against the documentation's examples.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
_LAST_PORT = 65535


@dataclass(frozen=True)
class Ports:
    """A range of ports of one protocol."""

    protocol: str
    first: int = 0
    last: int = _LAST_PORT


@dataclass(frozen=True)
class Allow:
    """What one rule lets pass. `blocks` None: any address; `ports` None: any protocol and port."""

    blocks: tuple[str, ...] | None
    excepted: tuple[str, ...] = ()
    ports: tuple[Ports, ...] | None = None

    def matches(self, address: str, protocol: str, port: int) -> bool:
        """Whether it lets this pass."""
        return (
            (
                self.ports is None
                or any(p.protocol == protocol and p.first <= port <= p.last for p in self.ports)
            )
            and (self.blocks is None or _within(address, self.blocks))
            and not _within(address, self.excepted)
        )


@dataclass(frozen=True)
class Isolation:
    """Of one pod. None: not isolated in that direction. An empty tuple: nothing passes."""

    ingress: tuple[Allow, ...] | None
    egress: tuple[Allow, ...] | None


def resolve(
    policies: Iterable[Object], pods: Sequence[Object], namespaces: Iterable[Object]
) -> dict[str, Isolation]:
    """pod address -> its isolation; pods that no policy selects are left out.

    Pods on the node's own network are left out as well: they share its address, so that no policy can mean them.
    """
    labels = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in namespaces}
    known = [pod for pod in pods if _has_address(pod)]
    found: dict[str, dict[str, list[Allow]]] = {}
    for policy in policies:
        spec, namespace = policy["spec"], policy["metadata"]["namespace"]
        for pod in known:
            if pod["metadata"]["namespace"] == namespace and selects(
                spec.get("podSelector") or {}, _labels(pod)
            ):
                directions = found.setdefault(pod["status"]["podIP"], {})
                if "Ingress" in _types(spec):
                    rules = directions.setdefault("ingress", [])
                    for rule in spec.get("ingress") or []:
                        rules += _ingress(rule, pod, namespace, known, labels)
                if "Egress" in _types(spec):
                    rules = directions.setdefault("egress", [])
                    for rule in spec.get("egress") or []:
                        rules += _egress(rule, namespace, known, labels)
    return {
        address: Isolation(*(tuple(d[way]) if way in d else None for way in ("ingress", "egress")))
        for address, d in found.items()
    }


def allowed(
    isolations: Mapping[str, Isolation], source: str, destination: str, protocol: str, port: int
) -> bool:
    """Whether a connection may be opened: the source's egress and the destination's ingress both have a say."""
    if source == destination:
        return True
    egress = isolations[source].egress if source in isolations else None
    ingress = isolations[destination].ingress if destination in isolations else None
    return all(
        rules is None or any(rule.matches(peer, protocol, port) for rule in rules)
        for rules, peer in ((egress, destination), (ingress, source))
    )


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    """A label selector; an empty one selects everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or [])


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values  # also when there is no such label
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case other:
            raise ValueError(f"{other} is no operator of a label selector")


def _types(spec: Object) -> list[str]:
    given: list[str] = spec.get("policyTypes") or []
    return given or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def _ingress(
    rule: Object, pod: Object, namespace: str, pods: Sequence[Object], labels: Mapping[str, Mapping[str, str]]
) -> list[Allow]:
    """Named ports are those of the pod that the policy selects."""
    ports = _ports(rule.get("ports"), pod)
    if ports == ():
        return []
    peers = rule.get("from")
    if not peers:
        return [Allow(None, ports=ports)]
    selected = _addresses(_peers(peers, namespace, pods, labels))
    allows = [Allow(selected, ports=ports)] if selected else []
    return allows + [Allow((b["cidr"],), tuple(b.get("except") or ()), ports) for b in _blocks(peers)]


def _egress(
    rule: Object, namespace: str, pods: Sequence[Object], labels: Mapping[str, Mapping[str, str]]
) -> list[Allow]:
    """Named ports are those of each pod that is reached; an address block has none."""
    given, peers = rule.get("ports") or [], rule.get("to")
    selected = _peers(peers, namespace, pods, labels) if peers else list(pods)
    named = [port for port in given if isinstance(port.get("port"), str)]
    # Nothing but names: then nothing is open by number.
    plain = () if named and len(named) == len(given) else _ports([p for p in given if p not in named], None)
    allows = []
    if plain != ():
        if not peers:
            allows.append(Allow(None, ports=plain))
        else:
            addresses = _addresses(selected)
            allows += [Allow(addresses, ports=plain)] if addresses else []
            allows += [Allow((b["cidr"],), tuple(b.get("except") or ()), plain) for b in _blocks(peers)]
    for pod in selected if named else []:
        if ports := _ports(named, pod):
            allows.append(Allow(_addresses([pod]), ports=ports))
    return allows


def _ports(given: Sequence[Object] | None, pod: Object | None) -> tuple[Ports, ...] | None:
    """None: all. Names are looked up in `pod`; one that it does not have opens nothing."""
    return tuple(found for port in given for found in _port(port, pod)) if given else None


def _port(port: Object, pod: Object | None) -> list[Ports]:
    protocol, number = port.get("protocol", "TCP"), port.get("port")
    if number is None:
        return [Ports(protocol)]
    if isinstance(number, int):
        return [Ports(protocol, number, port.get("endPort", number))]
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])] if pod else []
    return [
        Ports(protocol, each["containerPort"], each["containerPort"])
        for container in containers for each in container.get("ports") or []
        if each.get("name") == number and each.get("protocol", "TCP") == protocol
    ]  # fmt: skip


def _peers(
    peers: Sequence[Object], namespace: str, pods: Sequence[Object], labels: Mapping[str, Mapping[str, str]]
) -> list[Object]:
    """Pods that selectors mean: both selectors in one entry have to fit, of several entries one."""
    return [pod for pod in pods if any(_is_peer(pod, peer, namespace, labels) for peer in peers)]


def _is_peer(pod: Object, peer: Object, namespace: str, labels: Mapping[str, Mapping[str, str]]) -> bool:
    if "podSelector" not in peer and "namespaceSelector" not in peer:
        return False
    home = pod["metadata"]["namespace"]
    if peer.get("namespaceSelector") is None:
        near = home == namespace
    else:
        near = selects(peer["namespaceSelector"], labels.get(home, {}))
    return near and selects(peer.get("podSelector") or {}, _labels(pod))


def _blocks(peers: Sequence[Object]) -> list[Object]:
    return [peer["ipBlock"] for peer in peers if peer.get("ipBlock")]


def _addresses(pods: Iterable[Object]) -> tuple[str, ...]:
    return tuple(sorted({f"{pod['status']['podIP']}/32" for pod in pods}))


def _labels(pod: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    return labels


def _has_address(pod: Object) -> bool:
    """An ended pod keeps its address in its status, though another pod may have it by now."""
    status = pod["status"]
    ended = status.get("phase") in {"Succeeded", "Failed"}
    return bool(status.get("podIP")) and not ended and not pod["spec"].get("hostNetwork")


@functools.lru_cache(maxsize=1 << 16)
def _within(address: str, blocks: tuple[str, ...]) -> bool:
    return any(_address(address) in _network(block) for block in blocks)


_address = functools.cache(ipaddress.ip_address)
_network = functools.cache(functools.partial(ipaddress.ip_network, strict=False))
