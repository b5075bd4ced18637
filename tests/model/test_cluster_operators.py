"""What operators and other tenants of a cluster make impossible, said before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from components.labels import labels_of
from model.issuers import Issuer
from model.rules.cluster import ClusterFacts, cluster
from model.rules.cluster_operators import CERTIFICATE_LABELS, OperatorFacts, Taint, cluster_operators
from tests.model.files import settings

HTTP: dict[str, Any] = {"http01": {"ingress": {}}}
DNS: dict[str, Any] = {"dns01": {"webhook": {}}}
EXISTING = {"tls": {"issuer": "existing", "name": "public"}}
OURS = "app.kubernetes.io/name"


def acme(*solvers: dict[str, Any]) -> Issuer:
    return Issuer.read({"spec": {"acme": {"solvers": solvers}}})


def only_for(solver: dict[str, Any], **selector: Any) -> dict[str, Any]:
    return {**solver, "selector": selector}


def found(changes: dict[str, Any], **seen: Any) -> list[tuple[str, str]]:
    stack = settings("cluster", changes)
    return [(each.rule, each.problem) for each in cluster_operators(stack, OperatorFacts(**seen))]


def of_issuer(issuer: Issuer) -> set[str]:
    return {rule for rule, _ in found(EXISTING, issuers={"ClusterIssuer/public": issuer})}


def test_what_could_not_be_read_is_not_judged() -> None:
    assert found(EXISTING) == []


def test_an_issuer_that_is_not_there_is_named_with_those_that_are() -> None:
    stack = settings("cluster", EXISTING)
    seen = OperatorFacts(issuers={"ClusterIssuer/other": acme(DNS), "Issuer/public": acme(DNS)})
    (finding,) = cluster_operators(stack, seen)
    assert (finding.rule, finding.severity) == ("issuer-unknown", "error")
    assert "use one of other" in finding.fix


@pytest.mark.parametrize(
    "solvers",
    [
        (HTTP,),
        (HTTP, only_for(DNS, dnsZones=["example.org"])),
        (DNS, only_for(HTTP, dnsNames=["mx.example.org"])),
        (DNS, only_for(HTTP, matchLabels={OURS: "certificates"})),
    ],
    ids=["HTTP alone", "HTTP for hosted domains", "HTTP for the MX name", "HTTP for our labels"],
)
def test_names_that_would_be_proven_by_a_file_on_port_80_are_refused_where_nobody_answers(
    solvers: tuple[dict[str, Any], ...],
) -> None:
    assert of_issuer(acme(*solvers)) == {"issuer-http"}


@pytest.mark.parametrize(
    "solvers",
    [
        (DNS,),
        (HTTP, only_for(DNS, dnsZones=["example.org", "example.net", "example.com"])),
        (only_for(HTTP, dnsNames=["shop.example.org"]), DNS),
        (only_for(HTTP, matchLabels={OURS: "shop"}), DNS),
        (only_for(HTTP, dnsZones=["org", "net", "com"]), only_for(DNS, dnsZones=["example.org", "example.net", "example.com"])),
        (),
    ],
    ids=["DNS alone", "DNS for our zones", "HTTP for others", "HTTP for other labels", "the longer zone", "none of ACME"],
)  # fmt: skip
def test_names_that_are_proven_in_dns_are_fine(solvers: tuple[dict[str, Any], ...]) -> None:
    assert of_issuer(acme(*solvers)) == set()


BY_HTTP = {"tls": {**EXISTING["tls"], "challenge": "http"}}


def by_http(mode: str, *solvers: dict[str, Any]) -> list[tuple[str, str]]:
    seen = OperatorFacts(issuers={"ClusterIssuer/public": acme(*solvers)})
    return [(each.rule, each.problem) for each in cluster_operators(settings(mode, BY_HTTP), seen)]


def test_with_one_address_for_all_every_name_can_be_proven_by_a_file() -> None:
    assert by_http("single-node", HTTP) == []


def test_names_that_lead_elsewhere_are_refused_unless_a_record_proves_them() -> None:
    ((rule, problem),) = by_http("cluster", HTTP)
    assert rule == "issuer-http-elsewhere"
    assert "mx.example.org, sieve.example.org have other addresses" in problem
    elsewhere = only_for(DNS, dnsNames=["mx.example.org", "sieve.example.org"])
    assert by_http("cluster", HTTP, elsewhere) == []


def test_names_that_no_solver_is_for_are_refused() -> None:
    assert of_issuer(acme(only_for(DNS, dnsZones=["example.org"]))) == {"issuer-solvers"}


def test_an_issuer_that_is_not_ready_is_a_warning() -> None:
    waiting = Issuer.read(
        {"spec": {"ca": {}}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    )
    assert of_issuer(waiting) == {"issuer-not-ready"}


def test_the_labels_that_selectors_may_ask_for_are_those_of_our_certificates() -> None:
    assert CERTIFICATE_LABELS.items() <= labels_of("certificates").items()


TAINT = Taint("dedicated", "mail", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "fits"),
    [
        ({"key": "dedicated", "value": "mail"}, True),
        ({"key": "dedicated", "operator": "Exists"}, True),
        ({"key": "dedicated", "value": "mail", "effect": "NoSchedule"}, True),
        ({"key": "dedicated", "value": "mail", "effect": "NoExecute"}, False),
        ({"key": "dedicated", "value": "web"}, False),
        ({"key": "dedicated"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
    ids=str,
)
def test_a_named_node_whose_taint_nothing_tolerates_is_refused(
    toleration: dict[str, str], fits: bool
) -> None:
    node = next(iter(settings("cluster").network.egress.nodes))  # type: ignore[union-attr]
    seen = {"taints": {node: (TAINT,), "unused": (TAINT,)}}
    assert [rule for rule, _ in found({}, **seen)] == ["node-tainted"]
    change = {"kubernetes": {"context": "mail", "tolerations": [toleration]}}
    assert [rule for rule, _ in found(change, **seen)] == ([] if fits else ["node-tainted"])


INGRESS = {
    "className": "web",
    "controller": "traefik",
    "namespace": "ingress",
    "controllerCidr": "10.42.7.0/24",
    "addresses": ["192.0.2.20"],
}


@pytest.mark.parametrize(
    ("serving", "kind"),
    [
        ("traefik.io/ingress-controller", None),
        ("k8s.io/ingress-nginx", "ingress-nginx"),
        ("nginx.org/ingress-controller", "nginx"),
        ("haproxy.org/ingress-controller/haproxy", "haproxy"),
        ("projectcontour.io/projectcontour/contour", "contour"),
    ],
)
def test_a_controller_of_another_kind_than_the_stack_file_says_is_refused(
    serving: str, kind: str | None
) -> None:
    seen = ClusterFacts(ingress_classes={"web": serving})
    found = cluster(settings("cluster", {"network/ingress": INGRESS}), seen)
    assert [(each.rule, each.severity, each.fix) for each in found] == (
        [] if kind is None else [("ingress-controller", "error", f"write {kind}")]
    )


@pytest.mark.parametrize(
    ("serving", "named"),
    [
        ("example.com/ingress-nginx-2", "example.com/ingress-nginx-2"),
        ("k8s.io/internal-ingress-nginx", "k8s.io/internal-ingress-nginx"),
        ("ingress.k8s.aws/alb", "ingress.k8s.aws/alb"),
        ("", "a controller that it does not name"),
    ],
)
def test_a_controller_that_nobody_knows_may_be_what_the_stack_file_says(serving: str, named: str) -> None:
    changes = {"network/ingress": INGRESS | {"controller": "ingress-nginx"}}
    (found,) = cluster(settings("cluster", changes), ClusterFacts(ingress_classes={"web": serving}))
    assert (found.rule, found.severity) == ("ingress-controller", "warning")
    assert f"is ingress-nginx, and the class web of this cluster is served by {named}" in found.problem
