"""The internal hooks: nginx' mail authentication, saslauthd, Postfix' policies, the mail filter, metrics.

Headers, bodies and status codes are upstream's (src/app/Http/Controllers/API/V4/NGINXController.php and
PolicyController.php); SPF is not evaluated and greylisting lets everybody in at once.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from standin import accounts, jobs_queue
from standin.database import rows


@dataclass
class Answer:
    """An HTTP answer."""

    status: int = 200
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def as_json(data: object, status: int = 200) -> Answer:
    """A JSON answer."""
    return Answer(status, json.dumps(data).encode(), "application/json")


def nginx(headers: Mapping[str, str], *, client: str = "Client-IP") -> Answer:
    """Whether a mail client may come in, and where nginx has to connect it to."""
    user, password = headers.get("Auth-User", ""), headers.get("Auth-Pass", "")
    protocol = headers.get("Auth-Protocol", "")
    refused = Answer(headers={"Auth-Status": "authentication failure", "Auth-Wait": "3"})
    backends = {"imap": "IMAP", "smtp": "SMTP"}
    known = headers.get(client) and protocol in backends
    if not known or not accounts.login(unquote(user), unquote(password)):
        return refused
    prefix = backends[protocol]
    # An IPv4 address: nginx resolves no names here.
    address = socket.gethostbyname(os.environ[f"{prefix}_HOST"])
    found = {"Auth-Status": "OK", "Auth-Server": address, "Auth-Port": os.environ[f"{prefix}_PORT"]}
    return Answer(headers=found | {"Auth-Pass": password})


def httpauth(headers: Mapping[str, str]) -> Answer:
    """Whether somebody may ask for calendars, which newer proxies want to know first, and which backend has them."""
    kind, _, login = headers.get("Authorization", "").partition(" ")
    found = Answer(headers={"DavBackend": "default"})
    if kind.lower() != "basic":
        return found
    user, _, password = base64.b64decode(login).decode(errors="replace").partition(":")
    if not headers.get("X-Real-IP") or not accounts.login(user, password):
        return Answer(403)
    return found


def cyrus_sasl(body: bytes) -> Answer:
    """saslauthd's question: `user realm password`, so a password with a space is never right."""
    parts = unquote(body.decode(errors="replace")).split(" ")
    if len(parts) != 3:
        return Answer(403)
    user, realm, password = parts
    right = accounts.login(f"{user}@{realm}" if realm else user, password)
    return Answer(200 if right else 403)


def spf(form: Mapping[str, str]) -> Answer:
    """Clients from unknown networks are deferred; for the others the header says that nothing was evaluated."""
    address = form.get("client_address", "")
    if not known_network(address):
        return _verdict("DEFER_IF_PERMIT", "Temporary error. Please try again later.", 403)
    header = f"Received-SPF: None identity=mailfrom; client-ip={address}; helo={form.get('client_name', '')};"
    return as_json({"response": "DUNNO", "prepend": [f"{header} envelope-from={form.get('sender', '')};"]})


def greylist(_: Mapping[str, str]) -> Answer:
    """Everybody is known."""
    return as_json({"response": "DUNNO"})


def submission(form: Mapping[str, str]) -> Answer:
    """Whether the user who logged in may send as this sender."""
    user, sender = plain(form.get("user", "")), plain(form.get("sender", ""))
    if "@" not in sender:
        return _verdict("REJECT", "Invalid sender", 403)
    if "@" not in user:
        return _verdict("REJECT", "Invalid user", 403)
    try:
        allowed = accounts.may_send_as(user, sender)
    except accounts.Unknown:
        return _verdict("REJECT", f"Could not find user {user}", 403)
    if not allowed:
        return _verdict("REJECT", f"{user} is unauthorized to send mail as {sender}", 403)
    return as_json({"response": "DUNNO"})


def metrics() -> Answer:
    """A few numbers under upstream's names."""
    tenant = os.environ.get("APP_TENANT_ID", "")
    users = rows("SELECT COUNT(*) FROM users WHERE deleted_at IS NULL")[0][0]
    labels = f'{{instance="{os.environ.get("APP_DOMAIN", "")}", tenant="{tenant}"}}'
    lines = [f"kolab_users_count{labels} {users}"]
    # Only a master that is alive has queues.
    if jobs_queue.running():
        queue = f'{labels[:-1]}, queue="default"}}'
        lines.append(f"kolab_horizon_queue_size{queue} {jobs_queue.waiting()}")
        lines.append(f"kolab_horizon_queue_wait_seconds{queue} 0")
    # As Laravel completes upstream's "text/plain".
    return Answer(200, ("\n".join(lines) + "\n").encode(), "text/plain; charset=UTF-8")


def plain(address: str) -> str:
    """An address in lower case and without its +tag."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if local else address.lower()


def known_network(address: str) -> bool:
    """Whether data:import brought a network that holds this address. IPv6 has no table here and is let in."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if parsed.version == 6:
        return True
    packed = parsed.packed
    return bool(
        rows("SELECT 1 FROM ip4nets WHERE net_number <= %s AND net_broadcast >= %s LIMIT 1", (packed, packed))
    )


def form_of(body: bytes) -> dict[str, str]:
    """A posted form; of several values of one name the first."""
    return {
        key: values[0]
        for key, values in parse_qs(body.decode(errors="replace"), keep_blank_values=True).items()
    }


def _verdict(action: str, reason: str, status: int) -> Answer:
    return as_json({"response": action, "reason": reason}, status)
