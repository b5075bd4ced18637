"""The Gateway of the stack file and that of the cluster: what does not fit is said before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from model.rules.cluster import ClusterFacts, cluster
from model.rules.cluster_gateways import NEEDED, GatewayFacts, SeenGateway
from tests.model.files import settings

ASKED = {
    "name": "public",
    "namespace": "gateways",
    "listeners": ["https"],
    "redirect": "http",
    "controllerNamespace": "envoy",
    "controllerCidr": "10.42.7.0/24",
    "addresses": ["192.0.2.20"],
}
CRDS = frozenset(
    (
        *(f"{each}.gateway.networking.k8s.io" for each in (*NEEDED, "gatewayclasses", "referencegrants")),
        "ipaddresspools.metallb.io",
        "certificates.cert-manager.io",
    )
)
ALL = {"namespaces": {"from": "All"}}


def listener(name: str = "https", **more: Any) -> dict[str, Any]:
    """One that fits."""
    return {"name": name, "protocol": "HTTPS", "port": 443, "allowedRoutes": ALL, **more}


HTTP = listener("http", protocol="HTTP", port=80)


def gateway(*listeners: dict[str, Any], **status: Any) -> SeenGateway:
    return SeenGateway.read(
        {
            "metadata": {"name": "public", "namespace": "gateways"},
            "spec": {"gatewayClassName": "eg", "listeners": [*listeners, HTTP]},
            "status": status,
        }
    )


def found(
    seen: SeenGateway | None = None,
    *,
    asked: dict[str, Any] | None = None,
    crds: frozenset[str] | None = CRDS,
    **facts: Any,
) -> list[tuple[str, str]]:
    """Rule and problem of what is found in a cluster with this Gateway."""
    given = GatewayFacts(
        **{
            "kinds": frozenset(NEEDED),
            "classes": {"eg": "gateway.envoyproxy.io/gatewayclass-controller"},
            "features": {"eg": frozenset({"BackendTLSPolicy", "HTTPRoute"})},
            "gateways": {} if seen is None else {"gateways/public": seen},
            **facts,
        }
    )
    changes = {"network/gateway": ASKED | (asked or {})}
    judged = cluster(settings("cluster", changes), ClusterFacts(crds=crds, gateways=given))
    return [(each.rule, f"{each.path} {each.problem}; {each.fix}") for each in judged]


def rules(*args: Any, **more: Any) -> list[str]:
    return [rule for rule, _ in found(*args, **more)]


def test_a_gateway_that_fits_has_no_findings() -> None:
    assert found(gateway(listener())) == []


@pytest.mark.parametrize(
    "facts",
    [{"crds": None}, {"gateways": None}, {"kinds": None, "gateways": None}],
    ids=["no kinds", "no Gateways", "nothing"],
)
def test_what_could_not_be_read_is_not_judged(facts: dict[str, Any]) -> None:
    assert found(**facts) == []


@pytest.mark.parametrize("missing", NEEDED)
def test_a_cluster_without_a_kind_that_is_needed_is_refused(missing: str) -> None:
    ((rule, text),) = found(gateway(listener()), kinds=frozenset(NEEDED) - {missing})
    assert rule == "gateway-kinds"
    assert missing in text
    assert "1.4" in text


def test_grants_are_needed_where_a_gateway_reads_our_certificates() -> None:
    without = CRDS - {"referencegrants.gateway.networking.k8s.io"}
    assert rules(gateway(listener()), crds=without) == ["gateway-kinds"]
    assert rules(gateway(listener()), crds=without, asked={"certificates": "gateway"}) == []


def test_a_gateway_that_is_not_there_is_refused_with_those_that_are() -> None:
    ((rule, text),) = found(gateways={"web/edge": gateway(listener())})
    assert rule == "gateway-unknown"
    assert "web/edge" in text


def test_a_controller_that_cannot_speak_tls_to_the_proxy_is_refused() -> None:
    plain = {"eg": frozenset({"HTTPRoute"})}
    ((rule, text),) = found(gateway(listener()), features=plain)
    assert rule == "gateway-backend-tls"
    assert "gateway.envoyproxy.io" in text


@pytest.mark.parametrize("features", [None, {}, {"eg": frozenset()}])
def test_a_controller_that_does_not_say_what_it_supports_is_believed(features: Any) -> None:
    assert found(gateway(listener()), features=features) == []


def test_a_gateway_that_nobody_serves_is_said() -> None:
    seen = gateway(listener(), conditions=[{"type": "Programmed", "status": "False"}])
    assert rules(seen) == ["gateway-not-ready"]


def test_a_listener_that_is_not_there_is_refused_with_those_that_are() -> None:
    ((rule, text),) = found(gateway(listener("web")))
    assert rule == "gateway-listener"
    assert "http, web" in text


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"protocol": "HTTP"}, "gateway-plain"),
        ({"protocol": "TCP"}, "gateway-plain"),
        ({"protocol": "TLS", "tls": {"mode": "Passthrough"}}, "gateway-passthrough"),
        ({"protocol": "TLS"}, "gateway-passthrough"),
        ({"tls": {"mode": "Passthrough"}}, "gateway-passthrough"),
        ({"tls": {"mode": "Terminate"}}, None),
    ],
)
def test_only_a_listener_that_ends_tls_knows_the_client_and_keeps_passwords_closed(
    more: dict[str, Any], rule: str | None
) -> None:
    assert rules(gateway(listener(**more))) == ([rule] if rule else [])


def test_port_80_is_led_to_https_by_a_listener_without_tls() -> None:
    assert rules(gateway(listener(), listener("two")), asked={"redirect": "two"}) == ["gateway-redirect"]


@pytest.mark.parametrize(
    ("allowed", "fits"),
    [
        (ALL, True),
        ({"namespaces": {"from": "All"}, "kinds": [{"kind": "HTTPRoute"}, {"kind": "GRPCRoute"}]}, True),
        ({"namespaces": {"from": "All"}, "kinds": [{"kind": "TLSRoute"}]}, False),
        (None, False),
        ({"namespaces": {"from": "Same"}}, False),
        ({"namespaces": {"from": "None"}}, False),
        ({"namespaces": {"from": "Selector"}}, False),
        (
            {
                "namespaces": {
                    "from": "Selector",
                    "selector": {"matchLabels": {"kubernetes.io/metadata.name": "kolab"}},
                }
            },
            True,
        ),
        (
            {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "web"}}}},
            False,
        ),
    ],
)
def test_a_listener_must_take_routes_of_our_namespace(allowed: dict[str, Any] | None, fits: bool) -> None:
    assert rules(gateway(listener(allowedRoutes=allowed))) == ([] if fits else ["gateway-routes"])


def test_a_gateway_of_our_own_namespace_takes_our_routes_by_itself() -> None:
    own = SeenGateway.read(
        {
            "metadata": {"name": "public", "namespace": "kolab"},
            "spec": {
                "gatewayClassName": "eg",
                "listeners": [{"name": "https", "protocol": "HTTPS", "port": 443}],
            },
        }
    )
    asked = {"namespace": "kolab", "redirect": None}
    assert rules(asked=asked, gateways={"kolab/public": own}) == []


@pytest.mark.parametrize(
    ("hostnames", "unserved"),
    [
        ([None], None),
        (["*.example.org", "*.example.net", "*.example.com"], "example.org"),
        (["example.org", "*.example.org"], "mta-sts.example.net, "),
        (["example.org", "*.example.org", "*.example.net", "*.example.com"], None),
        (["mail.example.com"], "example.org, admin.example.org, reseller.example.org and"),
    ],
)
def test_listeners_must_be_for_all_our_hosts(hostnames: list[str | None], unserved: str | None) -> None:
    each = [
        listener(f"l{number}", **({"hostname": name} if name else {}))
        for number, name in enumerate(hostnames)
    ]
    names = [one["name"] for one in each]
    judged = found(gateway(*each), asked={"listeners": names})
    assert [rule for rule, _ in judged] == (["gateway-hosts"] if unserved else [])
    assert all(f"is for {unserved}" in text for _, text in judged)


def test_a_listener_that_shows_our_certificate_must_be_allowed_to() -> None:
    shown = {"mode": "Terminate", "certificateRefs": [{"name": "proxy-certificate", "namespace": "kolab"}]}
    assert rules(gateway(listener(tls=shown))) == []
    assert rules(gateway(listener(tls=shown)), asked={"certificates": "gateway"}) == ["gateway-certificate"]


INGRESS = {
    "className": "nginx",
    "namespace": "ingress",
    "controllerCidr": "10.42.7.0/24",
    "addresses": ["192.0.2.20"],
}


WEB, OTHER, SILENT = frozenset({80, 443}), frozenset({9443}), frozenset[int]()


@pytest.mark.parametrize(("key", "given"), [("gateway", ASKED), ("ingress", INGRESS)])
@pytest.mark.parametrize(
    ("pods", "outside"),
    [
        (None, None),
        ({}, None),
        ({"10.42.7.3": WEB}, None),
        ({"10.42.7.3": WEB, "10.42.9.3": OTHER}, None),
        ({"10.42.7.3": WEB, "10.42.9.3": SILENT}, None),
        ({"10.42.7.3": WEB, "10.42.9.3": WEB, "10.42.8.3": WEB}, "10.42.8.3, 10.42.9.3"),
        ({"10.42.7.3": frozenset({8443}), "10.42.9.3": frozenset({8443})}, "10.42.9.3"),
        ({"10.42.9.3": OTHER, "10.42.8.3": WEB}, "10.42.8.3"),
        ({"10.42.7.3": SILENT, "10.42.7.4": OTHER}, None),
        ({"10.42.7.3": SILENT, "10.42.9.3": SILENT}, "10.42.9.3"),
        ({"10.42.9.3": SILENT, "fd00::3": SILENT}, "10.42.9.3, fd00::3"),
    ],
    ids=str,
)
def test_the_network_that_is_believed_about_clients_has_every_pod_that_speaks_of_them(
    key: str, given: dict[str, Any], pods: dict[str, frozenset[int]] | None, outside: str | None
) -> None:
    seen = ClusterFacts(controllers=pods)
    judged = [*cluster(settings("cluster", {f"network/{key}": given}), seen)]
    assert [(each.rule, each.path, each.severity) for each in judged] == (
        [] if outside is None else [("controller-cidr", f"kolab:network.{key}.controllerCidr", "warning")]
    )
    assert all(f"outside of it ({outside})" in each.problem for each in judged)
