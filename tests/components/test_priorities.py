"""PriorityClasses: data win over convenience where a node is short."""

from __future__ import annotations

from typing import Any

import pytest

from model import priorities
from model.findings import Finding
from model.rules.cluster import ClusterFacts, cluster
from model.rules.cluster_priorities import PriorityClass
from model.stack_file import StackFileError
from tests.model.files import settings
from tests.support.deploy import Deployment, deploy
from tests.support.stacks import changed, deployment, raw

DATA = {"mariadb", "redis", "versitygw", "imap", "postfix"}
CONVENIENCE = {
    *("collabora", "meet", "coturn"),
    *("prometheus", "alertmanager", "victorialogs", "vector", "blackbox"),
}


def classes(made: Deployment) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in made.objects if each["kind"] == "PriorityClass"}


def of_pods(made: Deployment) -> dict[str, str | None]:
    return {each.daemon: each.pod.get("priorityClassName") for each in made.workloads}


def with_classes(given: dict[str, Any], **kubernetes: Any) -> dict[str, Any]:
    return {"kubernetes": {**raw("cluster")["kubernetes"], "priorityClasses": given, **kubernetes}}


@pytest.mark.parametrize("name", ["single-node", "cluster"])
def test_data_engines_have_a_higher_priority_than_office_video_and_monitoring(name: str) -> None:
    made = deployment(name)
    values = {name: each["value"] for name, each in classes(made).items()}
    found = of_pods(made)
    for data in DATA:
        for convenience in CONVENIENCE & set(found):
            assert values[found[data] or ""] > values[found[convenience] or ""], (data, convenience)


def test_what_serves_people_without_keeping_data_stays_between_them() -> None:
    made = deployment("cluster")
    between = {daemon for daemon, chosen in of_pods(made).items() if chosen is None}
    assert {"proxy", "webapp", "roundcube", "horizon", "scheduler"} <= between
    assert min(priorities.VALUES.values()) < 0 < max(priorities.VALUES.values())


def test_nobody_elses_pods_get_a_priority_from_the_stack() -> None:
    assert {each["globalDefault"] for each in classes(deployment("cluster")).values()} == {False}


def test_the_values_are_no_secret_way_to_the_priorities_of_the_cluster() -> None:
    # Kubernetes keeps what is above a billion for itself.
    assert max(priorities.VALUES.values()) < 1_000_000_000


def test_two_stacks_of_one_cluster_share_no_class() -> None:
    one, other = deployment("cluster"), deploy(changed("cluster", with_classes({}, namespace="other")))
    assert len(classes(one)) == len(classes(other)) == 2
    assert not set(classes(one)) & set(classes(other))


@pytest.mark.parametrize("namespace", ["system-mail", "system", "kolab"])
def test_no_namespace_leads_to_a_name_that_kubernetes_keeps_for_itself(namespace: str) -> None:
    made = deploy(changed("cluster", with_classes({}, namespace=namespace)))
    assert len(classes(made)) == 2
    assert not [name for name in classes(made) if name.startswith("system-")]


def test_classes_of_the_operator_are_used_and_not_made() -> None:
    made = deploy(changed("cluster", with_classes({"data": "gold", "convenience": "tin"})))
    assert classes(made) == {}
    assert {of_pods(made)[daemon] for daemon in DATA} == {"gold"}
    assert {of_pods(made)[daemon] for daemon in CONVENIENCE} == {"tin"}


def test_one_class_of_the_operator_stands_beside_one_of_the_stack() -> None:
    made = deploy(changed("cluster", with_classes({"data": "gold"})))
    assert set(classes(made)) == {"convenience-kolab"}
    assert (of_pods(made)["imap"], of_pods(made)["meet"]) == ("gold", "convenience-kolab")


def test_without_classes_no_pod_names_one() -> None:
    made = deploy(changed("cluster", with_classes({"own": False})))
    assert classes(made) == {}
    assert set(of_pods(made).values()) == {None}


@pytest.mark.parametrize("level", ["data", "convenience"])
@pytest.mark.parametrize("name", ["system-cluster-critical", "system-node-critical", "system-x", "Gold", ""])
def test_classes_of_the_cluster_itself_are_refused(level: str, name: str) -> None:
    with pytest.raises(StackFileError) as refused:
        changed("cluster", with_classes({level: name}))
    (line,) = [each for each in str(refused.value).splitlines() if "priorityClasses" in each]
    assert f"kolab:kubernetes.priorityClasses.{level}: " in line
    assert "must be the name of a PriorityClass that is not system-*" in line


def findings(given: dict[str, Any], found: dict[str, PriorityClass] | None) -> list[Finding]:
    change = {"kubernetes": {"context": "mail", "clusterIdentifier": "mail-1", "priorityClasses": given}}
    seen = cluster(settings("cluster", change), ClusterFacts(priority_classes=found))
    return [each for each in seen if each.rule.startswith("priority-")]


HAS = {
    "system-cluster-critical": PriorityClass(2_000_000_000),
    "gold": PriorityClass(5000),
    "tin": PriorityClass(-5),
}


@pytest.mark.parametrize(
    ("given", "found", "expected"),
    [
        ({}, HAS, []),
        ({}, None, []),
        ({"data": "gone"}, None, []),
        ({"own": False}, {"all": PriorityClass(9999, default=True)}, []),
        ({"data": "gold", "convenience": "tin"}, HAS, []),
        ({"data": "gone"}, HAS, ["priority-class-unknown"]),
        ({"data": "gone", "convenience": "lost"}, HAS, ["priority-class-unknown", "priority-class-unknown"]),
        ({"own": False, "convenience": "lost"}, HAS, ["priority-class-unknown"]),
        ({"data": "tin", "convenience": "gold"}, HAS, ["priority-order"]),
        ({"data": "gold", "convenience": "gold"}, HAS, ["priority-order"]),
        ({"convenience": "gold"}, HAS, ["priority-order"]),
        ({}, {"all": PriorityClass(9999, default=True)}, ["priority-default"]),
        ({"data": "tin", "own": False}, HAS, ["priority-default"]),
    ],
)
def test_classes_that_the_cluster_lacks_or_orders_otherwise_are_found(
    given: dict[str, Any], found: dict[str, PriorityClass] | None, expected: list[str]
) -> None:
    assert [each.rule for each in findings(given, found)] == expected


def test_an_unknown_class_is_told_with_those_that_may_be_used() -> None:
    (finding,) = findings({"data": "gone"}, HAS)
    assert finding.path == "kolab:kubernetes.priorityClasses.data"
    assert "gold, tin" in finding.fix
    assert "system-" not in finding.fix
