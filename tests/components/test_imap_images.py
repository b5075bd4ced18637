"""Cyrus by effect: Cyrus itself is asked what it understood, of both generations of the image and of mutants."""

from __future__ import annotations

import smtplib
import socket
import subprocess
from collections.abc import Iterator
from functools import cached_property

import pytest

from components import entry
from tests.support.cyrus import Cyrus, cyrus, environment, needs_cyrus, prepare
from tests.support.deploy import deploy
from tests.support.images import GENERATIONS, Change, Mutant, swap, swap_like
from tests.support.ports import free_port
from tests.support.postfix import folder
from tests.support.sandbox import Sandbox
from tests.support.stacks import changed, deployment

pytestmark = pytest.mark.thorough

INIT, SETTINGS, SERVICES = "/init.sh", "/etc/imapd.conf", "/etc/cyrus.conf"
BUNDLE = "/etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem"
RIGHT = {
    "sasl_pwcheck_method": "saslauthd",
    "allowanonymouslogin": "no",
    "allowplaintext": "yes",
    "admins": "cyrus-admin",
    "proxyservers": "cyrus-admin",
    "tls_server_key": BUNDLE,
    "tls_server_cert": BUNDLE,
    "publicsieve_allowplaintext": "no",
    "publicsieve_tls_versions": "tls1_2 tls1_3",
    "configdirectory": "/var/lib/imap",
    "hashimapspool": "yes",
    "virtdomains": "userid",
    "autocreate_post": "yes",
    "autocreate_inbox_folders": "Drafts | Trash | Sent",
    "smtp_backend": "host",
    "smtp_host": "127.0.0.1:10026/noauth",
}


class Image:
    """An image of which a rehearsal has been run."""

    def __init__(self, sandbox: Sandbox, generation: str, mutant: Mutant | None = None) -> None:
        self.sandbox = sandbox
        stack = deployment("single-node")
        prepare(sandbox, stack, generation, mutant)
        self.done = sandbox.run(
            stack.file("imap", "imap", f"{entry.PATH}/entry.sh"),
            env=environment(stack, generation) | {"KOLAB_TASK": "rehearse"},
        )

    @cached_property
    def understood(self) -> dict[str, str]:
        """What Cyrus makes of its settings."""
        command = ["/usr/lib/cyrus/bin/cyr_info", "-C", str(self.sandbox.path(SETTINGS)), "conf-all"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        lines = (line.split(":", 1) for line in told.replace(str(self.sandbox.root), "").splitlines())
        return {key: value.strip() for key, value in lines}

    def services(self) -> set[tuple[str, str]]:
        """Where which command listens."""
        inside, _, _ = self.sandbox.text(SERVICES).partition("SERVICES")[2].partition("}")
        lines = [
            line for line in inside.splitlines() if "listen=" in line and not line.lstrip().startswith("#")
        ]
        found = (
            (line.split("listen=")[1].split()[0], line.split('cmd="')[1].split('"')[0]) for line in lines
        )
        return {(listen.strip('"'), command) for listen, command in found}

    def problems(self) -> list[str]:
        """What is not as it has to be."""
        wrong = [
            f"{key}: {self.understood.get(key)}"
            for key, value in RIGHT.items()
            if self.understood.get(key) != value
        ]
        needed = {
            ("0.0.0.0:11080", "httpd"),
            ("0.0.0.0:11143", "imapd"),
            ("0.0.0.0:11024", "lmtpd -a"),
            ("0.0.0.0:4190", "timsieved"),
            ("0.0.0.0:4191", "timsieved"),
        }
        wrong += [str(each) for each in needed - self.services()]
        if not self.understood["autocreate_quota"].isdigit():
            wrong.append("autocreate_quota")
        return wrong


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    needs_cyrus()
    with folder() as root:
        yield Sandbox(root)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_image_of_either_generation_is_right_in_effect(sandbox: Sandbox, generation: str) -> None:
    image = Image(sandbox, generation)
    assert (image.done.returncode, image.done.stderr) == (0, "")
    assert image.problems() == []


@pytest.mark.parametrize(("generation", "quota"), [("a", "5242880"), ("b", "5242880")])
def test_a_mailbox_that_makes_itself_has_a_quota_in_either_generation(
    sandbox: Sandbox, generation: str, quota: str
) -> None:
    assert Image(sandbox, generation).understood["autocreate_quota"] == quota


def settings(name: str, change: Change, refused: str | None = None, generation: str = "b") -> Mutant:
    return Mutant(name, {SETTINGS: change}, refused, generation)


def services(name: str, change: Change, refused: str | None = None, generation: str = "b") -> Mutant:
    return Mutant(name, {SERVICES: change}, refused, generation)


LOOK = 'runuser -u "$ID" -- cyr_info conf-lint'


def unlooked(name: str, change: Change, refused: str) -> Mutant:
    """The image's init does not look at its settings itself."""
    return Mutant(name, {SETTINGS: change, INIT: swap(LOOK, "")}, refused)


def added(*lines: str) -> Change:
    return lambda text: text + "".join(f"{line}\n" for line in lines)


def within(*lines: str) -> Change:
    return swap("SERVICES {\n", "SERVICES {\n" + "".join(f"    {line}\n" for line in lines))


def _reordered(text: str) -> str:
    before, _, rest = text.partition("SERVICES {\n")
    inside, _, after = rest.partition("}\n")
    return (
        before
        + "SERVICES {\n"
        + "".join(f"{line}\n" for line in reversed(inside.splitlines()))
        + "}\n"
        + after
    )


SIEVE = r"^ *sieve .*$"
MUTANTS = [
    services("the sieve line unpadded", swap_like(SIEVE, "sieve cmd=timsieved listen=4190 prefork=0")),
    services("services in another order", _reordered),
    services("services of other names", swap_like(r"^    (http|imap|sieve|lmtp) ", r"    our\1 ")),
    services("listeners of this host alone", swap("0.0.0.0:", "127.0.0.1:")),
    services("listeners of IPv6", swap_like(r'listen=0\.0\.0\.0:(\d+) +proto="tcp"', r'listen="[::]:\1" proto="tcp6"')),
    services("delivery that wants a password", swap('cmd="lmtpd -a"', 'cmd="lmtpd"')),
    services("a public listener of its own", within('publicsieve cmd="timsieved" listen=0.0.0.0:4191')),
    services("another service at our port", within('pop3 cmd="pop3d" listen=0.0.0.0:4191 proto="tcp"')),
    services("one more service", within('pop3 cmd="pop3d" listen=0.0.0.0:11110 proto="tcp"')),
    services("no IMAP", swap_like(r"^    imap .*\n", ""), "no imapd at port 11143"),
    services("no calendars", swap_like(r"^    http .*\n", ""), "no httpd at port 11080"),
    services("delivery at another port", swap("0.0.0.0:11024", "0.0.0.0:2003"), "no lmtpd at port 11024"),
    services("delivery by a socket", swap("listen=0.0.0.0:11024", 'listen="/run/cyrus/lmtp"'), "no lmtpd at port 11024"),
    services("IMAP that begins with TLS", swap('cmd="imapd"  ', 'cmd="imapd -s"'), "no imapd at port 11143"),
    services("no Sieve", swap_like(SIEVE + r"\n", ""), "no timsieved at port 4190"),
    services("two lists of services", lambda text: text + "SERVICES {\n}\n", "has 2 sections of services"),
    settings("anybody may log in", swap("sasl_pwcheck_method: saslauthd", "sasl_pwcheck_method: alwaystrue")),
    settings("anybody may log in to one service", added("imap_sasl_pwcheck_method: alwaystrue", "imap_allowanonymouslogin: yes")),
    settings("guests", added("allowanonymouslogin: yes")),
    settings("another administrator", swap("admins: IMAP_ADMIN_LOGIN", "admins: IMAP_ADMIN_LOGIN root")),
    settings("passwords over TLS alone", swap("allowplaintext: yes", "allowplaintext: no")),
    settings("passwords over TLS alone at one service", added("http_allowplaintext: no")),
    settings("the public listener takes passwords", added("publicsieve_allowplaintext: yes", "PublicSieve_tls_versions: tls1_0")),
    settings("another bundle", swap("cyrus-imapd.bundle.pem", "tls.pem")),
    settings("TLS is not switched on", swap("# WITH_TLS tls_server", "# TLS tls_server")),
    settings("another layout of the spool", swap("hashimapspool: 1", "hashimapspool: 0")),
    settings("domains are not told apart", swap("virtdomains: userid", "virtdomains: off")),
    settings("mail to new people is refused", added("autocreate_post: 0", "autocreate_quota: -1")),
    settings("quotas of another size", swap("autocreate_quota: 5242880", "autocreate_quota: 1048576"), generation="a"),
    settings("a continued line", swap("autocreate_inbox_folders: Drafts | Trash | Sent", "smtp_backend: \\\nsendmail"), generation="a"),
    settings("keys with capitals and blanks before", swap("allowplaintext: yes", "  AllowPlaintext:  no")),
    settings("an option that nobody knows", added("jmap_future: 1")),
    settings("state elsewhere", swap("configdirectory: /var/lib/imap", "configdirectory: /opt/app-root/imap"), "keep mail or its state at"),
    settings("mail elsewhere", swap("partition-default: /var/spool/imap/", "partition-default: /opt/app-root/mail"), "which is on no volume"),
    settings("scripts elsewhere", swap("sievedir: /var/lib/imap/sieve", "sievedir: /opt/app-root/sieve"), "which is on no volume"),
    settings("a list of mailboxes that ends with the container", added("mboxlist_db_path: /run/cyrus/db/mailboxes.db"), "which is on no volume"),
    settings("no partition", swap("defaultpartition: default", "defaultpartition: main"), "no place for mailboxes"),
    settings("no calendars among the modules", swap("httpmodules: caldav carddav", "httpmodules: carddav"), "would serve no caldav"),
    unlooked("an option twice", added("servername: imap"), "option 'servername' was specified twice"),
    unlooked("a place that nobody fills in", added("postmaster: POST_MASTER"), "the image left 'postmaster: POST_MASTER'"),
    Mutant("another start", {INIT: swap_like(r"^    exec runuser.*$", '    exec /usr/libexec/master -D')}),
    Mutant("a start that is not the last line", {INIT: swap('    exec runuser -u "$ID" --', '    runuser -u "$ID" --')}),
    Mutant("another file of the process", {INIT: swap("-p /var/run/master.pid", "-p /run/cyrus/master.pid")}),
    Mutant("a start in the background", {INIT: swap("master -D", "master -d")}, "leaves the container without it"),
    Mutant("another daemon", {INIT: swap("/usr/libexec/master -D", "/usr/libexec/supervisor -D")}, "hands over to"),
    Mutant("no settings", {INIT: swap(LOOK, "rm /etc/imapd.conf")}, "has written no /etc/imapd.conf"),
    Mutant("settings of another name", {INIT: swap("-D -p", "-D -C /etc/imapd.yaml -p")}, "has written no /etc/imapd.yaml"),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_changed_imap_image_is_right_in_effect_or_refused(sandbox: Sandbox, mutant: Mutant) -> None:
    image = Image(sandbox, mutant.generation, mutant)
    if mutant.refused:
        assert image.done.returncode == 70, image.done.stderr
        assert mutant.refused in image.done.stderr
        assert len(image.done.stderr.splitlines()) == 1, image.done.stderr
    else:
        assert image.done.returncode == 0, image.done.stderr
        assert image.problems() == []


@pytest.fixture(scope="module", params=GENERATIONS)
def running(request: pytest.FixtureRequest) -> Iterator[Cyrus]:
    """Either generation, as it runs."""
    with cyrus(deploy(changed("single-node", {})), free_port(), request.param) as made:
        yield made


def test_the_first_message_to_somebody_who_never_logged_in_is_delivered(running: Cyrus) -> None:
    with smtplib.LMTP("127.0.0.1", running.sandbox.port(11024)) as client:
        client.sendmail("author@sender.test", ["new@example.org"], "Subject: welcome\r\n\r\ntext\r\n")
    assert running.messages("new@example.org", "welcome"), running.log


def test_the_public_listener_of_sieve_offers_a_password_behind_tls_alone(running: Cyrus) -> None:
    said = {}
    for port in (4190, 4191):
        with socket.create_connection(("127.0.0.1", running.sandbox.port(port)), 30) as connection:
            lines = _greeting(connection)
        said[port] = next(line for line in lines if line.startswith('"SASL"')), '"STARTTLS"' in lines
    assert said == {4190: ('"SASL" "PLAIN LOGIN"', True), 4191: ('"SASL" ""', True)}


def _greeting(connection: socket.socket) -> list[str]:
    stream = connection.makefile("r")
    found: list[str] = []
    while not (line := stream.readline().strip()).startswith("OK"):
        assert line, "Cyrus went away"
        found.append(line)
    return found


def test_a_calendar_takes_an_event_in_either_generation(running: Cyrus) -> None:
    running.login("jane@example.org")
    event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\n"
    event += (
        "DTSTART:20300101T190000Z\r\nDTEND:20300101T200000Z\r\nSUMMARY:one\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    path = "/dav/calendars/user/jane@example.org/Default/one.ics"
    assert running.put("jane@example.org", path, "text/calendar; charset=utf-8", event) == 201, running.log
