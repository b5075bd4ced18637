"""The names of the addresses that our mail leaves from, there and back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.identity.ptr import name_of
from model.identity.rdata import PTR
from ops.doctor.check import Check
from ops.doctor.checks.words import REFUSED, SHOW_AND_PUSH
from ops.doctor.visit import Visit

_GENERIC = re.compile(
    r"(\d{1,3}[-.x]){3}\d{1,3}|\b(dyn|dynamic|dhcp|pool|dsl|cable|ppp|static|customer|client)\b",
    re.IGNORECASE,
)


def _addresses(visit: Visit) -> tuple[str, ...]:
    return visit.egress


def _names(visit: Visit, address: str) -> tuple[str, ...]:
    found = visit.dns.published(name_of(visit.settings, address), "PTR").values
    return tuple(value.target for value in found if isinstance(value, PTR))


def _ptr_there(visit: Visit, address: str) -> Iterator[str]:
    names = _names(visit, address)
    if not names:
        yield f"{address} has no reverse name"
    elif visit.names.helo not in names:
        yield f"{address} is called {', '.join(names)}, and greets as {visit.names.helo}"


def _ptr_single(visit: Visit, address: str) -> Iterator[str]:
    names = _names(visit, address)
    if len(names) > 1:
        yield f"{address} has {len(names)} reverse names: {', '.join(names)}"


def _ptr_confirmed(visit: Visit, address: str) -> Iterator[str]:
    for name in _names(visit, address):
        if address not in visit.dns.addresses(name):
            yield f"{address} is called {name}, which does not lead back to it"


def _ptr_generic(visit: Visit, address: str) -> Iterator[str]:
    for name in _names(visit, address):
        if _GENERIC.search(name):
            yield f"{address} is called {name}, which looks like a line of a customer"


def _one_family(visit: Visit, name: str) -> Iterator[str]:
    have = set(visit.dns.addresses(name))
    missing = set(visit.egress) - have
    if missing:
        yield f"{name} does not lead to {', '.join(sorted(missing))}, where it greets from"


def _helo(visit: Visit) -> Iterator[str]:
    if visit.egress:
        yield visit.names.helo


_PTR = "./kolab dns tickets --stack {stack}: whoever owns {subject} sets its reverse name"


CHECKS = (
    Check(
        id="ptr-name",
        concern="reverse",
        promise="Each egress address is called by the name in its EHLO.",
        reason=REFUSED,
        fix=_PTR,
        subjects=_addresses,
        look=_ptr_there,
    ),
    Check(
        id="ptr-single",
        concern="reverse",
        promise="An egress address has one name.",
        reason="Receivers pick one by chance.",
        fix=_PTR,
        subjects=_addresses,
        look=_ptr_single,
        severity="warning",
    ),
    Check(
        id="ptr-confirmed",
        concern="reverse",
        promise="Each reverse name leads back to its address.",
        reason=REFUSED,
        fix=SHOW_AND_PUSH,
        subjects=_addresses,
        look=_ptr_confirmed,
    ),
    Check(
        id="ptr-generic",
        concern="reverse",
        promise="Reverse names do not look like customers' lines.",
        reason="Blocklists and receivers refuse such names.",
        fix=_PTR,
        subjects=_addresses,
        look=_ptr_generic,
        severity="warning",
    ),
    Check(
        id="helo-addresses",
        concern="reverse",
        promise="The name in our EHLO leads to every egress address.",
        reason=REFUSED,
        fix=SHOW_AND_PUSH,
        subjects=_helo,
        look=_one_family,
    ),
)
