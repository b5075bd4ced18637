"""Daemons that ask for a password or a token of the stack: whether they let in who shows this one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
import time
from collections.abc import Callable, Mapping

from model import topology
from model.accounts import IMAP_ADMIN, LEGACY_DATABASE, OPERATOR, ROUNDCUBE_DATABASE, WEBAPP_DATABASE
from tests.acceptance.files import lets_in
from tests.acceptance.stack import JANE, Stack
from tests.lab.errors import LabError

_IMAP = """
import imaplib, sys
try:
    print(imaplib.IMAP4("127.0.0.1", int(sys.argv[1])).login(*sys.argv[2:])[0])
except imaplib.IMAP4.error:
    print("NO")
"""


def basic(user: str, password: str) -> str:
    """The header of HTTP's Basic authentication (RFC 7617)."""
    return f"Authorization: Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def turn_server(stack: Stack) -> str:
    """Where relays are asked for."""
    return f"{stack.names.turn}:{topology.TURN.port('turn').number}"


def turn_sealed(secret: str, name: str) -> tuple[str, str]:
    """A name with its password (TURN REST API: HMAC-SHA1 by the secret that Meet and the relay share)."""
    seal = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return name, base64.b64encode(seal).decode()


def turn_credentials(secret: str, *, seconds: int = 600) -> tuple[str, str]:
    """As Meet makes them: a name that says until when it is good."""
    return turn_sealed(secret, f"{int(time.time()) + seconds}:guest")


def _database(user: str) -> Callable[[Stack, str], bool]:
    def asks(stack: Stack, password: str) -> bool:
        query = 'MYSQL_PWD=$2 mysql -N -h "$DB_HOST" -u "$1" -e "SELECT 1"'
        try:
            answer = stack.kubectl("exec", "deploy/webapp", "--", "bash", "-c", query, "ask", user, password)
        except LabError as error:
            assert "Access denied" in str(error), error  # noqa: PT017 (the text tells)
            return False
        return answer.strip() == "1"

    return asks


def _redis(stack: Stack, password: str) -> bool:
    ask = "REDISCLI_AUTH=$1 redis-cli ping 2>&1"
    return stack.kubectl("exec", "redis-0", "--", "bash", "-c", ask, "ask", password).strip().endswith("PONG")


def _mailboxes(stack: Stack, password: str) -> bool:
    port = str(topology.IMAP.port("imap").number)
    line = [sys.executable, "-c", _IMAP, port, IMAP_ADMIN, password]
    return stack.in_pod(stack.pod("imap"), line) == "OK"


def _system_mail(stack: Stack, password: str) -> bool:
    noreply = f"noreply@{stack.settings.domain}"
    line = ("submit", stack.names.smtp, "465", noreply, password, noreply, JANE, "from-noreply")
    asked = stack.lab.internet.ask(stack.client_line(*line))
    assert asked.stdout.startswith("250") or "535" in asked.stderr, asked
    return asked.stdout.startswith("250")


def _web(method: str, path: str, header: Callable[[str], str]) -> Callable[[Stack, str], bool]:
    def asks(stack: Stack, value: str) -> bool:
        url = f"https://{stack.names.website}{path}"
        status = stack.client("ask", method, url, header(value)).splitlines()[0]
        assert status in ("200", "401", "403"), status
        return status == "200"

    return asks


def _relay(stack: Stack, secret: str) -> bool:
    answer = stack.client("allocate", turn_server(stack), "tcp", *turn_credentials(secret))
    assert answer == "granted" or answer.startswith("401"), answer
    return answer == "granted"


LETS_IN: Mapping[str, Callable[[Stack, str], bool]] = {
    "databaseRootPassword": _database("root"),
    "databasePassword": _database(WEBAPP_DATABASE),
    "legacyDatabasePassword": _database(LEGACY_DATABASE),
    "roundcubeDatabasePassword": _database(ROUNDCUBE_DATABASE),
    "redisPassword": _redis,
    "imapAdminPassword": _mailboxes,
    "noreplyPassword": _system_mail,
    "filesPassword": lets_in,
    "meetServerToken": _web("GET", "/meetmedia/api/ping", "X-Auth-Token: {}".format),
    "meetWebhookToken": _web("POST", "/api/webhooks/meet", "X-Auth-Token: {}".format),
    "turnSecret": _relay,
    "monitoringPassword": _web("GET", "/prometheus/-/ready", lambda value: basic(OPERATOR, value)),
}
"""Secret -> whether its daemon lets in who shows a value."""
