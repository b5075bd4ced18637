"""Images that nobody has published: right in effect once they serve, or refused with a sentence before a running pod stops.

The table is tests/support/mutants; each update tries one mutant of each daemon, while SMTP, IMAP and the website are asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.acceptance.effects import EFFECTS, mail
from tests.acceptance.report import Report
from tests.acceptance.stack import Stack
from tests.acceptance.watching import identities, refusals, watched
from tests.lab.cluster import Lab
from tests.lab.images.contract import B
from tests.lab.images.mutated import mutated
from tests.support.images import REFUSED, Mutant, difference
from tests.support.mutants import MUTANTS

pytestmark = [
    pytest.mark.images,
    pytest.mark.mode("single-node"),
    pytest.mark.usefixtures("stranger", "_afterwards"),
    pytest.mark.proves("proxy", "imap", "postfix"),
]

DAEMONS = ("proxy", "imap", "postfix")
_LONG = 60.0
"""Seconds that port 25 may be silent while the one Postfix is replaced; the new proxy is there before the old one goes."""
Round = Mapping[str, Mutant]


def _rounds(chosen: Callable[[Mutant], bool]) -> Sequence[Round]:
    """Updates that try one mutant of each daemon, until all have been tried."""
    each = ([mutant for mutant in MUTANTS[daemon] if mutant.lab and chosen(mutant)] for daemon in DAEMONS)
    return [
        {daemon: mutant for daemon, mutant in zip(DAEMONS, some, strict=True) if mutant}
        for some in zip_longest(*each)
    ]


def _named(tried: Round) -> str:
    return ", ".join(f"{daemon}: {mutant}" for daemon, mutant in tried.items())


@pytest.fixture(scope="module")
def _afterwards(stack: Stack, own_lab: Lab) -> Iterator[None]:
    """The way back to the stack's own images."""
    del own_lab
    yield
    stack.program.change({"images.digests": None})
    back = stack.up("--skip-preview")
    assert back.code == 0, back.errors or back.output
    stack.wait_ready()


def brought(lab: Lab, tried: Round, folder: Path) -> dict[str, str]:
    """Digests of these images, once every node has them."""
    digests = {}
    for daemon, mutant in tried.items():
        name = daemon + (B if mutant.generation == "b" else "")
        tar, digests[daemon] = mutated(name, difference(daemon, mutant), folder)
        lab.load_image(tar)
        tar.unlink()
    return digests


@pytest.mark.parametrize("tried", _rounds(lambda mutant: mutant.lab == REFUSED), ids=_named)
def test_an_image_that_cannot_be_made_right_stops_nothing(
    stack: Stack, own_lab: Lab, report: Report, tmp_path: Path, tried: Round
) -> None:
    digests = brought(own_lab, tried, tmp_path)
    before = identities(stack, *DAEMONS)
    with watched(stack, tmp_path) as watch:
        stack.program.change({"images.digests": digests})
        # Without the second the update ends with whichever is refused first.
        refused = stack.up("--skip-preview", "--continue-on-error")
        assert refused.code != 0
        mail(stack)
    said = refusals(refused)
    for daemon, mutant in tried.items():
        assert re.search(f"entry: .*{mutant.refused}", said.get(daemon, "")), refused.errors
    assert identities(stack, *DAEMONS) == before
    for port, (longest, _) in watch.silences().items():
        report.note(f"longest silence of port {port} (seconds); refused: {_named(tried)}", longest)
        assert longest < watch.allowed(), port


@pytest.mark.parametrize("tried", _rounds(lambda mutant: mutant.lab != REFUSED), ids=_named)
def test_an_image_that_can_be_made_right_serves_as_it_should(
    stack: Stack, own_lab: Lab, report: Report, tmp_path: Path, tried: Round
) -> None:
    digests = brought(own_lab, tried, tmp_path)
    before = {daemon: identities(stack, daemon) for daemon in tried}
    with watched(stack, tmp_path) as watch:
        stack.program.change({"images.digests": digests})
        done = stack.up("--skip-preview")
        assert done.code == 0, done.errors or done.output
        stack.wait_ready()
        for effect in {"mail": mail} | {mutant.lab: EFFECTS[mutant.lab] for mutant in tried.values()}:
            EFFECTS[effect](stack)
    for daemon, old in before.items():
        assert not old & identities(stack, daemon), daemon
    for port, (longest, _) in watch.silences().items():
        report.note(f"longest silence of port {port} (seconds); right: {_named(tried)}", longest)
        assert longest < (watch.allowed(_LONG) if port == "25" else watch.allowed()), port
