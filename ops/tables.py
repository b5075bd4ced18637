"""What an operator wants to see after `up`: which address answers what, and where the DNS records are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from model import topology
from model.settings import Settings


def addresses(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Rows of (public address, port, daemon, address claimed inside)."""
    claimed, public = topology.claimed_addresses(settings), topology.public_addresses(settings)
    return [
        (outside, f"{port.number}/{port.target.protocol.lower()}", port.daemon.name, inside)
        for port in topology.public_ports(settings)
        for outside, inside in zip(public[port.claim], claimed[port.claim], strict=True)
    ]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns of text."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def show(settings: Settings, stack: str) -> None:
    """Prints the tables."""
    print(table(("ADDRESS", "PORT", "DAEMON", "CLAIMED AS"), addresses(settings)))
