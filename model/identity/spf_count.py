"""What an SPF record of somebody else costs a receiver: its DNS lookups, and those of what it includes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.identity.spf import MAX_LOOKUPS

_ASKS = ("include", "a", "mx", "ptr", "exists")
"""Mechanisms that make a receiver ask DNS (RFC 7208 section 4.6.4)."""

Ask = Callable[[str], Sequence[str]]
"""Name -> TXT records there."""


class Uncountable(ValueError):
    """There is no such record, there are several, or it leads back to itself. The text names it."""


def count(name: str, ask: Ask) -> int:
    """Lookups inside the record at `name`, in the worst case: every mechanism is tried. Raises Uncountable.

    Stops counting beyond the limit of a whole record, where receivers stop as well.
    """
    return _count(name, ask, ())


def _count(name: str, ask: Ask, above: tuple[str, ...]) -> int:
    if name in above:
        raise Uncountable(f"{name} includes itself by way of {above[-1]}")
    if len(above) > 2 * MAX_LOOKUPS:
        return 0
    records = [text for text in ask(name) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if len(records) != 1:
        raise Uncountable(f"{name} has {len(records) or 'no'} SPF record{'s' if len(records) > 1 else ''}")
    total = 0
    for term in records[0].split()[1:]:
        lowered = term.lower().lstrip("+-~?")
        mechanism = lowered.partition(":")[0].partition("/")[0]
        target = ""
        if lowered.startswith("redirect="):
            target = lowered.partition("=")[2]
        elif mechanism == "include":
            target = lowered.partition(":")[2]
        elif mechanism not in _ASKS:
            continue
        total += 1
        # A macro is filled in by the receiver: what stands there nobody can know beforehand.
        if target and "%" not in target:
            total += _count(target.rstrip("."), ask, (*above, name))
        if total > 2 * MAX_LOOKUPS:
            break
    return total
