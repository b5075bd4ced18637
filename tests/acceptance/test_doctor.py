"""The doctor, somewhere on the lab's internet: it finds nothing where nothing is wrong, and what is wrong at its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.configs import HEAD, LATER
from tests.acceptance.console import Console
from tests.acceptance.pace import crowding
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, JOE, Stack
from tests.lab.errors import LabError

pytestmark = pytest.mark.proves("proxy", "postfix", "imap", "webapp", "coturn")

_SECONDS = 20
_OF_THE_LAB = {
    "dmarc-enforced",  # the example for a beginning has `p=none`
    "dnssec-signed",  # nobody signs the lab's root
    "zones-two-servers",  # one serves all names
    "web-hsts",  # the webmail's stand-in does not say what upstream's image says
}
"""Warnings that are true of the lab."""
_OUT_OF_REACH = {"domain-expiry"}
"""The lab's internet has no registry."""
_NOBODY_IS_LISTED = {
    **dict.fromkeys(
        ("zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com"), f"{HEAD}2.0.0.127 IN A 127.0.0.2\n"
    ),
    "dbl.spamhaus.org": f"{HEAD}dbltest.com IN A 127.0.1.2\n",
}
"""Blocklists with their own test entry (RFC 5782 section 5)."""
_SERVER = "203.0.113.53"
_HOSTERS = {"example.com": f"{HEAD}ns1 IN A {_SERVER}\nns2 IN A {_SERVER}\n"}
"""Where the name servers of the stack's zones have their own names."""
Zones = Mapping[str, str]


@dataclass(frozen=True)
class Looked:
    """What one run said."""

    outcomes: list[dict[str, Any]]
    seconds: float

    def of(self, state: str) -> set[str]:
        """Ids of checks."""
        return {each["id"] for each in self.outcomes if each["state"] == state}

    @property
    def wrong(self) -> list[str]:
        """What is wrong and is not true of every lab, nor of the domain that the application learns of later."""
        return [
            f"{each['concern']}: {each['id']}: {'; '.join(each['evidence'])}"
            for each in self.outcomes
            if each["state"] == "failed"
            and each["id"] not in _OF_THE_LAB
            and LATER not in str(each["evidence"])
        ]

    def accuses(self, before: Looked) -> set[str]:
        """The parts of the service in which something is wrong that was not before."""
        return {each.partition(":")[0] for each in self.wrong if each not in before.wrong}


@dataclass(frozen=True)
class Doctor:
    """Asks the world of a stack, whose name servers and blocklists are the lab's."""

    stack: Stack
    console: Console

    def look(self, *options: str) -> Looked:
        said = self.console.run("doctor", "--json", "--authority", str(self.stack.authority), *options)
        assert not said.stderr, said.stderr
        found = json.loads(said.stdout)
        return Looked(found["outcomes"], found["seconds"])


@pytest.fixture(scope="module")
def doctor(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doctor]:
    made = Doctor(stack, Console(stack, tmp_path_factory.mktemp("console")))
    stack.lab.internet.dns.load({**_NOBODY_IS_LISTED, **_HOSTERS})
    postmaster = stack.settings.mail.postmaster
    if postmaster and postmaster not in (JANE, JOE):
        # A stack that is kept has it already.
        with suppress(LabError):
            stack.add_user(postmaster)
    yield made
    stack.publish()


@pytest.fixture(scope="module")
def healthy(doctor: Doctor, report: Report) -> Looked:
    with crowding() as crowd:
        found = doctor.look()
    report.note("the doctor's look at a healthy stack", found.seconds)
    assert found.seconds <= _SECONDS * crowd.factor
    return found


def test_a_healthy_stack_has_no_fault(healthy: Looked) -> None:
    assert healthy.wrong == []


def test_everything_that_the_lab_has_was_seen(healthy: Looked) -> None:
    assert healthy.of("unknown") == _OUT_OF_REACH


def test_what_has_not_changed_is_not_told_again(doctor: Doctor, healthy: Looked) -> None:
    assert doctor.look("--changed").outcomes == []


def _without(zone: str, pattern: str) -> Callable[[Zones], Zones]:
    """The zone loses its lines of a kind."""

    def change(zones: Zones) -> Zones:
        kept = [line for line in zones[zone].splitlines(keepends=True) if not re.search(pattern, line)]
        assert len(kept) < zones[zone].count("\n"), f"no line of {zone} is like {pattern}"
        return {zone: "".join(kept)}

    return change


def _other(zone: str, pattern: str, text: str) -> Callable[[Zones], Zones]:
    """The zone says something else."""

    def change(zones: Zones) -> Zones:
        said, number = re.subn(pattern, text, zones[zone])
        assert number, f"nothing in {zone} is like {pattern}"
        return {zone: said}

    return change


_FAULTS = {
    "a hosted domain has lost its DKIM key": ("dkim-record", "dkim", _without("example.net", r"^k\d+\._domainkey\.example\.net")),
    "a hosted domain's mail goes elsewhere": (
        "mx-record", "mx", _other("example.net", r"(?m)^(example\.net\. .* MX) .*", r"\1 10 mx.elsewhere.test."),
    ),
    "SPF of the domain names nobody": (
        "spf-record", "spf", _other("example.org", r'(?m)^(example\.org\. .* TXT) "v=spf1 .*', r'\1 "v=spf1 -all"'),
    ),
    "DMARC is gone": ("dmarc-record", "dmarc", _without("example.org", r"^_dmarc\.example\.org")),
    "an address of ours has no name": ("ptr-name", "reverse", _without("100.51.198.in-addr.arpa", r"^11\.")),
    "an address of ours is on a blocklist": (
        "blocklist-address", "reputation", lambda _: {"psbl.surriel.com": f"{HEAD}2.0.0.127 IN A 127.0.0.2\n11.100.51.198 IN A 127.0.0.2\n"},
    ),
}  # fmt: skip
"""What happens to the world -> the check that has to find it, the part of the service, and how it happens."""


@pytest.mark.parametrize("what", _FAULTS)
def test_a_fault_of_the_worlds_names_is_found_and_nothing_else_is_accused(
    stack: Stack, doctor: Doctor, healthy: Looked, what: str
) -> None:
    check, concern, change = _FAULTS[what]
    before = stack.zones() | _NOBODY_IS_LISTED
    changed = change(before)
    stack.lab.internet.dns.load(changed)
    try:
        found = doctor.look()
    finally:
        stack.lab.internet.dns.load({zone: before[zone] for zone in changed})
    assert check in found.of("failed")
    assert found.accuses(healthy) == {concern}


def test_a_web_side_that_is_down_is_found(stack: Stack, doctor: Doctor, healthy: Looked) -> None:
    stack.kubectl("scale", "deployment/proxy", "--replicas=0")
    try:
        stack.kubectl(
            "wait", "--for=delete", "pod", "-l", "app.kubernetes.io/name=proxy", "--timeout=120s", seconds=150
        )
        found = doctor.look()
    finally:
        stack.kubectl("scale", "deployment/proxy", f"--replicas={stack.settings.pods('proxy')}")
        stack.wait_ready()
    assert {"web-answers", "clients-open"} <= found.of("failed")
    assert found.accuses(healthy) <= {"web", "clients", "discovery"}
