"""`./kolab dns plan` and `./kolab dns move`: domains come one by one, each when its owner is ready."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from model.itinerary import Itinerary, Move, Standing
from model.moving import itinerary
from model.review.mail_changes import duration
from model.types import hostname
from ops import edits
from ops.stacks import Pulumi, StackFile, StackProblem
from ops.tables import COLUMNS, table

STAGES = ("hold", "shadow", "live")


def plan(options: argparse.Namespace, today: datetime.date | None = None) -> None:
    """Prints the page, or the same for programs."""
    settings, _ = StackFile.read(options.stack).settings()
    deployed = Pulumi(options.stack).deployed()
    found = itinerary(settings, deployed, options.stack, today or datetime.date.today())
    print(json.dumps(dataclasses.asdict(found), indent=2, default=str) if options.json else page(found))


def move(options: argparse.Namespace, today: datetime.date | None = None) -> None:
    """Writes a stage of these domains into the stack file. Raises StackProblem before anything is written."""
    stack = StackFile.read(options.stack)
    settings, _ = stack.settings()
    domains = [_name(domain) for domain in options.domains]
    strangers = [domain for domain in domains if domain not in settings.domains]
    if strangers:
        raise StackProblem(
            f"{', '.join(strangers)} is no mail domain of this stack; name it in hostedDomains first"
        )
    changes = {f"{edits.domain_path(stack, domain)}.stage": str(options.to) for domain in domains}
    edits.propose(stack, changes, today or datetime.date.today())
    edits.write(Pulumi(options.stack), changes)
    print(
        f"{', '.join(domains)} will be {options.to} from the next make up STACK={options.stack} on;"
        f" look first: make preview STACK={options.stack}"
    )


def _name(domain: str) -> str:
    """As DNS has it, however it is written."""
    try:
        return hostname(domain)
    except ValueError:
        return domain


def page(found: Itinerary) -> str:
    """The plan as people read it."""
    return "\n\n".join(filter(None, (_head(found), _domains(found), *_sections(found))))


def _head(found: Itinerary) -> str:
    stages = Counter(each.wanted for each in found.domains)
    count = ", ".join(f"{stages[stage]} {stage}" for stage in STAGES if stages[stage])
    known = "" if found.known else " No update of this stack is known: what stands here is the stack file."
    return f"{found.stack} on {found.today}: {len(found.domains)} domains ({count}).{known}"


def _domains(found: Itinerary) -> str:
    # A report address is the same for most; that there is one says enough here.
    rows = [
        (
            f"{each.domain}{' *' if each.foreign else ''}",
            _stage(each, known=found.known),
            each.dkim,
            each.mta_sts,
            "-" if each.tls_rpt == "-" else "yes",
            each.dmarc,
            each.next,
        )
        for each in found.domains
    ]
    shown = table(("DOMAIN", "STAGE", "DKIM", "MTA-STS", "TLS-RPT", "DMARC", "NEXT"), rows)
    if any(each.foreign for each in found.domains):
        shown += f"\n* its owner publishes the records: ./kolab dns tickets --stack {found.stack}"
    return shown


def _stage(each: Standing, *, known: bool) -> str:
    return each.wanted if each.stage == each.wanted or not known else f"{each.stage} -> {each.wanted}"


def _sections(found: Itinerary) -> Iterator[str]:
    now = [each for each in found.moves if each.day is None]
    today = [*_update(found), *(line for each in now if not each.when for line in _step(each))]
    ready = [line for each in now if each.when for line in _step(each)]
    waits = [line for each in found.moves if each.day for line in _step(each)]
    if found.pending:
        waits.insert(0, f"- {duration(found.ttl)} after the update, until no resolver keeps what it replaced")
    refused = [
        line
        for each in found.hindrances
        for line in _wrapped(f"- {each.what}{_of(each.domains)}: {each.finding}")
    ]
    yield from _section("TODAY", today or ["- Nothing has to be done."])
    yield from _section("WHEN IT IS READY", ready)
    yield from _section("WAIT", waits)
    yield from _section("NOT YET", refused)


def _section(name: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield "\n".join((name, *lines))


def _update(found: Itinerary) -> Iterator[str]:
    if found.pending:
        yield "- Deploy what the stack file asks for:"
        yield f"    make preview STACK={found.stack} && make up STACK={found.stack}"


def _step(each: Move) -> Iterator[str]:
    day = f", from {each.day} on" if each.day else ""
    when = f", when {each.when}" if each.when else ""
    yield from _wrapped(f"- {each.what}{_of(each.domains)}{day}{when}:")
    # One command for each domain, all alike: the first shows how.
    alike = len(each.commands) == len(each.domains) > 1
    yield from (f"    {command}" for command in (each.commands[:1] if alike else each.commands))
    if alike:
        yield f"    and so for each that has {each.what.rpartition(' ')[2]} as NEXT"


def _of(domains: Sequence[str]) -> str:
    return f" ({domains[0] if len(domains) == 1 else f'{len(domains)} domains'})" if domains else ""


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(
        line, COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
