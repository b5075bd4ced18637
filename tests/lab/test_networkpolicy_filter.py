"""The packet filter does what the rules say: every case of the documentation, with real packets.

Three namespaces in a row, the middle one is the node. Nobody listens at the far end: a refusal is an answer, and what
the filter drops has none.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.lab.policy.filter import ruleset
from tests.lab.processes import in_namespace, run
from tests.lab.test_networkpolicy_cases import CASES, isolations

pytestmark = pytest.mark.acceptance

LEFT, NODE, RIGHT = "labtest-left", "labtest-node", "labtest-right"
KNOCK = """
import socket, sys
kind = socket.SOCK_STREAM if sys.argv[3] == "TCP" else socket.SOCK_DGRAM
with socket.socket(socket.AF_INET, kind) as s:
    s.settimeout(0.4)
    s.bind((sys.argv[1], 0))
    try:
        s.connect((sys.argv[2], int(sys.argv[4])))
        s.send(b"?")
        s.recv(1)
    except ConnectionRefusedError:
        print("through")
    except TimeoutError:
        print("dropped")
"""


@pytest.fixture(scope="module")
def row() -> Iterator[None]:
    """Both ends' routes lead to the node."""
    try:
        for name in (LEFT, NODE, RIGHT):
            run(["ip", "netns", "add", name])
            ip(name, "link set lo up")
        for name, own, node in ((LEFT, "10.0.1.2", "10.0.1.1"), (RIGHT, "10.0.2.2", "10.0.2.1")):
            end = name.removeprefix("labtest-")
            run(
                [
                    "ip",
                    "link",
                    "add",
                    end,
                    "netns",
                    NODE,
                    "type",
                    "veth",
                    "peer",
                    "name",
                    "eth0",
                    "netns",
                    name,
                ]
            )
            ip(NODE, f"address add {node}/24 dev {end}", f"link set {end} up")
            ip(name, f"address add {own}/24 dev eth0", "link set eth0 up", f"route add default via {node}")
        run(in_namespace(NODE, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]))
        # The far end would stop answering after six refusals in a second.
        run(in_namespace(RIGHT, ["sysctl", "-qw", "net.ipv4.icmp_ratelimit=0"]))
        yield
    finally:
        for name in (LEFT, NODE, RIGHT):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def ip(name: str, *lines: str) -> None:
    run(["ip", "-netns", name, "-batch", "-"], text="\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "case", [c for c in CASES.values() if c[1] != c[2]], ids=[k for k, c in CASES.items() if c[1] != c[2]]
)
@pytest.mark.usefixtures("row")
def test_the_filter_agrees_with_the_rules(case: tuple[list[str], str, str, str, int, bool]) -> None:
    policies, source, destination, protocol, port, expected = case
    run(in_namespace(NODE, ["nft", "-f", "-"]), text=ruleset(isolations(policies)))
    ip(LEFT, f"address add {source}/32 dev lo")
    ip(RIGHT, f"address add {destination}/32 dev lo")
    ip(NODE, f"route add {source}/32 via 10.0.1.2", f"route add {destination}/32 via 10.0.2.2")
    try:
        knock = [sys.executable, "-S", "-c", KNOCK, source, destination, protocol, str(port)]
        assert run(in_namespace(LEFT, knock)).strip() == ("through" if expected else "dropped")
    finally:
        ip(NODE, f"route delete {source}/32", f"route delete {destination}/32")
        ip(LEFT, f"address delete {source}/32 dev lo")
        ip(RIGHT, f"address delete {destination}/32 dev lo")
