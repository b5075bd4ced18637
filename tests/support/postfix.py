"""Postfix, run for real: our entry script on the lab's stand-in for the image, and a smarthost that is a Postfix as well.

Needs root, as Postfix' master does. Everything listens on the loopback address.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pwd
import re
import shutil
import signal
import smtplib
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from components import entry
from tests.lab import signing
from tests.lab.signing import Authority
from tests.support.deploy import Deployment
from tests.support.images import files
from tests.support.mariadb import Mariadb
from tests.support.ports import free_port
from tests.support.sandbox import Sandbox, wait_for

RELAY = "relay.example.net"
HOST = "localhost"
"""What the smarthost is called here: no name server is asked."""
_REAL = "PATH=/usr/sbin:/usr/bin exec"


def needs_postfix() -> None:
    """Skips the test where Postfix cannot be run, and says why."""
    if not Path("/usr/sbin/postfix").exists():
        pytest.skip("Postfix is not installed: tests/install-packages test")
    if os.getuid() != 0:
        pytest.skip("Postfix' master runs as root only")


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that Postfix' own users may enter; pytest's are closed to them."""
    with tempfile.TemporaryDirectory(prefix="kolab-postfix-") as path:
        Path(path).chmod(0o755)
        yield Path(path) / "root"


@dataclass
class Mailbox:
    """What a server of the test took: recipients, and the message. `senders` are those of the envelopes, in order."""

    took: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 (the library's name)
        """Takes everything."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        # As the library writes that there is none.
        self.senders.append((envelope.mail_from or "").removeprefix("<>"))
        self.took.append((tuple(envelope.rcpt_tos), content.decode(errors="replace")))
        return "250 2.0.0 Ok"

    def of(self, subject: str) -> tuple[str, tuple[str, ...], str]:
        """Sender, recipients and text of the one message with this subject, once it is there."""
        wait_for(lambda: subject in self.subjects())
        [(sender, (recipients, text))] = [
            each for each in zip(self.senders, self.took, strict=True) if f"Subject: {subject}" in each[1][1]
        ]
        return sender, recipients, text

    def subjects(self) -> set[str]:
        """Of the messages that came."""
        return {found for _, text in self.took for found in re.findall(r"(?m)^Subject: (.*?)\r?$", text)}


@dataclass
class _Filter(Mailbox):
    """Amavis' place: speaks no TLS, and hands each message back."""

    back: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await super().handle_DATA(server, session, envelope)
        assert isinstance(envelope.content, bytes)
        with smtplib.SMTP("127.0.0.1", self.back) as client:
            client.sendmail(envelope.mail_from or "", envelope.rcpt_tos, envelope.content)
        return "250 2.0.0 Ok"


class _Lmtp(Controller):
    """Cyrus' place."""

    def factory(self) -> SMTP:
        return LMTP(self.handler, hostname="imap")


@dataclass
class Smarthost:
    """A Postfix that takes mail from whoever shows a password over TLS. `asked` is every password that it ever saw."""

    root: Path
    port: int
    implicit: bool
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def log(self) -> str:
        """What it says."""
        return (self.root / "out").read_text()

    def messages(self) -> list[str]:
        """What it took."""
        return [file.read_text() for file in (self.root / "mail").glob("inbox/new/*")]


def authority() -> Authority:
    """Somebody who vouches."""
    return signing.authority("authority of the test")


def pem(made: Authority) -> str:
    """Its certificate."""
    return made.certificate.public_bytes(Encoding.PEM).decode()


def identity(by: Authority, name: str) -> str:
    """A certificate of a server and its key, as PEM."""
    key = signing.new_key()
    made = signing.sign(signing.name(name), key, by, alternatives=[x509.DNSName(name)])
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode() + made.public_bytes(Encoding.PEM).decode()


def named_key(identity: str) -> str:
    """What a TLSA record says of the key of an identity: its own, whoever vouches (3 1 1: RFC 7671 section 5.1)."""
    text = identity[identity.index("-----BEGIN CERTIFICATE") :]
    public = x509.load_pem_x509_certificate(text.encode()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"3 1 1 {hashlib.sha256(spki).hexdigest()}"


class _Passwords(socketserver.ThreadingUnixStreamServer):
    """Says whether a password is right, as Dovecot's auth process does (dovecot: doc/auth-protocol.txt)."""

    daemon_threads = True

    def __init__(self, path: Path, login: tuple[str, str], asked: list[tuple[str, str]]) -> None:
        super().__init__(str(path), _Question)
        self.login, self.asked = login, asked


class _Question(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Passwords)
        self.wfile.write(
            b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00112233445566778899aabbccddeeff\nDONE\n"
        )
        for line in self.rfile:
            command, *words = line.decode().rstrip("\n").split("\t")
            if command != "AUTH":
                continue
            answer = next(word for word in words if word.startswith("resp="))
            _, user, password = base64.b64decode(answer.removeprefix("resp=")).decode().split("\0")
            self.server.asked.append((user, password))
            good = (user, password) == self.server.login
            self.wfile.write(f"{'OK' if good else 'FAIL'}\t{words[0]}\tuser={user}\n".encode())


@contextmanager
def smarthost(
    by: Authority, name: str, login: tuple[str, str], *, implicit: bool = False
) -> Iterator[Smarthost]:
    """A smarthost whose certificate says `name`."""
    needs_postfix()
    with folder() as root, ExitStack() as servers:
        made = Smarthost(root, free_port(), implicit)
        for each in ("conf", "queue", "queue/private", "data", "mail"):
            (root / each).mkdir(parents=True)
        for each in ("data", "mail", "queue/private"):
            shutil.chown(root / each, "postfix")
        (root / "pem").write_text(identity(by, name))
        wrapped = "yes" if implicit else "no"
        (root / "conf/main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = /dev/stdout
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = {RELAY}
mydestination =
notify_classes =
smtpd_peername_lookup = no
smtpd_tls_chain_files = {root}/pem
smtpd_tls_security_level = encrypt
smtpd_tls_wrappermode = {wrapped}
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/passwords
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
virtual_mailbox_domains = receiver.test
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:{pwd.getpwnam("postfix").pw_uid}
virtual_gid_maps = static:{pwd.getpwnam("postfix").pw_gid}
""")
        original = Path("/etc/postfix/master.cf").read_text()
        services = [line for line in original.splitlines() if not line.startswith("smtp ")]
        (root / "conf/master.cf").write_text(
            "\n".join([f"127.0.0.1:{made.port} inet n - n - - smtpd", *services]) + "\n"
        )
        passwords = servers.enter_context(_Passwords(root / "queue/private/passwords", login, made.asked))
        (root / "queue/private/passwords").chmod(0o666)
        threading.Thread(target=passwords.serve_forever, args=(0.02,), daemon=True).start()
        servers.callback(passwords.shutdown)
        with (root / "out").open("w") as out:
            running = subprocess.Popen(
                ["/usr/sbin/postfix", "-c", str(root / "conf"), "start-fg"],
                stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        servers.callback(_stop, running, root / "queue")
        wait_for(lambda: "daemon started" in made.log or running.poll() is not None)
        assert running.poll() is None, made.log
        yield made


def _stop(process: subprocess.Popen[bytes], queue: Path) -> None:
    """Ends Postfix. Its master has a session of its own, so that the end of whoever started it says nothing to it."""
    file = queue / "pid/master.pid"
    if file.exists():
        master = int(file.read_text())
        with suppress(ProcessLookupError):
            os.kill(master, signal.SIGTERM)
        wait_for(lambda: not Path(f"/proc/{master}").exists() or process.poll() is not None)
    process.terminate()
    process.wait(20)


@dataclass
class Mailserver:
    """Our Postfix, with stand-ins for Amavis and Cyrus beside it. `world` is where mail for others goes without a smarthost.

    `filter` is Amavis for what comes in, `signer` for what our people send.
    """

    sandbox: Sandbox
    filter: Mailbox
    signer: Mailbox
    delivered: Mailbox
    world: Mailbox

    @property
    def log(self) -> str:
        """What it says."""
        return self.sandbox.out + self.sandbox.err

    def queue_is_empty(self) -> bool:
        """Whether nothing is under way."""
        spool = self.sandbox.path("/var/spool/postfix")
        folders = ("incoming", "active", "deferred", "maildrop")
        return not any(file.is_file() for each in folders for file in (spool / each).rglob("*"))

    def send(self, recipient: str, subject: str) -> None:
        """Hands a message to port 25."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "joe@example.org", recipient, subject
        message.set_content("text\n")
        with smtplib.SMTP("127.0.0.1", self.sandbox.port(10025)) as client:
            client.send_message(message)


@contextmanager
def mailserver(
    stack: Deployment,
    relay: Smarthost | None,
    *,
    told: str = HOST,
    database: Mariadb | None = None,
    cyrus: int | None = None,
    answers: int | None = None,
    generation: str = "a",
    straight: bool = False,
) -> Iterator[Mailserver]:
    """Our Postfix of `stack`, whose smarthost is `relay`. `told` is the name by which that is found here.

    `cyrus` is the port where a Cyrus takes mail; without it there is a stand-in. What it sends comes to port `answers`.
    Generation B of the image asks tables that need a `database`. `straight` lets mail for others go where DNS says.
    """
    needs_postfix()
    with folder() as root, ExitStack() as servers:
        sandbox = Sandbox(root)
        if cyrus is not None:
            sandbox.ports[11024] = cyrus
        if answers is not None:
            sandbox.ports[10026] = answers
        delivered, world = Mailbox(), Mailbox()
        outside = free_port()
        _prepare(
            sandbox, stack, database, files("postfix", generation), None if relay or straight else outside
        )
        if relay:
            _prepare_relay(sandbox, stack, relay, told)
        servers.enter_context(answering(Controller(world, "127.0.0.1", outside)))
        if cyrus is None:
            servers.enter_context(answering(_Lmtp(delivered, "127.0.0.1", sandbox.port(11024))))
        amavis, signer = _Filter(back=sandbox.port(13025)), _Filter(back=sandbox.port(13025))
        servers.enter_context(answering(Controller(amavis, "127.0.0.1", sandbox.port(13024))))
        servers.enter_context(answering(Controller(signer, "127.0.0.1", sandbox.port(13026))))
        environment = stack.workload("postfix").env("postfix") | stack.secret_env("postfix", "postfix")
        environment["LMTP_DESTINATION"] = _HERE["LMTP_DESTINATION"]
        with sandbox.start(
            stack.file("postfix", "postfix", f"{entry.PATH}/entry.sh"), env=environment
        ) as process:
            try:
                wait_for(lambda: "daemon started" in sandbox.out or process.poll() is not None)
                assert process.poll() is None, sandbox.out + sandbox.err
                yield Mailserver(sandbox, amavis, signer, delivered, world)
            finally:
                _stop(process, sandbox.path("/var/spool/postfix"))


@contextmanager
def answering(server: Controller) -> Iterator[None]:
    """A server that answers until the end."""
    server.start()
    try:
        yield
    finally:
        server.stop()


def _prepare(
    sandbox: Sandbox, stack: Deployment, database: Mariadb | None, image: Mapping[str, str], world: int | None
) -> None:
    """The image's files, with this machine's folders and `database`, or none. `world` is where others are."""
    here = dict(_HERE)
    if database:
        del here[_RECIPIENTS]
    login = (
        database.login
        if database
        else {"DB_HOST": "127.0.0.1", "DB_USERNAME": "-", "DB_PASSWORD": "-", "DB_DATABASE": "-"}
    )
    for path, text in image.items():
        if "/sql/" in path:
            sandbox.put(path, _filled(text, login))
    sandbox.put("/etc/aliases", "")
    sandbox.put("/etc/resolv.conf", Path("/etc/resolv.conf").read_text())
    for port in (10025, 10026, 10587, 11024, 13024, 13025, 13026, 11587, 11465):
        sandbox.port(port)
    sandbox.put("/init.sh", "set -e\nmkdir /var/log/kolab\nexec /usr/sbin/postfix -c /etc/postfix start-fg\n")
    for file in ("main.cf", "master.cf", "header_checks.inbound", "header_checks.internal",
                 "header_checks.submission", "transport"):  # fmt: skip
        sandbox.put(f"/etc/postfix/{file}", _filled(image[f"/etc/postfix/{file}"], here))
    for program in ("kolab_policy", "kolab_contentfilter_cli"):
        sandbox.command(f"/usr/libexec/postfix/{program}")
    for file in ("postfix-files", "dynamicmaps.cf"):
        shutil.copy(f"/etc/postfix/{file}", sandbox.path("/etc/postfix"))
    shutil.copytree("/etc/postfix/dynamicmaps.cf.d", sandbox.path("/etc/postfix/dynamicmaps.cf.d"))
    sandbox.put("/etc/postfix/none", "")
    # Some authority of the world, which vouches for nobody here.
    sandbox.put("/etc/pki/tls/certs/ca-bundle.crt", pem(authority()))
    sandbox.put("/kolab/certificate/tls.crt", identity(authority(), "mail.example.org"))
    sandbox.put("/kolab/certificate/tls.key", "")
    for inside in ("/var/spool/postfix", "/var/lib/postfix"):
        sandbox.path(inside).mkdir(parents=True)
    shutil.chown(sandbox.path("/var/lib/postfix"), "postfix")
    sandbox.mount(entry.PATH, _local(stack.folder("postfix", "postfix", entry.PATH)))
    sandbox.put("/kolab/srs/key", stack.file("postfix", "postfix", "/kolab/srs/key"))
    sandbox.command("chown")
    sandbox.command("postconf", f'{_REAL} postconf -c /etc/postfix "$@"')
    sandbox.command("postmap", "echo 1")
    # What our script itself writes about the database goes, too; no name server is asked for the smarthost or the world.
    sandbox.command(
        "/usr/sbin/postfix",
        '[ "$1" = -c ] || set -- -c /etc/postfix "$@"\npostconf -e inet_interfaces=loopback-only\n'
        + (f"postconf -e 'relayhost = [127.0.0.1]:{world}'\n" if world else "")
        + ("" if database else "sed -i 's|mysql:[^ ,]*|texthash:/etc/postfix/none|g' /etc/postfix/main.cf\n")
        + f'{_REAL} postfix "$@"',
    )


def _local(files: Mapping[str, str]) -> dict[str, str]:
    """The files of the pod, where pods have this machine's addresses."""
    settings = re.sub(r"(?m)^(KOLAB_ANSWERS_CLIENTS)=.*$", r"\1=127.0.0.0/8", files[entry.SETTINGS])
    return {**files, entry.SETTINGS: settings}


def _prepare_relay(sandbox: Sandbox, stack: Deployment, relay: Smarthost, told: str) -> None:
    settings = _local(stack.folder("postfix", "postfix", entry.PATH))[entry.SETTINGS]
    where = re.sub(r"\[.*?\]:\d+", f"[{told}]:{relay.port}", settings)
    sandbox.mount(entry.PATH, {entry.SETTINGS: where})
    login = stack.file("postfix", "postfix", "/kolab/relay/login")
    sandbox.put("/kolab/relay/login", re.sub(r"^\[.*?\]:\d+", f"[{told}]:{relay.port}", login), mode=0o400)


_RECIPIENTS = "local_recipient_maps = mysql:/etc/postfix/sql/local_recipient_maps.cf"
_HERE: Mapping[str, str] = {
    "MYNETWORKS": "127.0.0.0/8",
    "AMAVIS_HOST": "127.0.0.1",
    "MESSAGE_SIZE_LIMIT": "10240000",
    "LMTP_DESTINATION": "[127.0.0.1]:11024",
    "APP_DOMAIN": "example.org",
    "content_filter=policy_mailfilter:dummy": "content_filter=",
    "alias_maps = hash:/etc/aliases": "alias_maps =",
    "hash:/etc/postfix/sender_access": "texthash:/etc/postfix/none",
    "command_directory = /usr/sbin": "",
    # Everybody is there before the database is asked.
    _RECIPIENTS: _RECIPIENTS.replace("= ", "= static:all, "),
    "lmtp_host_lookup = native": "lmtp_host_lookup = native\nsmtp_host_lookup = native",
}


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text
