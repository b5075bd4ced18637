"""The way to a smarthost, tried with real Postfixes: what arrives, and who gets to see the password."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.deploy import Deployment, deploy
from tests.support.postfix import HOST, RELAY, Mailserver, Smarthost, authority, mailserver, pem, smarthost
from tests.support.sandbox import wait_for
from tests.support.stacks import changed

pytestmark = pytest.mark.security

AUTHORITY = authority()
OUT = "reader@receiver.test"
JANE = "jane@example.org"


def relayed(port: int = 587, **more: Any) -> Deployment:
    """The stack whose smarthost has a certificate of our authority."""
    egress: dict[str, Any] = {"mode": "relay", "host": RELAY, "port": port, "username": "kolab"}
    egress |= {"authorities": pem(AUTHORITY)} | more
    return deploy(changed("single-node", {"network": {"egress": egress}}))


def login(stack: Deployment) -> tuple[str, str]:
    return "kolab", stack.sentinels["relayPassword"]


@pytest.fixture(scope="module", params=[587, 465])
def through(request: pytest.FixtureRequest) -> Iterator[tuple[Mailserver, Smarthost]]:
    """Our Postfix, and the smarthost that it trusts."""
    stack = relayed(request.param)
    with (
        smarthost(AUTHORITY, HOST, login(stack), implicit=request.param == 465) as relay,
        mailserver(stack, relay) as ours,
    ):
        yield ours, relay


def test_mail_for_the_world_arrives_through_the_smarthost(through: tuple[Mailserver, Smarthost]) -> None:
    ours, relay = through
    ours.send(OUT, "out")
    wait_for(lambda: any("Subject: out" in text for text in relay.messages()))
    # By way of the filter, which speaks no TLS.
    assert "out" in ours.filter.subjects()
    assert set(relay.asked) == {("kolab", login(relayed())[1])}


def test_mail_from_the_world_still_arrives(through: tuple[Mailserver, Smarthost]) -> None:
    ours, relay = through
    ours.send(JANE, "in")
    wait_for(lambda: "in" in ours.delivered.subjects())
    assert not any("Subject: in" in text for text in relay.messages())


def test_no_log_and_no_configuration_has_the_password(through: tuple[Mailserver, Smarthost]) -> None:
    ours, _ = through
    password = login(relayed())[1]
    assert password not in ours.log
    for file in ours.sandbox.path("/etc/postfix").glob("*.cf"):
        assert password not in file.read_text()
    assert password not in "\n".join(ours.sandbox.calls)


def _of_a_stranger(stack: Deployment) -> Any:
    return smarthost(authority(), HOST, login(stack))


def _of_another_name(stack: Deployment) -> Any:
    return smarthost(AUTHORITY, "another.example.net", login(stack))


def _of_a_name_below(stack: Deployment) -> Any:
    return smarthost(AUTHORITY, f"below.{HOST}", login(stack))


@pytest.mark.parametrize("other", [_of_a_stranger, _of_another_name, _of_a_name_below])
def test_a_smarthost_with_another_certificate_gets_nothing_and_never_sees_the_password(
    other: Callable[[Deployment], Any],
) -> None:
    stack = relayed()
    with other(stack) as relay, mailserver(stack, relay) as ours:
        ours.send(OUT, "out")
        wait_for(
            lambda: re.search(r"to=<reader@receiver\.test>.*status=deferred \(Server certificate", ours.log)
        )
        assert (relay.asked, relay.messages()) == ([], [])


def test_without_authorities_of_its_own_the_worlds_are_believed_and_no_others() -> None:
    stack = relayed(authorities=None)
    with smarthost(AUTHORITY, HOST, login(stack)) as relay, mailserver(stack, relay) as ours:
        ours.send(OUT, "out")
        wait_for(lambda: "status=deferred (Server certificate not verified)" in ours.log)
        assert relay.asked == []
