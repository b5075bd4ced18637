"""Every rule, declared once: id, words, reason, severity. The reference page is made from here.

The functions that find something are in model/rules (one stack file), model/identity (its records, and life cycles),
model/transition.py (changes) and components/guard.py (deletion). They yield `RULE.found(...)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType

from model.catalogue import (
    addresses,
    budget,
    changes,
    cluster,
    cluster_network,
    data,
    egress,
    engines,
    extra,
    files,
    gateways,
    mail,
    metallb,
    names,
    objects,
    parts,
    places,
    priorities,
    prometheus,
    records,
)
from model.findings import Rule

__all__ = ["AREAS", "RULES", "Area", "is_lifted", "known_ids", "may_be_acknowledged"]


@dataclass(frozen=True)
class Area:
    """Rules about one thing, in the order in which a reader wants them."""

    about: str
    """What all of them are about: the first sentence of their module."""
    rules: tuple[Rule, ...]
    """An id with several places has one rule for each."""
    refusals_are_lifted: bool = False
    """Whether an acknowledgement lifts errors too: a change that bounces mail or loses data can be meant."""


def _area(module: ModuleType, *, refusals_are_lifted: bool = False) -> Area:
    found = tuple(value for value in vars(module).values() if isinstance(value, Rule))
    return Area((module.__doc__ or "").strip(), found, refusals_are_lifted)


AREAS: tuple[Area, ...] = (
    *map(
        _area,
        (
            files,
            addresses,
            cluster,
            cluster_network,
            metallb,
            gateways,
            priorities,
            prometheus,
            egress,
            parts,
            extra,
            budget,
            mail,
            names,
            places,
            records,
        ),
    ),
    _area(changes, refusals_are_lifted=True),
    _area(engines, refusals_are_lifted=True),
    _area(data, refusals_are_lifted=True),
    _area(objects),
)
"""Every rule, sorted by what it is about."""


def _by_id() -> Iterator[tuple[str, tuple[Rule, ...]]]:
    every = [rule for area in AREAS for rule in area.rules]
    for name in dict.fromkeys(rule.id for rule in every):
        yield name, tuple(rule for rule in every if rule.id == name)


RULES: Mapping[str, tuple[Rule, ...]] = dict(_by_id())
"""Id -> the rule, once for each place that it speaks about."""


def known_ids() -> frozenset[str]:
    """Ids that exist."""
    return frozenset(RULES)


def is_lifted(rule: str) -> bool:
    """Whether an entry of kolab:acknowledge lifts an error of this id in a stack file."""
    return any(found.lifted for found in RULES.get(rule, ()))


def may_be_acknowledged(rule: str) -> bool:
    """Whether an entry of kolab:acknowledge for this id lifts anything: warnings, refused changes, deletions of data,
    and what a stack file may lack on purpose."""
    lifted = {found.id for area in AREAS if area.refusals_are_lifted for found in area.rules}
    return (
        rule in lifted or is_lifted(rule) or any(found.severity == "warning" for found in RULES.get(rule, ()))
    )
