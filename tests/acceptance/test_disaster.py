"""A cluster is lost with all its volumes, and comes back elsewhere out of a backup, as docs/how-to/back-up-and-restore.md says."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from model.settings import Volume
from tests.acceptance.console import CONTEXT, Console
from tests.acceptance.phone import SERVICES, answer, lines, put
from tests.acceptance.receiver import DOMAIN
from tests.acceptance.receiving import Receiver, unique
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, JOE, PASSWORD, Stack, clear_pools
from tests.lab import programs
from tests.lab.cluster import Lab
from tests.support import rest_server
from tests.support.postfix import authority, identity, pem

pytestmark = [
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("imap", "mariadb", "restic", "postfix", "amavis"),
]

_HOST, _PORT = "backup.provider.test", 8000
_USER, _SECRET = "kolab", "Rest:server#pass%word"
_PEOPLE = tuple(f"person{number}@example.org" for number in range(50))
_EACH = 400
_QUIET = 20
"""Seconds in which mail is watched that no backup is beside."""
_STATEFUL = ("imap", "mariadb", "redis", "postfix", "versitygw")
_SCRIPT = 'require "fileinto"; if header :is "subject" "old" { fileinto "Kept"; }'


@dataclass(frozen=True)
class Place:
    """Where a stack lies."""

    nodes: dict[str, set[str]]
    """Daemon -> nodes of its pods."""
    classes: dict[str, str]
    """Claim -> its storage class."""

    @classmethod
    def of(cls, stack: Stack) -> Place:
        return cls(
            {name: {pod["spec"]["nodeName"] for pod in stack.pods(name)} for name in _STATEFUL},
            {
                claim["metadata"]["name"]: claim["spec"]["storageClassName"]
                for claim in stack.get("pvc")["items"]
            },
        )


@dataclass
class Rescued:
    """What was there before a cluster was lost, and what came back."""

    console: Console
    before: dict[str, Any]
    script: str
    objects: dict[str, tuple[str, str]]
    """Service -> where something of Jane's is, and what it is."""
    acknowledged: set[str]
    """Subjects of Jane's that were acknowledged before the backup began."""
    quiet: list[float]
    """Seconds that letters took before the first backup."""
    busy: list[float]
    """The same during it."""
    was: Place
    """Where it all lay."""
    said: list[str] = field(default_factory=list)
    """By each restore."""
    heard: str = ""
    """What a stranger heard who wrote before accounts were back."""
    kept: list[str] = field(default_factory=list)
    """Backups of mail, in the end."""


@contextmanager
def _server(stack: Stack, folder: Path) -> Iterator[None]:
    """Where backups go, on the lab's internet."""
    program, listen = programs.program("rest-server"), f"{stack.lab.internet.address}:{_PORT}"
    line = rest_server.command(program, listen, folder / "repository", folder)
    process = stack.lab.internet.start(line)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def rescued(
    stack: Stack, own_lab: Lab, report: Report, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rescued]:
    """Everything, from the first backup to the day on which mail flows again."""
    lab, folder = own_lab, tmp_path_factory.mktemp("backups")
    by = authority()
    (folder / "users").write_text(rest_server.user(_USER, _SECRET))
    (folder / "identity.pem").write_text(identity(by, _HOST))
    console = Console(stack, tmp_path_factory.mktemp("console"))
    # Mail leaves from one node alone, backups from wherever their pods are.
    lab.set_egress(lab.settings.egress)
    with _server(stack, folder):
        _with_backups(stack, pem(by), f"{lab.internet.address}/32")
        for person in _PEOPLE:
            stack.add_user(person)
        with report.timed("20,000 messages of 50 people, written by IMAP"):
            stack.client("fill", PASSWORD, stack.names.imap, str(_EACH), *_PEOPLE, seconds=1800)
        said = stack.client("sieve_script", stack.names.sieve, JANE, PASSWORD, _SCRIPT)
        assert said.startswith("OK"), said
        objects = {service: put(stack, service) for service in SERVICES}
        early = unique("before the backup")
        stack.accepted(JANE, early)
        stack.inbox(JANE, early)
        with _mail_arrives(stack, folder / "quiet") as quiet:
            time.sleep(_QUIET)
        with (
            _mail_arrives(stack, folder / "enough") as busy,
            report.timed("a backup of 20,000 messages"),
        ):
            console.says("backup", "now")
        report.note("a letter, from a stranger to its reader", statistics.median(quiet))
        report.note("the same while a backup is made", statistics.median(busy))
        found = Rescued(
            console,
            json.loads(stack.client("contents", PASSWORD, stack.names.imap, *_PEOPLE, seconds=600)),
            stack.client("scripts", stack.names.sieve, JANE, PASSWORD),
            objects,
            {early},
            quiet,
            busy,
            Place.of(stack),
        )
        with report.timed("a second backup, of hardly anything new"):
            console.says("backup", "now")
    with report.timed("an empty cluster in place of the one that was lost"):
        lab.down()
        lab.up()
    stack.publish()
    clear_pools(lab)
    # The stack's own authority is another one in a new cluster.
    stack.authority.unlink()
    stack.program.change({"mail.maintenance": True})
    _elsewhere(stack)
    # Both nodes reach the server of backups, and the second one is now whom the world knew.
    first, second = lab.settings.egress["n1"], lab.settings.egress["n2"]
    lab.set_egress({"n1": second, "n2": first})
    with report.timed("`pulumi refresh`, which finds nothing"):
        gone = stack.engine("refresh", "--yes")
        assert gone.code == 0, "\n".join(gone.errors) or gone.output
    with _server(stack, folder):
        with report.timed("`pulumi up` into the empty cluster"):
            stack.apply()
        found.heard = stack.received(JANE, "before anybody is back")
        for engine in ("database", "mail"):
            assert "become what they were" in console.says("backup", "restore", engine)
            with report.timed(f"a restore of {engine}"):
                found.said.append(console.says("backup", "restore", engine, "--context", CONTEXT))
        stack.wait_ready()
        stack.program.change({"mail.maintenance": None})
        stack.apply()
        stack.publish()
        console.says("backup", "now", "mail")
        found.kept = [each["id"] for each in console.data("backup", "list") if each["engine"] == "mail"]
        yield found
    lab.set_egress(stack.egress)


def _with_backups(stack: Stack, authorities: str, networks: str) -> None:
    repository = {
        "kind": "rest",
        "endpoint": f"https://{_HOST}:{_PORT}",
        "username": _USER,
        "networks": networks,
        "authorities": authorities,
    }
    stack.program.change({"backup": {"repository": repository, "drill": "never"}})
    secret = ("config", "set", "--secret", "--stack", stack.program.stack, "kolab:backupPassword", _SECRET)
    stack.program.must(*secret)
    stack.program.ops("secrets", "--stack", stack.program.stack)
    stack.apply()


@contextmanager
def _mail_arrives(stack: Stack, enough: Path) -> Iterator[list[float]]:
    """Strangers write to Joe all the while. Afterwards: the seconds that one more letter took, each time."""
    line = stack.client_line("stream", stack.names.mx, JOE, unique("meanwhile"), "1", str(enough))
    stranger = stack.lab.internet.start(line)
    watching = ("journeys", stack.names.mx, stack.names.imap, JANE, PASSWORD, unique("watched"), str(enough))
    watcher = stack.lab.internet.start(stack.client_line(*watching))
    taken: list[float] = []
    try:
        yield taken
    finally:
        enough.touch()
        assert stranger.communicate()[0].split(), "no mail arrived while a backup was made"
        taken += json.loads(watcher.communicate()[0])


def _elsewhere(stack: Stack) -> None:
    """Another cluster has its disks of another class, and another node has the old one's public address."""
    volumes = stack.settings.storage
    for name in type(volumes).model_fields:
        if isinstance(volume := getattr(volumes, name), Volume):
            stack.program.change(
                {f"storage.{to_camel(name)}": {"size": volume.size, "storageClass": "movable"}}
            )
    (address,) = stack.egress.values()
    stack.program.change({"network.egress": {"mode": "nodes", "nodes": {"n2": [address]}}})


def _own(folder: str) -> bool:
    """Not one that somebody else shares."""
    return "Other Users/" not in folder


def test_every_message_is_back_with_its_folder_its_flags_its_date_and_its_rights(
    stack: Stack, rescued: Rescued
) -> None:
    after = json.loads(stack.client("contents", PASSWORD, stack.names.imap, *_PEOPLE, seconds=600))
    own = [len(lines) - 1 for folders in after.values() for name, lines in folders.items() if _own(name)]
    assert sum(own) == len(_PEOPLE) * _EACH
    for person in _PEOPLE:
        assert after[person] == rescued.before[person], person


def test_what_was_acknowledged_before_the_backup_is_read_again(stack: Stack, rescued: Rescued) -> None:
    assert rescued.acknowledged <= set(stack.subjects(JANE))


def test_who_writes_before_accounts_are_back_is_asked_to_come_again(rescued: Rescued) -> None:
    assert rescued.heard.startswith("451")


def test_it_came_back_on_another_node_and_in_another_storage_class(stack: Stack, rescued: Rescued) -> None:
    now = Place.of(stack)
    assert rescued.was.nodes["imap"] == {"n1"}
    assert now.nodes["imap"] == {"n2"}
    assert set(rescued.was.classes.values()) == {"local"}
    assert set(now.classes.values()) == {"movable"}


def test_a_letter_takes_at_most_twice_as_long_while_a_backup_is_made(rescued: Rescued) -> None:
    assert len(rescued.busy) >= 5
    assert statistics.median(rescued.busy) <= 2 * statistics.median(rescued.quiet)


def test_filters_are_back(stack: Stack, rescued: Rescued) -> None:
    assert stack.client("scripts", stack.names.sieve, JANE, PASSWORD) == rescued.script
    assert "fileinto" in rescued.script


@pytest.mark.parametrize("service", SERVICES)
def test_calendars_and_contacts_are_back(stack: Stack, rescued: Rescued, service: str) -> None:
    url, content = rescued.objects[service]
    status, _, read = answer(stack.client("dav", "GET", url, JANE, PASSWORD))
    assert status == 200
    assert lines(read) == lines(content)


def test_mail_arrives_and_is_read(stack: Stack, rescued: Rescued) -> None:
    assert rescued.said
    stack.accepted(JANE, subject := unique("after the disaster"))
    stack.inbox(JANE, subject)


def test_what_is_signed_afterwards_verifies_by_the_key_that_dns_has_had_all_along(
    stack: Stack, rescued: Rescued, receiver: Receiver
) -> None:
    assert rescued.said
    subject = unique("signed after the disaster")
    said = stack.client("submit", stack.names.smtp, "465", JANE, PASSWORD, JANE, f"reader@{DOMAIN}", subject)
    assert said.startswith("250"), said
    assert receiver.get(subject)["verdict"]["dkim"] == {"example.org": True}


def test_the_next_backup_joins_those_of_the_cluster_that_was_lost(rescued: Rescued) -> None:
    assert len(rescued.kept) >= 3


def test_one_mailbox_comes_back_beside_the_living_one(stack: Stack, rescued: Rescued) -> None:
    person = _PEOPLE[0]
    rescued.console.says("backup", "restore", "mail", "--mailbox", person, "--context", CONTEXT)
    after = json.loads(stack.client("contents", PASSWORD, stack.names.imap, person))[person]
    found = {name.strip('"'): lines for name, lines in after.items()}
    # Restored/<day>/<folder>
    back = {
        name.split("/", 2)[2]: lines[1:] for name, lines in found.items() if re.match("Restored/.*/", name)
    }
    own = {name: lines for name, lines in rescued.before[person].items() if _own(name)}
    assert back == {name.strip('"'): lines[1:] for name, lines in own.items()}
    assert found["INBOX"] == rescued.before[person]["INBOX"]
