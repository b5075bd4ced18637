"""A cluster that refuses objects, one kind after the other: a quota, a policy, a webhook that is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.acceptance.stack import Stack, eventually
from tests.engine.program import Run
from tests.lab.errors import LabError

KEPT = {"Namespace", "PersistentVolumeClaim"}
"""Kinds that `destroy` leaves, so that nothing is created after it that could be refused."""


def refuse_each_kind(stack: Stack) -> list[set[str]]:
    """`up` where nothing is, until no kind of object has not been refused. What each of them was refused.

    The cluster refuses all kinds at first, and then those that no error has named yet.
    """
    kinds = _kinds(stack) - KEPT
    assert {"ConfigMap", "Secret", "Service", "StatefulSet", "Deployment", "NetworkPolicy"} <= kinds
    attempts = []
    with _refusing(stack) as refuse:
        while kinds:
            refuse(kinds)
            refused = stack.program.up(env=stack.environment)
            named = _refused(refused, kinds)
            assert refused.code != 0
            assert named, refused.errors or refused.output
            kinds -= named
            attempts.append(named)
    return attempts


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
        policy: dict[str, object] = {
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
        binding: dict[str, object] = {"policyName": self.name, "validationActions": ["Deny"]}
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
