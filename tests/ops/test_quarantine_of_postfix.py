"""`./kolab quarantine` with the script that runs beside Amavis, and a Postfix that takes what is released."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from components import entry
from ops.__main__ import main
from ops.stacks import StackProblem
from tests.ops.cluster_of import stand_in
from tests.support.deploy import deploy
from tests.support.postfix import Mailserver, mailserver
from tests.support.sandbox import wait_for
from tests.support.stacks import stack

pytestmark = pytest.mark.thorough

KEPT = "/var/lib/quarantine"
VIRUS, SPAM = "gtC8AkOlYl9H", "abcdefABC-_1"
TEXT = """\
Return-Path: <>
Delivered-To: virus-quarantine
X-Envelope-From: <forged@sender.test>
X-Envelope-To: {to}
X-Quarantine-ID: <x>
X-Amavis-Alert: INFECTED, message contains virus: Eicar-Signature
Received: from sender.test by mx
X-Envelope-To: <mallory@evil.test>
Subject: {subject}
From: forged@sender.test
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße
.
the end"""


@pytest.fixture(scope="module")
def server() -> Iterator[Mailserver]:
    with mailserver(deploy(stack("single-node")), None) as running:
        running.sandbox.mount(entry.PATH, {"quarantine.pl": entry.scripts("amavis")["quarantine.pl"]})
        running.sandbox.path(KEPT).mkdir(parents=True)
        yield running


@pytest.fixture
def told(server: Mailserver, monkeypatch: pytest.MonkeyPatch) -> None:
    """kubectl exec, as this machine does it: the script behind -- on this folder."""

    def execute(arguments: tuple[str, ...], _: str | None) -> str:
        program, script, *rest = arguments[arguments.index("--") + 1 :]
        line = [program, str(server.sandbox.path(script)), *rest]
        done = subprocess.run(line, text=True, capture_output=True, check=False)
        if done.returncode:
            raise StackProblem(f"kubectl exec failed: {done.stderr.strip()}")
        return done.stdout

    stand_in(monkeypatch, {"exec postfix-0 -c amavis": execute})


def keep(server: Mailserver, name: str, to: str, subject: str) -> None:
    server.sandbox.path(f"{KEPT}/{name}").write_text(TEXT.format(to=to, subject=subject))


def quarantine(*words: str) -> int:
    return main(["quarantine", *words, "--stack", "x"])


@pytest.mark.usefixtures("told")
def test_what_is_released_is_delivered_as_it_came(
    server: Mailserver, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(server, f"virus-{VIRUS}", "<jane@example.org>", "kept for her")
    assert quarantine("list", "--json") == 0
    (kept,) = json.loads(capsys.readouterr().out)
    assert (kept["id"], kept["why"]) == (VIRUS, "Eicar-Signature")
    assert kept["recipients"] == ["jane@example.org"]
    assert quarantine("release", VIRUS, "--context", "prod") == 0
    assert "250 2.0.0 Ok: queued as" in capsys.readouterr().out
    wait_for(lambda: "kept for her" in server.delivered.subjects())
    wait_for(server.queue_is_empty)
    sender, recipients, text = server.delivered.of("kept for her")
    assert (sender, recipients) == ("forged@sender.test", ("jane@example.org",))
    assert "\r\nGrüße\r\n.\r\nthe end" in text
    assert "X-Quarantine-ID" not in text
    # Neither the filter nor anybody else has seen it again.
    assert "kept for her" not in server.filter.subjects() | server.world.subjects()
    assert quarantine("list") == 0
    assert capsys.readouterr().out == "Nothing is kept.\n"


@pytest.mark.usefixtures("told")
def test_what_postfix_refuses_is_kept_and_its_words_are_told(
    server: Mailserver, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(server, f"spam-{SPAM}", "<not an address", "never arrives")
    assert quarantine("release", SPAM) == 1
    assert f"{SPAM} was not released" in capsys.readouterr().err
    keep(server, f"spam-{SPAM}", '<"a b"@>', "never arrives")
    assert quarantine("release", SPAM) == 1
    assert "Postfix does not take it, so it is still kept: 501 5.1.3" in capsys.readouterr().err
    assert quarantine("delete", SPAM, "--context", "prod") == 0
    capsys.readouterr()
    assert quarantine("list") == 0
    assert capsys.readouterr().out == "Nothing is kept.\n"
    assert "never arrives" not in server.delivered.subjects()
