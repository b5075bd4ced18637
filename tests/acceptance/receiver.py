"""Somebody else's mail server on the lab's internet: takes mail for receiver.test, and judges it.

`python -m tests.acceptance.receiver ADDRESS FILE [IDENTITY DOMAIN...]` says `listening` once it does, and appends a line of
JSON to the file for each message that it took. IDENTITY is its certificate and key (PEM), in place of one that nobody knows;
the domains are its own then.
"""

from __future__ import annotations

import asyncio
import dataclasses
import email
import email.policy
import json
import ssl
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dns.resolver
from aiosmtpd.smtp import SMTP, Envelope, Session
from dns.rdata import Rdata

from tests.lab.images.keys import certificate
from tests.support.verdicts import Arrival, receive

DOMAIN = "receiver.test"
HOST = f"mail.{DOMAIN}"
NOBODY = f"nobody@{DOMAIN}"
"""Refused before the message: there is no such mailbox."""
UNWILLING = f"unwilling@{DOMAIN}"
"""Refuses every message once it has seen it."""


class Handler:
    """Says what the server answers, and writes down what it took."""

    def __init__(self, into: Path, domains: Sequence[str] = (DOMAIN,)) -> None:
        self._into, self._domains = into, domains

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Relays for nobody."""
        if address.lower().rpartition("@")[2] not in self._domains:
            return "550 5.7.1 We do not relay"
        if address.lower() == NOBODY:
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Judges the message; what becomes of it does not depend on that, so that failures are told, not hidden."""
        if UNWILLING in envelope.rcpt_tos:
            return "554 5.7.1 We do not like what you write"
        with self._into.open("a") as lines:
            lines.write(json.dumps(await asyncio.to_thread(_seen, session, envelope)) + "\n")
        return "250 2.0.0 Ok"


def _seen(session: Session, envelope: Envelope) -> dict[str, Any]:
    content = envelope.content if isinstance(envelope.content, bytes) else b""
    sender = (envelope.mail_from or "").removeprefix("<>")  # as the library writes that there is none
    arrival = Arrival((session.peer or "")[0], session.host_name or "", sender, content)
    return {
        "sender": arrival.sender,
        "recipients": envelope.rcpt_tos,
        "subject": email.message_from_bytes(content, policy=email.policy.SMTP)["Subject"],
        "encrypted": session.ssl is not None,
        "verdict": dataclasses.asdict(receive(arrival, lookup)),
        "text": content.decode(errors="replace"),
    }


def lookup(name: str, kind: str) -> Sequence[Rdata]:
    """Records that the resolver of this network finds."""
    try:
        return list(dns.resolver.resolve(name, kind, search=False))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []


async def serve(address: str, into: Path, identity: str = "", *domains: str) -> None:
    """Takes mail until it is ended."""
    handler, context = Handler(into, domains or (DOMAIN,)), _tls(identity)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, hostname=HOST, tls_context=context), address, 25
    )
    print("listening", flush=True)
    await server.serve_forever()


def _tls(identity: str) -> ssl.SSLContext:
    """A certificate that nobody knows, as most mail servers have (RFC 7435), unless there is another."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if identity:
        context.load_cert_chain(identity)
        return context
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("".join(certificate()))
        file.flush()
        context.load_cert_chain(file.name)
    return context


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
