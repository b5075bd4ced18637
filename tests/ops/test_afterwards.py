"""After `up` everything that is left to do is said, and fits a terminal."""

from __future__ import annotations

import json

import pytest

from model import topology
from ops import afterwards
from ops.__main__ import main
from ops.tables import COLUMNS
from tests.model.files import raw, settings


def test_the_first_login_has_its_address_its_user_and_the_way_to_the_password() -> None:
    text = afterwards.text(settings("real", {"hosts/website": "kolab.kolabtest.eu"}), "mine")
    assert "https://kolab.kolabtest.eu/ as admin@kolabtest.eu" in text
    assert "./kolab secrets show adminPassword --stack mine" in text


def test_mail_programs_and_phones_get_their_servers() -> None:
    text = afterwards.text(settings("single-node"), "mine")
    assert all(
        host in text
        for host in (
            "imap.example.org:993",
            "smtp.example.org:465",
            "sieve.example.org:4190",
            "activesync.example.org",
        )
    )
    without = settings("single-node", {"features": {"activesync": False}})
    assert "ActiveSync" not in afterwards.text(without, "mine")


def test_a_router_that_maps_one_address_for_all_gets_every_port_once() -> None:
    addresses = raw("cluster")["network"]["addresses"].values()
    found = settings("cluster", {"network/public": dict.fromkeys(addresses, "192.0.2.1")})
    rows = afterwards.forwards(found)
    assert {row[0] for row in rows} == {"192.0.2.1"}
    assert ("192.0.2.1", "tcp 25", "10.20.0.11") in rows
    assert ("192.0.2.1", "tcp 80,143,443,465,587,993", "10.20.0.10") in rows
    assert len(rows) == len({port.service for port in topology.public_ports(found)})


def test_without_nat_there_is_nothing_to_forward() -> None:
    assert afterwards.forwards(settings("single-node")) == []
    assert "router" not in afterwards.text(settings("single-node"), "mine")


def test_ports_that_follow_each_other_are_a_range() -> None:
    assert afterwards._ranges([25, 80, 81, 82, 90]) == "25,80-82,90"


def test_what_comes_next_is_in_order_until_the_world_sends_mail_here() -> None:
    text = afterwards.text(settings("single-node"), "mine")
    steps = text[text.index("Next:") :].splitlines()[1:]
    words = ("jane@example.org", "dns export", "ptr 192.0.2.9", "dkim activate k202611", "rehearse", "live")
    assert [word in step for word, step in zip(words, steps, strict=True)] == [True] * len(words)
    cluster = afterwards.text(settings("cluster"), "mine")
    assert "dns export" not in cluster
    assert "set mail.mx.stage to live" not in cluster


@pytest.mark.parametrize("name", ["single-node", "cluster"])
def test_it_fits_a_terminal(name: str) -> None:
    assert max(map(len, afterwards.text(settings(name), "mine").splitlines())) <= 130


# ./kolab dns show


def test_records_fit_a_hundred_columns_and_wide_shows_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dns", "show", "--stack", "cluster"]) == 0
    narrow = capsys.readouterr().out
    assert max(map(len, narrow.splitlines())) <= COLUMNS
    assert main(["dns", "show", "--stack", "cluster", "--wide"]) == 0
    wide = capsys.readouterr().out
    assert max(map(len, wide.splitlines())) > COLUMNS
    assert len(wide.splitlines()) == len(narrow.splitlines())


def test_records_as_json_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dns", "show", "--stack", "cluster", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"name", "ttl", "type", "value", "why"} == set(rows[0])
    assert any("v=DKIM1" in row["value"] and "..." not in row["value"] for row in rows)
