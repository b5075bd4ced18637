"""Cluster mode on a real cluster: an address per daemon, two of what may be two, mail leaving from every node."""

from __future__ import annotations

import pytest

from tests.acceptance.stack import JANE, PASSWORD, Stack, eventually

SMTP, PROXY, SIEVE = "192.168.50.201", "192.168.50.200", "192.168.50.203"
STRANGER = "stranger@sender.test"


def test_every_workload_is_ready(cluster: Stack) -> None:
    eventually(lambda: not cluster.unready(), f"still not ready: {cluster.unready()}", 300)


def test_a_second_up_changes_nothing(cluster: Stack) -> None:
    again = cluster.engine("preview", "--expect-no-changes")
    assert again.code == 0, again.output


def test_each_daemon_has_its_own_address(cluster: Stack) -> None:
    services = [s for s in cluster.get("services")["items"] if s["spec"]["type"] == "LoadBalancer"]
    addresses = {s["metadata"]["name"]: s["status"]["loadBalancer"]["ingress"][0]["ip"] for s in services}
    assert len(set(addresses.values())) == len(addresses) == 5, addresses


def test_postfix_runs_on_both_nodes_that_may_send(cluster: Stack) -> None:
    nodes = {p["spec"]["nodeName"] for p in cluster.pods() if p["metadata"]["name"].startswith("postfix-")}
    assert nodes == {"n1", "n2"}


def test_mail_from_the_internet_is_read_over_imaps(cluster: Stack) -> None:
    answer = cluster.client("receive", SMTP, STRANGER, JANE, "to-the-cluster")
    assert answer.startswith("250"), answer

    def read() -> str:
        return cluster.client("read", PROXY, "993", JANE, PASSWORD, "to-the-cluster")

    assert "This is to-the-cluster." in eventually(read, "the message never arrived", 90)


def test_postfix_sees_the_address_of_the_client(cluster: Stack) -> None:
    cluster.client("receive", SMTP, STRANGER, JANE, "who-am-i")
    logs = cluster.logs("postfix-0", "postfix") + cluster.logs("postfix-1", "postfix")
    assert f"[{cluster.lab.internet.address}]" in logs


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_mail_leaves_with_the_configured_address_of_its_node(cluster: Stack, node: str) -> None:
    seen = cluster.egress_seen_from(node)
    assert seen == {"n1": "198.51.100.11", "n2": "198.51.100.12"}[node]


def test_the_same_port_on_another_address_is_closed(cluster: Stack) -> None:
    answer = cluster.lab.internet.ask(["curl", "-sm", "3", f"smtp://{PROXY}:25"])
    assert answer.returncode != 0, "port 25 answers on the proxy's address"


def test_manage_sieve_answers_on_its_address(cluster: Stack) -> None:
    assert "STARTTLS" in cluster.client("sieve", SIEVE)
