"""The websites at a Gateway of somebody else: every host, TLS on both sides, no limit of time, and no Secret too many."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from model.names import Names
from tests.lab.images.keys import certificate
from tests.support.deploy import Deployment, way_in
from tests.support.stacks import GATEWAY, changed, deployment, raw

Manifest = dict[str, Any]
API = "gateway.networking.k8s.io/v1"


def behind(more: Manifest | None = None, **changes: Any) -> Deployment:
    """The way into the shipped cluster behind a Gateway; None in `more` leaves a key out."""
    given = {key: value for key, value in (GATEWAY | (more or {})).items() if value is not None}
    return way_in(changed("cluster", {"network": {"gateway": given}, **changes}))


def routes(program: Deployment, listener: str = "https") -> list[Manifest]:
    """The routes of a listener."""
    return [
        each
        for each in program.of_kind("HTTPRoute")
        if listener in {parent["sectionName"] for parent in each["spec"]["parentRefs"]}
    ]


def hosts(found: list[Manifest]) -> list[str]:
    """Their hosts."""
    return [host for each in found for host in each["spec"]["hostnames"]]


@pytest.mark.parametrize("listener", ["https", "http"])
def test_every_web_host_has_one_route_at_each_listener(listener: str) -> None:
    found = hosts(routes(deployment("gateway"), listener))
    assert sorted(found) == sorted(Names.of(changed("gateway", {})).web)


def test_routes_lead_to_the_tls_port_of_the_proxy() -> None:
    program = deployment("gateway")
    (port,) = (
        each["port"] for each in program.get("Service", "proxy")["spec"]["ports"] if each["name"] == "https"
    )
    for route in routes(program):
        (rule,) = route["spec"]["rules"]
        (backend,) = rule["backendRefs"]
        assert (backend["kind"], backend["name"], backend["port"]) == ("Service", "proxy", port)
        assert [match["path"]["value"] for match in rule["matches"]] == ["/"]


def test_routes_name_the_gateway_and_its_listeners() -> None:
    (parent,) = routes(deployment("gateway"))[0]["spec"]["parentRefs"]
    expected = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "namespace": "gateways",
        "name": "public",
        "sectionName": "https",
    }
    assert parent == expected


def test_phones_and_sockets_may_wait_as_long_as_they_like() -> None:
    for route in routes(deployment("gateway")):
        assert route["spec"]["rules"][0]["timeouts"] == {"request": "0s", "backendRequest": "0s"}


def test_port_80_sends_browsers_to_https_and_nothing_to_the_proxy() -> None:
    for route in routes(deployment("gateway"), "http"):
        (rule,) = route["spec"]["rules"]
        (step,) = rule["filters"]
        assert (step["type"], step["requestRedirect"]["scheme"]) == ("RequestRedirect", "https")
        assert "backendRefs" not in rule


def test_without_a_listener_of_port_80_nothing_answers_there() -> None:
    assert routes(behind({"redirect": None}), "http") == []


def test_no_route_has_more_hosts_than_the_api_takes() -> None:
    hosted = [f"domain{number}.example.net" for number in range(40)]
    secrets = {"issuer": "secrets", "proxy": "our-web", "mx": "our-mx", "sieve": "our-sieve"}
    program = behind(hostedDomains=hosted, tls=secrets, tlsa=None)
    found = routes(program)
    assert max(len(each["spec"]["hostnames"]) for each in found) <= 16
    assert len(hosts(found)) == len({*hosts(found)}) > 16
    names = [each["metadata"]["name"] for each in program.of_kind("HTTPRoute")]
    assert len(names) == len({*names})


def test_a_domain_with_a_certificate_of_its_own_has_a_route_of_its_own() -> None:
    before, after = (
        {each["metadata"]["name"]: each["spec"] for each in routes(behind(hostedDomains=domains))}
        for domains in (["example.net"], ["example.com", "example.net"])
    )
    assert {*after} - {*before} == {"web.example.com"}
    assert {name: after[name] for name in before} == before


def test_the_gateway_speaks_tls_to_the_proxy_and_believes_public_authorities() -> None:
    (policy,) = deployment("gateway").of_kind("BackendTLSPolicy")
    assert policy["apiVersion"] == API
    (target,) = policy["spec"]["targetRefs"]
    assert (target["kind"], target["name"], target["sectionName"]) == ("Service", "proxy", "https")
    own, *_ = deployment("gateway").of_kind("Certificate")
    validation = policy["spec"]["validation"]
    assert validation["hostname"] in own["spec"]["dnsNames"]
    assert validation["wellKnownCACertificates"] == "System"


def test_authorities_of_ones_own_are_believed_alone() -> None:
    pem = certificate()[0]
    program = behind({"authorities": pem})
    (policy,) = program.of_kind("BackendTLSPolicy")
    (believed,) = policy["spec"]["validation"]["caCertificateRefs"]
    assert "wellKnownCACertificates" not in policy["spec"]["validation"]
    config = program.get("ConfigMap", believed["name"])
    assert config["data"] == {"ca.crt": pem}
    assert config["immutable"] is True


def test_who_believes_other_authorities_has_another_policy_since_no_one_may_name_both_kinds() -> None:
    names = {
        program.of_kind("BackendTLSPolicy")[0]["metadata"]["name"]
        for program in (deployment("gateway"), behind({"authorities": certificate()[0]}))
    }
    assert len(names) == 2


def test_other_authorities_are_another_config_map() -> None:
    names = set()
    for pem in (certificate()[0], certificate()[0] * 2):
        (policy,) = behind({"authorities": pem}).of_kind("BackendTLSPolicy")
        (believed,) = policy["spec"]["validation"]["caCertificateRefs"]
        names.add(believed["name"])
    assert len(names) == 2


def test_the_gateways_namespace_may_read_certificates_of_web_names_alone() -> None:
    (grant,) = deployment("gateway").of_kind("ReferenceGrant")
    assert grant["spec"]["from"] == [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "gateways"}
    ]
    shown = {each["name"] for each in grant["spec"]["to"]}
    hosted = raw("cluster")["hostedDomains"]
    assert shown == {"proxy-certificate", *(f"tls.{domain}" for domain in hosted)}
    assert {each["kind"] for each in grant["spec"]["to"]} == {"Secret"}


@pytest.mark.parametrize("more", [{"certificates": "gateway"}, {"namespace": "kolab"}])
def test_nothing_is_granted_where_nothing_is_read_from_afar(more: Manifest) -> None:
    assert behind(more).of_kind("ReferenceGrant") == []


def test_the_proxy_believes_the_gateways_pods_alone_about_a_client() -> None:
    configs = [text for each in deployment("gateway").of_kind("ConfigMap") for text in each["data"].values()]
    (http,) = (text for text in configs if "\nset_real_ip_from" in text)
    trusted = [line for line in http.splitlines() if line.startswith("set_real_ip_from")]
    assert trusted == ["set_real_ip_from 10.42.7.0/24;"]
    assert "real_ip_recursive on;" in http


def test_the_gateways_pods_alone_reach_the_proxys_tls_port_from_outside_of_the_stack() -> None:
    policy = deployment("gateway").get("NetworkPolicy", "proxy")
    (rule,) = (
        each
        for each in policy["spec"]["ingress"]
        if any("ipBlock" in peer for peer in each.get("from", ()))
        and {port["port"] for port in each["ports"]} == {6443}
    )
    peers = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}},
        {"ipBlock": {"cidr": "10.42.7.0/24"}},
    ]
    assert rule["from"] == peers
    everybody = [each for each in policy["spec"]["ingress"] if not each.get("from")]
    assert 6443 not in {port["port"] for each in everybody for port in each["ports"]}


def test_no_other_stack_needs_kinds_of_the_gateway_api() -> None:
    kinds = ("HTTPRoute", "BackendTLSPolicy", "ReferenceGrant")
    for name in ("single-node", "cluster", "full"):
        assert deployment(name).of_kind(*kinds) == []


def test_changes_of_the_gateway_replace_nothing_but_what_is_named_by_its_content() -> None:
    """Names stay whatever changes, so that a route is updated in place and serves all the while."""
    programs = [behind(each) for each in ({}, {"listeners": ["https", "more"]}, {"name": "other"})]
    names = [
        [each["metadata"]["name"] for each in program.of_kind("HTTPRoute", "BackendTLSPolicy")]
        for program in programs
    ]
    assert all(one == other for one, other in pairwise(names))
