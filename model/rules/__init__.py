"""Invariants of a stack, each written once: rule(settings) yields findings.

The loader runs them before the first resource is registered; tests run them over generated stack files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from model.catalogue import AREAS, is_lifted
from model.findings import Finding
from model.rules import (
    acknowledgements,
    addresses,
    alerts,
    budget,
    egress,
    extra,
    features,
    keys,
    mail,
    mail_others,
    names,
    networks,
    nodes,
    outbound,
    rotations,
    scope,
    storage,
    web,
)
from model.settings import Settings

Rule = Callable[[Settings], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    *acknowledgements.RULES,
    *addresses.RULES,
    *alerts.RULES,
    *budget.RULES,
    *egress.RULES,
    *extra.RULES,
    *features.RULES,
    *keys.RULES,
    *mail.RULES,
    *mail_others.RULES,
    *names.RULES,
    *networks.RULES,
    *nodes.RULES,
    *outbound.RULES,
    *rotations.RULES,
    *scope.RULES,
    *storage.RULES,
    *web.RULES,
)
"""Every rule about one stack file."""


_ACKNOWLEDGED = frozenset(
    rule.id
    for area in AREAS
    for rule in area.rules
    if (rule.severity == "warning" or rule.lifted)
    and rule.id not in (*acknowledgements.OF_CHANGES, "storage-class-default")
)
"""What a stack file alone brings up, and an entry may lift."""


def check(settings: Settings) -> list[Finding]:
    """What all rules find, without what the operator has acknowledged: warnings, and the few errors that may be meant."""
    found = [finding for rule in RULES for finding in rule(settings)]
    # Examples and reviews are spared many rules, so an entry may be needed by the stack that they stand for.
    if not (settings.example or settings.kubernetes.render):
        found += acknowledgements.served(settings, found, _ACKNOWLEDGED)

    def stays(finding: Finding) -> bool:
        firm = finding.severity == "error" and not is_lifted(finding.rule)
        return firm or not settings.acknowledged(finding.rule, finding.path)

    return [finding for finding in found if stays(finding)]
