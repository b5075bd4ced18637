"""The first lines of SMTP (RFC 5321), IMAP (RFC 9051) and ManageSieve (RFC 5804), up to TLS and after it."""

from __future__ import annotations

import socket
from typing import Literal

Protocol = Literal["smtp", "imap", "sieve"]
_LONGEST = 8192


class Dialogue:
    """One connection. Raises OSError and ValueError when the other side does not speak the protocol."""

    def __init__(self, connection: socket.socket, protocol: Protocol) -> None:
        self._connection, self._protocol = connection, protocol
        # Unbuffered: what follows STARTTLS must not be read as text.
        self._stream = connection.makefile("rb", buffering=0)

    def greeting(self) -> str:
        """The first line, or all lines of SMTP."""
        if self._protocol == "sieve":
            return ""
        return self._smtp()[1] if self._protocol == "smtp" else self._line()

    def capabilities(self, *, anew: bool = False) -> tuple[str, ...]:
        """What the server offers. ManageSieve says it unasked, also `anew` after STARTTLS."""
        if self._protocol == "sieve":
            return tuple(self._until_ok())
        if self._protocol == "smtp":
            own = self._connection.getsockname()[0]
            literal = f"[IPv6:{own}]" if ":" in own else f"[{own}]"
            code, words = self.command(f"EHLO {literal}")
            return tuple(words.upper().splitlines()[1:]) if code == 250 else ()
        self._send("a CAPABILITY")
        found: list[str] = []
        while not (line := self._line()).startswith("a "):
            if line.upper().startswith("* CAPABILITY"):
                found = line.upper().split()[2:]
        return tuple(found)

    def offers_tls(self, capabilities: tuple[str, ...]) -> bool:
        """Whether STARTTLS is among them."""
        return any(each.strip('"').upper() == "STARTTLS" for each in capabilities)

    def starttls(self) -> bool:
        """Asks for TLS; whether the server is ready for it."""
        if self._protocol == "smtp":
            return self.command("STARTTLS")[0] == 220
        self._send("STARTTLS" if self._protocol == "sieve" else "b STARTTLS")
        wanted = "OK" if self._protocol == "sieve" else "b OK"
        return self._line().upper().startswith(wanted.upper())

    def command(self, text: str) -> tuple[int, str]:
        """Code and words of the answer to an SMTP command."""
        self._send(text)
        return self._smtp()

    def _send(self, text: str) -> None:
        self._connection.sendall(f"{text}\r\n".encode("ascii"))

    def _line(self) -> str:
        # Byte by byte, as the stream is unbuffered: these are few.
        line = self._stream.readline(_LONGEST)
        if not line.endswith(b"\n"):
            raise ConnectionError("hung up" if len(line) < _LONGEST else "sent a line without an end")
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def _smtp(self) -> tuple[int, str]:
        lines = [self._line()]
        while lines[-1][3:4] == "-":
            lines.append(self._line())
        return int(lines[-1][:3]), "\n".join(line[4:] for line in lines)

    def _until_ok(self) -> list[str]:
        found: list[str] = []
        while not (line := self._line()).upper().startswith("OK"):
            if line.upper().startswith(("NO", "BYE")):
                raise ConnectionError(line)
            found.append(line)
        return found
