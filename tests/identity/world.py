"""A small world: what one zone answers, with wildcards, aliases, whole trees (DNAME) and delegations (RFC 1034, 4592, 6672)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from model.identity.record import Record

Answer = frozenset[str]


class World:
    """Answers of the server of `zone` that holds these records."""

    def __init__(self, zone: str, records: Iterable[Record]) -> None:
        self.zone = zone
        self.found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.names = {zone}
        for record in records:
            self.found[record.name][record.type].add(record.content)
            name = record.name
            while name.endswith(f".{zone}"):
                self.names.add(name)
                name = name.partition(".")[2]

    def ask(self, name: str, kind: str) -> Answer:
        """Values, or `DNAME x`, `NS x`, `CNAME x` where somebody else answers; empty where there is nothing."""
        above = name.removesuffix(self.zone).rstrip(".").split(".") if name != self.zone else []
        ways = [".".join((*above[n:], self.zone)) for n in range(len(above), -1, -1)]
        for way in ways:
            if way != self.zone and (cut := self.found[way]["NS"]):
                return self._given(cut, "NS")
            if way != name and (tree := self.found[way]["DNAME"]):
                return self._given(tree, "DNAME")
        if name in self.names:
            return self._at(name, kind)
        closest = next(way for way in reversed(ways) if way in self.names)
        return self._at(f"*.{closest}", kind) if f"*.{closest}" in self.names else frozenset()

    def exists(self, name: str) -> bool:
        """Whether a name has records, or one below it has."""
        return name in self.names

    def _at(self, name: str, kind: str) -> Answer:
        if kind != "CNAME" and (alias := self.found[name]["CNAME"]):
            return self._given(alias, "CNAME")
        return frozenset(self.found[name][kind])

    def _given(self, values: Iterable[str], kind: str) -> Answer:
        return frozenset(f"{kind} {value}" for value in values)
