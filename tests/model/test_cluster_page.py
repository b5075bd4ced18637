"""What the page about a cluster says of what its operators bring, in the words of the rules."""

from __future__ import annotations

from typing import Any

import pytest

from model.cluster_page.load import load
from model.cluster_page.operators import operators
from model.cluster_page.row import Row
from model.issuers import Issuer
from model.rules.cluster import ClusterFacts
from model.rules.cluster_admission import Webhook
from model.rules.cluster_operators import OperatorFacts
from model.rules.cluster_ports import HeldPort

CRDS = frozenset({"ipaddresspools.metallb.io", "certificates.cert-manager.io"})
HTTP: dict[str, Any] = {"http01": {}}
DNS: dict[str, Any] = {"dns01": {}}
WAITING = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}


def row(about: str, *, seen: dict[str, Any] | None = None, **facts: Any) -> Row:
    given = ClusterFacts(crds=CRDS, operators=OperatorFacts(**(seen or {})), **facts)
    return next(each for each in operators(given) if each.about == about)


def issuer(*solvers: dict[str, Any], ready: bool = True) -> Issuer:
    return Issuer.read({"spec": {"acme": {"solvers": solvers}}, **({} if ready else WAITING)})


@pytest.mark.parametrize(
    ("issuers", "shown", "verdict", "then"),
    [
        ({"a": issuer(DNS)}, "a", "fits", ""),
        ({"a": issuer(HTTP)}, "a (HTTP-01 only)", "say", "tls.challenge: http"),
        ({"a": issuer(HTTP, ready=False)}, "a (HTTP-01 only, not ready)", "say", "tls.challenge: http"),
        ({"a": issuer(DNS, ready=False)}, "a (not ready)", "say", "kubectl describe"),
        ({"a": issuer(DNS), "b": issuer(HTTP, ready=False)}, "a, b (HTTP-01 only, not ready)", "fits", ""),
        ({"a": issuer(DNS, ready=False), "b": issuer(HTTP)}, "a (not ready), b (HTTP-01 only)", "say", "kubectl describe"),
        ({"a": issuer(HTTP, DNS)}, "a", "fits", ""),
    ],
)  # fmt: skip
def test_issuers_are_shown_with_all_that_is_against_them(
    issuers: dict[str, Issuer], shown: str, verdict: str, then: str
) -> None:
    found = row("certificates", seen={"issuers": issuers})
    assert (found.seen, found.verdict) == (shown, verdict)
    assert then in found.then
    assert bool(found.then) is (verdict != "fits")


@pytest.mark.parametrize(
    ("image", "shown", "verdict"),
    [
        ("quay.io/metallb/controller:v0.15.2", "MetalLB v0.15.2; ", "fits"),
        ("quay.io/metallb/controller:v0.14.5@sha256:deadbeef", "MetalLB v0.14.5; ", "missing"),
        ("quay.io/metallb/controller@sha256:deadbeef", "MetalLB (version unknown); ", "fits"),
        (None, "MetalLB (version unknown); ", "fits"),
    ],
)
def test_metallb_is_shown_by_its_tag(image: str | None, shown: str, verdict: str) -> None:
    found = row("load balancer", seen={"metallb": image})
    assert found.seen.startswith(shown)
    assert found.verdict == verdict


def test_pools_are_shown_with_what_a_stack_needs_beside_them() -> None:
    found = row("load balancer", seen={"pools": {"office": ("192.0.2.16/28",)}})
    assert found.seen.endswith("pools: office 192.0.2.16/28")
    assert "no other pool holds" in found.then
    assert row("load balancer").then == ""


def test_ports_of_nodes_are_shown_where_a_stack_would_want_them() -> None:
    held = tuple(
        HeldPort(node=node, number=number, protocol=protocol, holder="web/nginx")
        for node in ("n1", "n2")
        for number, protocol in ((443, "TCP"), (443, "UDP"), (3478, "UDP"), (9100, "TCP"))
    )
    assert row("ports of nodes", held_ports=held).seen == "web/nginx holds 443, 3478/UDP"


def test_an_ingress_class_of_an_unknown_controller_may_still_be_named() -> None:
    found = row("Ingress class", ingress_classes={"inside": "k8s.io/internal-ingress-nginx"})
    assert "does not know k8s.io/internal-ingress-nginx; one that is ingress-nginx or " in found.then


@pytest.mark.parametrize(
    ("kinds", "conditional", "verdict", "then"),
    [
        (("pods", "ingresses"), False, "missing", "every one of pods would be refused: bring k/s back"),
        (("pods",), True, "unknown", "some pods only"),
        (("ingresses",), False, "fits", "a stack that makes ingresses would be refused them"),
        (("ingresses",), True, "fits", "a stack that makes ingresses would be refused them"),
    ],
)
def test_a_silent_webhook_matters_by_what_a_plain_stack_makes(
    kinds: tuple[str, ...], conditional: bool, verdict: str, then: str
) -> None:
    hook = Webhook(
        name="w", configuration="c", kinds=kinds, service="k/s", required=True, conditional=conditional, answers=False
    )  # fmt: skip
    (found,) = (each for each in load(ClusterFacts(webhooks=(hook,))) if each.about == "admission webhook")
    assert (found.seen, found.verdict) == ("w, no pod behind k/s", verdict)
    assert then in found.then
