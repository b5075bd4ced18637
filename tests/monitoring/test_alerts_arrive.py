"""An alert reaches people while this stack's own mail is down: Alertmanager itself, with nobody at Postfix' port."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from model.monitoring import alertmanager
from model.monitoring.alerts_stack import WATCHDOG
from model.topology import POSTFIX
from tests.monitoring.checkers import program, run, settings
from tests.monitoring.fake_servers import certificate
from tests.support.ports import free_port
from tests.support.sandbox import wait_for

pytestmark = pytest.mark.thorough

PASSWORD = "of-the-other-server"
HOOK, ALIVE = "https://alerts.example.com/hook", "https://alive.example.com/kolab"


class Hooks:
    """A service elsewhere that keeps what it is sent."""

    def __init__(self) -> None:
        taken: list[tuple[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken.append((self.path, json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.taken = taken
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def names(self, path: str) -> set[str]:
        """Alerts that came to a path."""
        return {
            each["labels"]["alertname"] for to, body in self.taken if to == path for each in body["alerts"]
        }


class Mailbox:
    """A mail server of somebody else that keeps what it takes from its user."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, bool]] = []

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.taken.append((envelope.mail_from or "", content.decode(), session.ssl is not None))
        return "250 taken"


@contextmanager
def mail_server(context: ssl.SSLContext, box: Mailbox) -> Iterator[int]:
    def login(_: object, __: object, ___: object, kind: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=given == LoginPassword(b"alerts", PASSWORD.encode()))

    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=login,
        auth_required=True,
        auth_exclude_mechanism=["LOGIN"],
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def alerting(
    folder: Path, alerts: dict[str, Any], changed: dict[str, str], trusted: Path | None = None
) -> Iterator[int]:
    """Alertmanager with the configuration of a stack; only places outside of this machine are led here."""
    text = alertmanager.config(settings(monitoring={"alerts": alerts}))
    for old, new in {**changed, alertmanager.PASSWORD_FILE: str(folder / "password")}.items():
        text = text.replace(old, new)
    # Nobody wants to wait for the patience of ten people.
    text = re.sub(r"group_wait: \S+", "group_wait: 0s", text)
    (folder / "password").write_text(PASSWORD)
    (folder / "alertmanager.yml").write_text(text)
    port = free_port()
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    trust = {"SSL_CERT_FILE": str(trusted)} if trusted else {}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **trust})
        try:
            wait_for(lambda: _listens(port))
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _fires(port: int, name: str) -> None:
    labels = (f"alertname={name}", "severity=page", "service=postfix")
    run("amtool", "alert", "add", f"--alertmanager.url=http://127.0.0.1:{port}", *labels)


def test_an_alert_comes_by_webhook_while_nobody_answers_at_postfix(tmp_path: Path) -> None:
    hooks = Hooks()
    alerts = {"email": "ops@example.com", "webhook": HOOK}
    nobody = f"127.0.0.1:{free_port()}"
    with alerting(tmp_path, alerts, {HOOK: hooks.at("/hook"), POSTFIX.at("submission"): nobody}) as port:
        _fires(port, "SmtpDown")
        wait_for(lambda: "SmtpDown" in hooks.names("/hook"))
        wait_for(lambda: f"dial tcp {nobody}: connect: connection refused" in (tmp_path / "log").read_text())


@contextmanager
def handed_in(folder: Path, name: str) -> Iterator[Mailbox]:
    """An alert on its way to somebody else's mail server, whose certificate is of `name`."""
    box, context = Mailbox(), certificate(folder, [name])
    server = {"host": "smtp.example.com", "sender": "kolab@example.com", "username": "alerts"}
    with mail_server(context, box) as at:
        changed = {"smtp.example.com:587": f"localhost:{at}"}
        alerts = {"email": "ops@example.com", "server": server}
        with alerting(folder, alerts, changed, trusted=folder / "server.pem") as port:
            _fires(port, "SmtpDown")
            yield box


def test_an_alert_comes_by_somebody_elses_mail_server(tmp_path: Path) -> None:
    with handed_in(tmp_path, "localhost") as box:
        wait_for(lambda: bool(box.taken))
    ((sender, text, encrypted),) = box.taken
    assert (sender, encrypted, "SmtpDown" in text) == ("kolab@example.com", True, True)


def test_the_password_goes_to_no_server_whose_certificate_is_of_another_name(tmp_path: Path) -> None:
    with handed_in(tmp_path, "somebody.else") as box:
        wait_for(lambda: "certificate is valid for somebody.else" in (tmp_path / "log").read_text())
    assert box.taken == []


def test_the_heartbeat_comes_alone_to_its_place(tmp_path: Path) -> None:
    hooks = Hooks()
    changed = {HOOK: hooks.at("/hook"), ALIVE: hooks.at("/alive")}
    with alerting(tmp_path, {"webhook": HOOK, "heartbeat": ALIVE}, changed) as port:
        _fires(port, WATCHDOG)
        _fires(port, "SmtpDown")
        wait_for(lambda: hooks.names("/alive") == {WATCHDOG} and hooks.names("/hook") == {"SmtpDown"})
        time.sleep(1)
    assert (hooks.names("/alive"), hooks.names("/hook")) == ({WATCHDOG}, {"SmtpDown"})
