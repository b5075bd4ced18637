"""What holds for the topology of every stack that the rules accept."""

from __future__ import annotations

import ipaddress
import re

from model import topology
from model.names import Names
from model.secrets import secrets
from model.settings import Settings
from model.sizing import DEFAULTS, size_of
from model.topology import Daemon, Outside, Port
from model.types import bytes_of, hostname

_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_PORT = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")


Listening = dict[Daemon, tuple[Port, ...]]


def _listening(settings: Settings) -> Listening:
    """Everything that runs, and what it listens on, public ports included."""
    public = topology.public_ports(settings)
    return {
        daemon: tuple(
            dict.fromkeys((*daemon.ports, *(port.target for port in public if port.daemon == daemon)))
        )
        for daemon in topology.daemons(settings)
    }


def hold(settings: Settings) -> None:
    """Raises AssertionError where the topology of `settings` contradicts itself."""
    running = topology.daemons(settings)
    assert len({daemon.name for daemon in running}) == len(running), "two daemons of one name"
    listening = _listening(settings)
    _daemons(listening)
    _connections(settings, listening)
    _public_ports(settings, listening)
    _names(settings)
    _sizes(settings)
    keys = [secret.key for secret in secrets(settings)]
    assert len(keys) == len(set(keys)), "two secrets under one key"


def _daemons(listening: Listening) -> None:
    for daemon, found in listening.items():
        assert _LABEL.fullmatch(daemon.name), f"{daemon.name} is no name of a Service"
        assert len({port.name for port in found}) == len(found), f"{daemon.name} has two ports of one name"
        assert len({(port.number, port.protocol) for port in found}) == len(found), (
            f"{daemon.name} listens twice"
        )
        for port in found:
            assert _PORT.fullmatch(port.name), f"{port.name} is no name of a port"
            assert len(port.name) <= 15, f"{port.name} is too long for Kubernetes"
            assert 1024 <= port.number < 65536, f"{daemon.name} would need root for {port.number}"


def _connections(settings: Settings, listening: Listening) -> None:
    seen = set()
    for connection in topology.connections(settings):
        assert connection.client in listening, f"{connection.client.name} does not run"
        assert connection.why
        if isinstance(connection.server, Outside):
            assert connection.server.somewhere
            for block in connection.server.blocks:
                assert all(ipaddress.ip_network(each) for each in (block.network, *block.excepted))
            ports = connection.server.ports
        else:
            assert connection.server in listening, f"{connection.server.name} does not run"
            ports = listening[connection.server]
        assert set(connection.ports) <= {port.name for port in ports}, (
            f"{connection.server.name} lacks a port of {connection.ports}"
        )
        for port in connection.ports or (port.name for port in ports):
            key = (connection.client.name, connection.server.name, port)
            assert key not in seen, f"{key} stands twice"
            seen.add(key)


def _public_ports(settings: Settings, listening: Listening) -> None:
    public = topology.public_ports(settings)
    namesakes: dict[str, set[str]] = {}
    for daemon, ports in listening.items():
        for each in ports:
            namesakes.setdefault(each.name, set()).add(daemon.name)
    inside = topology.load_balancer_addresses(settings)
    assert set(inside) == {port.service for port in public}
    assert inside.keys() == topology.public_addresses(settings).keys()
    owner: dict[tuple[str, int, str], str] = {}
    for port in public:
        # On a shared address, Services select all public pods: the name of the target alone leads to the right one.
        assert namesakes.get(port.target.name) == {port.daemon.name}, (
            f"{port.target.name} is a port of several"
        )
        assert inside[port.service], f"{port.service} has no address"
        for address in inside[port.service]:
            other = owner.setdefault((address, port.number, port.target.protocol), port.target.name)
            assert other == port.target.name, f"{address}:{port.number} is {other} and {port.target.name}"
    if settings.single_node:
        assert len({address for found in inside.values() for address in found}) == 1
    else:
        daemons = {
            a: {p.daemon for p in public if a in inside[p.service]}
            for found in inside.values()
            for a in found
        }
        assert all(len(found) == 1 for found in daemons.values()), "an address leads to two daemons"


def _names(settings: Settings) -> None:
    names = Names.of(settings)
    hosted = [name for found in names.domain_certificates.values() for name in found]
    for host in (
        *names.web,
        *names.proxy_certificate,
        *hosted,
        *names.mx_certificate,
        names.sieve,
        names.turn,
    ):
        assert hostname(host) == host
    assert len(set(names.web)) == len(names.web)
    certified = [*names.proxy_certificate, *hosted]
    assert len(set(certified)) == len(certified)


def _sizes(settings: Settings) -> None:
    for name in DEFAULTS:
        size = size_of(settings, name)
        assert bytes_of(size.memory) <= bytes_of(size.memory_limit), f"{name} requests more than its limit"
