"""Cyrus, run for real: the lab's stand-in for the image, after our entry script has adjusted it. On the loopback address."""

from __future__ import annotations

import base64
import http.client
import imaplib
import os
import pwd
import re
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from components import entry
from tests.support.deploy import Deployment
from tests.support.images import Mutant, put
from tests.support.images import environment as image_env
from tests.support.postfix import authority, identity
from tests.support.sandbox import Sandbox, wait_for

PASSWORD = "secret1"
_PORTS = (11143, 11080, 11024, 11443, 11993, 4190, 4191, 10026)


def needs_cyrus() -> None:
    """Skips the test where Cyrus cannot be run, and says why."""
    if not Path("/usr/lib/cyrus/bin/httpd").exists():
        pytest.skip("Cyrus is not installed: tests/install-packages test")
    if os.getuid() != 0:
        pytest.skip("the files of Cyrus belong to a user of its own, which root alone can arrange")


@dataclass
class Cyrus:
    """A server that runs. Everybody exists, with the same password."""

    sandbox: Sandbox

    def sieve(self, user: str, script: str) -> None:
        """Puts a script in force, as a mail program does (RFC 5804)."""
        self.login(user)
        with socket.create_connection(("127.0.0.1", self.sandbox.port(4190)), 30) as connection:
            stream = connection.makefile("rwb")

            def say(line: bytes = b"") -> None:
                if line:
                    stream.write(line + b"\r\n")
                    stream.flush()
                while not (answer := stream.readline()).startswith(b"OK"):
                    assert answer, "Cyrus went away"
                    assert not answer.startswith((b"NO", b"BYE")), answer

            login = base64.b64encode(f"\0{user}\0{PASSWORD}".encode())
            text = script.encode()
            say()
            say(b'AUTHENTICATE "PLAIN" "%s"' % login)
            say(b'PUTSCRIPT "own" {%d+}\r\n%s' % (len(text), text))
            say(b'SETACTIVE "own"')

    def login(self, user: str) -> None:
        """Makes the mailbox, as a first login does."""
        connection = imaplib.IMAP4("127.0.0.1", self.sandbox.port(11143), timeout=30)
        connection.login(user, PASSWORD)
        connection.logout()

    def messages(self, user: str, subject: str) -> list[str]:
        """Messages in the inbox whose subject holds this."""
        connection = imaplib.IMAP4("127.0.0.1", self.sandbox.port(11143), timeout=30)
        connection.login(user, PASSWORD)
        connection.select("INBOX", readonly=True)
        _, numbers = connection.search(None, "SUBJECT", f'"{subject}"')
        found = []
        for number in numbers[0].split():
            [part, *_] = connection.fetch(number.decode(), "(BODY.PEEK[])")[1]
            assert isinstance(part, tuple)
            found.append(part[1].decode(errors="replace"))
        connection.logout()
        return found

    def put(self, user: str, path: str, kind: str, body: str) -> int:
        """Status of a PUT of CalDAV."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox.port(11080), timeout=30)
        login = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        connection.request(
            "PUT", path, body.encode(), {"Authorization": f"Basic {login}", "Content-Type": kind}
        )
        return connection.getresponse().status

    @property
    def log(self) -> str:
        """What it says."""
        return self.sandbox.text("/log") if self.sandbox.path("/log").exists() else ""


class _Passwords(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class _Question(socketserver.BaseRequestHandler):
    """saslauthd's protocol: four strings with their lengths, and an answer of the same kind."""

    def handle(self) -> None:
        words = []
        for _ in range(4):
            length = struct.unpack("!H", self._read(2))[0]
            words.append(self._read(length).decode())
        answer = b"OK" if words[1] == PASSWORD else b"NO"
        self.request.sendall(struct.pack("!H", len(answer)) + answer)

    def _read(self, length: int) -> bytes:
        found = b""
        while len(found) < length and (more := self.request.recv(length - len(found))):
            found += more
        return found


@contextmanager
def cyrus(stack: Deployment, answers: int, generation: str = "a") -> Iterator[Cyrus]:
    """Our Cyrus of `stack`; what it sends itself goes to the port `answers` of this machine."""
    needs_cyrus()
    with tempfile.TemporaryDirectory(prefix="kolab-cyrus-") as path:
        Path(path).chmod(0o755)
        sandbox = Sandbox(Path(path) / "root")
        sandbox.ports[10026] = answers
        for port in _PORTS:
            sandbox.port(port)
        prepare(sandbox, stack, generation)
        sandbox.put("/kolab/certificate/tls.crt", identity(authority(), "sieve.example.org"))
        sandbox.put("/kolab/certificate/tls.key", "")
        done = sandbox.run(
            stack.file("imap", "imap", f"{entry.PATH}/entry.sh"), env=environment(stack, generation)
        )
        assert done.returncode == 0, done.stderr
        _arrange(sandbox)
        # The master does not tell its services where it has read its configuration.
        services = sandbox.path("/etc/cyrus.conf")
        told = re.sub(
            r'cmd="(\S+?)(?= |")', rf'cmd="\1 -C {sandbox.path("/etc/imapd.conf")}', services.read_text()
        )
        services.write_text(told.replace("0.0.0.0:", "127.0.0.1:"))
        passwords = _Passwords(str(sandbox.path("/run/saslauthd/mux")), _Question)
        sandbox.path("/run/saslauthd/mux").chmod(0o777)
        threading.Thread(target=passwords.serve_forever, daemon=True).start()
        with sandbox.path("/log").open("w") as log:
            master = subprocess.Popen(
                ["/usr/sbin/cyrmaster", "-D", "-C", sandbox.path("/etc/imapd.conf"), "-M",
                 sandbox.path("/etc/cyrus.conf"), "-p", sandbox.path("/var/run/master.pid")],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/cyrus/bin", "CYRUS_VERBOSE": "1"},
            )  # fmt: skip
        try:
            wait_for(lambda: _open(sandbox.port(11024)) or master.poll() is not None)
            assert master.poll() is None, sandbox.text("/log")
            yield Cyrus(sandbox)
        finally:
            passwords.shutdown()
            passwords.server_close()
            with suppress(ProcessLookupError):
                os.killpg(master.pid, signal.SIGTERM)
            try:
                master.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(master.pid, signal.SIGKILL)
                master.wait()


def _open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def prepare(sandbox: Sandbox, stack: Deployment, generation: str, mutant: Mutant | None = None) -> None:
    """An image's files and commands, and what the pod of `stack` mounts."""
    put(sandbox, "imap", generation, mutant)
    files = dict(stack.folder("imap", "imap", entry.PATH))
    files[entry.SETTINGS] = re.sub(r"KOLAB_ANSWERS=\S*?:", "KOLAB_ANSWERS=127.0.0.1:", files[entry.SETTINGS])
    sandbox.mount(entry.PATH, files)
    sandbox.put("/kolab/certificate/tls.crt", "certificate ")
    sandbox.put("/kolab/certificate/tls.key", "key")
    sandbox.command("runuser", 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"')
    sandbox.command("id", "echo cyrus")
    for command in ("busybox", "/usr/sbin/saslauthd", "/usr/libexec/master"):
        sandbox.command(command)
    sandbox.command(
        "cyr_info",
        'case " $* " in *" -C "*) ;; *) set -- -C /etc/imapd.conf -M /etc/cyrus.conf "$@" ;; esac\n'
        'PATH=/usr/lib/cyrus/bin exec cyr_info "$@"',
    )
    for folder in ("/var/lib/imap", "/var/spool/imap", "/etc/pki/cyrus-imapd"):
        sandbox.path(folder).mkdir(parents=True, exist_ok=True)


def environment(stack: Deployment, generation: str) -> dict[str, str]:
    """Of the image, and what the pod adds."""
    return image_env("imap", generation) | stack.workload("imap").env("imap")


def _arrange(sandbox: Sandbox) -> None:
    """Gives the files to Cyrus' user."""
    owner = pwd.getpwnam("cyrus")
    for folder in ("/var/lib/imap", "/var/spool/imap", "/run/cyrus/db", "/run/cyrus/lock", "/run/cyrus/proc",
                   "/var/lib/imap/socket", "/var/lib/imap/db", "/var/lib/imap/sieve", "/run/saslauthd", "/etc/pki"):  # fmt: skip
        sandbox.path(folder).mkdir(parents=True, exist_ok=True)
    for top in ("var", "run", "etc/pki"):
        for folder, _, names in os.walk(sandbox.path(f"/{top}")):
            for name in ("", *names):
                shutil.chown(Path(folder, name), owner.pw_uid, owner.pw_gid)
