"""Whether the Prometheus that a stack file names would find what it is handed."""

from __future__ import annotations

from typing import Any

import pytest

from model.monitoring.operator import CRDS
from model.rules.cluster_monitoring import Reader, cluster_monitoring
from model.selectors import selects
from tests.model.files import settings

ALL: dict[str, Any] = {}
OPEN = {
    "ruleSelector": ALL,
    "ruleNamespaceSelector": ALL,
    "scrapeConfigSelector": ALL,
    "scrapeConfigNamespaceSelector": ALL,
}
HELM = {"matchLabels": {"release": "kps"}}


def prometheus(*, at: str = "monitoring/main", **spec: Any) -> Reader:
    namespace, _, name = at.partition("/")
    return Reader.read({"metadata": {"namespace": namespace, "name": name}, "spec": {**OPEN, **spec}})


def found(
    *readers: Reader, labels: dict[str, str] | None = None, crds: tuple[str, ...] = CRDS
) -> list[tuple[str, str]]:
    operator = {"namespace": "monitoring", "labels": labels or {}}
    stack = settings("cluster", {"monitoring": {"mode": "prometheus-operator", "operator": operator}})
    return [(each.rule, str(each)) for each in cluster_monitoring(stack, frozenset(crds), readers)]


def test_one_that_takes_everything_is_right() -> None:
    assert found(prometheus()) == []


def test_a_cluster_without_the_kinds_is_told_which_are_missing() -> None:
    ((rule, said),) = found(crds=("prometheusrules.monitoring.coreos.com",))
    assert rule == "prometheus-operator-missing"
    assert "does not know scrapeconfigs.monitoring.coreos.com. Fix: install prometheus-operator 0.65" in said


def test_a_namespace_without_a_prometheus_is_told_where_there_is_one() -> None:
    ((rule, said),) = found(prometheus(at="observability/main"))
    assert rule == "prometheus-unknown"
    assert "use one of observability" in said


@pytest.mark.parametrize("selector", ["ruleSelector", "scrapeConfigSelector"])
@pytest.mark.parametrize("asked", [HELM, None], ids=["a label", "not set"])
def test_a_selector_that_would_not_find_the_objects_is_named(selector: str, asked: Any) -> None:
    ((rule, said),) = found(prometheus(**{selector: asked}))
    assert rule == "prometheus-selector"
    assert f"its {selector} {'asks for release=kps' if asked else 'is not set'}" in said


def test_labels_that_a_selector_asks_for_satisfy_it() -> None:
    reader = prometheus(ruleSelector=HELM, scrapeConfigSelector=HELM)
    assert found(reader, labels={"release": "kps"}) == []


@pytest.mark.parametrize("selector", ["ruleNamespaceSelector", "scrapeConfigNamespaceSelector"])
@pytest.mark.parametrize("asked", [None, {"matchLabels": {"watched": "yes"}}], ids=["its own", "a label"])
def test_one_that_does_not_look_into_the_stacks_namespace_is_named(selector: str, asked: Any) -> None:
    ((rule, said),) = found(prometheus(**{selector: asked}))
    assert rule == "prometheus-namespaces"
    assert "kubernetes.io/metadata.name=kolab" in said


def test_a_namespace_that_is_chosen_by_its_name_is_right() -> None:
    ours = {
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["kolab", "shop"]}
        ]
    }
    assert found(prometheus(ruleNamespaceSelector=ours)) == []


def test_one_of_several_that_sees_everything_is_enough() -> None:
    assert found(prometheus(ruleSelector=None), prometheus(at="monitoring/second")) == []


def test_what_could_not_be_read_is_not_judged() -> None:
    operator = {"mode": "prometheus-operator", "operator": {"namespace": "monitoring"}}
    stack = settings("cluster", {"monitoring": operator})
    assert list(cluster_monitoring(stack, None, None)) == []
    assert list(cluster_monitoring(stack, frozenset(CRDS), None)) == []


def test_a_stack_that_watches_itself_needs_no_operator() -> None:
    assert list(cluster_monitoring(settings("cluster"), frozenset(), ())) == []


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("In", ["b"], False),
        ("In", ["a"], True),
        ("NotIn", ["a"], False),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
    ],
)
def test_expressions_mean_what_they_mean_to_kubernetes(
    operator: str, values: list[str], expected: bool
) -> None:
    selector = {"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}
    assert selects(selector, {"k": "a"}) is expected
