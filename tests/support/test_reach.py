"""The judge of connections: it finds what is too much, what is missing, and a cluster that enforces nothing."""

from __future__ import annotations

import pytest

from model.rules.cluster_network import NetworkFacts, completed
from model.settings import Settings
from tests.acceptance.configs import for_lab
from tests.support.reach import OPEN, REFUSED, SILENT, Policy, Target, differences, enforced


def policy(mode: str = "cluster") -> Policy:
    seen = NetworkFacts(api=frozenset({("192.168.50.10", 6443)}))
    return Policy(completed(Settings.model_validate(for_lab(mode)), seen))


def target(owner: str, number: int, address: str = "10.244.1.7", protocol: str = "TCP") -> Target:
    return Target(owner, protocol, number, address, number)


@pytest.mark.parametrize(
    ("client", "there", "allowed"),
    [
        ("postfix", target("imap", 11024), True),
        ("redis", target("imap", 11024), False),
        ("proxy", target("imap", 11024), False),
        ("webapp", target("postfix", 10587), True),
        ("webapp", target("postfix", 10025), False),
        ("blackbox", target("postfix", 10025), True),
        ("coturn", target("meet", 44444, protocol="UDP"), True),
        ("coturn", target("meet", 12080), False),
        ("meet", Target("proxy", "TCP", 6443, "192.168.50.200", 443), True),
        ("postfix", target("the internet", 25, "203.0.113.9"), True),
        ("horizon", target("the internet", 25, "203.0.113.9"), False),
        ("horizon", target("the internet", 443, "203.0.113.9"), True),
        ("webapp", target("the internet", 443, "203.0.113.9"), False),
        ("vector", target("kubernetes", 6443, "192.168.50.10"), True),
        ("horizon", target("kubernetes", 6443, "192.168.50.10"), False),
        ("horizon", target("metadata", 80, "169.254.169.254"), False),
        ("horizon", target("names", 53, "10.96.0.10", "UDP"), True),
        ("horizon", target("names", 53, "10.244.1.2", "UDP"), True),
        ("horizon", target("names", 9153, "10.244.1.2"), False),
        ("horizon", target("the internet", 53, "203.0.113.9", "UDP"), False),
        ("redis", target("names", 53, "10.96.0.10", "UDP"), False),
    ],
)
def test_a_daemon_may_what_its_connections_say(client: str, there: Target, allowed: bool) -> None:
    assert policy().of_daemon(client, there) is allowed


@pytest.mark.parametrize(
    ("there", "allowed"),
    [
        (target("postfix", 10025), True),
        (target("postfix", 10587), False),
        (target("imap", 4191), True),
        (target("imap", 4190), False),
        (target("meet", 44444), True),
        (target("proxy", 6080), False),
        (target("the internet", 25, "203.0.113.9"), True),
    ],
)
def test_a_stranger_may_what_is_public(there: Target, allowed: bool) -> None:
    assert policy().of_stranger(there) is allowed


def test_what_is_too_much_and_what_is_missing_is_named() -> None:
    lmtp = target("imap", 11024)
    seen = {("redis", lmtp): OPEN, ("postfix", lmtp): REFUSED, ("proxy", lmtp): SILENT}
    assert differences(seen, policy().of_daemon) == [
        "surplus: redis reaches imap 11024 (tcp/10.244.1.7:11024)",
        "missing: postfix does not reach imap 11024 (tcp/10.244.1.7:11024), which is refused",
    ]


def test_what_is_as_it_should_be_is_no_difference() -> None:
    lmtp = target("imap", 11024)
    assert differences({("redis", lmtp): SILENT, ("postfix", lmtp): OPEN}, policy().of_daemon) == []


@pytest.mark.parametrize("after", [SILENT, REFUSED])
def test_a_cluster_that_stops_the_canary_enforces_policies(after: str) -> None:
    assert enforced(OPEN, after)


def test_a_cluster_that_lets_the_canary_through_enforces_none() -> None:
    assert not enforced(OPEN, OPEN)


def test_a_canary_that_never_reached_anything_proves_nothing() -> None:
    with pytest.raises(AssertionError, match="two pods"):
        enforced(SILENT, SILENT)
