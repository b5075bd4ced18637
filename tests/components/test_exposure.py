"""The way in: each public port leads to one daemon, which sees who calls."""

from __future__ import annotations

from typing import Any

import pytest

from model import topology
from model.ingress import CONTROLLERS
from model.settings import Settings
from tests.support.deploy import deploy, way_in
from tests.support.stacks import changed, deployment, raw, stack

SINGLE = ("single-node", "local")


def public(name: str) -> dict[str, dict[str, Any]]:
    """The Services of type LoadBalancer."""
    found = deployment(name).of_kind("Service")
    return {each["metadata"]["name"]: each for each in found if each["spec"].get("type") == "LoadBalancer"}


def behind(name: str, service: dict[str, Any], port: dict[str, Any]) -> list[tuple[str, int]]:
    """Daemons, and their ports, that a port of a Service leads to: as the endpoint controller finds them."""
    selector = service["spec"]["selector"].items()
    return [
        (workload.daemon, target["containerPort"])
        for workload in deployment(name).workloads
        if selector <= workload.labels.items()
        for target in workload.port(port["targetPort"])
        if target["protocol"] == port["protocol"]
    ]


PORTS = [
    (name, port.number, port.daemon.name)
    for name in ("single-node", "cluster")
    for port in topology.public_ports(stack(name))
]
"""What is public stands in tests/model/test_topology.py."""


@pytest.mark.parametrize(("name", "number", "daemon"), sorted({*PORTS}))
def test_each_public_port_leads_to_one_daemon(name: str, number: int, daemon: str) -> None:
    found = [
        target
        for service in public(name).values()
        for port in service["spec"]["ports"]
        if port["port"] == number
        for target in behind(name, service, port)
    ]
    assert {target for target, _ in found} == {daemon}


def _given() -> dict[str, str]:
    """Address of the shipped cluster -> its public Service."""
    return {address: service for service, address in raw("cluster")["network"]["addresses"].items()}


def test_nothing_else_is_public() -> None:
    opened = {port["port"] for each in public("cluster").values() for port in each["spec"]["ports"]}
    assert opened == {number for name, number, _ in PORTS if name == "cluster"}


def test_each_daemon_of_a_cluster_has_its_address() -> None:
    found = {
        name: each["metadata"]["annotations"]["metallb.io/loadBalancerIPs"]
        for name, each in public("cluster").items()
    }
    assert found == {f"public-{service}": address for address, service in _given().items()}


@pytest.mark.parametrize("name", SINGLE)
def test_services_of_one_address_are_allowed_to_share_it(name: str) -> None:
    # MetalLB: policy Local shares between identical selectors only, and with one key.
    services = public(name).values()
    assert len({str(sorted(each["spec"]["selector"].items())) for each in services}) == 1
    annotations = [each["metadata"]["annotations"] for each in services]
    assert {each["metallb.io/loadBalancerIPs"] for each in annotations} == {"192.0.2.10"}
    assert len({each["metallb.io/allow-shared-ip"] for each in annotations}) == 1


@pytest.mark.parametrize("name", SINGLE)
def test_no_port_of_the_one_address_is_taken_twice(name: str) -> None:
    ports = [(p["port"], p["protocol"]) for each in public(name).values() for p in each["spec"]["ports"]]
    assert len(ports) == len(set(ports))


def test_all_public_pods_run_on_the_node_that_holds_the_address() -> None:
    for workload in deployment("single-node").workloads:
        if "kolab.org/edge" in workload.labels:
            (term,) = workload.pod["affinity"]["nodeAffinity"][
                "requiredDuringSchedulingIgnoredDuringExecution"
            ]["nodeSelectorTerms"]
            assert term["matchFields"][0]["values"] == ["server1"]


@pytest.mark.parametrize("name", ["single-node", "cluster", "full"])
def test_daemons_see_who_calls(name: str) -> None:
    for each in public(name).values():
        assert each["spec"]["externalTrafficPolicy"] == "Local"


def test_no_second_way_in_is_opened_on_the_nodes() -> None:
    for each in public("cluster").values():
        assert each["spec"]["allocateLoadBalancerNodePorts"] is False


def test_no_other_service_of_the_cluster_takes_our_addresses() -> None:
    (pool,) = deployment("cluster").of_kind("IPAddressPool")
    assert pool["spec"]["addresses"] == [f"{address}/32" for address in sorted(_given())]
    assert pool["spec"]["autoAssign"] is False
    assert pool["spec"]["serviceAllocation"]["namespaces"] == ["kolab"]


def test_the_addresses_are_announced() -> None:
    (pool,) = deployment("cluster").of_kind("IPAddressPool")
    (advertisement,) = deployment("cluster").of_kind("L2Advertisement")
    assert advertisement["spec"]["ipAddressPools"] == [pool["metadata"]["name"]]


def test_a_service_is_ready_when_it_has_its_address() -> None:
    # Pods come later and wait for each other's Services.
    for each in public("cluster").values():
        assert each["metadata"]["annotations"]["pulumi.com/waitFor"] == (
            "jsonpath={.status.loadBalancer.ingress}"
        )


def test_without_a_load_balancer_the_pods_open_the_public_ports_themselves() -> None:
    opened = {
        (port["hostPort"], port["protocol"]): workload.daemon
        for workload in deployment("host-port").workloads
        for container in workload.containers
        for port in container.get("ports", ())
        if "hostPort" in port
    }
    assert opened == {
        (port.number, port.target.protocol): port.daemon.name
        for port in topology.public_ports(stack("host-port"))
    }
    assert public("host-port") == {}
    assert deployment("host-port").of_kind("IPAddressPool", "L2Advertisement") == []


def test_no_pod_opens_ports_on_the_node_beside_a_load_balancer() -> None:
    assert not any("hostPort" in str(each.template) for each in deployment("single-node").workloads)


@pytest.mark.parametrize("name", ["full", "bare"])
def test_an_ingress_leads_every_web_host_to_the_proxy_over_https(name: str) -> None:
    (ingress,) = deployment(name).of_kind("Ingress")
    hosts = {rule["host"] for rule in ingress["spec"]["rules"]}
    assert {"example.org", "admin.example.org", "mta-sts.example.org", "autoconfig.example.org"} <= hosts
    for rule in ingress["spec"]["rules"]:
        (path,) = rule["http"]["paths"]
        assert (path["path"], path["backend"]["service"]) == (
            "/",
            {"name": "proxy", "port": {"name": "https"}},
        )
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/backend-protocol"] == "HTTPS"


CONTROLLED = {
    "ingress-nginx": {
        "nginx.ingress.kubernetes.io/proxy-body-size": "78643200",
        "nginx.ingress.kubernetes.io/proxy-read-timeout": "3600",
    },
    "nginx": {"nginx.org/ssl-services": "proxy", "nginx.org/client-max-body-size": "78643200"},
    "traefik": {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"},
    "haproxy": {"haproxy.org/server-ssl": "true", "haproxy.org/timeout-tunnel": "3600s"},
    "haproxy-ingress": {"haproxy-ingress.github.io/secure-backends": "true"},
    "contour": {"projectcontour.io/response-timeout": "infinity"},
}
"""What each controller must be told of a message of 50 MiB and of phones that wait."""


def controlled_by(controller: str, **more: Any) -> Settings:
    ingress = {
        "className": "web",
        "controller": controller,
        "namespace": "ingress",
        "controllerCidr": "10.42.1.0/24",
        "addresses": ["192.0.2.99"],
    }
    network = {**raw("cluster")["network"], "ingress": ingress}
    return changed("cluster", {"network": network, **more})


@pytest.mark.parametrize("controller", sorted(CONTROLLERS))
def test_each_controller_is_told_how_large_mail_is_and_how_long_phones_wait(controller: str) -> None:
    (ingress,) = way_in(controlled_by(controller)).of_kind("Ingress")
    assert CONTROLLED[controller].items() <= ingress["metadata"]["annotations"].items()
    others = {each for kind, found in CONTROLLED.items() if kind != controller for each in found}
    assert not others & set(ingress["metadata"]["annotations"])


def test_traefik_is_told_which_name_the_certificate_of_the_proxy_has() -> None:
    program = deploy(controlled_by("traefik"))
    (transport,) = program.of_kind("ServersTransport")
    assert transport["spec"] == {"serverName": "example.org"}
    told = program.get("Service", "proxy")["metadata"]["annotations"]
    assert told["traefik.ingress.kubernetes.io/service.serversscheme"] == "https"
    name = f"{transport['metadata']['namespace']}-{transport['metadata']['name']}@kubernetescrd"
    assert told["traefik.ingress.kubernetes.io/service.serverstransport"] == name


def test_traefik_trusts_the_stacks_own_authority_only_where_there_is_no_other() -> None:
    mail = {**raw("cluster")["mail"], "mtaSts": {"stage": "none"}}
    program = way_in(controlled_by("traefik", tls={"issuer": "selfSigned"}, mail=mail, tlsa=None))
    (transport,) = program.of_kind("ServersTransport")
    assert transport["spec"]["rootCAsSecrets"] == ["proxy-certificate"]


@pytest.mark.parametrize("controller", sorted(set(CONTROLLERS) - {"traefik"}))
def test_no_other_controller_needs_kinds_of_traefik(controller: str) -> None:
    assert way_in(controlled_by(controller)).of_kind("ServersTransport") == []


@pytest.mark.parametrize(("name", "secret"), [("bare", "proxy-certificate"), ("full", "our-web")])
def test_an_ingress_shows_the_certificate_of_the_proxy(name: str, secret: str) -> None:
    (ingress,) = deployment(name).of_kind("Ingress")
    assert [each["secretName"] for each in ingress["spec"]["tls"]] == [secret]


def test_single_node_takes_mail_on_ipv6_too_where_it_has_an_address() -> None:
    network = {**raw("single-node")["network"]}
    network["addresses"] = {"all": ["192.0.2.10", "2001:db8::10"]}
    program = deploy(changed("single-node", {"network": network}))
    services = {
        s["metadata"]["name"]: s
        for s in program.of_kind("Service")
        if s["spec"].get("type") == "LoadBalancer"
    }
    smtp = services.pop("public-smtp")
    assert smtp["spec"]["ipFamilies"] == ["IPv4", "IPv6"]
    assert smtp["metadata"]["annotations"]["metallb.io/loadBalancerIPs"] == "192.0.2.10,2001:db8::10"
    assert {tuple(each["spec"]["ipFamilies"]) for each in services.values()} == {("IPv4",)}
    keys = {
        each["metadata"]["annotations"]["metallb.io/allow-shared-ip"] for each in (smtp, *services.values())
    }
    assert len(keys) == 1
    (pool,) = program.of_kind("IPAddressPool")
    assert pool["spec"]["addresses"] == ["192.0.2.10/32", "2001:db8::10/128"]


def test_behind_an_ingress_the_proxy_keeps_the_mail_ports_only() -> None:
    opened = {port["port"] for port in public("full")["public-proxy"]["spec"]["ports"]}
    assert opened == {143, 465, 587, 993}
