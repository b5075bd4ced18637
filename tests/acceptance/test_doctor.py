"""The doctor, somewhere on the lab's internet: it finds nothing where nothing is wrong, and what is wrong at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from tests.acceptance.configs import HEAD
from tests.acceptance.doctoring import NOBODY_IS_LISTED, OUT_OF_REACH, Doctor, Looked
from tests.acceptance.stack import Stack

pytestmark = pytest.mark.proves("proxy", "postfix", "imap", "webapp", "coturn")

Zones = Mapping[str, str]


def test_of_a_stack_whose_operator_has_done_everything_nothing_is_found(healthy: Looked) -> None:
    assert healthy.wrong == []


def test_everything_that_the_lab_has_was_seen(healthy: Looked) -> None:
    assert healthy.of("unknown") == OUT_OF_REACH


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
"""What happens to the world -> the check that has to find it, the part of the service, and how it happens. Long, as the hundred
faults of test_doctor_faults.py are, which one stack has."""


@pytest.mark.long
@pytest.mark.parametrize("what", _FAULTS)
def test_a_fault_of_the_worlds_names_is_found_and_nothing_else_is_accused(
    stack: Stack, doctor: Doctor, healthy: Looked, what: str
) -> None:
    check, concern, change = _FAULTS[what]
    before = stack.zones() | NOBODY_IS_LISTED
    changed = change(before)
    stack.lab.internet.dns.load(changed)
    try:
        found = doctor.look()
    finally:
        stack.lab.internet.dns.load({zone: before[zone] for zone in changed})
    assert check in found.of("failed")
    assert found.accuses(healthy) == {concern}


@pytest.mark.long
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
