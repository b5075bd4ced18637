"""What an SPF record of somebody else costs a receiver: its DNS lookups, and those of what it includes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.identity.spf import MAX_LOOKUPS
from model.identity.spf_terms import ASKING, BadTerm, of_spf, terms

Ask = Callable[[str], Sequence[str]]
"""Name -> TXT records there."""


class Uncountable(ValueError):
    """There is no such record, there are several, it cannot be read, or it leads back to itself. The text names it."""


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
    records = of_spf(ask(name))
    if len(records) != 1:
        raise Uncountable(f"{name} has {len(records) or 'no'} SPF record{'s' if len(records) > 1 else ''}")
    try:
        written = terms(records[0])
    except BadTerm as bad:
        raise Uncountable(f"{name} has {bad}, which receivers cannot read") from None
    total = 0
    for term in written:
        if term.name not in ASKING or (term.name == "redirect" and any(t.name == "all" for t in written)):
            continue
        total += 1
        # A macro is filled in by the receiver: what stands there nobody can know beforehand.
        if term.name in ("include", "redirect") and "%" not in term.domain:
            total += _count(term.domain.lower().rstrip("."), ask, (*above, name))
        if total > 2 * MAX_LOOKUPS:
            break
    return total
