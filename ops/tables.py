"""What an operator wants to see after `up`: which address answers what, and where the DNS records are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from model import identity, topology
from model.settings import Settings

COLUMNS = 100
"""Characters of a line for the terminal."""


def addresses(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Rows of (public address, port, daemon, address on the load balancer)."""
    inside, public = topology.load_balancer_addresses(settings), topology.public_addresses(settings)
    return [
        (outside, f"{port.number}/{port.target.protocol.lower()}", port.daemon.name, within)
        for port in topology.public_ports(settings)
        for outside, within in zip(public[port.service], inside[port.service], strict=True)
    ]


def records(settings: Settings) -> list[tuple[str, str, str]]:
    """Rows of (name, type, value) of every record."""
    return [(r.name, r.type, r.content) for r in identity.records(settings)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of text."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def narrow(head: tuple[str, str, str], rows: Sequence[tuple[str, str, str]]) -> str:
    """A table that fits a terminal: long names and values are cut, since they are for looking and not for copying."""
    named = min(max(len(name) for name, _, _ in (head, *rows)), COLUMNS // 2)
    left = COLUMNS - named - max(len(kind) for _, kind, _ in (head, *rows)) - 4
    return table(head, [(cut(name, named), kind, cut(value, left)) for name, kind, value in rows])


def cut(text: str, most: int) -> str:
    """At most so many characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def show(settings: Settings, stack: str) -> None:
    """Prints the tables."""
    print(table(("ADDRESS", "PORT", "DAEMON", "INSIDE"), addresses(settings)))
    print()
    print(narrow(("RECORD", "TYPE", "VALUE"), records(settings)))
    print(
        f"\nZone files: rendered/{stack}/zones/; each record's reason: ./kolab dns show --wide --stack {stack}"
    )
