"""What the ports say: greetings, capabilities before and after TLS, certificates, pages, and TURN's answers."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import os
import socket
import ssl
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ops.doctor.check import Unseen
from ops.doctor.dialogue import Dialogue, Protocol
from ops.doctor.edge import Edge
from ops.memo import Memo

LIMIT = 65536
"""Bytes of a page that are read; no MTA-STS policy may be longer (RFC 8461 section 3.2)."""
_OLD = "DEFAULT:@SECLEVEL=0"
_EXPIRED, _NAME = 10, (62, 64)
"""Codes of OpenSSL (x509_vfy.h): certificate has expired, hostname or address mismatch."""


@dataclass(frozen=True)
class Tls:
    """What a handshake showed."""

    certificate: x509.Certificate
    fault: str
    """Why a careful client would hang up: name, expired, chain; empty when it would not."""
    words: str = ""
    """OpenSSL's words for that."""

    @property
    def key_hash(self) -> str:
        """What a TLSA record 3 1 1 holds (RFC 7671 section 5.1)."""
        key = self.certificate.public_key()
        return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


@dataclass(frozen=True)
class Talk:
    """The beginning of a conversation with a mail port."""

    banner: str
    clear: tuple[str, ...] = ()
    """Capabilities before TLS."""
    secret: tuple[str, ...] = ()
    """Capabilities after it."""
    tls: Tls | None = None
    broken: str = ""
    """Why there was no TLS although it was asked for."""


@dataclass(frozen=True)
class Page:
    """One answer of a web server; redirects are not followed."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    tls: Tls | None


class Wire:
    """Connections, each made once."""

    def __init__(self, edge: Edge) -> None:
        self._edge, self._memo = edge, Memo()

    def open(self, address: str, port: int) -> None:
        """Returns when something accepts connections. Raises Unseen."""
        self._memo.get(("open", address, port), lambda: self._open(address, port).close())

    def talk(self, address: str, port: int, protocol: Protocol, name: str, *, implicit: bool = False) -> Talk:
        """Greeting, capabilities, TLS under `name`, capabilities. Raises Unseen."""
        self.open(address, port)
        return self._memo.get(
            ("talk", address, port, name), lambda: self._talk(address, port, protocol, name, implicit)
        )

    def page(self, address: str, name: str, path: str, *, port: int = 443, body: bytes | None = None) -> Page:
        """The answer to GET, or to POST with `body`, as a careful client gets it. Raises Unseen."""
        self.open(address, port)
        return self._memo.get(
            ("page", address, port, name, path), lambda: self._page(address, name, path, port, body)
        )

    def takes_old_tls(self, address: str, port: int, protocol: Protocol | None) -> bool:
        """Whether TLS 1.0 or 1.1 is taken (RFC 8996 forbids it). `protocol` when TLS comes by STARTTLS. Raises Unseen."""
        self.open(address, port)
        with self._connected(address, port) as connection:
            try:
                if protocol:
                    dialogue = Dialogue(connection, protocol)
                    dialogue.greeting()
                    dialogue.capabilities()
                    if not dialogue.starttls():
                        raise Unseen(f"{address}:{port} does not start TLS")
                with _old().wrap_socket(connection):
                    return True
            except ssl.SSLError:
                return False
            except ConnectionError:
                return False

    def recipients(self, address: str, sender: str, recipient: str) -> tuple[int, str]:
        """Code and words with which port 25 answers this recipient; nothing is sent. Raises Unseen."""
        self.open(address, 25)
        return self._memo.get(
            ("rcpt", address, sender, recipient), lambda: self._rcpt(address, sender, recipient)
        )

    def stun(self, address: str, port: int, *, allocate: bool) -> str:
        """`answers`, `granted`, or the number of the error, to a STUN binding or a TURN allocation without a name (RFC 8656)."""
        return self._memo.get(("stun", address, port, allocate), lambda: self._stun(address, port, allocate))

    def _open(self, address: str, port: int) -> socket.socket:
        try:
            return self._edge.connect(address, port)
        except OSError as error:
            raise Unseen(f"{address} port {port}: {error.strerror or error}") from None

    @contextlib.contextmanager
    def _connected(self, address: str, port: int) -> Iterator[socket.socket]:
        with self._open(address, port) as connection:
            try:
                yield connection
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Unseen(f"{address} port {port}: {error or type(error).__name__}") from None

    def _talk(self, address: str, port: int, protocol: Protocol, name: str, implicit: bool) -> Talk:
        try:
            return self._try(
                address, port, protocol, name, self._edge.trusting(), implicit=implicit, fault=("", "")
            )
        except ssl.SSLCertVerificationError as refused:
            return self._try(
                address, port, protocol, name, _careless(), implicit=implicit, fault=_fault(refused)
            )

    def _try(
        self,
        address: str,
        port: int,
        protocol: Protocol,
        name: str,
        context: ssl.SSLContext,
        *,
        implicit: bool,
        fault: tuple[str, str],
    ) -> Talk:
        banner = ""
        clear: tuple[str, ...] = ()
        refused: ssl.SSLCertVerificationError | None = None
        with self._connected(address, port) as connection:
            if not implicit:
                dialogue = Dialogue(connection, protocol)
                banner = dialogue.greeting()
                clear = dialogue.capabilities()
                if not dialogue.offers_tls(clear):
                    return Talk(banner, clear)
                if not dialogue.starttls():
                    return Talk(banner, clear, broken="STARTTLS is offered and then refused")
            try:
                secured = context.wrap_socket(connection, server_hostname=name)
            except ssl.SSLCertVerificationError as problem:
                refused = problem
            except (ssl.SSLError, ConnectionError) as error:
                return Talk(banner, clear, broken=str(error))
            else:
                with secured:
                    tls = _seen(secured, fault)
                    dialogue = Dialogue(secured, protocol)
                    banner = dialogue.greeting() if implicit else banner
                    return Talk(banner, clear, dialogue.capabilities(anew=not implicit), tls)
        raise refused or Unseen(f"{address} port {port} hung up")

    def _page(self, address: str, name: str, path: str, port: int, body: bytes | None) -> Page:
        if port == 80:
            return self._fetch(address, name, path, port, body, None, ("", ""))
        try:
            return self._fetch(address, name, path, port, body, self._edge.trusting(), ("", ""))
        except ssl.SSLCertVerificationError as problem:
            return self._fetch(address, name, path, port, body, _careless(), _fault(problem))

    def _fetch(  # noqa: PLR0917
        self,
        address: str,
        name: str,
        path: str,
        port: int,
        body: bytes | None,
        context: ssl.SSLContext | None,
        fault: tuple[str, str],
    ) -> Page:
        refused: ssl.SSLCertVerificationError | None = None
        with self._connected(address, port) as connection:
            try:
                end = context.wrap_socket(connection, server_hostname=name) if context else connection
            except ssl.SSLCertVerificationError as problem:
                refused = problem
            else:
                with end:
                    client = http.client.HTTPConnection(name, port)
                    client.sock = end
                    kind = {"Content-Type": "text/xml"} if body else {}
                    client.request("POST" if body else "GET", path, body, {"Host": name, **kind})
                    answer = client.getresponse()
                    headers = {key.lower(): value for key, value in answer.getheaders()}
                    tls = _seen(end, fault) if isinstance(end, ssl.SSLSocket) else None
                    return Page(answer.status, headers, answer.read(LIMIT + 1), tls)
        raise refused or Unseen(f"{address} port {port} hung up")

    def _rcpt(self, address: str, sender: str, recipient: str) -> tuple[int, str]:
        with self._connected(address, 25) as connection:
            dialogue = Dialogue(connection, "smtp")
            dialogue.greeting()
            dialogue.capabilities()
            code, words = dialogue.command(f"MAIL FROM:<{sender}>")
            if code == 250:
                code, words = dialogue.command(f"RCPT TO:<{recipient}>")
            dialogue.command("QUIT")
            return code, words

    def _stun(self, address: str, port: int, allocate: bool) -> str:
        transaction = os.urandom(12)
        # REQUESTED-TRANSPORT is UDP (RFC 8656 section 18.7).
        attributes = struct.pack("!HHB3x", 0x0019, 4, 17) if allocate else b""
        kind = 0x0003 if allocate else 0x0001
        request = struct.pack("!HHI", kind, len(attributes), 0x2112A442) + transaction + attributes
        with socket.socket(
            socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM
        ) as sender:
            sender.settimeout(1)
            for _ in range(3):
                try:
                    sender.sendto(request, self._edge.place(address, port))
                    answer = sender.recv(2048)
                except OSError:
                    continue
                if answer[8:20] == transaction:
                    return _stun_answer(answer, granted="granted" if allocate else "answers")
        raise Unseen(f"{address} port {port}/udp does not answer")


def _stun_answer(answer: bytes, *, granted: str) -> str:
    kind = struct.unpack("!H", answer[:2])[0]
    if kind & 0x0110 != 0x0110:
        return granted
    at = 20
    while at + 4 <= len(answer):
        attribute, length = struct.unpack("!HH", answer[at : at + 4])
        if attribute == 0x0009:
            return str((answer[at + 6] & 7) * 100 + answer[at + 7])
        at += 4 + (length + 3) // 4 * 4
    return "error"


def _seen(end: ssl.SSLSocket, fault: tuple[str, str]) -> Tls:
    return Tls(x509.load_der_x509_certificate(end.getpeercert(binary_form=True) or b""), *fault)


def _fault(refused: ssl.SSLCertVerificationError) -> tuple[str, str]:
    code = refused.verify_code
    return "expired" if code == _EXPIRED else "name" if code in _NAME else "chain", refused.verify_message


def _careless() -> ssl.SSLContext:
    """Takes any certificate, to look at it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@functools.cache
def _old() -> ssl.SSLContext:
    context = _careless()
    context.set_ciphers(_OLD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context
