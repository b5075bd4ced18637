"""What fails without dying: mail waits at its senders, nothing that was taken is lost, and people hear of it though mail is down."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.report import Report
from tests.acceptance.servers import serving
from tests.acceptance.stack import JANE, Stack, eventually
from tests.lab.cluster import Lab

pytestmark = [
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("postfix", "amavis", "imap", "mariadb", "redis", "webapp"),
    pytest.mark.usefixtures("stranger"),
]

_FAILS_SECONDS = 60
_ARRIVAL_SECONDS = 300
_HEARD_SECONDS = 900
"""An alert waits for minutes, so that nobody is woken by what heals itself; and Alertmanager collects what belongs together."""


@dataclass(frozen=True)
class Failure:
    """A daemon that is there and of no use. `begin` gives back how it ends."""

    what: str
    begin: Callable[[Stack], Callable[[], object]]


def _stopped(stack: Stack) -> Callable[[], object]:
    stack.kubectl("scale", "statefulset/mariadb", "--replicas=0")
    return lambda: stack.kubectl("scale", "statefulset/mariadb", "--replicas=1")


def _full(stack: Stack) -> Callable[[], object]:
    """Redis takes no more than it has: writes are refused, reads are answered."""
    password = stack.program.must("config", "get", "--stack", stack.program.stack, "kolab:redisPassword")

    def ask(*command: str) -> str:
        line = 'auth=$1; shift; REDISCLI_AUTH=$auth redis-cli "$@"'
        pod = ("exec", "redis-0", "-c", "redis", "--", "bash", "-c", line, "ask", password.strip())
        return stack.kubectl(*pod, *command)

    before = ask("config", "get", "maxmemory").split()[-1]
    assert ask("config", "set", "maxmemory", "1mb").strip() == "OK"
    assert "OOM" in ask("set", "one", "more")
    return lambda: ask("config", "set", "maxmemory", before)


def _frozen(stack: Stack) -> Callable[[], object]:
    """The web application takes connections and answers none, until the kubelet starts it again."""
    node, task = stack.first_process(stack.pod("webapp"), "webapp")
    everything = f"pgrep --ns {task} --nslist pid ."
    node.run(["sh", "-c", f"kill -STOP $({everything})"])
    return lambda: node.run(["sh", "-c", f"kill -CONT $({everything}) || true"])


_SMALL = """
set -e
mkdir "$1.small"
mount -t tmpfs -o "size=$(($(du -sm "$1" | cut -f1) + 48))m,mode=$(stat -c %a "$1")" tmpfs "$1.small"
cp -a "$1/." "$1.small/"
mount --bind "$1.small" "$1"
"""
"""A volume becomes a small one, with what is in it. Room for some messages is left."""
_LARGE = """
set -e
umount "$1"
cp -a "$1.small/." "$1/"
umount "$1.small"
rmdir "$1.small"
"""


def _no_space(workload: str, claim: str) -> Callable[[Stack], Callable[[], object]]:
    """A volume on which not one byte is free."""

    def begin(stack: Stack) -> Callable[[], object]:
        volume = stack.get("pv", stack.get("pvc", claim)["spec"]["volumeName"])
        path = volume["spec"]["hostPath"]["path"]
        node = stack.lab.node(stack.get("pod", f"{workload}-0")["spec"]["nodeName"])
        kind = f"statefulset/{workload}"

        def stopped(script: str) -> None:
            stack.kubectl("scale", kind, "--replicas=0")
            stack.kubectl("wait", "--for=delete", f"pod/{workload}-0", "--timeout=180s", seconds=200)
            node.run(["sh", "-c", script, "sh", path])
            stack.kubectl("scale", kind, "--replicas=1")
            stack.wait_ready()

        stopped(_SMALL)
        node.run(["sh", "-c", 'cat /dev/zero >"$1/full" 2>/dev/null || true', "sh", path])
        assert node.run(["df", "--output=avail", path]).split()[-1] == "0"

        def end() -> None:
            node.run(["rm", f"{path}/full"])
            stack.wait_ready()
            stopped(_LARGE)

        return end

    return begin


_FAILURES = (
    Failure("MariaDB is stopped", _stopped),
    Failure("Redis is full", _full),
    Failure("the web application is frozen", _frozen),
    Failure("the mailboxes' disk is full", _no_space("imap", "imap-mailboxes")),
    Failure("the disk of Cyrus' state is full", _no_space("imap", "imap-state")),
    Failure("the queue's disk is full", _no_space("postfix", "queue-postfix-0")),
    Failure("the database's disk is full", _no_space("mariadb", "mariadb-data")),
)


@pytest.mark.parametrize("failure", _FAILURES, ids=lambda each: each.what)
def test_nothing_that_was_taken_is_lost_and_nobody_is_sent_away_for_good(
    stack: Stack, report: Report, tmp_path: Path, failure: Failure
) -> None:
    enough, prefix = tmp_path / "enough", f"while-{time.time_ns()}"
    line = stack.client_line("stream", stack.names.mx, JANE, prefix, "5", str(enough))
    sender = stack.lab.internet.start(line)
    end = failure.begin(stack)
    answers = set()
    until = time.monotonic() + _FAILS_SECONDS
    try:
        while time.monotonic() < until:
            answers.add(stack.received(JANE, f"{prefix}-asked"))
            time.sleep(2)
    finally:
        end()
    stack.wait_ready()
    stack.accepted(JANE, f"{prefix}-afterwards", seconds=_ARRIVAL_SECONDS)
    enough.touch()
    acknowledged = set(sender.communicate()[0].splitlines())
    assert acknowledged
    # A refusal for good would go back to the author as a bounce (RFC 5321 section 4.2.1).
    assert not [answer for answer in answers if re.match("5", answer)], answers
    stack.arrived(JANE, acknowledged)
    report.note(f"messages acknowledged around a failure: {failure.what} (number)", len(acknowledged))


@pytest.fixture
def told(stack: Stack, own_lab: Lab, tmp_path: Path) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What somebody on the internet is told, by a way that does not pass Postfix."""
    # Mail leaves from one node alone, alerts from wherever Alertmanager is.
    own_lab.set_egress(own_lab.settings.egress)
    before, notes = stack.program.config(), tmp_path / "told"
    notes.write_text("")
    stack.program.change({"monitoring.alerts.webhook": f"http://{own_lab.internet.address}/alerts"})
    stack.apply()
    with serving(stack, "webhook", notes):
        # The last line may not be whole yet.
        yield lambda: [json.loads(line) for line in notes.read_text().split("\n")[:-1]]
    stack.program.write(before)
    own_lab.set_egress(stack.egress)
    stack.apply()


@pytest.mark.proves("postfix", "prometheus", "alertmanager", "blackbox")
def test_an_alert_arrives_though_mail_is_down(
    stack: Stack, report: Report, told: Callable[[], list[dict[str, Any]]]
) -> None:
    stack.kubectl("scale", "statefulset/postfix", "--replicas=0")
    try:
        with report.timed("from a Postfix that is gone to somebody who knows"):
            eventually(
                lambda: [
                    alert
                    for alert in told()
                    if alert["status"] == "firing" and alert["labels"].get("severity") == "page"
                ],
                "nobody was told that there is no mail",
                seconds=_HEARD_SECONDS,
                every=5,
            )
    finally:
        stack.kubectl("scale", "statefulset/postfix", "--replicas=1")
        stack.wait_ready()
