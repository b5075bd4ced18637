"""A little internet on loopback for the doctor: name servers, mail ports, web sites and TURN, each wrong at will.

Everything that is healthy is made from the stack's own model. A test alters one thing and looks who notices.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import email.utils
import hashlib
import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from model import identity, roles
from model.identity import mta_sts
from model.names import Names
from model.settings import Settings
from model.stack_file import load
from ops.doctor.edge import Edge
from ops.stacks import StackFile
from tests.support.authority import Authority

Zone = dict[tuple[str, str], list[str]]
"""Name and type -> values in presentation format."""

_ZONES = ("example.org", "example.net", "example.com", "100.51.198.in-addr.arpa")
_SERVERS = {"ns1.dns.example": "192.0.2.251", "ns2.dns.example": "192.0.2.252"}
_RESOLVER = "192.0.2.250"
_CLOSED = 9
_TTL = 3600


@dataclass
class Mail:
    """How one mail port behaves."""

    protocol: str
    context: ssl.SSLContext
    implicit: bool = False
    banner: str = "mx.example.org ESMTP"
    clear: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    starttls: bool = True
    takes: tuple[str, ...] = ()
    """Recipients that are accepted."""


@dataclass
class Web:
    """How the proxy behaves."""

    contexts: dict[str, ssl.SSLContext]
    """Host -> TLS; "" for all others."""
    pages: dict[tuple[str, str], tuple[int, dict[str, str], bytes]]
    now: Callable[[], datetime.datetime]
    default: int = 421

    def use(self, host: str, context: ssl.SSLContext) -> None:
        """Shows this certificate under `host`, or under all names without one of their own."""
        self.contexts[host] = context

        def choose(end: Any, name: str | None, _: Any) -> None:
            end.context = self.contexts.get(name or "", self.contexts[""])

        if not host:
            # Set once: replacing it while handshakes run would crash OpenSSL.
            context.sni_callback = choose


@dataclass
class State:
    """All that can be wrong."""

    servers: dict[str, Zone]
    """Address of an authoritative server -> what it holds."""
    cached: Zone | None
    """What the resolver has, when it is not what the servers have."""
    unvalidated: set[str]
    """Zones whose signatures do not hold."""
    silent: set[str]
    """Addresses of servers of names that do not answer."""
    ttl: dict[tuple[str, str], int]
    mail: dict[tuple[str, int], Mail]
    web: Web
    redirect: tuple[int, str] = (301, "https://{host}{path}")
    stun: str = "answers"
    allocate: str = "refused"
    closed: set[tuple[str, int]] = field(default_factory=set)
    opened: set[tuple[str, int]] = field(default_factory=set)
    ends: dict[str, str] = field(default_factory=dict)

    def both(self, change: Callable[[Zone], object]) -> None:
        """Changes what all servers hold."""
        for zone in self.servers.values():
            change(zone)


@dataclass(frozen=True)
class LoopbackEdge(Edge):
    """Leads every address of the world to this machine."""

    world: Any = None

    def place(self, address: str, port: int) -> tuple[str, int]:
        """The port of this machine that plays that address; a closed one for all others."""
        return "127.0.0.1", self.world.ports.get((address, port), _CLOSED)

    def connect(self, address: str, port: int) -> socket.socket:
        """Refused where nothing shall answer."""
        if (address, port) in self.world.state.closed:
            raise ConnectionRefusedError(111, "Connection refused")
        if (address, port) in self.world.state.opened:
            return socket.create_connection(("127.0.0.1", self.world.spare), timeout=2)
        return socket.create_connection(self.place(address, port), timeout=5)

    def registry(self, domain: str) -> bytes:
        """What the registry says."""
        end = self.world.state.ends.get(domain)
        events = [{"eventAction": "expiration", "eventDate": end}] if end else []
        return json.dumps({"events": events}).encode()


class LittleWorld:
    """The servers, and the state that they act on."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority.make(folder)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.ports: dict[tuple[str, int], int] = {}
        self.state: State
        self.settings: Settings
        self._threads: list[Any] = []
        self.reset()
        self._serve()
        self.edge = LoopbackEdge([(_RESOLVER, 53)], (), self.authority.file, self)

    def reset(self, change: Callable[[dict[str, Any]], None] = lambda values: None) -> None:
        """Everything healthy again, for the stack `cluster` with `change` made to its keys."""
        values = copy.deepcopy(StackFile.read("cluster").values)
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        values["tlsa"]["current"] = hashlib.sha256(public).hexdigest()
        change(values)
        self.settings, _ = load(values, frozenset(), need_secrets=False)
        names = Names.of(self.settings)
        zone = _zone(self.settings)
        web = self.authority.context([*names.web, names.imap, names.smtp, names.sieve])
        mx = self.authority.context([names.mx, names.helo], key=self.key)
        public_addresses = {"proxy": "192.0.2.10", "smtp": "192.0.2.11", "sieve": "192.0.2.13"}
        proxy, smtp, sieve = public_addresses.values()
        login = ("PIPELINING", "AUTH PLAIN LOGIN")
        mail = {
            (smtp, 25): Mail(
                "smtp",
                mx,
                clear=("SIZE 52428800", "STARTTLS"),
                secret=("SIZE 52428800",),
                takes=(*roles.addresses(self.settings), self.settings.mail.postmaster or ""),
            ),
            (proxy, 465): Mail("smtp", web, implicit=True, secret=login),
            (proxy, 587): Mail("smtp", web, clear=("STARTTLS",), secret=login),
            (proxy, 993): Mail("imap", web, implicit=True, secret=("IMAP4rev1", "AUTH=PLAIN")),
            (proxy, 143): Mail(
                "imap",
                web,
                clear=("IMAP4rev1", "STARTTLS", "LOGINDISABLED"),
                secret=("IMAP4rev1", "AUTH=PLAIN"),
            ),
            (sieve, 4190): Mail("sieve", web, clear=('"SASL" ""', '"STARTTLS"'), secret=('"SASL" "PLAIN"',)),
        }
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=200)
        self.state = State(
            servers={address: copy.deepcopy(zone) for address in _SERVERS.values()},
            cached=None,
            unvalidated=set(),
            silent=set(),
            ttl={},
            mail=mail,
            web=Web({}, _pages(self.settings, names), lambda: datetime.datetime.now(datetime.UTC)),
            ends={domain: end.isoformat() for domain in _ZONES[:3]},
        )
        self.state.web.use("", web)

    def _serve(self) -> None:
        for address in (*_SERVERS.values(), _RESOLVER):
            self._name_server(address)
        for address, port in self.state.mail:
            self.ports[address, port] = self._tcp(
                lambda c, a=address, p=port: _mail(c, self.state.mail[a, p])
            )
        self.ports["192.0.2.10", 443] = self._tcp(lambda c: _https(c, self.state.web))
        self.ports["192.0.2.10", 80] = self._tcp(lambda c: _plain(c, self.state))
        self.ports["192.0.2.12", 3478] = self._udp(lambda data: _stun(data, self.state))
        self.spare = self._tcp(lambda connection: None)

    def _name_server(self, address: str) -> None:
        def tcp(connection: socket.socket) -> None:
            size = struct.unpack("!H", connection.recv(2))[0]
            answer = self._answer(address, connection.recv(size), longest=65535)
            if answer:
                connection.sendall(struct.pack("!H", len(answer)) + answer)

        # TCP and UDP on one number.
        for _ in range(50):
            number = self._tcp(tcp)
            try:
                self._udp(lambda data: self._answer(address, data, longest=1232), number)
            except OSError:
                continue
            self.ports[address, 53] = number
            return
        raise AssertionError("no number is free for TCP and UDP")

    def _answer(self, address: str, data: bytes, *, longest: int) -> bytes | None:
        if address in self.state.silent:
            return None
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        wanted = question.question[0]
        name, kind = str(wanted.name).rstrip(".").lower() or ".", dns.rdatatype.to_text(wanted.rdtype)
        resolver = address == _RESOLVER
        zone = self.state.servers["192.0.2.251"] if resolver else self.state.servers[address]
        if resolver and self.state.cached is not None:
            zone = zone | self.state.cached
        if resolver and name in self.state.unvalidated and not question.flags & dns.flags.CD:
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer.to_wire()
        if resolver and name not in self.state.unvalidated:
            answer.flags |= dns.flags.AD
        if not resolver:
            answer.flags |= dns.flags.AA
        for _ in range(8):
            if (name, kind) in zone:
                answer.answer.append(self._rrset(name, kind, zone[name, kind]))
                break
            if (name, "CNAME") not in zone:
                break
            answer.answer.append(self._rrset(name, "CNAME", zone[name, "CNAME"]))
            if not resolver:
                break
            name = zone[name, "CNAME"][0].rstrip(".")
        known = {held for held, _ in zone}
        if not answer.answer and name not in known:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        try:
            return answer.to_wire(max_size=longest)
        except dns.exception.DNSException:
            answer.answer.clear()
            answer.flags |= dns.flags.TC
            return answer.to_wire()

    def _rrset(self, name: str, kind: str, values: list[str]) -> dns.rrset.RRset:
        ttl = self.state.ttl.get((name, kind), _TTL)
        return dns.rrset.from_text_list(f"{name}." if name != "." else ".", ttl, "IN", kind, values)

    def _tcp(self, handle: Callable[[socket.socket], None]) -> int:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.settimeout(5)
                # A client that hangs up, or does not like the certificate, is part of the game.
                with contextlib.suppress(OSError, ValueError):
                    handle(self.request)

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        return self._start(server)

    def _udp(self, handle: Callable[[bytes], bytes | None], number: int = 0) -> int:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, end = self.request
                answer = handle(data)
                if answer:
                    end.sendto(answer, self.client_address)

        server = socketserver.ThreadingUDPServer(("127.0.0.1", number), Handler)
        server.daemon_threads = True
        return self._start(server)

    def _start(self, server: Any) -> int:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self._threads.append(server)
        number: int = server.server_address[1]
        return number

    def close(self) -> None:
        """Ends all servers."""
        for server in self._threads:
            server.shutdown()
            server.server_close()


@contextlib.contextmanager
def little_world(folder: Path) -> Iterator[LittleWorld]:
    """The world, ended at the end."""
    world = LittleWorld(folder)
    try:
        yield world
    finally:
        world.close()


def _zone(settings: Settings) -> Zone:
    zone: Zone = {}
    for record in identity.records(settings):
        zone.setdefault((record.name, record.type), []).append(record.content)
    for name in _ZONES:
        zone[name, "NS"] = [f"{host}." for host in _SERVERS]
        zone[name, "SOA"] = ["ns1.dns.example. hostmaster.example.org. 2026112601 7200 3600 1209600 300"]
        zone[name, "DS"] = ["12345 13 2 " + "ab" * 32]
    for host, address in _SERVERS.items():
        zone[host, "A"] = [address]
    zone[".", "NS"] = ["ns1.dns.example."]
    zone[".", "SOA"] = ["ns1.dns.example. hostmaster.example.org. 1 7200 3600 1209600 300"]
    for listed in ("zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com"):
        zone[f"2.0.0.127.{listed}", "A"] = ["127.0.0.2"]
    zone["dbltest.com.dbl.spamhaus.org", "A"] = ["127.0.1.2"]
    return zone


def _pages(settings: Settings, names: Names) -> dict[tuple[str, str], tuple[int, dict[str, str], bytes]]:
    pages: dict[tuple[str, str], tuple[int, dict[str, str], bytes]] = {}
    html = {"Content-Type": "text/html"}
    for host in names.web:
        pages[host, "/"] = (200, html, b"<html></html>")
    pages[names.website, "/webmail/"] = (200, html | {"Strict-Transport-Security": "max-age=31536000"}, b"")
    for kind in ("caldav", "carddav"):
        pages[names.website, f"/.well-known/{kind}"] = (301, {"Location": "/dav/"}, b"")
    for domain in settings.domains:
        policy = mta_sts.policy(settings, domain)
        if policy:
            pages[f"mta-sts.{domain}", mta_sts.PATH] = (200, {"Content-Type": "text/plain"}, policy)
        pages[f"autoconfig.{domain}", "/mail/config-v1.1.xml"] = (
            200,
            html,
            autoconfig("imap.example.org", 993),
        )
        answer = b'<?xml version="1.0"?><Autodiscover/>'
        pages[f"autodiscover.{domain}", "/autodiscover/autodiscover.xml"] = (200, html, answer)
    return pages


def autoconfig(host: str, port: int, security: str = "SSL") -> bytes:
    """Mozilla's config-v1.1.xml."""
    return (
        "<clientConfig><emailProvider>"
        f'<incomingServer type="imap"><hostname>{host}</hostname><port>{port}</port><socketType>{security}</socketType></incomingServer>'
        '<outgoingServer type="smtp"><hostname>smtp.example.org</hostname><port>465</port><socketType>SSL</socketType></outgoingServer>'
        "</emailProvider></clientConfig>"
    ).encode()


def _mail(connection: socket.socket, port: Mail) -> None:  # noqa: PLR0912 (three protocols)
    secured = port.implicit
    if port.implicit:
        connection = port.context.wrap_socket(connection, server_side=True)

    def say(*lines: str) -> None:
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def capabilities() -> tuple[str, ...]:
        return port.secret if secured else port.clear

    if port.protocol == "smtp":
        say(f"220 {port.banner}")
    elif port.protocol == "imap":
        say("* OK ready")
    else:
        say(*capabilities(), "OK")
    while True:
        line = b""
        while not line.endswith(b"\n"):
            byte = connection.recv(1)
            if not byte:
                return
            line += byte
        words = line.decode().strip().upper()
        if words.startswith("EHLO"):
            offered = ("example.org", *capabilities())
            say(*(f"250{' ' if n == len(offered) else '-'}{each}" for n, each in enumerate(offered, 1)))
        elif words == "A CAPABILITY":
            say(f"* CAPABILITY {' '.join(capabilities())}", "a OK")
        elif words.endswith("STARTTLS"):
            ready = {"smtp": "220 go", "imap": "b OK", "sieve": "OK"}
            never = {"smtp": "454 no", "imap": "b NO", "sieve": "NO"}
            say((ready if port.starttls else never)[port.protocol])
            if not port.starttls:
                return
            connection = port.context.wrap_socket(connection, server_side=True)
            secured = True
            if port.protocol == "sieve":
                say(*capabilities(), "OK")
        elif words.startswith("RCPT TO"):
            recipient = words.partition("<")[2].partition(">")[0].lower()
            say("250 2.1.5 Ok" if recipient in port.takes else "554 5.7.1 Relay access denied")
        elif words.startswith("QUIT"):
            say("221 bye")
            return
        else:
            say("250 ok")


def _request(connection: socket.socket) -> tuple[str, str]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            raise OSError("hung up")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().splitlines()
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:])}
    missing = int(headers.get("content-length", "0")) - len(body)
    while missing > 0:
        missing -= len(connection.recv(missing))
    return headers.get("host", ""), lines[0].split()[1].partition("?")[0]


def _respond(connection: socket.socket, status: int, headers: dict[str, str], body: bytes) -> None:
    lines = [
        f"HTTP/1.1 {status} x",
        *(f"{k}: {v}" for k, v in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    connection.sendall(("\r\n".join([*lines, "Connection: close", "", ""])).encode() + body)


def _https(connection: socket.socket, web: Web) -> None:
    with web.contexts[""].wrap_socket(connection, server_side=True) as end:
        host, path = _request(end)
        status, headers, body = web.pages.get((host, path), (web.default if path == "/" else 404, {}, b""))
        _respond(end, status, {"Date": email.utils.format_datetime(web.now(), usegmt=True)} | headers, body)


def _plain(connection: socket.socket, state: State) -> None:
    host, path = _request(connection)
    status, to = state.redirect
    _respond(connection, status, {"Location": to.format(host=host, path=path)}, b"")


def _stun(data: bytes, state: State) -> bytes | None:
    kind, transaction = struct.unpack("!H", data[:2])[0], data[8:20]
    said = state.stun if kind == 1 else state.allocate
    if said == "silent":
        return None
    if said in ("answers", "granted"):
        return struct.pack("!HHI", kind | 0x0100, 0, 0x2112A442) + transaction
    error = struct.pack("!HHHBB", 0x0009, 4, 0, 4, 1)
    return struct.pack("!HHI", kind | 0x0110, len(error), 0x2112A442) + transaction + error
