"""The regular expressions of the log pipeline on real lines, without vector."""

from __future__ import annotations

import re

import pytest

from model.monitoring import log_program
from model.monitoring.log_program import ACCESS, LEVEL, LOGFMT, REDACTIONS, SYSLOG
from tests.monitoring.checkers import settings
from tests.monitoring.log_lines import HIDDEN, KEPT, SECRET


def redacted(line: str) -> str:
    for pattern, text in REDACTIONS:
        line = re.sub(pattern, text, line)
    return line


@pytest.mark.parametrize("line", HIDDEN.values(), ids=HIDDEN)
def test_a_secret_is_never_stored(line: str) -> None:
    assert SECRET not in redacted(line)


@pytest.mark.parametrize("line", KEPT.values(), ids=KEPT)
def test_a_line_without_a_secret_is_stored_as_it_is(line: str) -> None:
    assert redacted(line) == line


def test_what_stands_beside_a_secret_is_kept() -> None:
    assert redacted(HIDDEN["JSON"]).endswith('failed {"email":"a@b.c",[secret redacted]}')


@pytest.mark.parametrize(
    ("line", "process", "text"),
    [
        (
            "Aug  3 10:00:00 postfix-0 postfix/smtpd[12]: connect from x[192.0.2.1]",
            "postfix/smtpd",
            "connect from x[192.0.2.1]",
        ),
        ("Nov 23 07:40:00 imap-0 mail.info cyrus-imapd/imap[9]: login: x", "cyrus-imapd/imap", "login: x"),
        (
            "cyrus-imapd/imap[13064]: USAGE a@b.c user: 0.01 sys: 0.01",
            "cyrus-imapd/imap",
            "USAGE a@b.c user: 0.01 sys: 0.01",
        ),
        ("saslauthd[12] :auth success: [user=admin]", "saslauthd", "auth success: [user=admin]"),
        (
            "Nov 23 07:40:00.123 postfix-0 /usr/sbin/amavisd[31]: (31-01) Passed CLEAN",
            "/usr/sbin/amavisd",
            "(31-01) Passed CLEAN",
        ),
    ],
)
def test_a_syslog_line_gives_its_process_and_text(line: str, process: str, text: str) -> None:
    found = re.match(SYSLOG, line)
    assert found is not None
    assert (found["process"], found["text"]) == (process, text)


def test_an_access_line_gives_its_status() -> None:
    line = '203.0.113.7 - - [20/Aug/2026:09:28:05 +0000] "POST /webmail/?_task=mail HTTP/2.0" 503 193 "-" "Mozilla" "-"'
    found = re.match(ACCESS, line)
    assert found is not None
    assert found["status"] == "503"


def test_a_line_of_the_web_application_gives_its_level() -> None:
    found = re.match(LEVEL, '[2026-11-23 07:40:00] production.ERROR: it failed {"a":1}')
    assert found is not None
    assert found["level"] == "ERROR"


def test_a_line_of_the_webmail_gives_component_and_user() -> None:
    found = re.search(LOGFMT, 'name=kolabfiles component=chwala session=a410 user=a@b.c log="x"')
    assert found is not None
    assert (found["component"], found["user"]) == ("chwala", "a@b.c")


def test_clients_are_compared_with_pods_services_and_our_own_nodes() -> None:
    assert log_program.cluster_networks(settings()) == ("10.42.0.0/16", "10.43.0.0/16", "198.51.100.11/32")


def test_daemons_are_told_apart_by_their_label_and_not_by_pod_names() -> None:
    assert "pod_name" not in log_program.program(settings()).partition(". = {")[0]
