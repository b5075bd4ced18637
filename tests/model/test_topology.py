"""Daemons, ports and connections, as docs/reference and the design promise them."""

from __future__ import annotations

import re
from typing import get_args, get_type_hints

import pytest

from model import topology
from model.settings import PublicAddresses, Settings
from model.stack_file import StackFileError, load
from model.topology import (
    ALERTMANAGER,
    COLLABORA,
    IMAP,
    LOGS,
    MEET,
    POSTFIX,
    PROMETHEUS,
    ROUNDCUBE,
    TURN,
    WEBAPP,
    Daemon,
    Outside,
)
from ops.stacks import ROOT
from tests.model import invariants
from tests.model.files import Raw, settings
from tests.support.stacks import GATEWAY, raw

S3 = {"endpoint": "https://s3.example.net", "bucket": "kolab", "cidr": "198.51.100.34/32"}
EXTERNAL = {
    "database": {"host": "db.example.net", "cidr": "198.51.100.32/32"},
    "redis": {"host": "redis.example.net", "cidr": "198.51.100.33/32"},
    "s3": S3,
}
INGRESS = {"className": "nginx", "namespace": "ingress", "controllerCidr": "10.42.7.0/24"}
BARE = {"features": dict.fromkeys(("meet", "turn", "office", "files", "activesync"), False)}

VARIANTS: dict[str, tuple[str, Raw]] = {
    "single-node": ("single-node", {}),
    "cluster": ("cluster", {}),
    "bare": ("single-node", {**BARE, "monitoring": {"enabled": False}}),
    "no relay for meet": ("single-node", {"features/turn": False}),
    "many workers": ("single-node", {"meet/workers": 64}),
    "external": ("cluster", {"external": EXTERNAL}),
    "ingress": ("cluster", {"network/ingress": INGRESS}),
    "gateway": ("cluster", {"network/gateway": GATEWAY}),
    "host ports": ("single-node", {"network/loadBalancer": "hostPort"}),
    "relay": (
        "single-node",
        {"network/egress": {"mode": "relay", "host": "relay.example.net", "port": 2525}},
    ),
}

HTTP_PATHS = {
    "/": WEBAPP,
    "/api": WEBAPP,
    "/oauth": WEBAPP,
    "/.well-known/openid-configuration": WEBAPP,
    "/autodiscover/autodiscover.xml": WEBAPP,
    "/mail/config-v1.1.xml": WEBAPP,
    "/Microsoft-Server-ActiveSync": ROUNDCUBE,
    "/webmail": ROUNDCUBE,
    "/chwala": ROUNDCUBE,
    "/dav": IMAP,
    "/.well-known/caldav": IMAP,
    "/freebusy": IMAP,
    "/browser": COLLABORA,
    "/hosting/discovery": COLLABORA,
    "/cool": COLLABORA,
    "/meetmedia": MEET,
    "/prometheus": PROMETHEUS,
    "/alertmanager": ALERTMANAGER,
    "/select": LOGS,
}
"""Public path -> what answers, as Kolab documents it."""


def clients(found: Settings, server: Daemon, port: str) -> set[str]:
    """Who may connect to a port."""
    return {
        connection.client.name
        for connection in topology.connections(found)
        if connection.server == server and (not connection.ports or port in connection.ports)
    }


def outside(found: Settings, client: Daemon) -> set[tuple[str, int]]:
    """What a daemon may reach beyond the pods."""
    return {
        (connection.server.name, port.number)
        for connection in topology.connections(found)
        if connection.client == client and isinstance(connection.server, Outside)
        for port in connection.server.ports
    }


def public(found: Settings) -> dict[str, dict[str, str]]:
    """Claim -> number/protocol -> daemon."""
    shown: dict[str, dict[str, str]] = {}
    for port in topology.public_ports(found):
        place = f"{port.number}/{port.target.protocol.lower()}"
        shown.setdefault(port.service, {})[place] = port.daemon.name
    return shown


@pytest.mark.parametrize("name", VARIANTS)
def test_the_topology_agrees_with_itself(name: str) -> None:
    invariants.hold(settings(*VARIANTS[name]))


@pytest.mark.parametrize("mode", ["single-node", "cluster"])
def test_the_same_ports_are_public_in_both_modes(mode: str) -> None:
    assert public(settings(mode)) == {
        "proxy": {
            "443/tcp": "proxy",
            "80/tcp": "proxy",
            "143/tcp": "proxy",
            "993/tcp": "proxy",
            "587/tcp": "proxy",
            "465/tcp": "proxy",
        },
        "smtp": {"25/tcp": "postfix"},
        "sieve": {"4190/tcp": "imap"},
        "turn": {"3478/tcp": "coturn", "3478/udp": "coturn"},
        "meet": {"44444/tcp": "meet", "44444/udp": "meet", "44445/tcp": "meet", "44445/udp": "meet"},
    }


def test_single_node_puts_every_port_on_its_one_address() -> None:
    inside = topology.load_balancer_addresses(settings("single-node"))
    assert set(inside.values()) == {("192.0.2.10",)}


def test_an_ipv6_address_of_single_node_carries_port_25_alone() -> None:
    network = {"network": {"addresses": {"all": ["192.0.2.10", "2001:db8::10"]}}}
    inside = topology.load_balancer_addresses(settings("single-node", network))
    assert inside.pop("smtp") == ("192.0.2.10", "2001:db8::10")
    assert set(inside.values()) == {("192.0.2.10",)}


def test_cluster_gives_each_public_daemon_an_address_of_its_own() -> None:
    inside = topology.load_balancer_addresses(settings("cluster"))
    assert inside == {
        "proxy": ("10.20.0.10",),
        "smtp": ("10.20.0.11",),
        "sieve": ("10.20.0.13",),
        "turn": ("10.20.0.12",),
        "meet": ("10.20.0.14",),
    }


def test_the_world_sees_addresses_after_nat() -> None:
    assert topology.public_addresses(settings("cluster"))["smtp"] == ("192.0.2.11",)
    assert topology.public_addresses(settings("cluster", {"network/public": {}}))["smtp"] == ("10.20.0.11",)


@pytest.mark.parametrize("name", ["ingress", "gateway"])
def test_another_server_takes_the_web_ports_and_leaves_mail_to_the_proxy(name: str) -> None:
    found = public(settings(*VARIANTS[name]))["proxy"]
    assert set(found) == {"143/tcp", "993/tcp", "587/tcp", "465/tcp"}


def test_meet_opens_a_port_for_each_worker() -> None:
    found = public(settings("cluster", {"meet/workers": 3}))["meet"]
    assert set(found) == {f"{number}/{kind}" for number in (44444, 44445, 44446) for kind in ("tcp", "udp")}


@pytest.mark.parametrize(
    ("changes", "services"),
    [
        ({"features/turn": False}, {"proxy", "smtp", "sieve", "meet"}),
        ({"features/meet": False}, {"proxy", "smtp", "sieve"}),
        (BARE, {"proxy", "smtp", "sieve"}),
    ],
)
def test_what_is_switched_off_takes_no_address(changes: Raw, services: set[str]) -> None:
    assert set(topology.public_services(settings("cluster", changes))) == services


def test_every_public_service_has_an_address_of_its_own_in_cluster_mode() -> None:
    services = set(get_args(get_type_hints(topology.PublicPort)["service"]))
    missing = services ^ (PublicAddresses.model_fields.keys() - {"all"})
    assert not missing, f"PublicAddresses in model/settings/network.py and PublicPort differ in {missing}"


@pytest.mark.parametrize("service", sorted(PublicAddresses.services()))
def test_whatever_is_public_is_asked_for_an_address(service: str) -> None:
    values = raw("cluster")
    del values["network"]["addresses"][service]
    with pytest.raises(StackFileError, match=rf"kolab:network\.addresses\.{service}: "):
        load(values, need_secrets=False)


def test_host_ports_are_opened_by_the_pod_that_listens() -> None:
    found = settings(*VARIANTS["host ports"])
    assert topology.host_ports(found, POSTFIX) == {"smtp-in": 25}
    assert topology.host_ports(found, TURN) == {"turn": 3478, "turn-udp": 3478}
    assert topology.host_ports(found, WEBAPP) == {}


def test_without_host_ports_no_pod_opens_any() -> None:
    assert topology.host_ports(settings("single-node"), POSTFIX) == {}


@pytest.mark.parametrize(("path", "backend"), HTTP_PATHS.items(), ids=HTTP_PATHS)
def test_the_proxy_may_reach_what_answers_a_public_path(path: str, backend: Daemon) -> None:
    assert "proxy" in clients(settings("cluster"), backend, "http"), f"{path} would time out"


@pytest.mark.parametrize(
    ("server", "port", "expected"),
    [
        (topology.MARIADB, "mysql", {"before-migration", "restore-dump", "seed", "webapp", "horizon", "scheduler", "postfix", "roundcube", "roundcube-migrate", "blackbox"}),
        (topology.REDIS, "redis", {"seed", "webapp", "horizon", "scheduler", "postfix", "roundcube", "blackbox"}),
        (topology.VERSITYGW, "s3", {"webapp", "horizon", "scheduler"}),
        (IMAP, "lmtp", {"postfix"}),
        (IMAP, "sieve", {"roundcube"}),
        (POSTFIX, "metrics", {"prometheus"}),
        (COLLABORA, "http", {"proxy", "roundcube"}),
    ],
)  # fmt: skip
def test_nobody_but_these_reaches_an_inner_port(server: Daemon, port: str, expected: set[str]) -> None:
    assert clients(settings("cluster"), server, port) == expected


def test_only_postfix_sends_to_the_world() -> None:
    found = settings("cluster")
    assert {d.name for d in topology.daemons(found) if ("smtp", 25) in outside(found, d)} == {"postfix"}


def test_with_a_relay_not_even_postfix_does() -> None:
    found = settings(*VARIANTS["relay"])
    assert {number for name, number in outside(found, POSTFIX) if name in ("smtp", "relay")} == {2525}


def test_an_engine_outside_is_reached_at_its_own_network_alone() -> None:
    found = settings(*VARIANTS["external"])
    networks = {
        (connection.server.name, tuple(str(block.network) for block in connection.server.blocks))
        for connection in topology.connections(found)
        if isinstance(connection.server, Outside)
        and connection.client == WEBAPP
        and connection.why != "names"
    }
    assert networks == {
        ("database", ("198.51.100.32/32",)),
        ("redis", ("198.51.100.33/32",)),
        ("s3", ("198.51.100.34/32",)),
    }
    assert (topology.database_host(found), topology.redis_host(found)) == (
        "db.example.net",
        "redis.example.net",
    )


@pytest.mark.parametrize("port", [443, 9000])
@pytest.mark.parametrize(
    ("client", "why", "key", "value"),
    [
        (WEBAPP, "files", "external/s3", S3 | {"endpoint": "https://s3.example.net:PORT"}),
        (ALERTMANAGER, "alert webhooks", "monitoring/alerts", {"webhook": "https://alerts.example.net:PORT/kolab"}),
        (ALERTMANAGER, "alert webhooks", "monitoring/alerts", {"heartbeat": "https://alerts.example.net:PORT/kolab"}),
    ],
)  # fmt: skip
def test_a_service_of_somebody_else_is_reached_at_the_port_of_its_url(
    client: Daemon, why: str, key: str, value: dict[str, str], port: int
) -> None:
    found = settings(
        "single-node", {key: {name: text.replace("PORT", str(port)) for name, text in value.items()}}
    )
    (server,) = (
        connection.server
        for connection in topology.connections(found)
        if (connection.client, connection.why) == (client, why)
    )
    assert isinstance(server, Outside)
    assert port in {each.number for each in server.ports}


def test_engines_inside_are_reached_by_their_service() -> None:
    found = settings("cluster")
    assert (topology.database_host(found), topology.redis_host(found)) == ("mariadb", "redis")


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"features/office": False}, {"collabora"}),
        ({"features/meet": False}, {"meet", "coturn"}),
        ({"features/turn": False}, {"coturn"}),
        ({"features/files": False}, {"versitygw"}),
        ({"external": EXTERNAL}, {"mariadb", "redis", "versitygw"}),
        ({"monitoring": {"enabled": False}}, {"prometheus", "alertmanager", "victorialogs", "vector", "blackbox"}),
    ],
)  # fmt: skip
def test_a_switch_removes_its_daemons_and_no_others(changes: Raw, gone: set[str]) -> None:
    def names(found: Settings) -> set[str]:
        return {daemon.name for daemon in topology.daemons(found)}

    assert names(settings("cluster")) - names(settings("cluster", changes)) == gone


@pytest.mark.parametrize(
    ("changes", "node"),
    [
        ({}, "server1"),
        ({"network/edgeNode": "server2"}, "server2"),
        ({"network/egress": {"mode": "gateway", "addresses": ["192.0.2.9"]}}, None),
    ],
)
def test_single_node_knows_its_node_from_the_egress(changes: Raw, node: str | None) -> None:
    assert topology.edge_node(settings("single-node", changes)) == node


def test_a_cluster_has_no_edge_node() -> None:
    assert topology.edge_node(settings("cluster", {"network/edgeNode": "worker1"})) is None


@pytest.mark.parametrize(
    ("egress", "addresses"),
    [
        ({"mode": "nodes", "nodes": {"a": ["192.0.2.1", "2001:db8::1"], "b": ["192.0.2.2"]}}, ("192.0.2.1", "2001:db8::1", "192.0.2.2")),
        ({"mode": "gateway", "addresses": ["192.0.2.1"]}, ("192.0.2.1",)),
        ({"mode": "relay", "host": "relay.example.net"}, ()),
        (None, ()),
    ],
)  # fmt: skip
def test_mail_leaves_from_the_egress_addresses(egress: Raw | None, addresses: tuple[str, ...]) -> None:
    assert topology.egress_addresses(settings("cluster", {"network/egress": egress})) == addresses


def test_a_port_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError, match="imap has no port smtp"):
        IMAP.port("smtp")


def test_addresses_are_written_with_the_service_and_its_port() -> None:
    assert IMAP.at("lmtp") == "imap:11024"
    assert WEBAPP.url("http", "/api") == "http://webapp:8000/api"


def test_only_the_settings_know_the_kinds_of_egress() -> None:
    """Everything else asks what it needs to know: addresses, nodes, the smarthost, SPF."""
    asked = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for folder in ("model", "components", "ops")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "network.py"
        for found in re.finditer(r"egress\.mode\b.*[!=]=|Egress(?:Nodes|Gateway)\b", path.read_text())
        if path.parent.name != "settings"
    ]
    assert asked == []


@pytest.mark.parametrize(
    ("egress", "nodes", "relay", "spf"),
    [
        (None, (), None, ()),
        ({"mode": "gateway", "addresses": ["192.0.2.1"]}, (), None, ()),
        ({"mode": "nodes", "nodes": {"b": ["192.0.2.1"], "a": ["192.0.2.2"]}}, ("b", "a"), None, ()),
        ({"mode": "relay", "host": "relay.example"}, (), "relay.example", None),
        (
            {"mode": "relay", "host": "relay.example", "spfInclude": "spf.relay.example"},
            (),
            "relay.example",
            ("spf.relay.example",),
        ),
    ],
)
def test_each_kind_of_egress_answers_for_itself(
    egress: Raw | None, nodes: tuple[str, ...], relay: str | None, spf: tuple[str, ...] | None
) -> None:
    found = settings("cluster", {"network/egress": egress})
    through = topology.smarthost(found)
    assert topology.postfix_nodes(found) == nodes
    assert (through.host if through else None) == relay
    assert topology.spf_includes(found) == spf


def test_what_receivers_must_know_includes_what_is_announced() -> None:
    changes = {
        "network/egress": {"mode": "gateway", "addresses": ["192.0.2.1", "192.0.2.2"]},
        "network/announcedEgress": ["192.0.2.2", "192.0.2.3"],
    }
    found = settings("cluster", changes)
    assert topology.egress_addresses(found) == ("192.0.2.1", "192.0.2.2")
    assert topology.egress_addresses(found, announced=True) == ("192.0.2.1", "192.0.2.2", "192.0.2.3")
