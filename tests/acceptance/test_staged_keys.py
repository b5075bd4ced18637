"""Keys that the world knows from DNS are exchanged in stages while mail flows: that of port 25 (DANE), and the one that signs."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.receiver import DOMAIN
from tests.acceptance.receiving import Receiver, unique
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, PASSWORD, Stack
from tests.acceptance.streams import strangers_write

pytestmark = [
    # Three updates, one after the other.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("postfix", "amavis"),
    pytest.mark.usefixtures("stranger"),
]

_LEAST = 50
"""Messages that a stranger hands over meanwhile."""


@dataclass(frozen=True)
class Rolled:
    """What the world saw before the update that uses the next keys, and which these are."""

    keys: tuple[str, str]
    """SHA-256 of the key of port 25 that was announced and in use, and of the one that was announced beside it."""
    selectors: tuple[str, str]
    seen: str
    """Of the key that port 25 showed."""
    letter: dict[str, Any]
    """What Jane wrote then."""
    acknowledged: set[str]


@pytest.fixture(scope="module")
def rolled(
    stack: Stack, receiver: Receiver, report: Report, tmp_path_factory: pytest.TempPathFactory
) -> Rolled:
    """Announced in one update, used in the next. The stack keeps them: its senders have met them."""
    server = ("--server", stack.lab.internet.dns.address)
    old, new = _signing(stack), f"k{time.time_ns() % 10**9}"
    _command(stack, "tlsa", "next")
    _command(stack, "dkim", "stage", new)
    _command(stack, "dkim", "publish", new)
    stack.apply()
    stack.publish()
    tlsa = stack.settings.tlsa
    assert tlsa
    assert tlsa.next
    seen, letter = stack.client("mx_key", stack.names.mx), _written(stack, receiver)
    _command(stack, "tlsa", "switch", *server)
    _command(stack, "dkim", "activate", new, *server)
    enough = tmp_path_factory.mktemp("meanwhile") / "enough"
    with strangers_write(stack, JANE, enough, _LEAST) as acknowledged:
        with report.timed("an update that uses the next keys of port 25 and of signatures"):
            stack.apply()
        stack.publish()
    return Rolled((tlsa.current, tlsa.next), (old, new), seen, letter, acknowledged)


def _signing(stack: Stack) -> str:
    (found,) = (name for name, key in stack.settings.mail.dkim.selectors.items() if key.stage == "active")
    return found


def _command(stack: Stack, *words: str) -> None:
    """`./kolab` where the world's name servers answer, with what it needs to store a key."""
    line = [sys.executable, "-m", "ops", *words, "--stack", stack.program.stack]
    done = subprocess.run(
        stack.lab.internet.command(line),
        cwd=stack.program.root,
        env=stack.program.variables(stack.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _written(stack: Stack, receiver: Receiver) -> dict[str, Any]:
    """A message of Jane's to the world, as it came there."""
    subject = unique("signed")
    line = ("submit", stack.names.smtp, "465", JANE, PASSWORD, JANE, f"reader@{DOMAIN}", subject)
    answer = stack.client(*line)
    assert answer.startswith("250"), answer
    return receiver.get(subject)


@pytest.mark.rotates("mxKey", "mxNextKey")
def test_port_25_shows_the_next_key_once_it_was_announced(stack: Stack, rolled: Rolled) -> None:
    before, after = rolled.keys
    assert rolled.seen == before
    assert stack.client("mx_key", stack.names.mx) == after


def test_the_world_finds_both_keys_of_port_25_while_pods_roll(stack: Stack, rolled: Rolled) -> None:
    found = stack.lab.internet.resolve(f"_25._tcp.{stack.names.mx}", "TLSA")
    assert {text.split()[-1] for text in found} == set(rolled.keys)


@pytest.mark.rotates("dkimKey-")
def test_the_next_key_signs_and_receivers_believe_it(
    stack: Stack, rolled: Rolled, receiver: Receiver
) -> None:
    letters = (rolled.letter, _written(stack, receiver))
    assert [letter["verdict"]["dkim"] for letter in letters] == [{stack.settings.domain: True}] * 2
    for selector, letter in zip(rolled.selectors, letters, strict=True):
        assert f"s={selector};" in letter["text"], letter["text"]


def test_what_the_old_key_signed_is_still_believed(stack: Stack, rolled: Rolled) -> None:
    """Its record stays, for mail that is on its way."""
    name = f"{rolled.selectors[0]}._domainkey.{stack.settings.domain}"
    (found,) = stack.lab.internet.resolve(name, "TXT")
    assert "p=MII" in found


def test_no_message_that_was_accepted_meanwhile_is_lost(stack: Stack, rolled: Rolled, report: Report) -> None:
    assert len(rolled.acknowledged) >= _LEAST
    stack.arrived(JANE, rolled.acknowledged)
    report.note("messages acknowledged while keys rolled over (number)", len(rolled.acknowledged))
