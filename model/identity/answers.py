"""What a resolver would answer if the world held exactly these records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from model.identity.rdata import CNAME, TXT, Value
from model.identity.record import Record

_HOPS = 8
"""CNAMEs that a resolver follows before it gives up."""


class Asked(Protocol):
    """Whoever knows records: the plan, or the world."""

    def ask(self, name: str, kind: str) -> tuple[Value, ...]:
        """Values of that type at `name` or where its CNAMEs lead; empty when there are none."""

    def text(self, name: str, start: str) -> tuple[str, ...]:
        """TXT records at `name` that begin with `start`, such as v=spf1."""

    def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 and IPv6 addresses of `name`."""


class Answers:
    """Records by name and type, CNAMEs followed. A name that is not among them does not exist."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._found: dict[tuple[str, str], list[Value]] = {}
        self._aliases: dict[str, str] = {}
        for record in records:
            self._found.setdefault((record.name, record.type), []).append(record.value)
            if isinstance(record.value, CNAME):
                self._aliases[record.name] = record.value.target

    def ask(self, name: str, kind: str) -> tuple[Value, ...]:
        """Values of that type at `name` or where its CNAMEs lead; empty when there are none."""
        for _ in range(_HOPS):
            if (name, kind) in self._found:
                return tuple(self._found[name, kind])
            if name not in self._aliases:
                return ()
            name = self._aliases[name]
        return ()

    def text(self, name: str, start: str) -> tuple[str, ...]:
        """TXT records at `name` that begin with `start`, such as v=spf1."""
        return tuple(v.text for v in self.ask(name, "TXT") if isinstance(v, TXT) and v.text.startswith(start))

    def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 and IPv6 addresses of `name`."""
        return tuple(str(value) for kind in ("A", "AAAA") for value in self.ask(name, kind))

    def alias(self, name: str) -> str | None:
        """Target of the CNAME at `name`; None when the name is no alias."""
        return self._aliases.get(name)
