"""The doctor on the lab: what it says of a healthy stack, and what is true of every lab."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.acceptance.configs import HEAD, LATER
from tests.acceptance.console import Console
from tests.acceptance.stack import JANE, JOE, Stack
from tests.lab.errors import LabError

OF_THE_LAB = {
    "dmarc-enforced",  # the example for a beginning has `p=none`
    "dnssec-signed",  # nobody signs the lab's root
    "zones-two-servers",  # one serves all names
    "web-hsts",  # the webmail's stand-in does not say what upstream's image says
}
"""Warnings that are true of the lab."""
OUT_OF_REACH = {"domain-expiry"}
"""The lab's internet has no registry."""
NOBODY_IS_LISTED = {
    **dict.fromkeys(
        ("zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com"), f"{HEAD}2.0.0.127 IN A 127.0.0.2\n"
    ),
    "dbl.spamhaus.org": f"{HEAD}dbltest.com IN A 127.0.1.2\n",
}
"""Blocklists with their own test entry (RFC 5782 section 5)."""
SERVER = "203.0.113.53"
HOSTERS = {"example.com": f"{HEAD}ns1 IN A {SERVER}\nns2 IN A {SERVER}\n"}
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
        """What is wrong and is not true of every lab, nor of the domain that the application learns of later."""
        return [
            f"{each['concern']}: {each['id']}: {'; '.join(each['evidence'])}"
            for each in self.outcomes
            if each["state"] == "failed"
            and each["id"] not in OF_THE_LAB
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


def prepare(stack: Stack) -> None:
    """What the doctor asks about beyond the stack: blocklists, the name servers' own names, the mailbox of roles."""
    stack.lab.internet.dns.load({**NOBODY_IS_LISTED, **HOSTERS})
    postmaster = stack.settings.mail.postmaster
    if postmaster and postmaster not in (JANE, JOE):
        # A stack that is kept has it already.
        with suppress(LabError):
            stack.add_user(postmaster)
