"""The result: for people first, for programs, and for test reports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from model.findings import counted
from ops.doctor.check import Check, Outcome
from ops.doctor.score import scores

_SHOWN = 3
"""Pieces of evidence that are printed one by one."""


@dataclass(frozen=True)
class Result:
    """One run."""

    stack: str
    domain: str
    namespace: str
    outcomes: Sequence[Outcome]
    seconds: float
    shown: Sequence[Outcome]
    """What is told; with --changed what is new since the last run, else everything."""
    differences: bool = False

    @property
    def failed(self) -> list[Outcome]:
        """All that is wrong."""
        return [each for each in self.outcomes if each.state == "failed"]

    @property
    def unknown(self) -> list[Outcome]:
        """All that could not be seen."""
        return [each for each in self.outcomes if each.state == "unknown"]

    @property
    def code(self) -> int:
        """Exit code: 1 with an error, 3 when nothing is known to be wrong but something could not be seen, else 0."""
        if any(each.check.severity == "error" for each in self.failed):
            return 1
        return 3 if self.unknown else 0


def people(result: Result, *, wide: bool) -> str:
    """Verdict, what to do, scores; every outcome with `wide`."""
    parts = ["\n".join(_verdict(result)), *_to_do(result), *_again(result)]
    if not result.differences:
        parts += ["\n".join(_unseen(result)), "\n".join(_scores(result))]
    if wide:
        parts.append("\n".join(f"  {o.state:7} {o.check.id}: {o.subject}" for o in result.outcomes))
    return "\n\n".join(filter(None, parts))


def _verdict(result: Result) -> Iterator[str]:
    failed = {each.check.id for each in result.failed}
    errors = {each.check.id for each in result.failed if each.check.severity == "error"}
    about = f"{len({o.check.id for o in result.outcomes})} checks, {len(result.outcomes)} answers, {result.seconds:.1f} s"
    if failed:
        lead = (
            f"{result.domain}: {_count(len(errors), 'fault')} and {_count(len(failed - errors), 'warning')}"
        )
    elif result.unknown:
        lead = f"{result.domain}: nothing wrong was seen, but not everything could be seen"
    else:
        lead = f"{result.domain}: healthy"
    yield f"{lead} ({about})"
    if result.differences:
        yield f"since the last run: {_count(len(result.shown), 'difference')}"


def _to_do(result: Result) -> Iterator[str]:
    rows = [each for each in result.shown if each.state == "failed"]
    checks = sorted({o.check.id: o.check for o in rows}.values(), key=lambda check: check.severity != "error")
    for number, check in enumerate(checks, 1):
        yield "\n".join(_advice(number, check, [o for o in rows if o.check.id == check.id], result))


def _advice(number: int, check: Check, rows: Sequence[Outcome], result: Result) -> Iterator[str]:
    evidence = [line for row in rows for line in row.evidence]
    yield f"{number}. {check.severity}: {check.id}"
    yield f"   Promise: {check.promise}"
    yield from (f"   Seen:    {line}" for line in evidence[:_SHOWN])
    if len(evidence) > _SHOWN:
        yield f"            and {len(evidence) - _SHOWN} more"
    yield f"   Matters: {check.reason}"
    yield f"   Do:      {fix(check, rows[0].subject, result)}"


def _again(result: Result) -> Iterator[str]:
    if not result.differences:
        return
    mended = [each for each in result.shown if each.state == "passed"]
    if mended:
        yield "\n".join(("Good again:", *(f"  {each.check.id}: {each.subject}" for each in mended)))


def _unseen(result: Result) -> Iterator[str]:
    if not result.unknown:
        return
    yield "Could not be seen:"
    reasons: dict[str, list[str]] = {}
    for each in result.unknown:
        reasons.setdefault(each.evidence[0], []).append(each.check.id)
    for reason, ids in reasons.items():
        names = list(dict.fromkeys(ids))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield f"  {reason} ({', '.join(names[:_SHOWN])}{more})"


def _scores(result: Result) -> Iterator[str]:
    yield "Score (checks that pass of those that could be answered):"
    for each in scores(result.outcomes):
        yield f"  {each.concern:12} {each.percent:3} %  {each.passed}/{each.answered}"


def _count(number: int, thing: str) -> str:
    return counted(number, thing) if number else f"no {thing}s"


def fix(check: Check, subject: str, result: Result) -> str:
    """What to do about one subject."""
    filled = check.fix.replace("{stack}", result.stack).replace("{namespace}", result.namespace)
    return filled.replace("{subject}", subject)


def programs(result: Result) -> str:
    """JSON."""
    return json.dumps(
        {
            "stack": result.stack,
            "domain": result.domain,
            "seconds": round(result.seconds, 1),
            "code": result.code,
            "scores": [
                {"concern": s.concern, "passed": s.passed, "answered": s.answered, "percent": s.percent}
                for s in scores(result.outcomes)
            ],
            "outcomes": [
                {
                    "id": o.check.id,
                    "concern": o.check.concern,
                    "severity": o.check.severity,
                    "subject": o.subject,
                    "state": o.state,
                    "evidence": list(o.evidence),
                    "promise": o.check.promise,
                    "reason": o.check.reason,
                    "fix": fix(o.check, o.subject, result),
                }
                for o in result.shown
            ],
        },
        indent=2,
    )


def junit(result: Result) -> str:
    """JUnit's XML: a suite for each concern, a case for each outcome."""
    root = ET.Element("testsuites", name=f"doctor {result.domain}", time=f"{result.seconds:.1f}")
    for concern in dict.fromkeys(o.check.concern for o in result.outcomes):
        rows = [o for o in result.outcomes if o.check.concern == concern]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=concern,
            tests=str(len(rows)),
            failures=str(sum(o.state == "failed" for o in rows)),
            skipped=str(sum(o.state == "unknown" for o in rows)),
        )
        for row in rows:
            case = ET.SubElement(suite, "testcase", classname=f"{concern}.{row.check.id}", name=row.subject)
            if row.state == "failed":
                failure = ET.SubElement(case, "failure", type=row.check.severity, message=row.evidence[0])
                failure.text = "\n".join(
                    (*row.evidence, row.check.reason, fix(row.check, row.subject, result))
                )
            elif row.state == "unknown":
                ET.SubElement(case, "skipped", message=row.evidence[0])
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
