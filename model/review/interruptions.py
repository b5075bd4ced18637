"""What people notice while a daemon's pods are replaced: protocols, and for how many seconds.

Figures are careful estimates from what startup probes and graceful stops take on the lab, rounded up: image present,
volumes attached to the same node. Nodes that pull images take longer.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interruption:
    """What stops, for how long, and what becomes of work that meets the gap."""

    protocols: tuple[str, ...]
    seconds: int
    meanwhile: str


FIGURES = {
    "proxy": Interruption(("web", "IMAP", "submission"), 10, "clients connect again by themselves"),
    "postfix": Interruption(
        ("incoming mail", "sending"), 10, "senders keep their mail and try again (RFC 5321 section 4.5.4.1)"
    ),
    "imap": Interruption(
        ("IMAP", "calendars", "contacts", "ManageSieve"),
        10,
        "mail waits in Postfix' queue and nothing is lost",
    ),
    "mariadb": Interruption(
        ("incoming mail", "web", "login"), 15, "senders are told 451 and try again; people cannot log in"
    ),
    "redis": Interruption(("web", "webmail"), 10, "sessions and jobs come back from disk"),
    "webapp": Interruption(("web", "login"), 15, "people cannot log in; who is logged in to IMAP stays"),
    "horizon": Interruption((), 0, "jobs wait"),
    "roundcube": Interruption(("webmail", "ActiveSync"), 10, "phones connect again by themselves"),
    "collabora": Interruption(
        ("documents",), 20, "open documents are saved, and opened again by their readers"
    ),
    "meet": Interruption(("conferences",), 15, "running conferences end"),
    "coturn": Interruption(("conferences over TURN",), 10, "calls that are relayed break off"),
    "minio": Interruption(("files",), 10, "uploads fail and are tried again by people"),
    "versitygw": Interruption(("files",), 10, "uploads fail and are tried again by people"),
    "move-files": Interruption((), 0, "the copy of the files waits"),
    "prometheus": Interruption((), 0, "a gap in the numbers"),
    "alertmanager": Interruption((), 0, "alerts wait"),
    "victorialogs": Interruption((), 0, "logs wait at the nodes"),
    "vector": Interruption((), 0, "logs wait at the nodes"),
    "blackbox": Interruption((), 0, "a gap in the numbers"),
    "round-trip": Interruption((), 0, "one message less that comes back"),
    "report-reader": Interruption((), 0, "reports are read again from the beginning"),
}
"""Daemon -> what its replacement interrupts when it has one pod."""


def interrupts(daemon: str, replicas: int) -> bool:
    """Whether people notice that `daemon`'s pods are replaced."""
    known = FIGURES.get(daemon)
    return bool(known and known.protocols and replicas == 1)


def interruption(daemon: str, replicas: int) -> str:
    """One sentence about the replacement of `daemon`'s pods. More than one pod is replaced one after the other."""
    known = FIGURES.get(daemon)
    if known is None:
        return "nobody outside notices"
    if not known.protocols:
        return known.meanwhile
    what = ", ".join(known.protocols)
    if replicas > 1:
        return f"{what}: open connections end, new ones are answered by the other pods; {known.meanwhile}"
    return f"{what}: about {known.seconds} s; {known.meanwhile}"
