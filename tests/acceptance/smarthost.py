"""The smarthost of a provider on the lab's internet: takes mail after STARTTLS from whoever shows its password.

`python -m tests.acceptance.smarthost ADDRESS FOLDER` reads `identity.pem` and `login` (`user:password`) there, and says
`listening` once it does. It appends a line of JSON to `seen` for each password that it was shown and each message that
it took.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import ssl
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "smtp.provider.test"
PORT = 587


class Handler:
    """Knows one customer, and writes down what it saw."""

    def __init__(self, login: tuple[str, str], into: Path) -> None:
        self._login, self._into = login, into

    def authenticate(self, _: SMTP, __: Session, ___: Envelope, mechanism: str, shown: Any) -> AuthResult:
        """The library asks after STARTTLS only."""
        assert isinstance(shown, LoginPassword)
        right = (shown.login.decode(), shown.password.decode()) == self._login
        self._note({"mechanism": mechanism, "right": right})
        return AuthResult(success=right, handled=False)

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (the library's name)
        """Takes mail to the whole world."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self._note(
            {
                "subject": email.message_from_bytes(content, policy=email.policy.SMTP)["Subject"],
                "encrypted": session.ssl is not None,
                "authenticated": session.authenticated,
            }
        )
        return "250 2.0.0 Ok"

    def _note(self, seen: dict[str, Any]) -> None:
        with self._into.open("a") as lines:
            lines.write(json.dumps(seen) + "\n")


async def serve(address: str, pem: Path, into: Path, login: tuple[str, str]) -> None:
    """Takes mail until it is ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    handler = Handler(login, into)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            handler,
            hostname=HOST,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=handler.authenticate,
            # The library's words for LOGIN are not those that Alertmanager waits for.
            auth_exclude_mechanism=["LOGIN"],
        ),
        address,
        PORT,
    )
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    user, _, password = (folder / "login").read_text().partition(":")
    asyncio.run(serve(sys.argv[1], folder / "identity.pem", folder / "seen", (user, password)))
