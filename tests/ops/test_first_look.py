"""Before the first record of a zone is made, the zone that lives is looked at."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from model.identity import zone_file
from ops import deploy, lookup
from ops.first_look import first_look
from ops.stacks import Pulumi, StackProblem
from tests.identity.stacks import stack
from tests.support.cloudflare_api import TOKEN, Api
from tests.support.cloudflare_api import serving as api_serving
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


# Zones at Cloudflare, whose API shows what DNS does not.


class State:
    """A stack that has the token, and these records already."""

    def __init__(self, *owned: str, token: str | None = TOKEN) -> None:
        self.owned, self.token = owned, token

    def records(self) -> frozenset[str]:
        return frozenset(self.owned)

    def plaintexts(self) -> dict[str, str]:
        return {"cloudflareApiToken": self.token} if self.token else {}


ID = "0" * 31 + "1"
THERE = stack(dns__provider="cloudflare", dns__zones={ZONE: ID}, dns__ptr=None, hostedDomains=[])
RULE = re.compile(r"\[([a-z-]+)\]")


@contextmanager
def entered(monkeypatch: pytest.MonkeyPatch, *rows: dict[str, Any]) -> Iterator[Api]:
    found = [{"id": f"{n:032x}", "zoneId": ID, "ttl": 300, **each} for n, each in enumerate(rows)]
    found.append(
        {"id": "f" * 32, "zoneId": ID, "ttl": 300, "type": "NS", "name": ZONE, "content": "a.ns.example"}
    )
    with api_serving(lambda: found) as api:
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", api.base)
        yield api


def look(state: State) -> None:
    first_look(THERE, (), cast("Pulumi", state))


def test_an_address_behind_the_provider_is_judged_by_what_was_entered(
    live: NameServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live.add(ZONE, f"imap.{ZONE}", "A", "203.0.113.104")
    ours = {"type": "A", "name": f"imap.{ZONE}", "content": "192.0.2.10", "proxied": True}
    with entered(monkeypatch, ours):
        look(State())
    with entered(monkeypatch, ours | {"content": "203.0.113.9"}), pytest.raises(StackProblem):
        look(State())
    said = capsys.readouterr().err
    assert "203.0.113.9" in said
    assert "203.0.113.104" not in said


def test_what_both_ways_show_is_said_once(
    live: NameServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live.add(ZONE, ZONE, "MX", "10 mail.else.example.")
    row = {"type": "MX", "name": ZONE, "content": "mail.else.example", "priority": 10}
    with entered(monkeypatch, row), pytest.raises(StackProblem, match="kolab dns adopt"):
        look(State())
    assert RULE.findall(capsys.readouterr().err) == ["dns-duplicate"]


def test_what_the_stack_has_adopted_is_in_nobodys_way(
    live: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.add(ZONE, f"_dmarc.{ZONE}", "TXT", '"v=DMARC1; p=reject"')
    row = {"type": "TXT", "name": f"_dmarc.{ZONE}", "content": '"v=DMARC1; p=reject"'}
    with entered(monkeypatch, row):
        with pytest.raises(StackProblem):
            look(State())
        look(State(f"txt-_dmarc.{ZONE}-v-DMARC1"))


def test_without_the_token_or_an_answer_dns_alone_is_asked(
    live: NameServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with entered(monkeypatch, {"type": "MX", "name": ZONE, "content": "mail.else.example", "priority": 10}):
        look(State(token=None))
        assert capsys.readouterr().err == ""
        look(State(token="w" * 40))
    assert "10000: Authentication error" in capsys.readouterr().err
