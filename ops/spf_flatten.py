"""`./kolab dns count --flatten NAME`: the networks that an include stands for today, for who asks to list them instead.

Nothing is written: a list follows its service no more, so whether to take it is for people.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from model.identity.spf import networks
from model.identity.spf_terms import BadTerm, Term, of_spf, terms
from ops.stacks import StackProblem

Ask = Callable[[str, str], Sequence[str]]
"""Name and type -> values there."""


def flatten(name: str, ask: Ask) -> tuple[str, ...]:
    """Networks that pass the record at `name`. Raises StackProblem where the record says more than a list can."""
    return tuple(term.partition(":")[2] for term in networks(_found(name, ask, ())))


def show(name: str, ask: Ask) -> None:
    """Prints what to write."""
    print(f"networks: [{', '.join(flatten(name, ask))}]")
    print(
        f"dns count: that is include:{name} today, at no lookup; its owner tells nobody when it changes, so look again",
        file=sys.stderr,
    )


def _found(name: str, ask: Ask, above: tuple[str, ...]) -> list[str]:
    if name in above:
        raise StackProblem(f"include:{name} cannot be flattened: it includes itself")
    records = of_spf(ask(name, "TXT"))
    if len(records) != 1:
        raise StackProblem(f"include:{name} cannot be flattened: it has {len(records) or 'no'} SPF records")
    try:
        written = terms(records[0])
    except BadTerm as bad:
        raise StackProblem(f"include:{name} cannot be flattened: {bad} cannot be read") from None
    found: list[str] = []
    for term in written:
        if term.name == "all":
            if term.result == "pass":
                raise StackProblem(f"include:{name} cannot be flattened: it lets the whole world send")
            break
        found += _of(term, name, ask, (*above, name))
    return found


def _of(term: Term, name: str, ask: Ask, above: tuple[str, ...]) -> list[str]:
    if term.name in ("exists", "ptr") or "%" in term.domain or term.result != "pass":
        raise StackProblem(f"include:{name} cannot be flattened: {term.text} is no list of networks")
    target = term.domain.lower().rstrip(".") or name
    if term.network is not None:
        return [str(term.network)]
    if term.name in ("include", "redirect"):
        return _found(target, ask, above)
    hosts = [target] if term.name == "a" else [each.split()[1].rstrip(".") for each in ask(target, "MX")]
    v4, v6 = term.lengths
    return [
        f"{address}/{length}"
        for host in hosts
        for kind, length in (("A", v4), ("AAAA", v6))
        for address in ask(host, kind)
    ]
