"""The cluster's Prometheus, kept by the genuine prometheus-operator, in the place of a stack's own engines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from model import images
from tests.acceptance.connections import Source
from tests.acceptance.numbers import Numbers
from tests.acceptance.stack import Stack
from tests.lab.cluster import Lab
from tests.lab.prometheus_operator import LABELS, NAMESPACE, POD, PORT, PrometheusOperator

READER = {"namespace": NAMESPACE, "labels": LABELS}
"""What the stack file says of it, when it is right."""
_VERSION = images.OTHERS["prometheus"].rpartition(":")[2]
"""Of the Prometheus in the lab's image: the operator writes what that can read."""
_MAILBOXES = {"roundTrip": "trip-of-numbers@example.org", "reports": "reports-of-numbers@example.org"}
_PASSWORD = "ReadsNumbers4All"
_GIVEN_UP = {"rule": "data-delete", "subject": "prometheus-data", "reason": "the cluster keeps numbers now"}


@dataclass(frozen=True)
class Watched(Numbers):
    """A stack whose numbers the cluster's Prometheus reads. `before`: its configuration with engines of its own."""

    stack: Stack
    before: dict[str, Any]

    def ask(self, path: str, **parameters: str) -> Any:
        given = [word for key, value in parameters.items() for word in ("--data-urlencode", f"{key}={value}")]
        line = ["curl", "-sSfG", *given, f"http://127.0.0.1:{PORT}/api/v1/{path}"]
        return json.loads(self.stack.in_pod(POD, line, namespace=NAMESPACE))["data"]

    @property
    def source(self) -> Source:
        """Its pod, as one that asks."""
        address = self.stack.lab.get("pod", POD, "-n", NAMESPACE)["status"]["podIP"]
        return Source("prometheus", POD, NAMESPACE, address, outward=True)


@contextmanager
def theirs(stack: Stack, lab: Lab) -> Iterator[None]:
    """The operator and its Prometheus are there, and know nothing of the stack yet."""
    (own,) = stack.get("statefulset", "prometheus")["spec"]["template"]["spec"]["containers"]
    with PrometheusOperator(lab, own["image"], _VERSION).working():
        yield


def leave(stack: Stack, operator: Mapping[str, Any]) -> None:
    """The stack file leaves numbers and alerts to a Prometheus that is described so, all that can be read among them."""
    mailboxes = {key: {"mailbox": mailbox, "every": 1} for key, mailbox in _MAILBOXES.items()}
    stack.program.change(
        {
            "monitoring.mode": "prometheus-operator",
            "monitoring.operator": dict(operator),
            # Refused in this mode: nothing would read it.
            "monitoring.alerts": None,
            **{f"monitoring.{key}": section for key, section in mailboxes.items()},
        }
    )
    pairs = [word for key in mailboxes for word in ("--secret", f"kolab:{key}Password={_PASSWORD}")]
    stack.program.must("config", "set-all", "--stack", stack.program.stack, *pairs)


@contextmanager
def watched(stack: Stack) -> Iterator[Watched]:
    """As the page tells (docs/how-to/use-a-prometheus-operator.md); at the end the stack watches itself again."""
    before = stack.program.config()
    stack.program.change({"acknowledge": [*(before.get("kolab:acknowledge") or []), _GIVEN_UP]})
    try:
        stack.apply()
        for mailbox in _MAILBOXES.values():
            stack.artisan("user:create", mailbox, "--package=kolab", f"--password={_PASSWORD}")
        leave(stack, READER)
        stack.apply()
        yield Watched(stack, before)
    finally:
        if stack.program.config() != before:
            stack.program.write(before)
            stack.apply()
