"""TURN relays for those whom Meet sends, to Meet's media ports, and to nothing else in the world."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from model import topology
from tests.acceptance.asking import turn_credentials, turn_sealed, turn_server
from tests.acceptance.stack import Stack

pytestmark = pytest.mark.parametrize("transport", ["udp", "tcp"])

_SERVER_SECRET = "TURN_STATIC_SECRET"
_ANYWHERE = {
    "10/8": "10.0.0.1",
    "172.16/12": "172.16.0.1",
    "192.168/16": "192.168.0.1",
    "shared space": "100.64.0.1",
    "loopback": "127.0.0.1",
    "this host": "0.0.0.0",  # noqa: S104
    "link-local": "169.254.1.1",
    "metadata service": "169.254.169.254",
    "broadcast": "255.255.255.255",
    "multicast": "224.0.0.251",
}


@pytest.mark.proves("coturn")
def test_nobody_relays_without_credentials(stack: Stack, transport: str) -> None:
    assert stack.client("allocate", turn_server(stack), transport).startswith("401")


@pytest.mark.proves("coturn")
@pytest.mark.parametrize("fault", ["wrong secret", "expired", "no end"])
def test_nobody_relays_with_other_credentials_than_meet_hands_out(
    stack: Stack, transport: str, fault: str
) -> None:
    given = {
        "wrong secret": lambda: turn_credentials("not-" + _meet(stack, _SERVER_SECRET)),
        "expired": lambda: turn_credentials(_meet(stack, _SERVER_SECRET), seconds=-60),
        "no end": lambda: turn_sealed(_meet(stack, _SERVER_SECRET), "jane"),
    }[fault]()
    assert stack.client("allocate", turn_server(stack), transport, *given).startswith("401")


@pytest.mark.proves("coturn", "meet")
def test_packets_of_a_guest_travel_to_meet_and_back(stack: Stack, transport: str) -> None:
    seen = _relayed(stack, transport)
    assert seen["back"] == seen["sent"] > 0, seen


@pytest.mark.proves("coturn")
def test_sixty_guests_hold_a_relay_each_at_the_same_time(stack: Stack, transport: str) -> None:
    secret, until = _meet(stack, _SERVER_SECRET), int(time.time()) + 600
    guests = [part for n in range(60) for part in turn_sealed(secret, f"{until}:guest{n}")]
    assert stack.client("crowd", turn_server(stack), transport, *guests) == "60"


@pytest.mark.proves("coturn")
def test_turn_sees_the_address_of_the_client(stack: Stack, transport: str) -> None:
    assert _relayed(stack, transport)["mapped"][0] == stack.lab.internet.address


@pytest.mark.proves("coturn", "meet")
def test_meet_hears_the_relay_and_not_the_guest(stack: Stack, transport: str) -> None:
    _, port = _relayed(stack, transport)["relayed"]
    [relay], [meet] = stack.pods("coturn"), stack.pods("meet")
    # The kernel of Meet's node knows whom Meet answers.
    node = stack.lab.node(meet["spec"]["nodeName"])
    known = node.run(["conntrack", "-L", "-p", "udp", "--reply-src", meet["status"]["podIP"]])
    callers = re.findall(rf"dst=(\S+) sport={_media_port(stack)} dport={port}\b", known)
    assert callers == [relay["status"]["podIP"]], known


@pytest.mark.proves("coturn", "meet")
def test_a_browser_is_told_of_the_one_peer_that_is_relayed_to(stack: Stack, transport: str) -> None:
    [relay_url, peer] = [_meet(stack, name) for name in ("TURN_SERVER", "WEBRTC_ANNOUNCED_ADDRESS")]
    assert relay_url == f"turn:{turn_server(stack)}?transport=tcp"
    assert _asked(stack, transport, [peer]) == {peer: [200, 200]}


@pytest.mark.proves("coturn")
def test_turn_relays_to_nobody_but_meet(stack: Stack, transport: str) -> None:
    peers = (
        _ANYWHERE
        | _inside(stack)
        | {
            "the world": stack.lab.internet.dns.address,
            "the client itself": stack.lab.internet.address,
        }
    )
    answers = _asked(stack, transport, list(peers.values()))
    granted = {what: answers[peer] for what, peer in peers.items() if answers[peer] != [403, 403]}
    assert not granted


def _inside(stack: Stack) -> dict[str, str]:
    """What an attacker would want to reach from within."""
    lab = stack.lab.settings
    pods = {
        f"pod of {name}": stack.pods(name)[0]["status"]["podIP"] for name in ("mariadb", "meet", "coturn")
    }
    services = {
        f"service {name}": stack.get("service", name)["spec"]["clusterIP"]
        for name in ("mariadb", "redis", "meet")
    }
    cluster = {"API server": lab.control_plane, "API service": lab.api_service}
    nodes = {f"node {name}": lab.node_address(name) for name in lab.node_names}
    return pods | services | cluster | nodes


def _media_port(stack: Stack) -> int:
    return topology.meet_media_ports(stack.settings)[0].number


def _meet(stack: Stack, variable: str) -> str:
    """What Meet goes by: it tells browsers where to send media, through which relay, and makes their credentials."""
    return stack.kubectl("exec", "deploy/meet", "--", "printenv", variable).strip()


def _relayed(stack: Stack, transport: str) -> dict[str, Any]:
    given = turn_credentials(_meet(stack, _SERVER_SECRET))
    peer = f"{_meet(stack, 'WEBRTC_ANNOUNCED_ADDRESS')}:{_media_port(stack)}"
    return json.loads(stack.client("relay", turn_server(stack), transport, *given, peer))


def _asked(stack: Stack, transport: str, peers: list[str]) -> dict[str, list[int]]:
    given = turn_credentials(_meet(stack, _SERVER_SECRET))
    port = _media_port(stack)
    places = [f"{peer}:{port}" for peer in peers]
    answers = json.loads(stack.client("permissions", turn_server(stack), transport, *given, *places))
    return {place.rpartition(":")[0]: answer for place, answer in answers.items()}
