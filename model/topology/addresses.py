"""What the world reaches: public ports, and the addresses that carry them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from model.settings import Settings
from model.topology.daemons import IMAP, MEET, MEET_FIRST_MEDIA_PORT, POSTFIX, PROXY, TURN, Daemon, Port
from model.topology.sending import postfix_nodes


@dataclass(frozen=True)
class PublicPort:
    """A port of the outside world: the public Service that carries it, and which port of which daemon answers."""

    service: Literal["proxy", "smtp", "turn", "sieve", "meet"]
    number: int
    daemon: Daemon
    target: Port


def meet_media_ports(settings: Settings) -> tuple[Port, ...]:
    """WebRTC ports of Meet, UDP and TCP, one pair per worker."""
    numbers = range(MEET_FIRST_MEDIA_PORT, MEET_FIRST_MEDIA_PORT + settings.meet.workers)
    return tuple(
        port
        for worker, number in enumerate(numbers)
        for port in (Port(f"media{worker}-udp", number, "UDP"), Port(f"media{worker}", number))
    )


def public_ports(settings: Settings) -> tuple[PublicPort, ...]:
    """Every port that the stack opens to the world."""
    web = settings.network.web_server is None
    proxy = {"https": 443, "redirect": 80} if web else {}
    proxy |= {"imap-starttls": 143, "imaps": 993, "submit-starttls": 587, "submissions": 465}
    ports = [PublicPort("proxy", number, PROXY, PROXY.port(name)) for name, number in proxy.items()]
    ports.append(PublicPort("smtp", 25, POSTFIX, POSTFIX.port("smtp-in")))
    ports.append(PublicPort("sieve", 4190, IMAP, IMAP.port("sieve-tls")))
    if settings.features.turn and settings.features.meet:
        ports += [PublicPort("turn", port.number, TURN, port) for port in TURN.ports]
    if settings.features.meet:
        ports += [PublicPort("meet", port.number, MEET, port) for port in meet_media_ports(settings)]
    return tuple(ports)


def public_services(settings: Settings) -> tuple[str, ...]:
    """Names of the public Services: cluster mode needs an address for each."""
    return tuple(dict.fromkeys(port.service for port in public_ports(settings)))


def load_balancer_addresses(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Public Service -> its addresses on the load balancer. One address of each family in single-node mode, dedicated ones in cluster mode."""
    given = settings.network.addresses
    if settings.single_node:
        # Postfix alone listens on IPv6 (model/rules/addresses.py, rule ipv6-not-listening).
        shared = tuple(str(address) for address in given.all if address.version == 4)
        return dict.fromkeys(public_services(settings), shared) | {"smtp": tuple(map(str, given.all))}
    return {service: tuple(map(str, given.of(service))) for service in public_services(settings)}


def public_addresses(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Public Service -> addresses that the world uses: those on the load balancer after NAT."""
    nat = {str(inside): str(outside) for inside, outside in settings.network.public.items()}
    return {
        service: tuple(nat.get(address, address) for address in addresses)
        for service, addresses in load_balancer_addresses(settings).items()
    }


def edge_node(settings: Settings) -> str | None:
    """The one node of all public pods, if single-node mode knows its name."""
    if not settings.single_node:
        return None
    return settings.network.edge_node or next(iter(postfix_nodes(settings)), None)


def host_ports(settings: Settings, daemon: Daemon) -> dict[str, int]:
    """Port name -> port on the node, where the stack opens node ports instead of using a load balancer."""
    if settings.network.load_balancer != "hostPort":
        return {}
    return {port.target.name: port.number for port in public_ports(settings) if port.daemon == daemon}
