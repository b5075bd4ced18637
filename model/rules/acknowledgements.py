"""Deliberate exceptions: each names a rule that exists and may have some, and ends when it has served."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator

from model.catalogue import AREAS, known_ids, may_be_acknowledged
from model.catalogue import files as rules
from model.deployed import Deployed
from model.findings import Finding
from model.settings import Acknowledgement, Settings

Key = tuple[str, str, str]
"""Rule, subject and reason of an entry."""
_DATA = "data-delete"
OF_CHANGES = frozenset(
    rule.id for area in AREAS if area.refusals_are_lifted for rule in area.rules if rule.id != _DATA
)
"""Ids of rules about changes. A deletion takes two updates, so its entry has to stay for both."""


def entries(settings: Settings) -> Iterator[Finding]:
    """Each entry is one that lifts something."""
    for index, entry in enumerate(settings.acknowledge):
        if entry.rule not in known_ids():
            near = difflib.get_close_matches(entry.rule, known_ids(), n=1)
            hint = f"did you mean {near[0]}?" if near else "write the id that a finding ends with"
            yield rules.ACKNOWLEDGE_UNKNOWN.found(index=index, near=hint)
        elif not may_be_acknowledged(entry.rule):
            yield rules.ACKNOWLEDGE_FIRM.found(index=index)
        elif entry.rule == _DATA and entry.subject == "*":
            yield rules.ACKNOWLEDGE_EVERYTHING.found(index=index, rule=entry.rule)


def served(settings: Settings, found: Iterable[Finding], judged: Collection[str]) -> Iterator[Finding]:
    """Entries that hide nothing, of the rules `judged`; `found` is what these rules say without any exception."""
    said = list(found)
    for index, entry in enumerate(settings.acknowledge):
        if entry.rule in judged and not any(_covers(entry, finding) for finding in said):
            yield rules.ACKNOWLEDGE_SERVED.found(index=index, rule=entry.rule)


def remaining(settings: Settings, before: Deployed | None) -> Settings:
    """The settings without entries about changes that were there at the last deployment: these have served."""
    spent = set(before.acknowledged if before else ())
    fresh = tuple(each for each in settings.acknowledge if _key(each) not in spent)
    return settings.model_copy(update={"acknowledge": fresh})


def spent(settings: Settings, before: Deployed | None, found: Iterable[Finding]) -> Iterator[Finding]:
    """Entries that have served and would have covered one of the refusals `found`."""
    refused = [finding for finding in found if finding.severity == "error"]
    fresh = remaining(settings, before).acknowledge
    for index, entry in enumerate(settings.acknowledge):
        if entry not in fresh and any(_covers(entry, finding) for finding in refused):
            yield rules.ACKNOWLEDGE_SPENT.found(index=index, rule=entry.rule)


def of_gone(settings: Settings, possible: Iterable[Deployed], gone: Callable[[str], bool]) -> tuple[Key, ...]:
    """Entries for data that the stack does not have any more, or did not have at an earlier update: these have served."""
    known = {key for each in possible for key in each.acknowledged}
    entries = [each for each in settings.acknowledge if each.rule == _DATA]
    return tuple(_key(each) for each in entries if gone(each.subject) or _key(each) in known)


def ended(settings: Settings, served: Collection[Key]) -> Iterator[Finding]:
    """Entries that `of_gone` has found: they let nothing go any more."""
    for index, entry in enumerate(settings.acknowledge):
        if _key(entry) in served:
            yield rules.ACKNOWLEDGE_GONE.found(index=index, subject=entry.subject)


def without(settings: Settings, served: Collection[Key]) -> Settings:
    """The settings without the entries that `of_gone` has found."""
    fresh = tuple(each for each in settings.acknowledge if _key(each) not in served)
    return settings.model_copy(update={"acknowledge": fresh})


def about_changes(settings: Settings) -> tuple[Key, ...]:
    """Entries about changes, as the deployed model remembers them."""
    return tuple(_key(each) for each in settings.acknowledge if each.rule in OF_CHANGES)


def _key(entry: Acknowledgement) -> Key:
    return (entry.rule, entry.subject, entry.reason)


def _covers(entry: Acknowledgement, finding: Finding) -> bool:
    return entry.rule == finding.rule and entry.subject in ("*", finding.path)


RULES = (entries,)
