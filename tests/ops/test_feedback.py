"""`./kolab feedback`: reports as the reader's log has them, for people and for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.__main__ import main
from tests.ops.cluster_of import stand_in

_END = 1_795_000_000


def _dmarc(name: str, failed: int, *, ended: int = _END) -> dict[str, Any]:
    head = {"kind": "dmarc", "by": "google.example", "id": name, "from": ended - 86400, "to": ended}
    return {
        **head,
        "domain": "example.org",
        "ours": {"aligned": 120, "failed": failed},
        "others": {"aligned": 0, "failed": 40},
    }


_TLS = {
    "kind": "tls", "by": "Sender Inc.", "id": "t", "from": _END - 90000, "to": _END - 3600, "domain": "example.net",
    "good": 90, "failed": 10, "types": {"certificate-expired": 7, "other": 3},
}  # fmt: skip
_LOG = "".join(
    f"{json.dumps({'report': each})}\n"
    for each in (_dmarc("1", 0, ended=_END - 86400), _TLS, _dmarc("2", 3), _dmarc("2", 3))
)
_NOISE = 'report reader: message 7 does not count: no-report\n{"report": {"kind"\n'


def told(monkeypatch: pytest.MonkeyPatch, log: str, *options: str) -> int:
    """The exit code over this log."""
    stand_in(monkeypatch, {"logs deployment/report-reader": log}, "full")
    return main(["feedback", "--stack", "full", *options])


def test_each_report_has_a_line_and_the_newest_comes_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, _NOISE + _LOG) == 0
    _, *lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[2:5] for line in lines] == [
        ["dmarc", "example.org", "google.example"],
        ["tls", "example.net", "Sender"],
        ["dmarc", "example.org", "google.example"],
    ]


def test_failures_of_others_who_write_in_our_name_are_not_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, _LOG, "--failed") == 0
    said = capsys.readouterr().out
    assert "certificate-expired 7, other 3" in said
    assert len(said.splitlines()) == 3


def test_programs_get_all_that_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, _LOG, "--json") == 0
    assert json.loads(capsys.readouterr().out) == [_dmarc("2", 3), _TLS, _dmarc("1", 0, ended=_END - 86400)]


def test_older_ones_are_there_for_whoever_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = "".join(f"{json.dumps({'report': _dmarc(str(n), 0)})}\n" for n in range(30))
    assert told(monkeypatch, log) == 0
    assert "10 older ones: --all" in capsys.readouterr().out
    assert told(monkeypatch, log, "--all") == 0
    assert len(capsys.readouterr().out.splitlines()) == 31


def test_no_report_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, "") == 0
    assert capsys.readouterr().out == "No report has come in the last two weeks.\n"


def test_a_stack_that_reads_none_says_how_it_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, {}, "single-node")
    assert main(["feedback", "--stack", "single-node"]) == 1
    assert "kolab:monitoring.reports names no mailbox" in capsys.readouterr().err
