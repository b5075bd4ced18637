"""The doctor on the lab: what it says of a healthy stack, and what is true of every lab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from model.identity.place import forward_zones
from tests.acceptance.configs import HEAD, LATER
from tests.acceptance.console import Console
from tests.acceptance.stack import JANE, JOE, Stack
from tests.lab.errors import LabError

OUT_OF_REACH = {"domain-expiry"}
"""The lab's internet has no registry."""
NOBODY_IS_LISTED = {
    **dict.fromkeys(
        ("zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com"), f"{HEAD}2.0.0.127 IN A 127.0.0.2\n"
    ),
    "dbl.spamhaus.org": f"{HEAD}dbltest.com IN A 127.0.1.2\n",
}
"""Blocklists with their own test entry (RFC 5782 section 5)."""
SERVER, SECOND, RESOLVER = "203.0.113.53", "203.0.113.54", "203.0.113.55"
HOSTERS = {"example.com": f"{HEAD}ns1 IN A {SERVER}\nns2 IN A {SECOND}\n"}
"""Where the name servers of the stack's zones have their own names."""


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
        """Every finding: faults and warnings."""
        return [
            f"{each['concern']}: {each['id']}: {'; '.join(each['evidence'])}"
            for each in self.outcomes
            if each["state"] == "failed"
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
        world = ("--authority", str(self.stack.authority), "--resolver", RESOLVER)
        said = self.console.run("doctor", "--json", *world, *options)
        assert not said.stderr, said.stderr
        found = json.loads(said.stdout)
        return Looked(found["outcomes"], found["seconds"])


@contextmanager
def all_done(stack: Stack) -> Iterator[None]:
    """An operator has done everything: signed zones on two servers, the mailbox of roles, and no domain in the stack file that
    the application does not know yet. Nobody has listed the addresses."""
    served = stack.lab.internet.dns
    served.load({**NOBODY_IS_LISTED, **HOSTERS})
    before = stack.program.config()
    known = [domain for domain in stack.settings.hosted_domains if domain != LATER]
    zones = {zone: "" for zone in stack.settings.dns.zone_ids if zone != LATER}
    stack.program.change({"hostedDomains": known, "dns.zones": zones})
    served.vouch(forward_zones(stack.settings))
    _receives_for_roles(stack)
    try:
        yield
    finally:
        stack.program.write(before)
        served.vouch(())
        stack.publish()


def _receives_for_roles(stack: Stack) -> None:
    postmaster = stack.settings.mail.postmaster
    if postmaster and postmaster not in (JANE, JOE):
        # A stack that is kept has it already.
        with suppress(LabError):
            stack.add_user(postmaster)
