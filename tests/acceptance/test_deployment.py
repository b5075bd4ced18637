"""A stack is made whole, and then stays as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.acceptance import submitted
from tests.acceptance.report import Report
from tests.acceptance.stack import Stack
from tests.lab.errors import LabError

_UP_SECONDS = 300


def test_every_object_is_accepted_and_every_workload_ready_within_five_minutes(
    stack: Stack, report: Report
) -> None:
    stack.wait_ready()
    seconds = report.figures.get(f"{stack.mode}: `pulumi up` from nothing", 0)
    crowded = report.figures.get(f"{stack.mode}: how crowded the machine was meanwhile (times)", 1)
    assert seconds < _UP_SECONDS * crowded


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    again = stack.engine("preview", "--expect-no-changes")
    assert again.code == 0, again.output


def test_a_refresh_finds_no_drift(stack: Stack) -> None:
    """What controllers write into our objects is theirs, not drift."""
    looked = stack.engine("refresh", "--preview-only", "--expect-no-changes")
    assert looked.code == 0, looked.output


def test_the_api_server_warns_of_no_object(stack: Stack) -> None:
    """Of kinds and fields that it will drop or does not know, of pods that its standards would not admit."""
    _judge(stack, submitted.objects(stack))
    # Deprecated since 1.14, and so named by every version that is supported.
    old = {"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}, "containers": [{"name": "a", "image": "a"}]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "old", "namespace": "default"},
        "spec": old,
    }
    with pytest.raises(LabError, match=r"beta\.kubernetes\.io/arch.*deprecated"):
        _judge(stack, [pod])


@pytest.mark.mode("single-node")
def test_all_public_services_share_the_one_address(stack: Stack) -> None:
    assert set(_addresses(stack).values()) == set(map(str, stack.settings.network.addresses.all))


@pytest.mark.mode("cluster")
def test_each_public_daemon_has_an_address_of_its_own(stack: Stack) -> None:
    addresses = _addresses(stack)
    assert len(set(addresses.values())) == len(addresses) == 5, addresses


def test_postfix_runs_on_the_nodes_that_may_send_and_nowhere_else(stack: Stack) -> None:
    assert {pod["spec"]["nodeName"] for pod in stack.pods("postfix")} == set(stack.egress)


def _addresses(stack: Stack) -> dict[str, str]:
    services = [s for s in stack.get("services")["items"] if s["spec"]["type"] == "LoadBalancer"]
    return {s["metadata"]["name"]: s["status"]["loadBalancer"]["ingress"][0]["ip"] for s in services}


def _judge(stack: Stack, objects: list[dict[str, Any]]) -> None:
    """Hand objects to the API server, which changes nothing; LabError with its words when it warns of one."""
    apply = ("apply", "--filename=-", "--server-side", "--dry-run=server", "--force-conflicts")
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    stack.lab.kubectl(
        *apply, "--field-manager=judge", "--validate=warn", "--warnings-as-errors", text=json.dumps(listed)
    )
