"""`./kolab queue` on a Postfix that runs: ours, as its entry script makes it, with Amavis' and Cyrus' places taken."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ops.__main__ import main
from tests.ops.cluster_of import stand_in
from tests.support.deploy import deploy
from tests.support.postfix import Mailserver, mailserver
from tests.support.sandbox import wait_for
from tests.support.stacks import stack

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def server() -> Iterator[Mailserver]:
    with mailserver(deploy(stack("single-node")), None) as running:
        yield running


@pytest.fixture
def told(server: Mailserver, monkeypatch: pytest.MonkeyPatch) -> None:
    """kubectl exec, as this machine does it: the command behind -- on this Postfix."""

    def execute(arguments: tuple[str, ...], text: str | None) -> str:
        program, *rest = arguments[arguments.index("--") + 1 :]
        line = [f"/usr/sbin/{program}", "-c", str(server.sandbox.path("/etc/postfix")), *rest]
        return subprocess.run(line, input=text, text=True, capture_output=True, check=True).stdout

    stand_in(monkeypatch, {"exec postfix-0": execute})


def waiting(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["queue", "list", "--json", "--stack", "x", *words]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def queue(*words: str) -> int:
    return main(["queue", *words, "--stack", "x"])


@contextmanager
def without_cyrus(server: Mailserver) -> Iterator[None]:
    """What is for Cyrus finds nobody there."""
    conf = ["-c", str(server.sandbox.path("/etc/postfix"))]

    def asked(program: str, *words: str) -> str:
        line = [f"/usr/sbin/{program}", *conf, *words]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()

    there = asked("postconf", "-h", "local_transport")
    asked("postconf", "-e", "local_transport = lmtp:inet:[127.0.0.1]:1")
    asked("postfix", "reload")
    try:
        yield
    finally:
        asked("postconf", "-e", f"local_transport = {there}")
        asked("postfix", "reload")


@pytest.mark.usefixtures("told")
def test_what_waits_is_told_why_held_released_and_arrives(
    server: Mailserver, capsys: pytest.CaptureFixture[str]
) -> None:
    with without_cyrus(server):
        server.send("jane@example.org", "stuck")
        wait_for(lambda: bool(waiting(capsys, "--in", "deferred")))
        (message,) = waiting(capsys, "--recipient", "jane@example.org")
        assert waiting(capsys, "--sender", "nobody@example.org") == []
        assert queue("why") == 0
        assert "Connection refused" in capsys.readouterr().out
        assert queue("hold", str(message["id"])) == 0
    (held,) = waiting(capsys, "--in", "hold")
    assert held["id"] == message["id"]
    assert queue("release", "--domain", "example.org") == 0
    wait_for(lambda: "stuck" in server.delivered.subjects())
    wait_for(lambda: not waiting(capsys))


@pytest.mark.usefixtures("told")
def test_what_is_requeued_takes_the_way_of_now(
    server: Mailserver, capsys: pytest.CaptureFixture[str]
) -> None:
    with without_cyrus(server):
        server.send("jane@example.org", "again")
        wait_for(lambda: bool(waiting(capsys, "--in", "deferred")))
    assert queue("requeue", "--recipient", "jane@example.org") == 0
    wait_for(lambda: "again" in server.delivered.subjects())


@pytest.mark.usefixtures("told")
def test_what_is_deleted_is_gone_and_nobody_gets_a_bounce(
    server: Mailserver, capsys: pytest.CaptureFixture[str]
) -> None:
    with without_cyrus(server):
        server.send("jane@example.org", "to-delete")
        wait_for(lambda: bool(waiting(capsys, "--in", "deferred")))
        assert queue("delete", "--all") == 0
        assert "repeat it with --context prod" in capsys.readouterr().out
        assert len(waiting(capsys)) == 1
        assert queue("delete", "--all", "--context", "prod") == 0
        capsys.readouterr()
        assert waiting(capsys) == []
    assert "to-delete" not in server.delivered.subjects()
    assert "MAILER-DAEMON" not in server.log.partition("to-delete")[2]
