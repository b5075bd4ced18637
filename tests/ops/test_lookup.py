"""Questions to name servers: one by one, and only their own word counts."""

from __future__ import annotations

from collections.abc import Iterator

import dns.resolver
import pytest

from model.identity import zone_file, zones
from ops.lookup import Found, rrset_at, servers_of
from ops.stacks import StackProblem
from tests.identity.stacks import stack
from tests.support.nameserver import ADDRESS, NameServer, serving

ZONE = "example.org"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    text = zone_file(stack(), ZONE, zones(stack())[ZONE])
    with serving(tmp_path_factory.mktemp("named"), {ZONE: text}) as found:
        yield found


def at(server: NameServer) -> tuple[str, int]:
    return ADDRESS, server.port


def test_every_record_comes_back_as_it_was_written(server: NameServer) -> None:
    planned = zones(stack())[ZONE]
    for name, kind in {(record.name, record.type) for record in planned}:
        expected = {r.content for r in planned if (r.name, r.type) == (name, kind)}
        found = rrset_at(at(server), name, kind)
        assert (set(found.values), found.ttl) == (expected, 3600)


def test_a_name_that_does_not_exist_has_no_values(server: NameServer) -> None:
    assert rrset_at(at(server), f"nobody.{ZONE}", "A") == Found()


def test_a_server_that_does_not_hold_the_zone_says_so(server: NameServer) -> None:
    with pytest.raises(StackProblem, match=f"name server {ADDRESS} answers REFUSED for example.com"):
        rrset_at(at(server), "example.com", "A")


def test_a_server_that_is_silent_says_so() -> None:
    with pytest.raises(StackProblem, match=r"does not answer for example\.org"):
        rrset_at((ADDRESS, 1), ZONE, "A")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_a_server_is_given_by_address_and_port(given: str, expected: tuple[str, int]) -> None:
    assert servers_of(ZONE, [given]) == [expected]


def test_without_a_resolver_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise dns.resolver.NoNameservers

    monkeypatch.setattr(dns.resolver, "zone_for_name", fail)
    with pytest.raises(StackProblem, match="name them with --server"):
        servers_of(ZONE)
