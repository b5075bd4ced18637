"""Wherever an `up` breaks, the commands in docs/how-to/when-an-update-stops.md go on from there.

What the cluster refuses is tried where there is nothing yet: test_destroy.py. One break on each stack: each takes long.
"""

from __future__ import annotations

import pytest

from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, JOE, Stack, eventually

pytestmark = pytest.mark.long

_WAY_IN = pytest.mark.proves("postfix", "amavis", "imap", "webapp")
_CHECKPOINTS = {"PULUMI_SKIP_CHECKPOINTS": "false"}
"""As operators have it: the state is written after each resource, not only at the end."""

_TAKE_OVER = {"PULUMI_K8S_UPSERT_EXISTING_OBJECTS": "true"}


@pytest.mark.mode("cluster")
@pytest.mark.usefixtures("stranger")
@_WAY_IN
def test_an_up_goes_on_after_the_engine_was_killed(stack: Stack, report: Report) -> None:
    size = stack.program.config()["kolab:resources"]["collabora"]
    stack.program.change({"features.office": False, "resources.collabora": None})
    without = stack.up()
    assert without.code == 0, without.errors or without.output
    stack.program.change({"features.office": None, "resources.collabora": size})
    engine = stack.program.start("up", "--yes", "--skip-preview", env=stack.environment | _CHECKPOINTS)
    # By now some objects are made, and this one is waited for.
    eventually(lambda: stack.pods("collabora"), "the engine makes nothing", every=0.2)
    engine.kill()
    engine.communicate()
    locked = stack.program.up(env=stack.environment)
    assert locked.code != 0
    assert "pulumi cancel" in locked.output
    with report.timed("from a killed engine to a whole stack"):
        stack.program.must("cancel", "--yes", "--stack", stack.program.stack, env=stack.environment)
        looked = stack.engine("refresh", "--yes", "--clear-pending-creates")
        assert looked.code == 0, looked.output
        # What was made, but is not in the state, exists already.
        assert stack.program.up(env=stack.environment).code != 0
        adopted = stack.program.up(env=stack.environment | _TAKE_OVER)
        assert adopted.code == 0, adopted.errors or adopted.output
        _converges(stack, "after-a-killed-engine")


@pytest.mark.mode("single-node")
@pytest.mark.usefixtures("stranger")
@_WAY_IN
def test_an_up_goes_on_after_the_api_server_was_away(stack: Stack) -> None:
    # Before anything is begun: not every cluster's API server can be stopped.
    apiserver = stack.lab.apiserver
    before = stack.get("statefulset", "postfix")["metadata"]["generation"]
    other = JANE if stack.settings.mail.postmaster == JOE else JOE
    stack.program.change({"mail.postmaster": other})
    engine = stack.program.start("up", "--yes", "--skip-preview", env=stack.environment)
    eventually(
        lambda: stack.get("statefulset", "postfix")["metadata"]["generation"] != before,
        "the engine changes nothing",
    )
    apiserver.stop()
    apiserver.start()
    engine.communicate()
    _converges(stack, "after-an-outage")


def _converges(stack: Stack, subject: str) -> None:
    """One more `up` succeeds, leaves nothing to do, and mail is read."""
    done = stack.up()
    assert done.code == 0, done.errors or done.output
    stack.wait_ready()
    again = stack.engine("preview", "--expect-no-changes")
    assert again.code == 0, again.output
    answer = stack.received(JANE, subject)
    assert answer.startswith("250"), answer
    stack.inbox(JANE, subject)
