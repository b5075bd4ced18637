"""A busy hour among strangers: who only waits, whose names nobody finds, and who guesses passwords stops nobody's mail."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from model.monitoring import log_program
from tests.acceptance.configs import HEAD, STRANGERS
from tests.acceptance.pace import crowding
from tests.acceptance.receiving import unique
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack, eventually
from tests.lab.cluster import Lab

pytestmark = [
    # Nearly half an hour: too long for what runs before every change.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("postfix", "amavis", "imap", "proxy", "mariadb", "webapp"),
    pytest.mark.usefixtures("stranger"),
]

_IDLERS = [f"198.18.1.{number}" for number in range(1, 21)]
"""Twenty addresses of the world (RFC 2544, which nobody routes) with ten silent sessions each."""
_EACH = 10
_NAMELESS = [f"198.19.2.{number}" for number in range(1, 21)]
"""Twenty senders the servers of whose names say nothing."""
_SERVER = "203.0.113.61"
_PEOPLE = [f"198.18.3.{number}" for number in range(1, 26)]
_GUESSERS = [f"198.18.4.{number}" for number in range(1, 5)]
_SENDERS = [f"203.0.113.{number}" for number in range(71, 79)]
"""Of a network that the web application knows."""
_SENDER = "colleague@busy.test"
_ORDINARY = 1_000
_AT_ONCE = 6
"""Sessions of each sender, which may have ten (model/budget.py)."""
_WAIT_SECONDS = 60
_LOGIN_SECONDS = 2
_SESSIONS = 500
_GUESSES = 10_000
_GUESSES_AT_ONCE = 200
"""The web application keeps each for some seconds before it says no (upstream: the header Auth-Wait)."""
_NOTICED = 200
"""Guesses of which somebody is told (model/monitoring/alerts_mail.py, PasswordGuessing)."""
_DEVICES = 10
"""Sessions of each account."""
_NAMES = {
    "19.198.in-addr.arpa": f"{HEAD}2 IN NS ns.silent.test.\n",
    "silent.test": f"{HEAD}ns IN A {_SERVER}\n",
    "busy.test": f'{HEAD}@ IN MX 10 mx\n@ IN TXT "v=spf1 ip4:203.0.113.64/28 -all"\n'
    + "".join(f"mx IN A {address}\n" for address in _SENDERS),
    "113.0.203.in-addr.arpa": STRANGERS["113.0.203.in-addr.arpa"]
    + "".join(f"{address.rpartition('.')[2]} IN PTR mx.busy.test.\n" for address in _SENDERS),
}
"""Reverse names of the nameless are looked for at a server that answers nothing: each look waits until it is given up."""


@dataclass
class Siege:
    """What was seen while strangers held every door."""

    silent: dict[str, int]
    waited: dict[str, float]
    """Ordinary message -> seconds until it was taken."""
    nameless: dict[str, int]
    """What the nameless heard -> how often."""
    logins: dict[str, Any]
    asked: int
    """Questions that the silent name server was asked."""
    crowded: float
    killed: list[str] = field(default_factory=list)


@contextmanager
def _lent(stack: Stack, *addresses: str) -> Iterator[None]:
    with ExitStack() as held:
        for address in addresses:
            held.enter_context(stack.lab.internet.also(address))
        yield


def _start(stack: Stack, command: str, *arguments: str) -> Popen[str]:
    return stack.lab.internet.start(stack.client_line(command, *arguments))


def _said(process: Popen[str]) -> Any:
    """The JSON of a crowd that was told that it is enough."""
    text = process.communicate(timeout=300)[0].strip()
    assert text, "the crowd said nothing"
    return json.loads(text.rpartition("\n")[2])


def _restarts(stack: Stack) -> dict[str, int]:
    """Container -> how often it was started again."""
    return {
        f"{pod['metadata']['name']}/{status['name']}": status["restartCount"]
        for pod in stack.pods()
        for status in pod["status"].get("containerStatuses", [])
    }


@pytest.fixture(scope="module")
def siege(stack: Stack, own_lab: Lab, report: Report, tmp_path_factory: pytest.TempPathFactory) -> Siege:
    """200 silent sessions and 20 nameless senders beside 1,000 ordinary letters, and people at the web interface."""
    enough = tmp_path_factory.mktemp("siege") / "enough"
    own_lab.internet.dns.load(_NAMES)
    before = _restarts(stack)
    with _lent(stack, _SERVER, *_IDLERS, *_NAMELESS, *_SENDERS), crowding() as crowd:
        server = _start(stack, "silent_nameserver", _SERVER, str(enough))
        silent = _start(stack, "silent_strangers", stack.names.mx, str(_EACH), str(enough), *_IDLERS)
        nameless = _start(stack, "nameless", stack.names.mx, JANE, str(enough), *_NAMELESS)
        logins = _start(stack, "web_logins", stack.names.website, JANE, PASSWORD, str(enough))
        try:
            arguments = (stack.names.mx, _SENDER, JANE, unique("ordinary"), str(_ORDINARY), str(_AT_ONCE))
            with report.timed("1,000 ordinary letters among 220 strangers"):
                waited = json.loads(stack.client("ordinary", *arguments, *_SENDERS, seconds=1800))
        finally:
            enough.touch()
        found = Siege(
            _said(silent),
            waited,
            _said(nameless),
            _said(logins),
            _said(server)["asked"],
            crowd.factor,
        )
    found.killed = [name for name, count in _restarts(stack).items() if count != before.get(name, 0)]
    report.note("the longest wait of an ordinary letter among strangers", max(waited.values()))
    report.note("the slowest login at the web interface among strangers", max(found.logins["took"]))
    return found


def test_strangers_were_there_in_numbers(siege: Siege) -> None:
    """Otherwise the rest says nothing."""
    assert siege.silent["most"] + siege.silent["turned_away"] >= 100, siege.silent
    assert siege.asked > len(_NAMELESS)


def test_no_ordinary_letter_waits_for_a_minute(siege: Siege) -> None:
    assert len(siege.waited) == _ORDINARY
    assert max(siege.waited.values()) <= _WAIT_SECONDS * siege.crowded


def test_all_ordinary_letters_arrive(stack: Stack, siege: Siege) -> None:
    stack.arrived(JANE, siege.waited, seconds=600)


def test_senders_whose_names_cannot_be_found_are_asked_to_come_again(siege: Siege) -> None:
    """Their name servers may answer tomorrow. Whoever found no process free has not been heard at all."""
    assert siege.nameless.get("450")
    assert not [said for said in siege.nameless if said.startswith(("2", "5"))]


def test_the_web_interface_lets_people_in_within_two_seconds(siege: Siege) -> None:
    assert siege.logins["took"]
    assert not siege.logins["refused"]
    assert sorted(siege.logins["took"])[len(siege.logins["took"]) // 2] <= _LOGIN_SECONDS * siege.crowded


def test_nothing_was_killed_for_want_of_memory(stack: Stack, siege: Siege) -> None:
    assert siege.killed == []
    assert _out_of_memory(stack) == []


def _out_of_memory(stack: Stack) -> list[str]:
    return [
        f"{pod['metadata']['name']}/{status['name']}"
        for pod in stack.pods()
        for status in pod["status"].get("containerStatuses", [])
        if "OOMKilled" in json.dumps(status.get("lastState", {}))
    ]


def test_five_hundred_sessions_wait_for_news_and_hear_them(
    stack: Stack, report: Report, tmp_path: Path
) -> None:
    enough, mark = tmp_path / "enough", str(time.time_ns())[-8:]
    users = [f"phone{mark}x{number}@example.org" for number in range(_SESSIONS // _DEVICES)]
    for user in users:
        stack.add_user(user)
    with _lent(stack, *_PEOPLE):
        arguments = (stack.names.imap, ",".join(users), PASSWORD, str(_SESSIONS), str(enough), *_PEOPLE)
        phones = _start(stack, "idle", *arguments)
        try:
            assert phones.stdout
            said = phones.stdout.readline().split()
            stack.accepted(JANE, unique("to a crowd"))
            memory = _memory(stack)
        finally:
            enough.touch()
        found = _said(phones)
    assert said == ["waiting", str(_SESSIONS)]
    assert found == {"waiting": _SESSIONS, "alive": _SESSIONS}
    assert _out_of_memory(stack) == []
    report.note("memory of Cyrus with 500 sessions that wait (MiB)", memory)


def _memory(stack: Stack) -> float:
    """What the processes of Cyrus' container use, MiB."""
    # Control groups of either version.
    files = "cat /sys/fs/cgroup/memory.current 2>/dev/null || cat /sys/fs/cgroup/memory/memory.usage_in_bytes"
    said = stack.kubectl("exec", "imap-0", "-c", "imap", "--", "sh", "-c", files)
    return int(said) / 2**20


def test_twenty_people_write_two_hundred_letters_and_none_is_put_off(stack: Stack) -> None:
    mark = str(time.time_ns())[-8:]
    people = [f"colleague{mark}x{number}@example.org" for number in range(20)]
    for person in people:
        stack.add_user(person)
    prefix = unique("office")
    arguments = (stack.names.smtp, PASSWORD, JOE, prefix, "10", *people)
    answers = json.loads(stack.client("office", *arguments, seconds=600))
    assert len(answers) == 200
    assert {said[:3] for said in answers.values()} == {"250"}

    # By themselves: nobody helps a queue in an office.
    def missing() -> set[str]:
        return set(answers) - set(stack.subjects(JOE))

    eventually(lambda: not missing(), "letters of colleagues never arrived", seconds=300, every=3)


@dataclass
class Guessing:
    """Ten thousand wrong passwords."""

    answers: dict[str, int]
    """At IMAP -> how often."""
    web: dict[str, int]
    """At the web interface -> how often."""
    right: list[float]
    """Seconds that somebody with the right password needed, from another address, to hand in a message and to find it."""
    began: float
    """Seconds since 1970."""
    crowded: float


@pytest.fixture(scope="module")
def guessing(
    stack: Stack, own_lab: Lab, report: Report, tmp_path_factory: pytest.TempPathFactory
) -> Guessing:
    enough, right, first = tmp_path_factory.mktemp("guessing") / "enough", [], time.time()
    with _lent(stack, *_GUESSERS), crowding() as crowd:
        arguments = (stack.names.imap, JANE, str(_GUESSES), str(_GUESSES_AT_ONCE), *_GUESSERS)
        guesses = _start(stack, "guesses", *arguments)
        web = _start(stack, "web_guesses", stack.names.website, JANE, str(enough))
        try:
            while guesses.poll() is None:
                began = time.monotonic()
                subject = unique("while-they-guess")
                written = (stack.names.smtp, "465", JANE, PASSWORD, JANE, JANE, subject)
                assert stack.client("submit", *written).startswith("250")
                stack.inbox(JANE, subject, seconds=_WAIT_SECONDS * max(1.0, crowd.factor))
                right.append(time.monotonic() - began)
        finally:
            enough.touch()
        found = Guessing(_said(guesses), _said(web), right, first, crowd.factor)
    report.note(
        "the longest way of a message while passwords are guessed, from its login to the mailbox", max(right)
    )
    return found


def test_ten_thousand_guesses_are_braked(stack: Stack, guessing: Guessing) -> None:
    assert sum(guessing.answers.values()) == _GUESSES
    told = sum(count for said, count in guessing.answers.items() if re.match(r"a NO \[UNAVAILABLE\]", said))
    assert told > _GUESSES / 2, guessing.answers
    assert guessing.web.get("429")
    assert not [said for said in guessing.web if said.startswith("2")], guessing.web


def test_the_right_password_from_another_address_opens_meanwhile(guessing: Guessing) -> None:
    assert len(guessing.right) > 1
    assert max(guessing.right) <= _WAIT_SECONDS * guessing.crowded


def test_the_proxy_writes_of_guesses_as_the_alert_counts_them(stack: Stack, guessing: Guessing) -> None:
    """The lab's stand-in for Vector counts nothing; what it would count is a line of nginx' own here, and tests/monitoring
    has the alert fire on such counts."""
    lines = stack.logs("proxy", "proxy", after=guessing.began).splitlines()
    failures = [line for line in lines if re.search(log_program.AUTH_FAILURE, line)]
    assert len(failures) > _NOTICED, lines[-5:]
