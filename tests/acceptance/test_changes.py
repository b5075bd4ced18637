"""A changed setting reaches its daemon, and no other daemon stops for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.acceptance.report import Report
from tests.acceptance.stack import JOE, Stack, eventually

_STRANGERS = 8
_STOP_SECONDS = 60
"""A third of what Cyrus has for it, and twenty times what it needs."""


@pytest.mark.usefixtures("stranger")
@pytest.mark.proves("postfix", "amavis", "imap", "webapp")
def test_a_changed_setting_rolls_only_the_pods_that_read_it(stack: Stack) -> None:
    before = _identities(stack)
    stack.program.change({"mail.postmaster": JOE})
    done = stack.up()
    assert done.code == 0, done.output
    stack.wait_ready()
    after = _identities(stack)
    rolled = {daemon for daemon in before if before[daemon].isdisjoint(after[daemon])}
    touched = {daemon for daemon in before if before[daemon] != after[daemon]}
    assert rolled == touched == {"postfix"}
    stack.accepted("postmaster@example.org", "for-the-new-postmaster")
    stack.inbox(JOE, "for-the-new-postmaster")


@pytest.mark.proves("imap")
def test_cyrus_never_runs_twice(stack: Stack) -> None:
    """Two on one spool corrupt it: the new pod starts when the old one has ended."""
    old = stack.pods("imap")[0]["metadata"]
    stack.kubectl("delete", "pod", old["name"], "--wait=false")

    def renewed() -> bool:
        # Not only running ones: a second pod that is there may start before the first has ended.
        pods = stack.pods("imap")
        assert len(pods) <= 1, [pod["metadata"]["name"] for pod in pods]
        return bool(pods) and pods[0]["metadata"]["uid"] != old["uid"]

    eventually(renewed, "there is no new pod of Cyrus", every=0.2)
    stack.wait_ready()


@pytest.mark.proves("imap")
def test_strangers_who_connect_do_not_hold_up_a_stop_of_cyrus(
    stack: Stack, report: Report, tmp_path: Path
) -> None:
    """Its master overlooks the end of its own processes while somebody waits to be served."""
    enough, began = tmp_path / "enough", time.time()
    line = stack.client_line("outage", stack.names.sieve, "4190", str(enough))
    strangers = [stack.lab.internet.start(line) for _ in range(_STRANGERS)]
    old = stack.pods("imap")[0]["metadata"]
    try:
        eventually(lambda: "publicsieve" in stack.logs("imap", after=began), "nobody connects")
        with report.timed("a stop of Cyrus while strangers connect"):
            stack.kubectl("delete", "pod", old["name"], "--wait=true", seconds=_STOP_SECONDS)
    finally:
        enough.touch()
        for stranger in strangers:
            stranger.communicate()
    stack.wait_ready()


def _identities(stack: Stack) -> dict[str, set[str]]:
    """Daemon -> its pods, which have other identities once they are replaced."""
    found: dict[str, set[str]] = {}
    for pod in stack.pods():
        daemon = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        found.setdefault(daemon, set()).add(pod["metadata"]["uid"])
    return found
