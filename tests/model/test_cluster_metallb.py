"""Addresses that MetalLB may not have from us, and nodes from which it would not announce them."""

from __future__ import annotations

from typing import Any

import pytest

from model.metallb import holds, too_old
from model.rules.cluster import ClusterFacts, cluster
from model.rules.cluster_operators import OperatorFacts, Taint
from tests.model.files import settings

AT = "kolab:network"


def found(base: str, changes: dict[str, Any], nodes: Any = None, **seen: Any) -> list[tuple[str, str, str]]:
    """Rule, severity and path of what is found in a cluster where everything else could not be read."""
    facts = ClusterFacts(nodes=nodes, operators=OperatorFacts(**seen))
    return [(each.rule, each.severity, each.path) for each in cluster(settings(base, changes), facts)]


# Its release


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ("quay.io/metallb/controller:v0.13.12", "0.13.12"),
        ("quay.io/metallb/controller:v0.14.8", "0.14.8"),
        ("quay.io/metallb/controller:v0.14.9", None),
        ("docker.io/bitnami/metallb-controller:0.13.7-debian-11-r0", "0.13.7-debian-11-r0"),
        ("quay.io/metallb/controller:v0.14.5@sha256:deadbeef", "0.14.5"),
        ("registry.example.org:5000/metallb/controller:v0.14.5@sha256:aa", "0.14.5"),
        ("registry.example.org:5000/metallb/controller:v0.15.2@sha256:aa", None),
        ("registry.example.org:5000/metallb/controller", None),
        ("quay.io/metallb/controller:main", None),
        ("quay.io/metallb/controller@sha256:0123", None),
    ],
)
def test_a_metallb_that_does_not_know_our_annotations_is_refused_by_its_release(
    image: str, shown: str | None
) -> None:
    facts = ClusterFacts(operators=OperatorFacts(metallb=image))
    judged = list(cluster(settings("cluster"), facts))
    assert [each.rule for each in judged] == ([] if shown is None else ["metallb-old"])
    assert all(f"its version {shown} does" in each.problem for each in judged)
    assert (too_old(image) == "0.14.9") is (shown is not None)


# Pools of others


@pytest.mark.parametrize(
    ("entry", "address", "held"),
    [
        ("10.20.0.0/24", "10.20.0.10", True),
        ("10.20.0.10/32", "10.20.0.10", True),
        ("10.20.0.99/24", "10.20.0.10", True),
        ("10.20.1.0/24", "10.20.0.10", False),
        ("10.20.0.10-10.20.0.20", "10.20.0.10", True),
        ("10.20.0.1 - 10.20.0.10", "10.20.0.10", True),
        ("10.20.0.11-10.20.0.20", "10.20.0.10", False),
        ("10.20.0.20-10.20.0.1", "10.20.0.10", False),
        ("2001:db8::/64", "2001:db8::11", True),
        ("2001:db8::1-2001:db8::ff", "2001:db8::11", True),
        ("2001:db8:1::/64", "2001:db8::11", False),
        ("::/0", "10.20.0.10", False),
        ("0.0.0.0/0", "2001:db8::11", False),
        ("10.20.0.1-2001:db8::1", "10.20.0.10", False),
        ("", "10.20.0.10", False),
        ("-", "10.20.0.10", False),
        ("10.20.0.1-10.20.0.9-10.20.0.20", "10.20.0.10", False),
        ("all of them", "10.20.0.10", False),
    ],
)
def test_an_entry_of_a_pool_holds_what_lies_in_it_and_rubbish_holds_nothing(
    entry: str, address: str, held: bool
) -> None:
    assert holds(entry, address) is held


def test_an_address_that_another_pool_holds_is_refused_with_both_ways_out() -> None:
    facts = OperatorFacts(pools={"office": ("10.30.0.0/24", "10.20.0.11-10.20.0.12")})
    smtp, _ = sorted(cluster(settings("cluster"), ClusterFacts(operators=facts)), key=lambda each: each.path)
    assert (smtp.rule, smtp.severity, smtp.path) == ("address-in-pool", "error", f"{AT}.addresses.smtp")
    assert "10.20.0.11, which MetalLB's pool office holds already (10.20.0.11-10.20.0.12)" in smtp.problem
    assert smtp.fix.startswith("take an address that no pool holds, or take 10.20.0.11 out of that pool")


def test_the_address_of_one_node_is_looked_for_in_pools_too() -> None:
    both = {"network/addresses": {"all": ["192.0.2.10", "2001:db8::10"]}}
    at = ("address-in-pool", "error", f"{AT}.addresses.all")
    assert found("single-node", both, pools={"p": ("192.0.2.0/24",)}) == [at]
    assert found("single-node", both, pools={"p": ("2001:db8::/64",)}) == [at]


def test_the_pool_of_a_stack_that_runs_is_its_own() -> None:
    entries = tuple(f"10.20.0.{number}/32" for number in range(10, 15))
    assert found("cluster", {}, pools={"kolab": entries}) == []
    elsewhere = {"kubernetes": {"context": "c", "namespace": "mail"}}
    assert len(found("cluster", elsewhere, pools={"kolab": entries})) == 5


@pytest.mark.parametrize(
    ("changes", "pools"),
    [
        ({}, {"office": ("10.20.1.0/24",)}),
        ({}, {}),
        ({}, None),
        ({"network/loadBalancer": "hostPort"}, {"office": ("10.20.0.0/24",)}),
    ],
)
def test_pools_beside_our_addresses_harm_nobody(changes: dict[str, Any], pools: Any) -> None:
    assert found("cluster", changes, pools=pools) == []


# Nodes that are kept from load balancers

KEPT: dict[str, str] = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
ONE, WHOLE = ("nodes-excluded", "error", f"{AT}.loadBalancer"), {"network/egress": None}
SOME = ("nodes-excluded", "warning", f"{AT}.loadBalancer")
SENDING = [*(settings("cluster").network.egress.nodes)]  # type: ignore[union-attr]
CONTROL = Taint("node-role.kubernetes.io/control-plane", "", "NoSchedule")


def labelled(*kept: str, free: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    return {**dict.fromkeys(kept, KEPT), **{node: {} for node in free}}


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        (labelled("server1"), [ONE]),
        (labelled("server1", free=("other",)), [ONE]),
        (labelled("other", free=("server1",)), []),
        ({}, []),
        (None, []),
    ],
)
def test_with_one_address_the_node_of_all_public_pods_counts_and_no_other(
    nodes: Any, expected: list[tuple[str, str, str]]
) -> None:
    judged = found("single-node", {}, nodes)
    assert [each for each in judged if each[0] == "nodes-excluded"] == expected


@pytest.mark.parametrize(
    ("nodes", "taints", "expected"),
    [
        (labelled(*SENDING), {}, [ONE, ONE]),
        (labelled(*SENDING, free=("w3",)), {}, [ONE, SOME]),
        (labelled(SENDING[0], free=(SENDING[1],)), {}, [SOME, SOME]),
        (labelled("cp1", free=(*SENDING,)), {}, [SOME]),
        (labelled("cp1", free=(*SENDING,)), {"cp1": (CONTROL,)}, []),
        (labelled("cp1", *SENDING), dict.fromkeys(("cp1", *SENDING), (CONTROL,)), [ONE, ONE]),
        ({}, {}, []),
    ],
    ids=["all", "all that send", "one that sends", "one that may run", "a tainted one", "none is open", "no nodes"],
)  # fmt: skip
def test_in_a_cluster_the_nodes_count_that_may_run_a_public_pod(
    nodes: Any, taints: Any, expected: list[tuple[str, str, str]]
) -> None:
    judged = found("cluster", {}, nodes, taints=taints)
    assert [each for each in judged if each[0] == "nodes-excluded"] == expected


def test_where_any_node_may_send_all_public_pods_are_judged_together() -> None:
    assert found("cluster", WHOLE, labelled("n1", "n2")) == [ONE]
    assert found("cluster", WHOLE, labelled("n1", free=("n2",))) == [SOME]


def test_a_metallb_that_announces_from_such_nodes_too_is_believed() -> None:
    assert found("cluster", WHOLE, labelled("n1", "n2"), announces_anywhere=True) == []


def test_ports_of_the_node_are_announced_by_nobody() -> None:
    changes = {"network/loadBalancer": "hostPort"}
    assert "nodes-excluded" not in {rule for rule, *_ in found("single-node", changes, labelled("server1"))}
