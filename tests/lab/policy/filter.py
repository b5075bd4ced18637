"""Packet filters of a node, in nft's language.

Each isolated pod has a chain per direction that ends in `drop`. A new connection has to come back from the source's
chain and from the destination's, each on the node of its pod; both see the real addresses, because kube-proxy has
already chosen a pod (dstnat) and has not yet hidden the client (srcnat). What the node itself opens to its own pods
is let through, or the kubelet could not probe them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network

from tests.lab.policy.isolation import Allow, Isolation, Ports

TABLE = "lab-policy"


def ruleset(isolations: Mapping[str, Isolation]) -> str:
    """Replaces the table in one step. `isolations`: those of the node's own pods."""
    chains = []
    jumps: dict[str, list[str]] = {"egress": [], "ingress": []}
    for address, isolation in sorted(isolations.items()):
        for way, rules, peer in (
            ("egress", isolation.egress, "daddr"),
            ("ingress", isolation.ingress, "saddr"),
        ):
            if rules is not None:
                name = f"{way}-{address.replace('.', '-')}"
                jumps[way].append(f"{address} : jump {name}")
                # A pod always reaches itself, also through its Service.
                lines = [line for rule in dict.fromkeys(rules) for line in _lines(rule, peer)]
                chains.append(_chain(name, f"ip {peer} {address} return", *lines, "counter drop"))
    look = {way: [f"ip {own} vmap {{ {', '.join(jumps[way])} }}"] if jumps[way] else []
            for way, own in (("egress", "saddr"), ("ingress", "daddr"))}  # fmt: skip
    old = "ct state established,related accept"
    return "\n".join(
        [
            f"table ip {TABLE}",
            f"delete table ip {TABLE}",
            f"table ip {TABLE} {{",
            *chains,
            _chain("forward", _hook("forward"), old, *look["egress"], *look["ingress"]),
            # To the node itself, or to a pod on its network.
            _chain("input", _hook("input"), old, *look["egress"]),
            "}",
            "",
        ]
    )


def _lines(rule: Allow, peer: str) -> list[str]:
    """The lab speaks IPv4: blocks of IPv6 mean nobody there."""
    parts = []
    if rule.blocks is not None:
        blocks = _version_4(rule.blocks)
        if not blocks:
            return []
        parts.append(f"ip {peer} {{ {', '.join(blocks)} }}")
    if excepted := _version_4(rule.excepted):
        parts.append(f"ip {peer} != {{ {', '.join(excepted)} }}")
    matches = [""] if rule.ports is None else [_match(each) for each in rule.ports]
    return [" ".join(part for part in (*parts, match, "return") if part) for match in matches]


def _version_4(blocks: Iterable[str]) -> list[str]:
    return [block for block in blocks if ip_network(block, strict=False).version == 4]


def _match(ports: Ports) -> str:
    protocol = ports.protocol.lower()
    if ports.first == 0:
        return f"meta l4proto {protocol}"
    return f"{protocol} dport {ports.first}" + (f"-{ports.last}" if ports.last != ports.first else "")


def _hook(name: str) -> str:
    return f"type filter hook {name} priority filter; policy accept"


def _chain(name: str, *lines: str) -> str:
    return "\n".join([f"  chain {name} {{", *(f"    {line}" for line in lines), "  }"])
