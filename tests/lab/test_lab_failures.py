"""What happens when a node or the API server is gone, and comes back."""

from __future__ import annotations

import pytest

from tests.lab.cluster import Lab
from tests.lab.errors import LabError
from tests.lab.progress import wait_until
from tests.lab.use import LOCAL, Apply, in_pod, seen_by
from tests.lab.workloads import claim, echo, load_balancer

pytestmark = pytest.mark.acceptance

_LOST = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"


def test_a_pod_moves_off_a_dead_node_and_its_movable_volume_when_the_node_is_given_up(
    lab: Lab, apply: Apply
) -> None:
    apply(
        claim("data", "movable"),
        echo("keeper", claim="data"),
        echo("free"),
        load_balancer("l", "free", "Local", LOCAL),
    )
    in_pod(lab, "keeper", "sh", "-c", "echo kept > /data/file")
    node = lab.get("pods", "-l", "app=keeper")["items"][0]["spec"]["nodeName"]
    lab.node(node).power_off()
    try:
        lab.wait_ready(node, ready=False)
        with pytest.raises(LabError, match="switched off"):
            lab.node(node).run(["true"])
        # Without a volume it moves by itself, and the address follows it.
        assert seen_by(lab, LOCAL) == lab.internet.address
        # A volume that may still be in use is not detached, until somebody says that it is not.
        lab.kubectl("taint", "node", node, _LOST)
        lab.kubectl("wait", "--for=condition=Available", "deployment/keeper", "--timeout=120s", seconds=150)
        assert in_pod(lab, "keeper", "cat", "/data/file") == "kept"
    finally:
        lab.node(node).boot()
        lab.wait_ready(node)
        lab.kubectl("taint", "node", node, "node.kubernetes.io/out-of-service-", "--overwrite=true")


def test_a_node_comes_back_with_what_was_on_its_disk(lab: Lab, apply: Apply) -> None:
    apply(claim("data"), echo("keeper", claim="data", node="n2"))
    in_pod(lab, "keeper", "sh", "-c", "echo kept > /data/file; sync")
    lab.node("n2").power_off()
    lab.wait_ready("n2", ready=False)
    lab.node("n2").boot()
    lab.wait_ready("n2")
    read = wait_until("the pod is back", lambda: in_pod(lab, "keeper", "cat", "/data/file"), seconds=120)
    assert read == "kept"


def test_addresses_answer_while_the_api_server_is_down(lab: Lab, apply: Apply) -> None:
    apply(echo("echo"), load_balancer("local", "echo", "Local", LOCAL))
    assert seen_by(lab, LOCAL) == lab.internet.address
    lab.apiserver.stop()
    try:
        with pytest.raises(LabError):
            lab.kubectl("get", "nodes", "--request-timeout=2s")
        assert seen_by(lab, LOCAL) == lab.internet.address
    finally:
        lab.apiserver.start()
    for node in lab.settings.node_names:
        lab.wait_ready(node)
