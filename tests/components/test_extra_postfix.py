"""Parameters of an operator's own in a real Postfix: what is called harmless stops no mail and changes no message."""

from __future__ import annotations

import re
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components import entry
from model.extra.postfix import POSTFIX
from tests.support.deploy import deploy
from tests.support.extremes import extremes
from tests.support.postfix import Mailserver, folder, mailserver, needs_postfix
from tests.support.sandbox import Sandbox
from tests.support.stacks import changed

pytestmark = pytest.mark.thorough

_TRIED = {"rule": "extra-unknown", "reason": "tried what comes of it"}
_JANE, _STRANGER = "jane@example.org", "friend@receiver.test"
_TEXTS = {
    "yes|no": ("no", "yes"),
    "yes": ("yes", "yes"),
    "0h?": ("0", "0h"),
    "0": ("0", "0"),
    str(POSTFIX.harmless["notify_classes"]): ("2bounce", "2bounce, delay, resource, software"),
}


def harmless() -> list[dict[str, str]]:
    """Every parameter that this Postfix has and that is harmless, at its ends."""
    needs_postfix()
    said = subprocess.run(["/usr/sbin/postconf", "-d"], capture_output=True, text=True, check=True).stdout
    return extremes(POSTFIX, [line.split(" = ")[0] for line in said.splitlines()], _TEXTS)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with folder() as root:
        yield Sandbox(root)


@pytest.fixture(
    scope="module", params=range(4), ids=("least", "most", "least of the other", "most of the other")
)
def extreme(request: pytest.FixtureRequest) -> Iterator[Mailserver]:
    """Our Postfix with all of them."""
    needs_postfix()
    stack = deploy(changed("bare", {"extra": {"postfix": harmless()[request.param]}}))
    with mailserver(stack, None) as ours:
        yield ours


def postfix(sandbox: Sandbox, **parameters: Any) -> subprocess.CompletedProcess[str]:
    """What Postfix' script makes of parameters."""
    needs_postfix()
    made = deploy(changed("bare", {"extra": {"postfix": parameters}, "acknowledge": [_TRIED]}))
    files = made.folder("postfix", "postfix", entry.PATH)
    sandbox.mount(entry.PATH, {name: files[name] for name in ("adjust.sh", "extra.sh", "extra.cf")})
    sandbox.put(
        "/etc/postfix/main.cf",
        "compatibility_level = 2\nsmtpd_hard_error_limit = 3\nmaillog_file = /dev/stdout\n",
    )
    sandbox.put("/etc/postfix/master.cf", Path("/etc/postfix/master.cf").read_text())
    sandbox.command("postconf", 'exec /usr/bin/../sbin/postconf -c /etc/postfix "$@"')
    script = f"export MAIL_CONFIG=/etc/postfix\nsource {entry.PATH}/adjust.sh\nsource {entry.PATH}/extra.sh\npostconf -h smtpd_hard_error_limit smtp_destination_rate_delay\n"
    return sandbox.run(script)


@pytest.mark.thorough
def test_postfix_takes_parameters_of_ones_own_in_place_of_the_images(sandbox: Sandbox) -> None:
    done = postfix(sandbox, smtpd_hard_error_limit=10, smtp_destination_rate_delay="1s")
    assert (done.returncode, done.stdout) == (0, "10\n1s\n"), done.stderr


@pytest.mark.thorough
def test_a_parameter_that_postfix_does_not_have_stops_the_container(sandbox: Sandbox) -> None:
    done = postfix(sandbox, smtp_wishful_timeout="10s")
    assert done.returncode == 70
    assert (
        "this Postfix has no parameter smtp_wishful_timeout: remove kolab:extra.postfix.smtp_wishful_timeout"
        in done.stderr
    )


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("parameter", "value", "complaint"),
    [
        ("qmgr_message_active_limit", 0, "invalid qmgr_message_active_limit parameter value 0 < 1"),
        ("default_destination_concurrency_limit", "5s", "bad numerical configuration: default_destination_concurrency_limit = 5s"),
        ("smtp_connection_cache_on_demand", "5", "bad boolean configuration: smtp_connection_cache_on_demand = 5"),
        ("smtpd_recipient_limit", 0, "invalid smtpd_recipient_limit parameter value 0 < 1"),
        ("queue_run_delay", "9999999w", "parameter queue_run_delay: bad time value or unit: 9999999w"),
        ("hopcount_limit", 0, "invalid hopcount_limit parameter value 0 < 1"),
    ],
)  # fmt: skip
def test_a_value_that_only_a_daemon_of_postfix_would_die_of_stops_the_container(
    sandbox: Sandbox, parameter: str, value: Any, complaint: str
) -> None:
    done = postfix(sandbox, **{parameter: value})
    assert done.returncode == 70
    assert f"Postfix does not take a line of kolab:extra.postfix: {complaint}" in done.stderr


def _letter(subject: str) -> bytes:
    """As long, as widely travelled and as deep as a message may be."""
    hops = b"".join(
        b"Received: from a.test by b.test; Mon, 1 Jan 2024 00:00:%02d +0000\r\n" % each for each in range(40)
    )
    references = b"References: " + b"\r\n ".join(b"<%030d@sender.test>" % each for each in range(1500))
    opened = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (each, each) for each in range(40)
    )
    return (
        hops
        + b"From: author@sender.test\r\nSubject: " + subject.encode()
        + b"\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@sender.test>\r\nTo: somebody\r\nMIME-Version: 1.0\r\n" + references + b"\r\n" + opened
        + b"Content-Type: text/plain\r\n\r\n" + b"x" * 998 + b"\r\nend\r\n"
    )  # fmt: skip


def test_at_least_every_kind_of_daemon_is_asked() -> None:
    found = harmless()
    assert len(found[0]) > 80
    for part in ("smtp_", "lmtp_", "smtpd_", "default_", "qmgr_", "queue_", "header_", "ipc_"):
        assert any(name.startswith(part) for name in found[0])
    assert [each["smtp_line_length_limit"] for each in found] == ["0", "0", "998", "1000000"]


@pytest.mark.parametrize(("recipient", "place"), [(_JANE, "delivered"), (_STRANGER, "world")])
def test_a_message_passes_unharmed_whatever_harmless_parameters_say(
    extreme: Mailserver, recipient: str, place: str
) -> None:
    letter = _letter(f"to {place}")
    with smtplib.SMTP("127.0.0.1", extreme.sandbox.port(10025)) as client:
        client.sendmail("author@sender.test", [recipient], letter)
    _, recipients, text = getattr(extreme, place).of(f"to {place}")
    assert recipients == (recipient,)
    arrived = text.encode()
    assert arrived.endswith(letter[letter.index(b"References:") :])
    assert not re.findall("fatal: .*|bad command startup.*|panic: .*", extreme.log)
