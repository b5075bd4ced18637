"""One DNS record with the reason why it exists, and its presentation text."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.identity.presentation import absolute, relative
from model.identity.rdata import MX, SRV, Data, Value, parse_value


@dataclass(frozen=True)
class Record:
    """What shall stand in DNS. Two records are equal when DNS could not tell them apart: `why` does not count."""

    name: str
    """Complete owner name: lower case, A-labels, no final dot."""
    value: Value
    ttl: int
    """Seconds that resolvers keep it."""
    why: str = field(compare=False, default="")
    """One sentence for the operator, with a full stop."""

    @property
    def type(self) -> str:
        """Type mnemonic: A, MX, TXT..."""
        return self.value.type

    @property
    def content(self) -> str:
        """The value in presentation format, TXT as quoted strings of at most 255 bytes."""
        return str(self.value)

    @property
    def data(self) -> Data | None:
        """The parts of SRV, CAA and TLSA, for APIs that want them apart; None for types that are plain text."""
        return getattr(self.value, "data", None)

    @property
    def priority(self) -> int | None:
        """Preference of an MX or priority of an SRV, for APIs that want it beside the content; else None."""
        if isinstance(self.value, MX):
            return self.value.preference
        return self.value.priority if isinstance(self.value, SRV) else None

    @property
    def target(self) -> str | None:
        """The host name that the value points to, "." for none; None for types that point nowhere."""
        found = getattr(self.value, "exchange", None) or getattr(self.value, "target", None)
        return str(found) if found else None

    def render(self) -> str:
        """The record as one line of a zone file: `name. ttl IN TYPE value`."""
        return f"{absolute(self.name)} {self.ttl} IN {self.type} {self.content}"

    def __str__(self) -> str:
        return self.render()


def parse(line: str) -> Record:
    """The record that `line` writes: inverse of `Record.render`. Raises ValueError when it is not such a line."""
    fields = line.split(None, 4)
    if len(fields) != 5 or not fields[1].isdigit() or fields[2].upper() != "IN":
        raise ValueError(f"{line!r} is not of the form: name. ttl IN TYPE value")
    name, ttl, _, kind, text = fields
    return Record(relative(name), parse_value(kind.upper(), text), int(ttl))
