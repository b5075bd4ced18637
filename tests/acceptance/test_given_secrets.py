"""Secrets that somebody else gives are exchanged while mail flows: the new ones are in use, the old ones no more, no mail
that was accepted is lost and nobody is locked out. A smarthost's password has its place in test_smarthost.py."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from model.topology import REPORT_READER
from tests.acceptance import smarthost, webhook
from tests.acceptance.console import Console
from tests.acceptance.others import BACKUPS, PORT, USER, Others
from tests.acceptance.receiving import unique
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, JOE, PASSWORD, STRANGER, Stack, eventually
from tests.acceptance.streams import strangers_write
from tests.lab.cluster import Lab
from tests.lab.errors import LabError
from tests.support import world_reports

pytestmark = [
    # Several updates with mail all the while: too long for what runs before every change.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("alertmanager", "restic", "webapp", "imap", "postfix"),
    pytest.mark.usefixtures("stranger"),
]

_LEAST = 50
"""Messages that a stranger hands over meanwhile."""
_HEARD_SECONDS = 240
"""Alertmanager collects what pages for half a minute, and tells the heartbeat what Prometheus repeats each minute."""
_HAND_IN = "import smtplib, sys; smtplib.SMTP(sys.argv[1], 25).sendmail(*sys.argv[2:], sys.stdin.read())"
_BEFORE, _AFTER = "BeforeTheRotation", "AfterTheRotation"


def _given() -> dict[str, str]:
    """A value of each, as others would give it."""
    return {
        "alertsWebhook": f"https://{webhook.HOST}/alerts/{secrets.token_hex(16)}",
        "alertsHeartbeat": f"https://{webhook.HOST}/alive/{secrets.token_hex(16)}",
        "alertsServerPassword": f"Al3rt:{secrets.token_hex(8)}#%word",
        "backupPassword": f"R3st:{secrets.token_hex(8)}#%word",
        "backupKey": secrets.token_hex(16),
        "roundTripPassword": f"Trip{secrets.token_hex(16)}",
        "reportsPassword": f"Reports{secrets.token_hex(16)}",
    }


KEYS = tuple(_given())


@dataclass(frozen=True)
class Rotated:
    """The update that brought every new value, and what had been seen until its last pod was ready."""

    others: Others
    mailbox: str
    old: Mapping[str, str]
    new: Mapping[str, str]
    acknowledged: set[str]
    at: float
    """When that was (seconds since 1970)."""
    told: Mapping[str, int]
    """Secret -> alerts that had come to its old URL."""
    shown: int
    """Passwords that the mail server had been shown."""
    console: Console


@pytest.fixture(scope="module")
def rotated(
    stack: Stack, own_lab: Lab, report: Report, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rotated]:
    """All at once; where the other end knows one value at a time, the old one ends before the stack has the new one."""
    before, old, new = stack.program.config(), _given(), _given()
    others = Others(stack, tmp_path_factory.mktemp("others"))
    console = Console(stack, tmp_path_factory.mktemp("console"))
    mailbox = f"round-trip{time.time_ns()}@example.org"
    # Mail leaves from one node alone, alerts and backups from wherever their pods are.
    own_lab.set_egress(own_lab.settings.egress)
    stack.publish()
    with others.believed():
        with others.serving(old):
            _ask_of(stack, others, mailbox, old)
            console.says("user", "add", mailbox, typed=f"{old['roundTripPassword']}\n")
            console.says("user", "add", _reports(mailbox), typed=f"{old['reportsPassword']}\n")
            stack.apply()
            others.alert(_BEFORE)
            _in_use(others, old, _BEFORE)
            console.says("backup", "now", "mail")
            keys = others.add_key(old, new["backupKey"])
        with others.serving(new):
            console.says("user", "passwd", mailbox, typed=f"{new['roundTripPassword']}\n")
            console.says("user", "passwd", _reports(mailbox), typed=f"{new['reportsPassword']}\n")
            with strangers_write(
                stack, JANE, tmp_path_factory.mktemp("meanwhile") / "enough", _LEAST
            ) as acknowledged:
                _rotate(stack, new, tmp_path_factory.mktemp("given"))
                with report.timed("an update that rotates every secret that others give"):
                    stack.apply()
            told = {key: len(others.told(old[key])) for key in ("alertsWebhook", "alertsHeartbeat")}
            at, shown = time.time(), len(others.shown())
            for key in keys:
                key.unlink()
            others.alert(_AFTER)
            yield Rotated(others, mailbox, old, new, acknowledged, at, told, shown, console)
        stack.program.write(before)
        stack.apply()
    stack.wait_ready()
    own_lab.set_egress(stack.egress)


def _ask_of(stack: Stack, others: Others, mailbox: str, values: Mapping[str, str]) -> None:
    """A stack file that needs all of them, with these values."""
    internet = stack.lab.internet.address
    repository = {"kind": "rest", "endpoint": f"https://{BACKUPS}:{PORT}", "username": USER}
    server = {
        "host": smarthost.HOST,
        "port": smarthost.PORT,
        "sender": "kolab@provider.test",
        "username": USER,
    }
    stack.program.change(
        {
            "monitoring.alerts": {
                "email": "operator@provider.test", "server": server, "webhook": "secret", "heartbeat": "secret"
            },
            "monitoring.roundTrip": {"mailbox": mailbox, "every": 1},
            "monitoring.reports": {"mailbox": _reports(mailbox), "every": 1},
            "backup": {
                "repository": {**repository, "networks": f"{internet}/32", "authorities": others.authorities},
                "drill": "never",
            },
        }
    )  # fmt: skip
    pairs = [word for key, value in values.items() for word in ("--secret", f"kolab:{key}={value}")]
    stack.program.must("config", "set-all", "--stack", stack.program.stack, *pairs)


def _reports(mailbox: str) -> str:
    """The account that reports come to, beside the one that writes to itself."""
    return f"reports-{mailbox}"


def _rotate(stack: Stack, values: Mapping[str, str], folder: Path) -> None:
    for key, value in values.items():
        (folder / key).mkdir()
        (folder / key / key).write_text(value)
        rest = ("--from", str(folder / key), "--stack", stack.program.stack)
        stack.program.ops("secrets", "rotate", key, *rest)


def _in_use(others: Others, values: Mapping[str, str], alert: str) -> None:
    """Until the alert and the heartbeat came to these URLs, and mail about the alert was taken."""

    def arrived() -> bool:
        return (
            alert in others.told(values["alertsWebhook"])
            and bool(others.told(values["alertsHeartbeat"]))
            and any(alert in subject for subject in others.mailed())
        )

    eventually(arrived, f"{alert} came not by every way", seconds=_HEARD_SECONDS, every=2)


def test_no_message_that_was_accepted_meanwhile_is_lost(
    stack: Stack, rotated: Rotated, report: Report
) -> None:
    assert len(rotated.acknowledged) >= _LEAST
    stack.arrived(JANE, rotated.acknowledged)
    number = len(rotated.acknowledged)
    report.note("messages acknowledged while secrets of others changed (number)", number)


@pytest.mark.usefixtures("rotated")
def test_people_log_in_with_the_passwords_that_they_know(stack: Stack) -> None:
    subject = unique("still me")
    answer = stack.client("submit", stack.names.smtp, "465", JANE, PASSWORD, JANE, JOE, subject)
    assert answer.startswith("250"), answer
    stack.inbox(JOE, subject)


@pytest.mark.rotates("alertsWebhook", "alertsHeartbeat")
def test_alerts_and_the_heartbeat_come_to_the_new_urls_and_no_more_to_the_old_ones(rotated: Rotated) -> None:
    _in_use(rotated.others, rotated.new, _AFTER)
    for key, before in rotated.told.items():
        assert len(rotated.others.told(rotated.old[key])) == before, key


@pytest.mark.rotates("alertsServerPassword")
def test_alert_mail_is_handed_in_with_the_new_password_and_no_more_with_the_old_one(rotated: Rotated) -> None:
    _in_use(rotated.others, rotated.new, _AFTER)
    assert set(rotated.others.shown()[rotated.shown :]) == {True}


@pytest.mark.rotates("roundTripPassword")
def test_mail_comes_back_to_the_account_that_has_the_new_password_alone(
    stack: Stack, rotated: Rotated
) -> None:
    eventually(lambda: rotated.others.came_back() > rotated.at, "no message came back", seconds=240, every=3)
    line = ("subjects", stack.names.imap, rotated.mailbox)
    stack.client(*line, rotated.new["roundTripPassword"])
    with pytest.raises(LabError, match=r"(?i)login|auth"):
        stack.client(*line, rotated.old["roundTripPassword"])


@pytest.mark.rotates("reportsPassword")
def test_reports_are_read_with_the_new_password_and_the_world_may_send_them(
    stack: Stack, rotated: Rotated
) -> None:
    stack.lab.internet.run(
        [sys.executable, "-c", _HAND_IN, stack.names.mx, STRANGER, "dmarc-reports@example.org"],
        text=world_reports.mail(world_reports.feedback(name="from the world"), "text/xml").decode(),
    )
    number = ('kolab_dmarc_messages{domain="example.org",source="ours",verdict="aligned"}',)
    eventually(
        lambda: rotated.others.number(REPORT_READER, *number) >= 120,
        "no report was counted",
        seconds=240,
        every=3,
    )
    looked = rotated.others.number(REPORT_READER, "kolab_reports_last_look_timestamp_seconds")
    assert looked > rotated.at
    assert "google.example" in rotated.console.says("feedback")
    with pytest.raises(LabError, match=r"(?i)login|auth"):
        stack.client("subjects", stack.names.imap, _reports(rotated.mailbox), rotated.old["reportsPassword"])


@pytest.mark.rotates("backupKey", "backupPassword")
def test_backups_go_on_where_the_server_and_the_repository_know_the_new_secrets_alone(
    rotated: Rotated,
) -> None:
    before = len(rotated.console.data("backup", "list"))
    rotated.console.says("backup", "now", "mail")
    assert len(rotated.console.data("backup", "list")) > before
