"""Mail from the internet: port 25, Amavis, the content filter, Cyrus, and back to its reader."""

from __future__ import annotations

import email
import uuid
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import dkim
import pytest

from tests.acceptance.configs import STRANGERS_KEY, STRANGERS_SELECTOR
from tests.acceptance.stack import JANE, JOE, PASSWORD, STRANGER, Stack

_WAY_IN = pytest.mark.proves("postfix", "amavis", "imap", "webapp")


@pytest.mark.usefixtures("stranger")
@_WAY_IN
@pytest.mark.parametrize("user", [JANE, JOE])
def test_mail_from_the_internet_is_read_over_imaps(stack: Stack, user: str) -> None:
    domain = user.partition("@")[2]
    exchange = stack.lab.internet.resolve(domain, "MX")[0].split()[1].rstrip(".")
    answer = stack.client("receive", exchange, STRANGER, user, f"first-contact-{domain}")
    assert answer.startswith("250"), answer
    assert f"This is first-contact-{domain}." in stack.inbox(user, f"first-contact-{domain}")


@pytest.mark.usefixtures("stranger")
@_WAY_IN
def test_bounces_are_accepted(stack: Stack) -> None:
    answer = stack.client("receive", stack.names.mx, "", JANE, "a-bounce")
    assert answer.startswith("250"), answer
    stack.inbox(JANE, "a-bounce")


@pytest.mark.usefixtures("stranger")
@_WAY_IN
def test_a_right_signature_is_marked_as_passed(stack: Stack) -> None:
    verdicts = _verdicts(stack, _signed())
    assert "dkim=pass" in verdicts, verdicts
    assert "header.d=sender.test" in verdicts, verdicts


@pytest.mark.usefixtures("stranger")
@_WAY_IN
def test_a_signature_over_other_words_is_marked_as_failed(stack: Stack) -> None:
    verdicts = _verdicts(stack, _signed().replace("Ten pounds", "Ten thousand pounds"))
    assert "dkim=fail" in verdicts, verdicts
    assert "dkim=pass" not in verdicts, verdicts


@pytest.mark.usefixtures("stranger")
@_WAY_IN
def test_a_stranger_brings_no_verdict_in_our_name(stack: Stack) -> None:
    """RFC 8601 section 5: readers believe whatever stands there under our name."""
    forged = f"Authentication-Results: {stack.settings.domain}; dkim=pass header.d=bank.test\r\n"
    verdicts = _verdicts(stack, forged + _signed())
    assert "header.d=sender.test" in verdicts, verdicts
    assert "bank.test" not in verdicts, verdicts


@pytest.mark.proves("postfix")
def test_port_25_offers_no_password_login(stack: Stack) -> None:
    seen = stack.client("ehlo", stack.names.mx, "25")
    assert "auth" not in seen.split(), seen


@pytest.mark.proves("postfix")
def test_the_banner_is_the_helo_name(stack: Stack) -> None:
    banner = stack.client("ehlo", stack.names.mx, "25").splitlines()[0]
    assert banner.startswith(stack.names.helo), banner


@pytest.mark.usefixtures("stranger")
@pytest.mark.proves("postfix")
def test_mail_to_nobody_is_refused_at_once(stack: Stack) -> None:
    """Bouncing later would make us a source of backscatter."""
    answer = stack.received("nobody@example.org", "to-nobody")
    assert answer.startswith("550"), answer


@pytest.mark.proves("proxy", "imap", "webapp")
def test_imap_takes_no_password_before_tls(stack: Stack) -> None:
    assert stack.client("plain_login", stack.names.imap, JANE, PASSWORD).startswith("refused")


@pytest.mark.proves("imap")
def test_the_public_manage_sieve_offers_no_password_login_before_tls(stack: Stack) -> None:
    before, _, after = stack.client("sieve", stack.names.sieve).partition("after:")
    assert "PLAIN" not in before, before
    assert "PLAIN" in after, after


def _signed() -> str:
    """A stranger's message, unlike any before, with the signature of the stranger's domain."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = STRANGER, JANE, f"signed-{uuid.uuid4()}"
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="sender.test")
    message.set_content("Ten pounds, please.\n")
    # Signed as it travels: with CRLF.
    text = message.as_string().replace("\n", "\r\n")
    seal = dkim.sign(text.encode(), STRANGERS_SELECTOR.encode(), b"sender.test", STRANGERS_KEY.encode())
    return seal.decode() + text


def _verdicts(stack: Stack, message: str) -> str:
    """What the reader's program finds in Authentication-Results (RFC 8601)."""
    answer = stack.client("raw", stack.names.mx, STRANGER, JANE, message)
    assert answer.startswith("250"), answer
    subject = email.message_from_string(message)["Subject"]
    read = email.message_from_string(stack.inbox(JANE, subject))
    return " ".join(read.get_all("Authentication-Results", []))
