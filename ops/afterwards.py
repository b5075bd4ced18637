"""What to do after `up`: the first login, mail programs, the router, and the way to the first message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from model import identity, topology
from model.names import Names
from model.settings import Settings
from ops.tables import table


def text(settings: Settings, stack: str) -> str:
    """All that is left to do, in order."""
    return "\n\n".join(
        filter(
            None, (_login(settings, stack), _programs(settings), _router(settings), _next(settings, stack))
        )
    )


def _login(settings: Settings, stack: str) -> str:
    names = Names.of(settings)
    return "\n".join(
        (
            "First login:",
            f"  https://{names.website}/ as admin@{settings.domain}; password: ./kolab secrets show adminPassword --stack {stack}",
        )
    )


def _programs(settings: Settings) -> str:
    """Settings for people's devices; those that ask the domain by themselves need none once mx.stage is live."""
    names = Names.of(settings)
    rows = [
        ("IMAP", f"{names.imap}:993", "SSL/TLS"),
        ("SMTP", f"{names.smtp}:465", "SSL/TLS"),
        ("ManageSieve", f"{names.sieve}:4190", "STARTTLS"),
        ("CalDAV, CardDAV", f"https://{names.website}/dav/", ""),
    ]
    if settings.features.activesync:
        rows.append(("Phone (Exchange)", names.activesync, "ActiveSync"))
    lines = table(("MAIL PROGRAM", "SERVER", "SECURITY"), rows).splitlines()
    return "\n".join((*lines, "The user is the whole mail address, everywhere."))


def forwards(settings: Settings) -> list[tuple[str, str, str]]:
    """Rows of (public address, ports with protocol, address inside) that a router has to map; neighbours are a range."""
    inside, outside = topology.load_balancer_addresses(settings), topology.public_addresses(settings)
    single = sorted(
        {
            (world, within, port.target.protocol.lower(), port.number)
            for port in topology.public_ports(settings)
            for world, within in zip(outside[port.service], inside[port.service], strict=True)
            if world != within
        }
    )
    return [
        (world, ", ".join(f"{protocol} {ports}" for protocol, ports in _by_protocol(rows)), within)
        for (world, within), found in groupby(single, key=lambda row: row[:2])
        for rows in [list(found)]
    ]


def _by_protocol(rows: Sequence[tuple[str, str, str, int]]) -> Iterator[tuple[str, str]]:
    for protocol, found in groupby(rows, key=lambda row: row[2]):
        yield protocol, _ranges([row[3] for row in found])


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as 25,80,3478-3480."""
    runs = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ends = [[number for _, number in run] for _, run in runs]
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in ends)


def _router(settings: Settings) -> str:
    rows = forwards(settings)
    if not rows:
        return ""
    head = "The router forwards, and keeps the source address (docs/how-to/one-public-address.md):"
    return f"{head}\n{table(('PUBLIC', 'PORTS', 'INSIDE'), rows)}"


def _next(settings: Settings, stack: str) -> str:
    return "\n".join(["Next:", *(f"  {n}. {step}" for n, step in enumerate(_steps(settings, stack), 1))])


def _steps(settings: Settings, stack: str) -> Iterator[str]:
    live = bool(settings.taking)
    if settings.mail.postmaster and not live:
        yield f"make the mailbox {settings.mail.postmaster}, which gets postmaster@ (docs/how-to/your-first-day.md)"
    if settings.dns.provider == "zonefile":
        yield f"publish the records: ./kolab dns export --stack {stack}, or push them to your own name servers"
    others = [ticket.id for ticket in identity.tickets(settings) if ticket.whom != "yourself"]
    if others:
        shown = ", ".join(others[:2]) + (f" and {len(others) - 2} more" if len(others) > 2 else "")
        yield f"hand on what others have to do: ./kolab dns tickets --stack {stack}  ({shown})"
    waiting = [name for name, key in settings.mail.dkim.selectors.items() if key.stage == "published"]
    if waiting:
        yield f"once every name server shows the key: ./kolab dkim activate {waiting[0]} --stack {stack}, then up"
    yield f"ask what receivers will say: ./kolab rehearse --stack {stack}"
    if not live:
        yield "set mail.mx.stage to live, let somebody read the preview, and up: from then on the world sends mail here"
