"""Mail identity: every DNS record that makes mail deliverable, from one model.

records -> expectations of checks; zones -> Cloudflare resources and zone files; cname_sheet -> owners of foreign
domains; tickets -> humans. Each record has exactly one publisher (model/identity/plan.py).
"""

from __future__ import annotations

from model.identity.plan import Plan, plan
from model.identity.record import Record, parse
from model.identity.tickets import Ticket, markdown
from model.identity.tickets import tickets as _tickets
from model.identity.zonefile import file_name, zone_file
from model.settings import Settings

__all__ = [
    "Plan",
    "Record",
    "Ticket",
    "cname_sheet",
    "file_name",
    "held_back",
    "live",
    "markdown",
    "parse",
    "plan",
    "records",
    "tickets",
    "zone_file",
    "zones",
]


def records(settings: Settings) -> list[Record]:
    """Everything that the world must see in DNS now, whoever publishes it."""
    return list(plan(settings).records)


def zones(settings: Settings) -> dict[str, list[Record]]:
    """Zone -> the records that this stack publishes there; reverse zones included when they are ours."""
    return {zone: list(found) for zone, found in plan(settings).zones.items()}


def cname_sheet(settings: Settings) -> dict[str, list[Record]]:
    """Hosted domain in a zone of somebody else -> the records that its owner publishes, once."""
    return {domain: list(rows) for domain, rows in plan(settings).sheets.items()}


def tickets(settings: Settings) -> list[Ticket]:
    """What humans have to do, as data; `markdown(tickets)` is the page for them."""
    return list(_tickets(settings, live(settings)))


def held_back(settings: Settings) -> list[Record]:
    """What going live with every domain would add: the records that lead mail and mail clients here."""
    now = frozenset(plan(settings).records)
    return [record for record in plan(live(settings)).records if record not in now]


def live(settings: Settings) -> Settings:
    """The same stack with every domain live."""
    mail = settings.mail.model_copy(update={"mx": settings.mail.mx.model_copy(update={"stage": "live"})})
    own = {name: each.model_copy(update={"stage": None}) for name, each in settings.per_domain.items()}
    return settings.model_copy(update={"mail": mail, "per_domain": own})
