"""One visit of the doctor: what the model expects, and the ways to see what there is."""

from __future__ import annotations

from functools import cached_property

from model import identity, topology
from model.identity.place import forward_zones, reverse_zones
from model.identity.rdata import Value
from model.identity.record import Record
from model.names import Names
from model.settings import Settings
from ops.doctor.check import Unseen
from ops.doctor.edge import Edge
from ops.doctor.names import Dns
from ops.doctor.wire import Wire

RRset = tuple[str, str]
"""Name and type."""


class Visit:
    """Expectations come from the model that makes the records; nothing is typed twice."""

    def __init__(self, settings: Settings, edge: Edge) -> None:
        self.settings, self.edge = settings, edge
        self.names = Names.of(settings)
        self.zones = (*forward_zones(settings), *reverse_zones(settings))
        self.dns, self.wire = Dns(edge, frozenset(self.zones)), Wire(edge)

    @property
    def live(self) -> bool:
        """Whether the world's mail comes here."""
        return bool(self.settings.live)

    @property
    def public(self) -> bool:
        """Whether strangers can believe our certificates."""
        return self.settings.tls.issuer != "selfSigned"

    @cached_property
    def planned(self) -> dict[RRset, tuple[Record, ...]]:
        """Every record set that the world must see."""
        found: dict[RRset, list[Record]] = {}
        for record in identity.records(self.settings):
            found.setdefault((record.name, record.type), []).append(record)
        return {key: tuple(records) for key, records in found.items()}

    @cached_property
    def ports(self) -> dict[str, tuple[str, ...]]:
        """Public Service -> its addresses."""
        return topology.public_addresses(self.settings)

    @cached_property
    def web(self) -> tuple[str, ...]:
        """Addresses that answer 80 and 443."""
        given = self.settings.network.web_addresses
        return self.ports.get("proxy", ()) if given is None else tuple(map(str, given))

    @property
    def front(self) -> str:
        """One address of the website. Raises Unseen when it has none."""
        if not self.web:
            raise Unseen("no address answers for the website")
        return self.web[0]

    @cached_property
    def opened(self) -> tuple[tuple[str, int, str], ...]:
        """Address, port and protocol of all that is open to the world."""
        rows = [
            (address, port.number, port.target.protocol)
            for port in topology.public_ports(self.settings)
            for address in self.ports[port.service]
        ]
        if self.settings.network.web_server:
            rows += [(address, number, "TCP") for address in self.web for number in (80, 443)]
        return tuple(dict.fromkeys(rows))

    @property
    def egress(self) -> tuple[str, ...]:
        """Addresses that our mail leaves from."""
        return topology.egress_addresses(self.settings, announced=True)

    def values(self, name: str, kind: str) -> frozenset[Value]:
        """What the model plans there."""
        return frozenset(record.value for record in self.planned.get((name, kind), ()))
