"""DANE for what we send, on an internet whose root and receivers are signed: keys that receivers publish are demanded."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance import signed_root
from tests.acceptance.console import Console
from tests.acceptance.receiving import Receiver, unique
from tests.acceptance.report import Report
from tests.acceptance.servers import serving
from tests.acceptance.stack import JANE, PASSWORD, Stack, eventually
from tests.lab.cluster import Lab
from tests.support.postfix import authority, identity

pytestmark = [
    # Two updates of Postfix, and mail that has to wait: too long for what runs before every change.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("postfix", "unbound"),
]

_RECEIVERS = {
    "right.example": signed_root.Receiver(names="shown"),
    "wrong.example": signed_root.Receiver(names="other"),
    "exempt.example": signed_root.Receiver(names="other"),
    "keyless.example": signed_root.Receiver(),
    "unsigned.example": signed_root.Receiver(names="other", signed=False),
    "forged.example": signed_root.Receiver(names="shown", holds=False),
}
"""Domain -> what its zone says. All of them have one server, which shows the key `shown` and is who it is anyhow."""


@dataclass(frozen=True)
class World:
    """Receivers behind one server, and letters to them."""

    stack: Stack
    folder: Path
    identities: Mapping[str, str]

    @property
    def took(self) -> Receiver:
        """What the server has."""
        return Receiver(self.folder / "took")

    @contextmanager
    def serves(self, shown: str) -> Iterator[None]:
        """The receivers' server, with the key of that name."""
        file = self.folder / f"{shown}.pem"
        file.write_text(self.identities[shown])
        with serving(self.stack, "receiver", self.folder / "took", file, *_RECEIVERS):
            yield

    def write(self, domain: str) -> str:
        """Jane writes to a reader there. The message's subject."""
        subject, reader = unique(f"to {domain}"), f"reader@{domain}"
        said = self.stack.client(
            "submit", self.stack.names.smtp, "465", JANE, PASSWORD, JANE, reader, subject
        )
        assert said.startswith("250"), said
        return subject

    def fate(self, domain: str) -> str:
        """How the last attempt to deliver there ended, as Postfix's log has it. Its relay to Amavis is none."""
        attempt = rf"to=<reader@{re.escape(domain)}>, .*relay=(?!127\.).*status=(\w+ \(.*\))"
        found: list[str] = eventually(
            lambda: re.findall(attempt, self.log), f"nothing was tried for {domain}", seconds=180
        )
        return found[-1]

    @property
    def log(self) -> str:
        """Of Postfix."""
        return self.stack.logs("postfix", "postfix", after=self.begun)

    @property
    def begun(self) -> float:
        """When this world began."""
        return (self.folder / "shown.pem").stat().st_mtime - 5


@pytest.fixture(scope="module")
def world(
    stack: Stack, own_lab: Lab, tmp_path_factory: pytest.TempPathFactory, report: Report
) -> Iterator[World]:
    """The stack demands keys, as a reviewed change has it, and then does not again."""
    folder = tmp_path_factory.mktemp("signed")
    identities = {name: identity(authority(), "mail.right.example") for name in ("shown", "other")}
    anchor = signed_root.publish(own_lab, folder, _RECEIVERS, identities)
    before = stack.program.config()
    outbound = {
        "dane": True,
        "exempt": ["exempt.example"],
        # The stranger who writes to us, and its address: about what ends in .test, and about networks of documentation, no
        # resolver asks the world, unless they are listed.
        "internalDomains": ["sender.test", "113.0.203.in-addr.arpa"],
        "resolvers": [own_lab.internet.dns.address],
        "trustAnchors": [anchor],
    }
    stack.program.change({"mail.outbound": outbound})
    began = time.monotonic()
    try:
        stack.apply()
        report.note("an update that has receivers' keys demanded", time.monotonic() - began)
        yield World(stack, folder, identities)
    finally:
        for pod in stack.pods("postfix"):
            stack.kubectl(
                "exec", pod["metadata"]["name"], "-c", "postfix", "--", "postsuper", "-d", "ALL", "deferred"
            )
        stack.program.write(before)
        stack.apply()
        signed_root.restore(own_lab)


@pytest.fixture(scope="module")
def sent(world: World) -> Mapping[str, str]:
    """Domain -> subject of a message to it, once each has been tried."""
    with world.serves("shown"):
        found = {domain: world.write(domain) for domain in _RECEIVERS}
        for domain in _RECEIVERS:
            world.fate(domain)
    return found


def test_whoever_shows_the_key_that_its_zone_names_gets_mail_over_a_verified_session(
    world: World, sent: Mapping[str, str]
) -> None:
    assert world.took.get(sent["right.example"])["encrypted"]
    assert "Verified TLS connection established to mail.right.example" in world.log


def test_whoever_shows_another_key_gets_nothing_and_mail_waits_with_the_reason(
    world: World, sent: Mapping[str, str]
) -> None:
    assert world.fate("wrong.example").startswith("deferred (Server certificate not ")
    assert sent["wrong.example"] not in world.took.subjects()
    assert "reader@wrong.example" in world.stack.waiting()


@pytest.mark.usefixtures("sent")
def test_the_operator_reads_why_mail_waits_and_what_to_do(world: World, tmp_path: Path) -> None:
    said = Console(world.stack, tmp_path).says("queue", "why")
    assert "The server does not show the key that its zone names" in said
    assert "its signatures are wrong" in said


@pytest.mark.parametrize("domain", ["keyless.example", "unsigned.example"])
def test_a_receiver_without_keys_that_count_gets_mail_as_before(
    world: World, sent: Mapping[str, str], domain: str
) -> None:
    assert world.took.get(sent[domain])["encrypted"]
    assert f"Untrusted TLS connection established to mail.{domain}" in world.log


def test_a_receiver_that_is_exempt_gets_mail_whatever_key_its_server_shows(
    world: World, sent: Mapping[str, str]
) -> None:
    assert world.took.get(sent["exempt.example"])["encrypted"]


def test_a_zone_whose_signature_is_not_of_what_it_says_gets_nothing_and_mail_waits(
    world: World, sent: Mapping[str, str]
) -> None:
    assert world.fate("forged.example").startswith("deferred (")
    assert sent["forged.example"] not in world.took.subjects()
    assert "reader@forged.example" in world.stack.waiting()

    def said() -> bool:
        world.stack.flush()
        return "validation failure <forged.example" in world.stack.logs(
            "postfix", "unbound", after=world.begun
        )

    eventually(said, "the resolver never told whose signature is wrong", every=3)


def test_names_of_the_cluster_and_mail_from_the_world_are_found_as_before(world: World) -> None:
    subject = unique("while keys are demanded")
    world.stack.accepted(JANE, subject)
    world.stack.inbox(JANE, subject)


def test_what_waited_arrives_once_the_server_shows_the_key_that_was_named(world: World) -> None:
    subject = world.write("wrong.example")
    with world.serves("other"):
        world.stack.flush()
        assert world.took.get(subject)["encrypted"]
    assert "Verified TLS connection established to mail.wrong.example" in world.log
