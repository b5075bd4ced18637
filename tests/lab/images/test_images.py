"""The images themselves, started with runc: each by its sample and by every way to spoil it, then all of them as our pods."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from model.settings import Settings
from ops.stacks import StackFile
from tests.lab.images import build, check, keys, pods
from tests.lab.images.container import ADDRESS, Machine, machine
from tests.lab.images.contract import image, images
from tests.support.stacks import changed
from tests.support.stacks import stack as stack_settings

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are started with runc, which needs root"),
]

CLIENT = "203.0.113.9"
JOHN, JANE = "john@example.org", "jane@example.org"
ORDER = (
    "mariadb",
    "redis",
    "versitygw",
    "webapp",
    "imap",
    "horizon",
    "postfix",
    "roundcube",
    "collabora",
    "meet",
    "coturn",
    "proxy",
)
JOBS = {"redis": "seed", "versitygw": "roundcube-migrate"}
"""Workload -> the Job that has to be done once it is ready."""


@pytest.mark.parametrize("name", images())
def test_an_image_starts_as_the_contract_says_and_refuses_everything_else(name: str) -> None:
    assert check.check(image(name)) == []


@dataclass
class Daemons:
    """All running pods and a mail client."""

    place: Machine
    pods: dict[str, pods.Pod]

    def client(self, *words: str, text: str = "") -> dict[str, Any]:
        command = (sys.executable, "-m", "tests.lab.images.client", *words)
        done = pods.inside(self.place, *command, text=text)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def artisan(self, *words: str) -> None:
        done = self.pods["webapp"].containers["webapp"].run("/opt/app-root/src/artisan", *words)
        assert done.returncode == 0, done.stderr

    def deliver(self, sender: str, recipient: str, subject: str = "hello") -> dict[str, Any]:
        return self.client("deliver", ADDRESS, CLIENT, sender, recipient, subject)

    def submit(self, sender: str, recipient: str, subject: str, user: str = JOHN) -> dict[str, Any]:
        return self.client("submit", ADDRESS, f"{user}:secret1" if user else "", sender, recipient, subject)

    def arrived(self, user: str, subject: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in self.client("inbox", ADDRESS, user, "secret1").get("messages", []):
                if f"Subject: {subject}\r\n" in message:
                    return message
            time.sleep(0.5)
        raise AssertionError(f"{subject!r} did not arrive within {seconds} s")

    def http(self, path: str, *, host: str = "example.org", options: tuple[str, ...] = ()) -> tuple[int, str]:
        url = f"https://{ADDRESS}:6443{path}"
        command = ["curl", "-sk", "-w", "\n%{http_code}", "-H", f"Host: {host}", *options, url]
        body, _, status = pods.inside(self.place, *command).stdout.rpartition("\n")
        return int(status), body


def signing(settings: Settings) -> Settings:
    """The stack with its first key in use."""
    dkim = settings.mail.dkim
    active = {name: key.model_copy(update={"stage": "active"}) for name, key in dkim.selectors.items()}
    mail = settings.mail.model_copy(update={"dkim": dkim.model_copy(update={"selectors": active})})
    return settings.model_copy(update={"mail": mail})


@pytest.fixture(scope="module")
def stack() -> Iterator[Daemons]:
    settings, _ = StackFile.read("single-node").settings()
    found = pods.workloads(pods.rendered(signing(settings), pods.some_secrets()))
    build.tars()
    with machine() as place:
        assert pods.inside(place, "ip", "address", "add", f"{CLIENT}/32", "dev", "lo").returncode == 0
        selector = next(iter(settings.mail.dkim.selectors))
        record = f"{selector}._domainkey.example.org={keys.dkim_record(keys.rsa_key())}"
        network = f"--net=/run/netns/{place.network}"
        program = (sys.executable, "-m", "tests.lab.images.resolver", CLIENT, record)
        resolver = subprocess.Popen(["nsenter", network, *program])
        try:
            running = {}
            for name in ORDER:
                running[name] = pods.Pod(place, found[name])
                running[name].wait_ready()
                if job := JOBS.get(name):
                    (container,) = pods.Pod(place, found[job]).containers.values()
                    assert container.exited(120) == 0, container.output
            made = Daemons(place, running)
            for user in (JOHN, JANE):
                made.artisan("user:create", user, "--package=kolab", "--password=secret1")
            yield made
        finally:
            resolver.kill()
            resolver.wait()


def test_somebody_elses_database_is_migrated_without_its_roots_password() -> None:
    settings = changed("single-node", {"mariadb": {"release": "10.5"}})
    values = pods.some_secrets()
    # The database and its user are there, as somebody else would have made them; they are ours only in this test.
    own = pods.workloads(pods.rendered(settings, values))
    external = pods.workloads(pods.rendered(stack_settings("external"), values))
    migration = external["roundcube-migrate"]
    assert "DB_ROOT_PASSWORD" not in migration.environment(migration.containers()[0])
    build.tars(["mariadb", "roundcube"])
    with machine() as place:
        place.add_name("db.example.net")
        mariadb = pods.Pod(place, own["mariadb"])
        mariadb.wait_ready()
        (server,) = mariadb.containers.values()

        def sql(statement: str) -> list[str]:
            # Root needs no password here, inside the database's own container.
            done = server.run("mysql", "--no-defaults", "-h127.0.0.1", "-uroot", "-N", "-e", statement)
            assert done.returncode == 0, done.stderr
            return done.stdout.split()

        def migrate() -> tuple[int | None, str]:
            (container,) = pods.Pod(place, migration).containers.values()
            return container.exited(120), container.output

        sql("REVOKE ALL ON roundcube.* FROM 'roundcube'@'%'; GRANT SELECT ON roundcube.* TO 'roundcube'@'%'")
        code, output = migrate()
        assert (code, sql("SHOW TABLES IN roundcube")) == (70, [])
        assert "entry: user roundcube cannot make tables in database roundcube on db.example.net" in output
        sql("GRANT ALL ON roundcube.* TO 'roundcube'@'%'")
        for _ in ("the first time", "with another image"):
            code, output = migrate()
            assert code == 0, output
            tables = sql("SHOW TABLES IN roundcube")
            assert ("system" in tables, "kolab_may_create" in tables) == (True, False)


def test_mail_from_the_world_is_filtered_and_read_over_imaps(stack: Daemons) -> None:
    assert stack.deliver("bob@example.net", JOHN, "from the world")["code"] == 250
    message = stack.arrived(JOHN, "from the world")
    assert f"[{CLIENT}]" in message
    assert "X-Spam-Status: No" in message
    assert "Received-SPF:" in message


def test_bounces_arrive(stack: Daemons) -> None:
    assert stack.deliver("", JOHN, "a bounce")["code"] == 250
    stack.arrived(JOHN, "a bounce")


def test_submitted_mail_is_signed_and_delivered(stack: Daemons) -> None:
    assert stack.submit(JOHN, JANE, "submitted")["code"] == 250
    message = stack.arrived(JANE, "submitted")
    assert "DKIM-Signature:" in message
    assert "d=example.org" in message


def test_a_signature_is_found_right_and_a_changed_body_wrong(stack: Daemons) -> None:
    readers = {"kept@example.org": "hello", "changed@example.org": "goodbye"}
    assert stack.submit(JOHN, JANE, "to be forwarded")["code"] == 250
    signed = stack.arrived(JANE, "to be forwarded")
    # As it left, without what was added on the way to the mailbox.
    sent = signed[signed.index("DKIM-Signature:") :]
    found = {}
    for reader, body in readers.items():
        # A mailbox each: Cyrus keeps one copy of a message.
        stack.artisan("user:create", reader, "--package=kolab", "--password=secret1")
        words = ("deliver", ADDRESS, CLIENT, "bob@example.net", reader, "-")
        assert stack.client(*words, text=sent.replace("hello", body))["code"] == 250
        found[reader] = stack.arrived(reader, "to be forwarded")
    assert "dkim=pass" in found["kept@example.org"]
    assert "dkim=fail" in found["changed@example.org"]


def test_nobody_sends_as_somebody_else(stack: Daemons) -> None:
    assert stack.submit(JANE, JOHN, "forged")["code"] == 554
    assert stack.deliver(JOHN, JANE, "forged from outside")["code"] == 553


def test_nothing_is_relayed_and_no_password_is_taken_on_port_25(stack: Daemons) -> None:
    answer = stack.deliver("bob@example.net", "somebody@example.com")
    assert (answer["code"], "Relay access denied" in answer["text"]) == (554, True)
    assert (answer["offers_auth_before_tls"], answer["offers_auth"]) == (False, False)
    assert stack.submit(JOHN, "somebody@example.com", "no login", user="")["code"] in (530, 554)


def test_a_wrong_password_is_refused(stack: Daemons) -> None:
    assert "refused" in stack.client("inbox", ADDRESS, JOHN, "wrong")


def test_unknown_and_suspended_recipients_are_refused_for_good(stack: Daemons) -> None:
    assert stack.deliver("bob@example.net", "nobody@example.org")["code"] == 550
    stack.artisan("user:create", "gone@example.org", "--package=kolab", "--password=secret1")
    stack.artisan("user:suspend", "gone@example.org")
    assert stack.deliver("bob@example.net", "gone@example.org")["code"] == 550


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/api/health/readiness", 200),
        ("/webmail/", 200),
        ("/chwala/api/", 200),
        ("/Microsoft-Server-ActiveSync", 401),
        ("/hosting/discovery", 200),
        ("/.well-known/caldav", 301),
        ("/meetmedia/api/ping", 403),
        ("/mail/config-v1.1.xml?emailaddress=john@example.org", 200),
        ("/api/webhooks/nginx", 403),
        ("/api/webhooks/policy/spf", 403),
        ("/horizon", 403),
    ],
)
def test_every_path_reaches_its_backend_or_nobody(stack: Daemons, path: str, status: int) -> None:
    assert stack.http(path)[0] == status


def test_foreign_hosts_are_turned_away_and_claimed_addresses_believed_by_nobody(stack: Daemons) -> None:
    assert stack.http("/", host="webapp")[0] == 421
    seen = "/api/lab/client"
    status, claimed = stack.http(seen, options=("-H", "X-Client-IP: 198.51.100.1"))
    assert status == 200
    assert json.loads(claimed)["client"] == json.loads(stack.http(seen)[1])["client"]


def test_the_webmail_logs_in_to_the_real_cyrus(stack: Daemons) -> None:
    assert stack.client("webmail", ADDRESS, "example.org", JOHN, "secret1") == {
        "status": 200,
        "mailbox": True,
    }
    assert stack.client("webmail", ADDRESS, "example.org", JOHN, "wrong")["mailbox"] is False


def test_a_calendar_entry_is_written_and_found(stack: Daemons) -> None:
    login = ("-u", f"{JOHN}:secret1")
    event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//lab//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261123T080000Z\r\nDTSTART:20261123T090000Z\r\nDTEND:20261123T100000Z\r\nSUMMARY:lab\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    home = f"/dav/calendars/user/{JOHN}"
    assert stack.http(f"{home}/", options=("-X", "PROPFIND"))[0] == 401
    assert stack.http(f"{home}/", options=(*login, "-X", "PROPFIND"))[0] == 207
    put = ("-X", "PUT", "-H", "Content-Type: text/calendar", "--data-binary", event)
    assert stack.http(f"{home}/Default/1.ics", options=(*login, *put))[0] == 201
    status, body = stack.http(f"{home}/Default/1.ics", options=login)
    assert (status, "SUMMARY:lab" in body) == (200, True)


def test_mail_is_there_after_every_daemon_was_stopped_and_started(stack: Daemons) -> None:
    assert stack.submit(JOHN, JANE, "before the restart")["code"] == 250
    stack.arrived(JANE, "before the restart")
    for name in ("postfix", "imap"):
        pod = stack.pods[name]
        for container in pod.containers.values():
            assert container.stop() is not None, f"{container.name} had to be killed"
            container.remove()
        stack.pods[name] = pod.again()
        stack.pods[name].wait_ready()
    stack.arrived(JANE, "before the restart")
    assert stack.deliver("bob@example.net", JANE, "after the restart")["code"] == 250
    stack.arrived(JANE, "after the restart")
