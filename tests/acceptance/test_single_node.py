"""Single-node mode on a real cluster: everything on one address, seen from the internet."""

from __future__ import annotations

import pytest

from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack, eventually

ADDRESS = "192.168.50.200"
STRANGER = "stranger@sender.test"


def test_every_workload_is_ready(single_node: Stack) -> None:
    eventually(lambda: not single_node.unready(), f"still not ready: {single_node.unready()}", 300)


def test_a_second_up_changes_nothing(single_node: Stack) -> None:
    again = single_node.engine("preview", "--expect-no-changes")
    assert again.code == 0, again.output


def test_all_public_services_share_the_one_address(single_node: Stack) -> None:
    services = [s for s in single_node.get("services")["items"] if s["spec"]["type"] == "LoadBalancer"]
    addresses = {s["metadata"]["name"]: s["status"]["loadBalancer"]["ingress"][0]["ip"] for s in services}
    assert set(addresses.values()) == {ADDRESS}, addresses


def test_mail_from_the_internet_is_read_over_imaps(single_node: Stack) -> None:
    answer = single_node.client("receive", ADDRESS, STRANGER, JANE, "first-contact")
    assert answer.startswith("250"), answer
    read = lambda: single_node.client("read", ADDRESS, "993", JANE, PASSWORD, "first-contact")  # noqa: E731
    assert "This is first-contact." in eventually(read, "the message never arrived", 90)


def test_postfix_sees_the_address_of_the_client(single_node: Stack) -> None:
    single_node.client("receive", ADDRESS, STRANGER, JANE, "who-am-i")
    client = single_node.lab.internet.address
    log = eventually(lambda: single_node.logs("postfix-0", "postfix"), "Postfix writes no log", 10)
    assert f"[{client}]" in log, "the client's address is lost on its way to port 25"


@pytest.mark.parametrize("recipient", ["someone@elsewhere.test", "someone%elsewhere.test@sender.test"])
def test_strangers_cannot_relay(single_node: Stack, recipient: str) -> None:
    answer = single_node.client("receive", ADDRESS, STRANGER, recipient, "relay")
    assert answer.startswith("554"), answer


def test_bounces_are_accepted(single_node: Stack) -> None:
    answer = single_node.client("receive", ADDRESS, "", JANE, "a-bounce")
    assert answer.startswith("250"), answer


def test_port_25_offers_no_password_login(single_node: Stack) -> None:
    seen = single_node.client("ehlo", ADDRESS, "25")
    assert "auth" not in seen.split(), seen
    assert "mail.example.org" in seen.splitlines()[0], "the banner is not the HELO name"


def test_submission_signs_and_delivers_to_another_domain(single_node: Stack) -> None:
    answer = single_node.client("submit", ADDRESS, "465", JANE, PASSWORD, JANE, JOE, "signed")
    assert answer.startswith("250"), answer
    read = lambda: single_node.client("read", ADDRESS, "993", JOE, PASSWORD, "signed")  # noqa: E731
    message = eventually(read, "the message never arrived", 90)
    assert "DKIM-Signature:" in message
    assert "d=example.org" in message
    assert "s=k202611" in message


def test_nobody_sends_in_somebody_elses_name(single_node: Stack) -> None:
    answer = single_node.client("submit", ADDRESS, "587", JANE, PASSWORD, JOE, JANE, "forged")
    assert not answer.startswith("250"), answer


def test_imap_takes_no_password_before_tls(single_node: Stack) -> None:
    assert single_node.client("plain_login", ADDRESS, JANE, PASSWORD).startswith("refused")


def test_the_public_manage_sieve_offers_no_password_login_before_tls(single_node: Stack) -> None:
    greeting = single_node.client("sieve", ADDRESS)
    assert "STARTTLS" in greeting
    assert "PLAIN" not in greeting, greeting


def test_the_web_application_sees_the_address_of_the_client(single_node: Stack) -> None:
    answer = single_node.client("http", "https://example.org/api/lab/client", ADDRESS)
    assert single_node.lab.internet.address in answer, answer


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://example.org/", "200"),
        ("https://admin.example.org/", "200"),
        ("https://example.org/api/webhooks/nginx", "403"),
        ("https://example.org/api/webhooks/policy/spf", "403"),
        ("https://example.org/horizon", "403"),
        ("https://webapp/api/webhooks/metrics", "421"),
        ("http://example.org/anything", "301"),
        ("https://example.org/roundcubemail/", "301"),
        ("https://example.org/.well-known/caldav", "301"),
    ],
)
def test_a_path_is_answered_with_its_status(single_node: Stack, url: str, status: str) -> None:
    assert single_node.client("http", url, ADDRESS).splitlines()[0] == status


def test_nobody_claims_another_client_address(single_node: Stack) -> None:
    answer = single_node.client("http", "https://example.org/api/lab/client", ADDRESS, "X-Client-IP: 8.8.8.8")
    assert answer.splitlines()[0] == "400"
