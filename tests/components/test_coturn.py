"""coturn: asks for credentials, and relays to Meet alone."""

from __future__ import annotations

import ipaddress

import pytest

from tests.support.deploy import Workload
from tests.support.stacks import deployment


def coturn() -> Workload:
    return deployment("cluster").workload("coturn")


def lines() -> list[str]:
    return deployment("cluster").file("coturn", "coturn", "/kolab/turn/turnserver.conf").splitlines()


def values(key: str) -> list[str]:
    return [line.partition("=")[2] for line in lines() if line.startswith(f"{key}=")]


def may_relay_to(address: str) -> bool:
    """coturn's own order: what is allowed, then what is denied (turnserver: good_peer_addr)."""
    peer = ipaddress.ip_address(address)
    if address in values("allowed-peer-ip"):
        return True
    for first, _, last in (each.partition("-") for each in values("denied-peer-ip")):
        if ipaddress.ip_address(first).version == peer.version:
            low, high = (int(ipaddress.ip_address(each)) for each in (first, last))
            if low <= int(peer) <= high:
                return False
    return True


def test_coturn_never_runs_the_images_script() -> None:
    # It executes the shared secret as a command and then relays for anybody.
    assert coturn().container("coturn")["command"] == [
        "/usr/bin/turnserver",
        "-c",
        "/kolab/turn/turnserver.conf",
    ]


def test_coturn_asks_for_credentials_that_meet_can_make() -> None:
    assert "use-auth-secret" in lines()
    (secret,) = values("static-auth-secret")
    assert secret == deployment("cluster").secret_env("meet", "meet")["TURN_STATIC_SECRET"]


def test_coturn_relays_to_meet_only() -> None:
    assert values("allowed-peer-ip") == ["192.0.2.14", "10.20.0.14"]


def test_every_allocation_of_the_quota_finds_a_port_and_its_neighbour() -> None:
    ((first,), (last,), (quota,)) = (values(key) for key in ("min-port", "max-port", "total-quota"))
    assert int(last) - int(first) + 1 >= 2 * int(quota)
    assert 49152 <= int(first) <= int(last) <= 65535  # RFC 8656 section 7.2 wants dynamic ports


def test_the_ports_of_relays_are_opened_to_nobody() -> None:
    (first,), (last,) = values("min-port"), values("max-port")
    relays = range(int(first), int(last) + 1)
    opened = [port.get("hostPort") or port["containerPort"] for port in coturn().container("coturn")["ports"]]
    allowed = [
        port["port"]
        for policy in deployment("cluster").of_kind("NetworkPolicy")
        for rule in policy["spec"].get("ingress") or []
        for port in rule.get("ports") or []
    ]
    assert not set(relays) & {*opened, *(port for port in allowed if isinstance(port, int))}


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "169.254.169.254", "10.42.0.7", "10.43.0.1", "192.168.1.1", "8.8.8.8", "::1", "fe80::1"],
)
def test_everything_else_is_denied(address: str) -> None:
    assert not may_relay_to(address)
    assert may_relay_to("192.0.2.14")


def test_debugging_doors_are_shut() -> None:
    assert {"no-cli", "no-multicast-peers", "no-tcp-relay"} <= set(lines())
    assert not any("loopback" in line or "verbose" in line.lower() for line in lines())


def test_the_relay_never_takes_meet_for_itself() -> None:
    # With an external address that Meet has as well, it would refuse Meet as a peer.
    assert values("external-ip") == []


def test_the_secret_of_the_relay_is_in_a_secret() -> None:
    (volume,) = (each for each in coturn().pod["volumes"] if each["name"] == "config")
    assert "secret" in volume


def test_the_relay_needs_no_privilege_at_all() -> None:
    context = coturn().container("coturn")["securityContext"]
    assert (context["runAsNonRoot"], context["readOnlyRootFilesystem"], context["capabilities"]) == (
        True,
        True,
        {"drop": ["ALL"]},
    )


def test_meet_hands_out_the_relay_only_where_there_is_one() -> None:
    assert deployment("cluster").workload("meet").env("meet")["TURN_SERVER"] == (
        "turn:turn.example.org:3478?transport=tcp"
    )
    assert "coturn" not in {each.daemon for each in deployment("bare").workloads}
