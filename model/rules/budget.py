"""What all daemons together may open fits what there is."""

from __future__ import annotations

from collections.abc import Iterator

from model import budget
from model.catalogue import budget as rules
from model.findings import Finding
from model.settings import Settings
from model.sizing import PROFILES, size_of
from model.types import bytes_of


def database(settings: Settings) -> Iterator[Finding]:
    """MariaDB takes every connection, and has the memory for them."""
    uses, needed = budget.database_uses(settings), budget.database_connections(settings)
    terms = ", ".join(f"{use.who} {use.number}" for use in uses)
    largest = max(uses, key=lambda use: use.number)
    external = settings.external.database
    if external is not None:
        if external.max_connections is None:
            yield rules.DATABASE_CONNECTIONS_UNKNOWN.found(needed=needed, terms=terms)
        elif needed > external.max_connections:
            yield rules.DATABASE_CONNECTIONS.found(
                needed=needed, over=needed - external.max_connections, terms=terms, key=largest.key
            )
        return
    limit, memory = bytes_of(size_of(settings, "mariadb").memory_limit), budget.database_memory(settings)
    if memory > limit:
        # Half of a larger limit goes to the buffer pool.
        enough = 2 * (memory - limit // 2)
        yield rules.DATABASE_MEMORY.found(
            needed=needed, terms=terms, over=_mib(memory - limit), enough=_mib(enough), key=largest.key
        )


def webapp(settings: Settings) -> Iterator[Finding]:
    """The web application answers what mail asks before the questions end."""
    asked, workers = budget.mail_requests(settings), budget.webapp_workers(settings)
    if asked > workers * budget.WAITING:
        pods = -(-asked // (budget.WAITING * budget.OCTANE_WORKERS))
        yield rules.WEBAPP_WORKERS.found(asked=asked, workers=workers, pods=pods)


def postfix(settings: Settings) -> Iterator[Finding]:
    """A pod of Postfix has the memory for all its sessions."""
    limit, needed = bytes_of(size_of(settings, "postfix").memory_limit), budget.postfix_memory()
    if needed > limit:
        yield rules.POSTFIX_MEMORY.found(limit=_mib(limit), needed=_mib(needed), over=_mib(needed - limit))


def people(settings: Settings) -> Iterator[Finding]:
    """Cyrus and the proxy have the memory for everybody's sessions."""
    for name, needed in (("imap", budget.imap_memory(settings)), ("proxy", budget.proxy_memory(settings))):
        limit = bytes_of(size_of(settings, name).memory_limit)
        if needed > limit:
            yield rules.SESSIONS_MEMORY.found(
                name=name, limit=_mib(limit), needed=_mib(needed), people=PROFILES[settings.size].people
            )


def _mib(number: int) -> int:
    return -(-number // budget.MIB)


RULES = (database, webapp, postfix, people)
