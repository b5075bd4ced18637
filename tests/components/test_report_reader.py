"""Reports about our mail, read out of a real Cyrus with a stand-in for the proxy: what the pod is told, and what it says."""

from __future__ import annotations

import imaplib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from model import topology
from model.monitoring.reports import late
from model.names import Names
from tests.monitoring.checkers import program
from tests.support import world_reports as world
from tests.support.cyrus import PASSWORD, Cyrus, cyrus
from tests.support.deploy import Deployment, deploy
from tests.support.doors import tls_before
from tests.support.mail_client import Running, certified, command, started
from tests.support.ports import free_port
from tests.support.sandbox import wait_for
from tests.support.stacks import changed

MAILBOX = "reports@example.org"
_DAEMON = "report-reader"
_TOLD = {"monitoring": {"reports": {"mailbox": MAILBOX}}}


def ours() -> Deployment:
    """A stack that reads its reports."""
    return deploy(changed("single-node", _TOLD))


def test_it_knows_the_mailbox_our_domains_and_the_addresses_that_we_send_from() -> None:
    settings = changed("single-node", _TOLD)
    wanted = {
        f"--mailbox={MAILBOX}",
        f"--imap={Names.of(settings).imap}:993",
        *(f"--domain={domain}" for domain in settings.domains),
        *(f"--sends={address}" for address in topology.egress_addresses(settings)),
    }
    assert topology.egress_addresses(settings)
    assert wanted <= {*command(ours(), _DAEMON)}


def test_it_finds_the_proxy_inside_of_the_cluster() -> None:
    settings = changed("single-node", _TOLD)
    [alias] = ours().workload("report-reader").pod["hostAliases"]
    assert alias["ip"] == topology.load_balancer_addresses(settings)["proxy"][0]
    assert alias["hostnames"] == [Names.of(settings).imap]


def test_nobody_reads_reports_unless_somebody_says_so() -> None:
    assert "report-reader" not in {daemon.name for daemon in topology.daemons(changed("single-node", {}))}


def test_reports_are_unread_when_two_looks_came_to_nothing() -> None:
    reader = changed("single-node", _TOLD).monitoring.report_reader
    assert reader
    assert late(reader) == 60 * 60


@dataclass
class Place:
    """Cyrus and its door with TLS."""

    cyrus: Cyrus
    imap: int
    authorities: Path

    def put(self, *messages: bytes) -> None:
        """Lets messages arrive."""
        with self.opened() as mailbox:
            for each in messages:
                assert mailbox.append("INBOX", "", "", each.replace(b"\n", b"\r\n"))[0] == "OK"

    @contextmanager
    def opened(self) -> Iterator[imaplib.IMAP4]:
        """The mailbox, as its owner has it."""
        mailbox = imaplib.IMAP4("127.0.0.1", self.cyrus.sandbox.port(11143), timeout=30)
        mailbox.login(MAILBOX, PASSWORD)
        mailbox.select("INBOX")
        try:
            yield mailbox
        finally:
            mailbox.logout()

    def flags(self) -> list[bytes]:
        """Of every message."""
        with self.opened() as mailbox:
            return [each for each in mailbox.fetch("1:*", "(FLAGS)")[1] if isinstance(each, bytes)]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with ExitStack() as opened, tempfile.TemporaryDirectory() as folder:
        behind = opened.enter_context(cyrus(deploy(changed("single-node", {})), free_port()))
        behind.login(MAILBOX)
        tls, authorities = certified(Path(folder))
        imap = opened.enter_context(tls_before(tls, behind.sandbox.port(11143)))
        made = Place(behind, imap, authorities)
        made.put(
            world.google(),
            world.microsoft(),
            # The same again, as after a greylisting that went wrong.
            world.google(),
            world.sessions(),
            world.mail(world.feedback(domain="elsewhere.example"), "text/xml"),
            world.mail(b"<feedback>", "text/xml"),
            b"Subject: hello\n\n" + b"x" * 70 * 1000 * 70,
            b"Subject: a person\n\nCould you look at this?\n",
        )
        yield made


_LOOKED = "kolab_reports_last_look_timestamp_seconds"


def looked(reader: Running) -> bool:
    """Whether it has read the mailbox."""
    return (reader.number(_LOOKED) or 0) > 0


def reading(place: Place, folder: Path, *, password: str = PASSWORD) -> AbstractContextManager[Running]:
    """The pod's program, which looks every second."""
    return started(
        ours(),
        _DAEMON,
        {"--imap": f"localhost:{place.imap}", "--every": "1"},
        folder,
        password=password,
        environment={"SSL_CERT_FILE": str(place.authorities)},
        # What the example sends from is not what the reports of the tests are about.
        more=(f"--sends={world.OURS}",),
    )


@pytest.mark.thorough
def test_reports_become_numbers_and_each_counts_once(place: Place, tmp_path: Path) -> None:
    with reading(place, tmp_path) as reader:
        wait_for(lambda: looked(reader))
        found = reader.numbers()
        done = subprocess.run(
            [program("promtool"), "check", "metrics"], input=reader.page(), text=True, capture_output=True, check=False
        )  # fmt: skip
        said = reader.out.read_text()
    assert (done.returncode, done.stderr) == (0, "")
    assert found['kolab_reports{kind="dmarc"}'] == 2
    of = 'kolab_dmarc_messages{domain="example.org",source="%s",verdict="%s"}'
    assert [found[of % each] for each in (("ours", "failed"), ("others", "failed"))] == [6, 80]
    assert found['kolab_tls_sessions{domain="example.org",outcome="failed"}'] == 10
    assert found['kolab_tls_failures{domain="example.org",type="certificate-expired"}'] == 7
    assert said.count('{"report": ') == 4


@pytest.mark.thorough
def test_what_is_no_report_is_counted_as_such_and_stops_nothing(place: Place, tmp_path: Path) -> None:
    with reading(place, tmp_path) as reader:
        wait_for(lambda: looked(reader))
        found = reader.numbers()
    refused = {
        name.partition('"')[2].rstrip('"}'): number
        for name, number in found.items()
        if name.startswith("kolab_reports_refused")
    }
    assert refused == {"large": 1, "limits": 0, "malformed": 1, "no-report": 1, "other-domain": 1}


@pytest.mark.thorough
def test_the_mailbox_stays_as_it_was(place: Place, tmp_path: Path) -> None:
    before = place.flags()
    with reading(place, tmp_path) as reader:
        wait_for(lambda: looked(reader))
    assert place.flags() == before
    assert all(b"Seen" not in each for each in before)


@pytest.mark.thorough
def test_a_new_report_is_read_at_the_next_look(place: Place, tmp_path: Path) -> None:
    key = 'kolab_reports{kind="dmarc"}'
    with reading(place, tmp_path) as reader:
        wait_for(lambda: looked(reader))
        before = reader.numbers()[key]
        place.put(world.mail(world.feedback(name="new"), "text/xml"))
        wait_for(lambda: reader.numbers()[key] == before + 1)
        # Those that are known are not read again.
        assert reader.out.read_text().count('"google.example", "id": "1"') == 2


@pytest.mark.thorough
def test_a_wrong_password_is_said_and_goes_on(place: Place, tmp_path: Path) -> None:
    with reading(place, tmp_path, password="Another0Password1") as reader:
        wait_for(lambda: reader.numbers().get("kolab_reports_failures_total", 0) > 1)
        assert not looked(reader)
        said = reader.out.read_text()
    assert "the mailbox cannot be read at localhost" in said
    assert "Another0Password1" not in said
