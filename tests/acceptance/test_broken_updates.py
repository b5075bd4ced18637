"""Wherever an `up` breaks, the commands in docs/how-to/when-an-update-stops.md go on from there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, JOE, Stack, eventually
from tests.engine.program import Run
from tests.lab.errors import LabError

pytestmark = pytest.mark.mode("single-node")

_WAY_IN = pytest.mark.proves("postfix", "amavis", "imap", "webapp")
_KEPT = {"Namespace", "PersistentVolumeClaim"}
"""Kinds that `destroy` leaves, so that nothing is created here that could be refused."""
_CHECKPOINTS = {"PULUMI_SKIP_CHECKPOINTS": "false"}
"""As operators have it: the state is written after each resource, not only at the end."""

_TAKE_OVER = {"PULUMI_K8S_UPSERT_EXISTING_OBJECTS": "true"}


@_WAY_IN
def test_an_up_goes_on_after_each_kind_of_object_was_refused(stack: Stack, report: Report) -> None:
    """The cluster refuses all kinds at first, and then one after the other of those that were named no more."""
    _empty(stack)
    kinds = _kinds(stack) - _KEPT
    assert {"ConfigMap", "Secret", "Service", "StatefulSet", "Deployment", "NetworkPolicy"} <= kinds
    attempts = 0
    with (
        report.timed("`up` again and again until each kind of object was refused"),
        _refusing(stack) as refuse,
    ):
        while kinds:
            refuse(kinds)
            refused = stack.program.up(env=stack.environment)
            named = _refused(refused, kinds)
            assert refused.code != 0
            assert named, refused.errors or refused.output
            kinds -= named
            attempts += 1
    report.note("refused `up`s in a row (number)", attempts)
    _converges(stack, "after-refusals")


@_WAY_IN
def test_an_up_goes_on_after_the_engine_was_killed(stack: Stack, report: Report) -> None:
    stack.program.change({"features.office": False})
    without = stack.up()
    assert without.code == 0, without.errors or without.output
    stack.program.change({"features.office": None})
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


@_WAY_IN
def test_an_up_goes_on_after_the_api_server_was_away(stack: Stack) -> None:
    before = stack.get("statefulset", "postfix")["metadata"]["generation"]
    other = JANE if stack.settings.mail.postmaster == JOE else JOE
    stack.program.change({"mail.postmaster": other})
    engine = stack.program.start("up", "--yes", "--skip-preview", env=stack.environment)
    eventually(
        lambda: stack.get("statefulset", "postfix")["metadata"]["generation"] != before,
        "the engine changes nothing",
    )
    stack.lab.apiserver.stop()
    stack.lab.apiserver.start()
    engine.communicate()
    _converges(stack, "after-an-outage")


def _empty(stack: Stack) -> None:
    """Mail, keys and their namespace are all that is there."""
    done = stack.engine("destroy", "--yes", "--exclude-protected", "--run-program")
    assert done.code == 0, done.errors or done.output


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


def _kinds(stack: Stack) -> set[str]:
    """Kinds of the objects that an `up` would create now."""
    planned = stack.engine("preview")
    assert planned.code == 0, planned.output
    found = (event.get("resourcePreEvent", {}).get("metadata", {}) for event in planned.events)
    return {
        meta["type"].rpartition(":")[2]
        for meta in found
        if meta.get("op") == "create" and meta["type"].startswith("kubernetes:")
    }


def _refused(run: Run, kinds: set[str]) -> set[str]:
    """The kinds that were refused, of which an error names the object."""
    found = re.findall(r'"([^"]+)" is forbidden: [^\n]*no (\w+) today', "\n".join(run.errors))
    return {kind for name, kind in found if name and kind in kinds}


@contextmanager
def _refusing(stack: Stack) -> Iterator[_Refuse]:
    """A function after whose call the cluster lets nobody create objects of some kinds for our stack."""
    refuse = _Refuse(stack)
    try:
        yield refuse
    finally:
        for kind in ("binding", ""):
            stack.lab.kubectl("delete", f"validatingadmissionpolicy{kind}", refuse.name)


@dataclass(frozen=True)
class _Refuse:
    stack: Stack
    name: str = "acceptance-refusals"

    def __call__(self, kinds: set[str]) -> None:
        everything = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["CREATE"]}
        policy = {
            "matchConstraints": {
                "objectSelector": {"matchLabels": {"app.kubernetes.io/part-of": "kolab"}},
                "resourceRules": [everything],
            },
            "validations": [
                {
                    "expression": f"!(object.kind in {json.dumps(sorted(kinds))})",
                    "messageExpression": "'no ' + object.kind + ' today'",
                }
            ],
        }
        self._apply("ValidatingAdmissionPolicy", policy)
        binding = {"policyName": self.name, "validationActions": ["Deny"]}
        self._apply("ValidatingAdmissionPolicyBinding", binding)
        if "ConfigMap" in kinds:
            eventually(self._in_force, "the admission policy never came into force")

    def _apply(self, kind: str, spec: dict[str, object]) -> None:
        each = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": self.name},
            "spec": spec,
        }
        self.stack.lab.kubectl("apply", "-f", "-", text=json.dumps(each))

    def _in_force(self) -> bool:
        probe = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "probe", "labels": {"app.kubernetes.io/part-of": "kolab"}},
        }
        try:
            self.stack.kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(probe))
        except LabError as error:
            return "today" in str(error)
        return False
