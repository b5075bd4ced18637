"""All checks of one visit at the same time, within a time that is known beforehand."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterable
from typing import Any

from ops.doctor.check import Check, Outcome, Unseen
from ops.doctor.visit import Visit

LIMIT = 45.0
"""Seconds after which whatever has no answer yet is unknown."""
_WORKERS = 96
"""Threads; nearly all of them wait for the network."""


def examine(visit: Visit, checks: Iterable[Check], limit: float = LIMIT) -> list[Outcome]:
    """The outcome of every check on every subject, in the order of the checks."""
    pairs = [(check, subject) for check in checks for subject in check.subjects(visit)]
    results: list[Outcome | None] = [None] * len(pairs)
    pool = concurrent.futures.ThreadPoolExecutor(_WORKERS)

    def one(index: int) -> None:
        results[index] = _outcome(visit, *pairs[index])

    futures = [pool.submit(one, index) for index in range(len(pairs))]
    concurrent.futures.wait(futures, timeout=limit)
    pool.shutdown(wait=False, cancel_futures=True)
    return [
        result
        or Outcome(
            check=check, subject=str(subject), state="unknown", evidence=(f"no answer within {limit:.0f} s",)
        )
        for result, (check, subject) in zip(list(results), pairs, strict=True)
    ]


def _outcome(visit: Visit, check: Check, subject: Any) -> Outcome:
    try:
        evidence = tuple(check.look(visit, subject))
    except Unseen as problem:
        return Outcome(check=check, subject=str(subject), state="unknown", evidence=(str(problem),))
    except Exception as error:
        said = f"the answer cannot be understood ({type(error).__name__}: {error})"
        return Outcome(check=check, subject=str(subject), state="unknown", evidence=(said,))
    return Outcome(
        check=check, subject=str(subject), state="failed" if evidence else "passed", evidence=evidence
    )
