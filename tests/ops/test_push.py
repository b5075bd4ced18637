"""`ops dns push` on a real server: what it adds, changes, deletes, and what it leaves alone."""

from __future__ import annotations

import argparse
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.identity import mta_sts, zone_file, zones
from model.settings import Settings
from ops import push, render
from ops.stacks import StackProblem
from tests.identity.stacks import stack
from tests.support.nameserver import NameServer, Row, serving

ZONE = "example.org"
_DMARC = f"_dmarc.{ZONE}"


def ours(**changes: Any) -> Settings:
    """A stack with one zone of its own, and a customer in a foreign one."""
    given = {"dns__zones": {ZONE: ""}, "dns__ptr": None, "hostedDomains": ["customer.example"]}
    return stack(**given | changes)


def planned(settings: Settings) -> set[Row]:
    return {(r.name, r.ttl, r.type, r.content) for r in zones(settings)[ZONE]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NameServer]:
    """A server whose zone is still empty."""
    with serving(tmp_path / "named", {ZONE: zone_file(ours(), ZONE, [])}) as found:
        yield found


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[NameServer]:
    """A server that holds what the stack publishes."""
    with serving(tmp_path / "named", {ZONE: zone_file(ours(), ZONE, zones(ours())[ZONE])}) as found:
        yield found


def send(server: NameServer, settings: Settings, **options: Any) -> None:
    """`ops dns push`. The policy counts as served unless the test is about that."""
    given = {
        "server": [server.given],
        "key": server.key,
        "dry_run": False,
        "previous": None,
        "policy_is_served": True,
    }
    push.run(settings, argparse.Namespace(**given | options))


def test_a_first_push_fills_the_zone(server: NameServer) -> None:
    send(server, ours())
    assert _rows(server) == planned(ours())


def test_a_push_of_what_is_there_sends_nothing(
    filled: NameServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "_send", None)
    send(filled, ours())
    assert capsys.readouterr() == ("", "dns push: 0 record set(s) changed\n")


def test_a_change_is_printed_and_touches_one_record_set(
    filled: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = ours(mail__dmarc={"policy": "reject"})
    before = _rows(filled)
    send(filled, changed)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" TXT ")[0] for line in lines if _DMARC in line] == [f"- {_DMARC}.", f"+ {_DMARC}."]
    assert {row[0] for row in _rows(filled) ^ before} == {
        _DMARC,
        "_dmarc.customer.example._hosted.example.org",
    }


def test_another_ttl_is_a_change(filled: NameServer, capsys: pytest.CaptureFixture[str]) -> None:
    send(filled, ours(dns__ttl=300))
    assert f"~ {ZONE}. MX ttl 3600 -> 300" in capsys.readouterr().out.splitlines()
    assert {row[1] for row in _rows(filled)} == {300}


def test_text_of_somebody_else_at_our_names_stays(server: NameServer) -> None:
    server.add(ZONE, ZONE, "TXT", '"google-site-verification=abc"', '"v=spf1 -all"')
    send(server, ours())
    texts = {value for name, _, rtype, value in _rows(server) if (name, rtype) == (ZONE, "TXT")}
    assert '"google-site-verification=abc"' in texts
    # A second SPF record would void both, so a record of a kind of ours is replaced.
    assert '"v=spf1 -all"' not in texts


def test_authorities_of_somebody_else_stay_and_ours_is_one(server: NameServer) -> None:
    server.add(ZONE, ZONE, "CAA", '0 issue "other.example"', '0 issuewild ";"', '0 issue "letsencrypt.org"')
    send(server, ours())
    rows = {value for name, _, rtype, value in _rows(server) if (name, rtype) == (ZONE, "CAA")}
    assert {'0 issue "other.example"', '0 issuewild ";"'} <= rows
    assert '0 issue "letsencrypt.org"' not in rows
    assert len([each for each in rows if "letsencrypt.org;" in each]) == 1


def test_a_kind_that_must_be_one_is_one_in_every_spelling(server: NameServer) -> None:
    server.add(ZONE, _DMARC, "TXT", '" V = dmarc1; p=none"')
    server.add(ZONE, f"k1._domainkey.{ZONE}", "TXT", '"k=rsa; p=AAAA"')
    send(server, ours())
    assert _rows(server) == planned(ours())


def test_names_that_are_not_ours_stay(server: NameServer, tmp_path: Path) -> None:
    server.add(ZONE, f"www.{ZONE}", "A", "203.0.113.9")
    send(server, ours(), previous=_files(ours(), tmp_path))
    assert (f"www.{ZONE}", 600, "A", "203.0.113.9") in _rows(server)


def test_what_is_gone_since_the_last_push_is_deleted(filled: NameServer, tmp_path: Path) -> None:
    fewer = ours(features={"activesync": False})
    assert planned(ours()) > planned(fewer)
    send(filled, fewer, previous=_files(ours(), tmp_path))
    assert _rows(filled) == planned(fewer)


def test_without_the_last_push_nothing_is_deleted(filled: NameServer) -> None:
    before = _rows(filled)
    send(filled, ours(features={"activesync": False}))
    assert _rows(filled) == before


def test_text_of_somebody_else_stays_when_ours_is_deleted(filled: NameServer, tmp_path: Path) -> None:
    name = f"activesync.{ZONE}"
    filled.add(ZONE, name, "TXT", '"somebody=else"')
    send(filled, ours(features={"activesync": False}), previous=_files(ours(), tmp_path))
    texts = {value for at, _, rtype, value in _rows(filled) if (at, rtype) == (name, "TXT")}
    assert texts == {'"somebody=else"'}


def test_a_folder_without_zone_files_is_not_the_last_push(filled: NameServer, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StackProblem, match="--previous wants"):
        send(filled, ours(), previous=tmp_path / "empty")


def test_a_zone_that_is_new_since_the_last_push_has_nothing_to_delete(
    filled: NameServer, tmp_path: Path
) -> None:
    (tmp_path / "other.example.zone").write_text("; another zone\n")
    send(filled, ours(), previous=tmp_path)
    assert _rows(filled) == planned(ours())


def test_a_dry_run_says_the_same_and_changes_nothing(
    server: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    send(server, ours(), dry_run=True)
    announced = capsys.readouterr()
    assert "would change" in announced.err
    assert _rows(server) == set()
    send(server, ours())
    assert capsys.readouterr().out == announced.out


def test_an_edit_at_the_same_time_stops_the_push_and_nothing_changes(
    filled: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*_: Any) -> None:
        filled.add(ZONE, _DMARC, "TXT", '"v=DMARC1; p=none; rua=mailto:else@example.org"')

    monkeypatch.setattr(push, "_require_policy", meanwhile)
    before = _rows(filled)
    with pytest.raises(StackProblem, match=r"example\.org was not changed: its records were edited"):
        send(filled, ours(mail__dmarc={"policy": "reject"}), policy_is_served=False)
    assert {row[0] for row in _rows(filled) - before} == {_DMARC}
    assert before <= {(name, 3600, rtype, value) for name, _, rtype, value in _rows(filled)}


@pytest.mark.parametrize("key", [None, "tests:hmac-sha256:AAAA"])
def test_without_the_right_key_nothing_changes(key: str | None, server: NameServer, tmp_path: Path) -> None:
    path = tmp_path / "wrong"
    path.write_text(key or "")
    with pytest.raises(StackProblem, match="was not changed"):
        send(server, ours(), key=path if key else None)
    assert _rows(server) == set()


def test_a_key_file_of_another_form_is_refused(server: NameServer, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("key tests { algorithm hmac-sha256; };")
    with pytest.raises(StackProblem, match="name:algorithm:base64"):
        send(server, ours(), key=tmp_path / "key")


def test_a_server_that_does_not_hold_the_zone_is_not_taken_for_an_empty_one(server: NameServer) -> None:
    with pytest.raises(StackProblem, match="does not hold the zone"):
        send(server, ours(dns__zones={"example.net": ""}, domain="example.net"))


def test_push_asks_for_the_server() -> None:
    with pytest.raises(StackProblem, match="--server"):
        push.run(ours(), argparse.Namespace(server=[]))


# The policy precedes its record.


def _policy(monkeypatch: pytest.MonkeyPatch, body: bytes | Exception | None) -> list[str]:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        if body is None or isinstance(body, Exception):
            raise body or AssertionError("nobody has to ask")
        return body

    monkeypatch.setattr(push, "fetch", fetch)
    return asked


@pytest.mark.parametrize("body", [OSError("no route"), b"version: STSv1\r\nmode: testing\r\n"])
def test_a_policy_that_is_not_served_stops_the_push(
    body: bytes | Exception, server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _policy(monkeypatch, body)
    with pytest.raises(StackProblem, match="nothing was changed: https://mta-sts"):
        send(server, ours(), policy_is_served=False)
    assert _rows(server) == set()


def test_the_policy_is_asked_for_where_senders_ask(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _policy(monkeypatch, mta_sts.shared(ours()))
    send(server, ours(), policy_is_served=False)
    assert asked == [
        "https://mta-sts.customer.example/.well-known/mta-sts.txt",
        "https://mta-sts.example.org/.well-known/mta-sts.txt",
    ]
    assert _rows(server) == planned(ours())


def test_the_policy_is_not_asked_for_when_its_record_stays_or_goes(
    filled: NameServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _policy(monkeypatch, None)
    send(filled, ours(mail__mx__preference=20), policy_is_served=False)
    without = ours(mail__mtaSts={"stage": "none"})
    send(filled, without, policy_is_served=False, previous=_files(ours(), tmp_path))
    assert not [row for row in _rows(filled) if row[0].startswith("_mta-sts.")]


def test_a_redirect_is_not_followed_as_senders_do_not() -> None:
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("Location", "/policy")
            self.end_headers()
            self.wfile.write(b"policy")

        def log_message(self, *_: Any) -> None:
            """Nothing to say."""

    with http.server.HTTPServer(("127.0.0.1", 0), Elsewhere) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{site.server_port}"
        assert push.fetch(f"{at}/policy") == b"policy"
        with pytest.raises(OSError, match="302"):
            push.fetch(f"{at}/moved")
        site.shutdown()


def _rows(server: NameServer) -> set[Row]:
    """What the zone holds; long hex as we write it, and without the address of its own server."""
    found = {(n, ttl, t, v.replace(" ", "") if t == "TLSA" else v) for n, ttl, t, v in server.rows(ZONE)}
    rows = {(n, ttl, t, f"{v[0]} {v[1]} {v[2]} {v[3:]}" if t == "TLSA" else v) for n, ttl, t, v in found}
    return {row for row in rows if row[0] != f"ns1.{ZONE}"}


def _files(settings: Settings, folder: Path) -> Path:
    render.write_zones(settings, folder / "previous")
    return folder / "previous"
