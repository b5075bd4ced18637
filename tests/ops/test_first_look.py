"""Before the first record of a zone is made, the zone that lives is looked at."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.identity import zone_file
from ops import deploy, lookup
from ops.first_look import first_look
from ops.stacks import StackProblem
from tests.identity.stacks import stack
from tests.support.nameserver import NameServer, serving

ZONE = "example.org"
OURS = stack(dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=["sub.example.org"])
ALONE = stack(dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[])


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """The world's only name server."""
    with serving(tmp_path, {ZONE: zone_file(ALONE, ZONE, [])}) as found:
        given = lookup.servers_of(ZONE, [found.given])
        monkeypatch.setattr(lookup, "servers_of", lambda name, servers=(): given)
        yield found


def test_an_empty_zone_lets_the_first_update_go_on(live: NameServer) -> None:
    first_look(OURS, ())


@pytest.mark.parametrize("stage", ["hold", "live"])
def test_records_of_another_stop_the_first_update_with_a_proposal(
    stage: str, live: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    live.add(ZONE, ZONE, "TXT", '"v=spf1 include:servers.mcsv.net -all"')
    live.add(ZONE, ZONE, "A", "203.0.113.200")
    live.add(ZONE, f"_dmarc.{ZONE}", "TXT", '"v=DMARC1; p=reject"')
    with pytest.raises(StackProblem, match="nothing was changed"):
        first_look(
            stack(dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[], mail__mx={"stage": stage}), ()
        )
    said = capsys.readouterr().err
    assert f"kolab:domains.{ZONE}.senders: {{includes: [servers.mcsv.net]}}" in said
    assert f"kolab:domains.{ZONE}.dmarc: {{policy: reject}}" in said
    assert "203.0.113.200" in said


def test_a_domain_that_is_added_is_looked_at_and_one_that_is_deployed_is_not(live: NameServer) -> None:
    live.add(ZONE, ZONE, "MX", "10 mail.else.example.")
    first_look(OURS, (ZONE,))
    live.add(ZONE, f"sub.{ZONE}", "MX", "10 mail.else.example.")
    with pytest.raises(StackProblem):
        first_look(OURS, (ZONE,))
    first_look(OURS, (ZONE, f"sub.{ZONE}"))


def test_where_no_dns_answers_it_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(name: str, servers: object = ()) -> list[tuple[str, int]]:
        raise StackProblem(f"the name servers of {name} cannot be found")

    monkeypatch.setattr(lookup, "servers_of", nobody)
    first_look(stack(), ())
    assert capsys.readouterr().err.count("no zone was looked at") == 1


def test_a_server_without_the_zone_is_said_and_lets_the_update_go_on(
    live: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    first_look(
        stack(domain="example.com", dns__zones={"example.com": ""}, hostedDomains=[], dns__ptr=None), ()
    )
    assert "example.com was not looked at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "without", "example", "looks"),
    [
        ("up", False, False, True),
        ("preview", False, False, True),
        ("up", True, False, False),
        ("up", False, True, False),
        ("destroy", False, False, False),
    ],
)
def test_only_what_could_reach_a_live_zone_is_preceded_by_a_look(
    command: str, without: bool, example: bool, looks: bool
) -> None:
    options = argparse.Namespace(command=command, without_dns=without)
    assert deploy._looks(options, stack(example=example)) == looks
