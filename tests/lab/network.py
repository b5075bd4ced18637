"""Wires: a segment with control plane, nodes and router; behind the router the internet with one client.

Each is a network namespace of this machine. Of the machine's own network nothing is touched but for one interface
(`lab0`) with a leg on the segment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from tests.lab.errors import LabError
from tests.lab.processes import in_namespace, run
from tests.lab.settings import Settings

PREFIX = "lab-"
SWITCH, CONTROL_PLANE, ROUTER, INTERNET = "lab-sw", "lab-cp", "lab-rt", "lab-inet"
MACHINE_LEG = "lab0"
_OURS = re.compile(r"lab-(sw|cp|rt|inet|n[1-9])")
_SYSCTLS = {ROUTER: ["net.ipv4.ip_forward=1"]}


def namespace(node: str) -> str:
    """The namespace of a node."""
    return PREFIX + node


def existing() -> list[str]:
    """The lab's namespaces that are there."""
    found = json.loads(run(["ip", "-json", "netns", "list"]) or "[]")
    return [each["name"] for each in found if _OURS.fullmatch(each["name"])]


def up(settings: Settings) -> None:
    """Make all of it. The namespaces must not exist."""
    _refuse_taken(settings)
    nodes = [namespace(name) for name in settings.node_names]
    for name in (SWITCH, CONTROL_PLANE, ROUTER, INTERNET, *nodes):
        run(["ip", "netns", "add", name])
        _ip(name, "link set lo up")
    _ip(SWITCH, "link add br0 type bridge", "link set br0 up")
    _attach(CONTROL_PLANE, settings.control_plane)
    _attach(ROUTER, settings.router)
    for name in settings.node_names:
        _attach(namespace(name), settings.node_address(name))
    for name in (CONTROL_PLANE, *nodes):
        _ip(name, f"route add default via {settings.router}")
    for name in settings.node_names:
        # The API server calls webhooks at their pods' addresses.
        _ip(CONTROL_PLANE, *_pod_routes(settings, settings.node_names))
        _ip(namespace(name), *_pod_routes(settings, [n for n in settings.node_names if n != name]))
    _internet(settings)
    for name, values in _SYSCTLS.items():
        run(in_namespace(name, ["sysctl", "-qw", *values]))
    set_egress(settings, settings.node_egress())
    run(["ip", "link", "add", MACHINE_LEG, "type", "veth", "peer", "name", "machine", "netns", SWITCH])
    _ip(SWITCH, "link set machine master br0 up")
    run(["ip", "address", "add", f"{settings.machine}/24", "dev", MACHINE_LEG])
    run(["ip", "link", "set", MACHINE_LEG, "up"])


def down() -> None:
    """Remove all of it, whatever is there."""
    links = json.loads(run(["ip", "-json", "link", "show"]))
    if any(link["ifname"] == MACHINE_LEG for link in links):
        run(["ip", "link", "delete", MACHINE_LEG])
    for name in existing():
        run(["ip", "netns", "delete", name])


def processes() -> list[int]:
    """Whatever runs in the lab's namespaces."""
    return [int(pid) for name in existing() for pid in run(["ip", "netns", "pids", name]).split()]


def set_egress(settings: Settings, addresses: dict[str, str]) -> None:
    """node address -> the address that the internet knows it by, one to one as cloud providers do it.

    Other nodes reach the DNS server, as they would reach their provider's, and nothing else. What comes to the load
    balancer's addresses, and its answers, pass unchanged: the client's address has to survive.
    """
    outward = ", ".join(f"{node} : {public}" for node, public in addresses.items())
    inward = ", ".join(f"{public} : {node}" for node, public in addresses.items())
    sources = ", ".join(addresses)
    rules = f"""
        table ip lab
        delete table ip lab
        table ip lab {{
          chain arriving {{
            type nat hook prerouting priority dstnat
            {f'iifname "eth1" dnat to ip daddr map {{ {inward} }}' if addresses else ""}
          }}
          chain leaving {{
            type nat hook postrouting priority srcnat
            {f'oifname "eth1" snat to ip saddr map {{ {outward} }}' if addresses else ""}
            oifname "eth1" ip daddr {settings.internet_dns} masquerade
          }}
          chain forward {{
            type filter hook forward priority filter; policy accept
            ct state established,related accept
            iifname "eth1" accept
            {f'oifname "eth1" ip saddr {{ {sources} }} accept' if addresses else ""}
            oifname "eth1" ip daddr {settings.internet_dns} meta l4proto {{ tcp, udp }} th dport 53 accept
            oifname "eth1" reject with icmp net-prohibited
          }}
        }}"""
    run(in_namespace(ROUTER, ["nft", "-f", "-"]), text=rules)
    # Connections that are open keep their address otherwise.
    run(in_namespace(ROUTER, ["conntrack", "--flush"]))


def link(node: str, *, up: bool) -> None:
    """Plug a node in, or pull its cable."""
    _ip(SWITCH, f"link set {_port(namespace(node))} {'up' if up else 'down'}")


def holder(settings: Settings, address: str) -> str:
    """The node that the router sends to what comes for an address; empty when it has heard of none.

    MetalLB's ServiceL2Status is not believed: until metallb/metallb#2938 it names the wrong node, or is missing, once
    an address has moved.
    """
    heard = json.loads(run(["ip", "-json", "-netns", ROUTER, "neighbour", "show", "to", address]))
    for name in settings.node_names:
        [leg] = json.loads(run(["ip", "-json", "-netns", namespace(name), "link", "show", "eth0"]))
        if any(each.get("lladdr") == leg["address"] for each in heard):
            return name
    return ""


def lend(address: str, *, lent: bool) -> None:
    """Let an address of the world lead to the internet's client, or no longer."""
    if lent:
        _ip(INTERNET, f"address replace {address}/32 dev eth0")
        _ip(ROUTER, f"route replace {address}/32 dev eth1")
    else:
        _ip(ROUTER, f"route delete {address}/32")
        _ip(INTERNET, f"address delete {address}/32 dev eth0")


def _refuse_taken(settings: Settings) -> None:
    for network in (settings.segment, settings.internet):
        for route in json.loads(run(["ip", "-json", "route", "show", "root", network])):
            raise LabError(
                f"this machine already has a route to {route['dst']}; choose another network than {network}"
            )


def _internet(settings: Settings) -> None:
    run(["ip", "link", "add", "name", "eth1", "netns", ROUTER, "type", "veth",
         "peer", "name", "eth0", "netns", INTERNET])  # fmt: skip
    _ip(ROUTER, f"address add {settings.internet_router}/24 dev eth1", "link set eth1 up")
    _ip(
        INTERNET,
        f"address add {settings.client}/24 dev eth0",
        *(
            f"address add {server}/24 dev eth0"
            for server in (settings.internet_dns, settings.internet_second, settings.internet_resolver)
        ),
        "link set eth0 up",
        f"route add default via {settings.internet_router}",
    )


def _pod_routes(settings: Settings, nodes: Iterable[str]) -> list[str]:
    return [f"route replace {settings.node_pods(n)} via {settings.node_address(n)}" for n in nodes]


def _attach(name: str, address: str) -> None:
    run(["ip", "link", "add", "name", _port(name), "netns", SWITCH, "type", "veth",
         "peer", "name", "eth0", "netns", name])  # fmt: skip
    _ip(SWITCH, f"link set {_port(name)} master br0 up")
    _ip(name, f"address add {address}/24 dev eth0", "link set eth0 up")


def _port(name: str) -> str:
    return "v" + name.removeprefix(PREFIX)


def _ip(name: str, *lines: str) -> None:
    run(["ip", "-netns", name, "-batch", "-"], text="\n".join(lines) + "\n")
