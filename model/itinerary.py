"""The plan of a day for domains that are moved one by one, as data (model/moving.py makes it)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from model.findings import Finding


@dataclass(frozen=True)
class Standing:
    """One domain: what the world sees of it, and the stage that follows."""

    domain: str
    stage: str
    """hold, shadow or live, as deployed."""
    wanted: str
    """The same as the stack file says."""
    dkim: str
    """Selector that signs; in brackets one that waits."""
    mta_sts: str
    """none, testing, enforce or removing; "-" while the MX is somebody else's."""
    tls_rpt: str
    """Who receives the reports; "-" while they are somebody else's."""
    dmarc: str
    """p= of its policy."""
    foreign: bool
    """Whether its owner publishes the records, from a sheet."""
    next: str
    """The stage that follows; "" when it is live."""


@dataclass(frozen=True)
class Move:
    """A step that the judges allow, on the day from which they do."""

    what: str
    """What happens, in words."""
    when: str
    """What to make sure of before; "" for nothing."""
    day: datetime.date | None
    """First day on which it is allowed; None for now."""
    commands: tuple[str, ...]
    domains: tuple[str, ...] = ()
    """The domains that it is about, each on its own; none where it is about all."""


@dataclass(frozen=True)
class Hindrance:
    """Why a step must not be taken yet."""

    what: str
    finding: Finding
    domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Itinerary:
    """The plan of a day."""

    stack: str
    today: datetime.date
    ttl: int
    """Seconds that resolvers keep what an update replaces."""
    known: bool
    """Whether a deployed model was there."""
    pending: bool
    """Whether the stack file asks for what is not deployed."""
    domains: tuple[Standing, ...]
    moves: tuple[Move, ...]
    hindrances: tuple[Hindrance, ...]
