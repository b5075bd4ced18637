"""The faults of tests/support/faults.py on the real stack: how each comes about there, or why it cannot.

What zones hold is changed as the table says. All else is done to the daemons themselves, to the router, or to Services, and
taken back afterwards. Which check has to notice stands in the table alone.
"""

from __future__ import annotations

import copy
import datetime
import json
import re
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from model import identity, topology
from model.identity.place import forward_zones
from model.identity.record import Record
from tests.acceptance.configs import HEAD
from tests.acceptance.doctoring import HOSTERS, NOBODY_IS_LISTED, RESOLVER, SERVER
from tests.acceptance.stack import Stack
from tests.lab import signing
from tests.support.faults import FAULTS, Fault, InZones
from tests.support.little_world import Zone, autoconfig

_NOBODY = "203.0.113.250"
_HALF_YEAR = datetime.timedelta(days=180)


@dataclass(frozen=True)
class Real:
    """The stack and its internet, where something can be wrong."""

    stack: Stack

    @contextmanager
    def zones(self, change: Callable[[Zone], object]) -> Iterator[None]:
        """The world's name servers hold something else."""
        before = self.stack.zones() | NOBODY_IS_LISTED | HOSTERS
        changed = edited(before, tuple(identity.records(self.stack.settings)), change)
        assert changed, "nothing has changed"
        with self.served(changed, {zone: before[zone] for zone in changed}):
            yield

    @contextmanager
    def served(self, changed: Mapping[str, str], before: Mapping[str, str]) -> Iterator[None]:
        """Other zone files."""
        load = self.stack.lab.internet.dns.load
        load(changed)
        try:
            yield
        finally:
            load(before)

    @contextmanager
    def planned(self, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """The stack file says something else, and so do the zones; the cluster knows nothing of it."""
        before = self.stack.program.config()
        values = {key.removeprefix("kolab:"): copy.deepcopy(value) for key, value in before.items()}
        change(values)
        self.stack.program.write({f"kolab:{key}": value for key, value in values.items()})
        try:
            self.stack.lab.internet.dns.load(self.stack.zones())
            yield
        finally:
            self.stack.program.write(before)
            self.stack.lab.internet.dns.load(self.stack.zones())

    @contextmanager
    def vouched(self, change: Callable[[Any, set[str]], None]) -> Iterator[None]:
        """Other zones of the stack have keys that the root names, or others do; `change` gets the name servers and the zones."""
        served = self.stack.lab.internet.dns
        zones = set(forward_zones(self.stack.settings))
        change(served, zones)
        try:
            yield
        finally:
            served.vouch(zones)

    @contextmanager
    def rules(self, text: str) -> Iterator[None]:
        """Packets that leave this side of the internet meet these rules of nft."""
        internet = self.stack.lab.internet
        internet.run(["nft", "-f", "-"], text=f"table ip faults {{\n{text}\n}}\n")
        try:
            yield
        finally:
            internet.run(["nft", "delete", "table", "ip", "faults"])

    def address(self, service: str) -> str:
        """The public address of a Service."""
        return topology.public_addresses(self.stack.settings)[service][0]

    @contextmanager
    def postfix(
        self, *, main: tuple[str, ...] = (), master: tuple[str, ...] = (), pem: str = ""
    ) -> Iterator[None]:
        """Every Postfix has other parameters (`postconf -e`, `postconf -P`), or another certificate."""
        keep = "for each in main.cf master.cf; do cp -p /etc/postfix/$each /etc/postfix/$each.whole; done"
        shown = f"printf %s '{pem}' > /etc/pki/tls/private/postfix.pem; " if pem else ""
        set_main = "".join(f"postconf -e '{each}'; " for each in main)
        set_master = "".join(f"postconf -P '{each}'; " for each in master)
        heal = "for each in main.cf master.cf; do mv /etc/postfix/$each.whole /etc/postfix/$each; done; "
        if pem:
            heal += "cat /kolab/certificate/tls.crt /kolab/certificate/tls.key > /etc/pki/tls/private/postfix.pem; "
        self._in_each("postfix", f"set -e; {keep}; {shown}{set_main}{set_master}postfix reload")
        try:
            yield
        finally:
            self._in_each("postfix", f"{heal}postfix reload")

    @contextmanager
    def nginx(self, edit: Callable[[str], str], pem: str = "") -> Iterator[None]:
        """Every proxy has another configuration; `pem` lies in /tmp/faulty as a Secret would."""
        file = "/etc/nginx/nginx.conf"
        for pod in self._pods("proxy"):
            whole = self.stack.kubectl("exec", pod, "--", "cat", file)
            faulty = edit(whole)
            assert faulty != whole, "nothing has changed"
            self._put(pod, "/tmp/whole.conf", whole)
            if pem:
                self.stack.kubectl("exec", pod, "--", "mkdir", "-p", "/tmp/faulty")
                for name in ("tls.crt", "tls.key"):
                    self._put(pod, f"/tmp/faulty/{name}", pem)
            self._put(pod, file, faulty)
        self._in_each("proxy", "nginx -s reload")
        try:
            yield
        finally:
            self._in_each("proxy", f"cat /tmp/whole.conf > {file}; nginx -s reload")

    @contextmanager
    def opened(self, service: str, port: int) -> Iterator[None]:
        """A public Service leads to a port that nobody should reach; what answers there is its own daemon."""
        service = f"public-{service}"
        before = self.stack.get("service", service)["spec"]["ports"]
        more = {"name": "faulty", "port": port, "protocol": "TCP", "targetPort": before[0]["targetPort"]}
        self._ports(service, [*before, more])
        try:
            yield
        finally:
            self._ports(service, before)

    def certificate(self, *names: str, days: int = 90, named: bool = False) -> str:
        """One of the stack's own authority, as PEM with its key: the one of port 25 that DNS names, or a new one."""
        data = self.stack.get("secret", "kolab-authority")["data"]
        by = signing.Authority.load(b64decode(data["tls.crt"]), b64decode(data["tls.key"]))
        key = self._mx_key() if named else signing.new_key()
        made = signing.sign(
            signing.name(names[0]),
            key,
            by,
            alternatives=[x509.DNSName(each) for each in names],
            lifetime=datetime.timedelta(days=days),
            age=_HALF_YEAR,
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return (made.public_bytes(Encoding.PEM) + secret).decode()

    def _mx_key(self) -> signing.PrivateKey:
        pod = self._pods("postfix")[0]
        return signing.load_key(
            self.stack.kubectl(
                "exec", pod, "-c", "postfix", "--", "cat", "/kolab/certificate/tls.key"
            ).encode()
        )

    def _ports(self, service: str, ports: list[dict[str, Any]]) -> None:
        patch = [{"op": "replace", "path": "/spec/ports", "value": ports}]
        self.stack.kubectl("patch", "service", service, "--type=json", "-p", json.dumps(patch))
        # Until the nodes have heard of it.
        time.sleep(3)

    def _pods(self, daemon: str) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.stack.pods(daemon)]

    def _in_each(self, daemon: str, script: str) -> None:
        for pod in self._pods(daemon):
            self.stack.kubectl("exec", pod, "-c", daemon, "--", "sh", "-c", script)
        # Until those that serve the old one have gone.
        time.sleep(2)

    def _put(self, pod: str, path: str, text: str) -> None:
        self.stack.kubectl("exec", "-i", pod, "--", "sh", "-c", f"cat > {path}", text=text)


def edited(
    texts: Mapping[str, str], records: tuple[Record, ...], change: Callable[[Zone], object]
) -> dict[str, str]:
    """The zone files that differ once `change` was made to the records."""
    before: Zone = {}
    for record in records:
        before.setdefault((record.name, record.type), []).append(record.content)
    after = copy.deepcopy(before)
    change(after)
    changed: dict[str, str] = {}
    for name, kind in sorted({*before, *after}):
        if before.get((name, kind)) == after.get((name, kind)):
            continue
        zone = max((each for each in texts if f".{name}".endswith(f".{each}")), key=len)
        text = changed.get(zone, texts[zone])
        own = re.compile(rf"{re.escape(name)}\. \d+ IN {kind} ")
        lines = [line for line in text.splitlines() if not own.match(line)]
        lines += [f"{name}. 60 IN {kind} {value}" for value in after.get((name, kind), [])]
        changed[zone] = "\n".join(lines) + "\n"
    return changed


Way = Callable[[Real], AbstractContextManager[None]]


def way_of(fault: Fault) -> Way:
    """How a fault comes about on the lab. KeyError when it cannot (`ELSEWHERE`)."""
    if fault.name in _WAYS:
        return _WAYS[fault.name]
    if fault.name in ELSEWHERE or not isinstance(fault.make, InZones):
        raise KeyError(fault.name)
    change = fault.make.change

    @contextmanager
    def way(real: Real) -> Iterator[None]:
        with real.planned(fault.stack), real.zones(change):
            yield

    return way if fault.stack is not Fault.stack else lambda real: real.zones(change)


def _shut(service: str, port: int) -> Way:
    return lambda real: real.rules(
        "chain out { type filter hook output priority 0; "
        f"ip daddr {real.address(service)} tcp dport {port} reject with tcp reset; }}"
    )


def _silent(address: Callable[[Real], str], port: int) -> Way:
    return lambda real: real.rules(
        "chain out { type filter hook output priority 0; "
        f"ip daddr {address(real)} meta l4proto {{ tcp, udp }} th dport {port} drop; }}"
    )


def _postfix(*main: str, master: tuple[str, ...] = ()) -> Way:
    return lambda real: real.postfix(main=main, master=tuple(f"10025/inet/{each}" for each in master))


def _refusing(address: str) -> Way:
    first = (
        f"kolab_faulty = check_recipient_access inline:{{{address}=REJECT}}, $kolab_recipient_restrictions"
    )
    return _postfix(first, master=("smtpd_recipient_restrictions=$kolab_faulty",))


def _port_25_shows(*names: str, days: int = 90, named: bool = True) -> Way:
    return lambda real: real.postfix(pem=real.certificate(*names, days=days, named=named))


def _without_tlsa(values: dict[str, Any]) -> None:
    values.pop("tlsa", None)


def _without_ds(real: Real) -> AbstractContextManager[None]:
    return real.vouched(lambda served, zones: served.vouch(zones - {"example.org"}))


def _unsigned(real: Real) -> AbstractContextManager[None]:
    """The stack file says so, and so does the root of one zone; without any that is signed the resolver would not answer."""

    @contextmanager
    def way() -> Iterator[None]:
        def change(values: dict[str, Any]) -> None:
            _without_tlsa(values)
            values["dns"]["dnssec"] = False

        with _without_ds(real), real.planned(change):
            yield

    return way()


def _replaced(pattern: str, text: str) -> Callable[[str], str]:
    def edit(whole: str) -> str:
        found, number = re.subn(pattern, text, whole)
        assert number, f"nothing is like {pattern}"
        return found

    return edit


def _proxy(pattern: str, text: str) -> Way:
    return lambda real: real.nginx(_replaced(pattern, text))


def _door(port: int, statement: str) -> Callable[[str], str]:
    """Something more in the server of a mail port."""
    return _replaced(rf"(listen {port}( ssl)?;)", rf"\1 {statement}")


def _starttls(port: int, word: str) -> Way:
    return _proxy(rf"starttls only;(\s+)listen {port};", rf"starttls {word};\1listen {port};")


def _shows(port: int, *names: str, days: int = 90) -> Way:
    own = "ssl_certificate /tmp/faulty/tls.crt; ssl_certificate_key /tmp/faulty/tls.key;"
    return lambda real: real.nginx(_door(port, own), real.certificate(*names, days=days))


def _site_shows(host: str, *names: str, days: int = 90) -> Way:
    edit = _replaced(r"(map \$ssl_server_name \$kolab_certificate \{)", rf'\1 "{host}" /tmp/faulty;')
    return lambda real: real.nginx(edit, real.certificate(*names, days=days))


def _page(path: str, statement: str) -> Way:
    """A page of the website is another one."""
    return _proxy(r"(location = /health \{)", rf"location = {path} {{ {statement} }} \1")


def _config(text: bytes) -> Way:
    return _page("/mail/config-v1.1.xml", f"default_type text/xml; return 200 '{text.decode()}';")


_OLD = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers DEFAULT:@SECLEVEL=0;"

_WAYS: Mapping[str, Way] = {
    "a name server is silent": lambda real: real.served(
        {"example.com": f"{HEAD}ns1 IN A {SERVER}\nns2 IN A {_NOBODY}\n"}, HOSTERS
    ),
    "the zone has one server": lambda real: real.served(
        {"example.org": _replaced(r"(?m)^.* NS ns2\.example\.com\.\n", "")(real.stack.zones()["example.org"])},
        {"example.org": real.stack.zones()["example.org"]},
    ),
    "the parent has no DS": _without_ds,
    "the zone is not signed": _unsigned,
    "signatures are broken": lambda real: real.vouched(lambda served, zones: served.vouch(zones, forged={"example.org"})),
    "port 25 shows another key": _port_25_shows("mx.example.org", named=False),
    "a signed zone has no TLSA record": lambda real: real.planned(_without_tlsa),
    "a record is kept for a month": lambda real: real.served(
        {"example.org": _replaced(r"(?m)^(example\.org\.) \d+ (IN MX)", r"\1 2592000 \2")(real.stack.zones()["example.org"])},
        {"example.org": real.stack.zones()["example.org"]},
    ),
    "the resolver is silent": _silent(lambda _: RESOLVER, 53),
    "port 25 is closed": _shut("smtp", 25),
    "port 25 greets as somebody else": _postfix("smtpd_banner = localhost ESMTP"),
    "something else answers on port 25": lambda real: real.rules(
        "chain out { type nat hook output priority -100; "
        f"ip daddr {real.address('smtp')} tcp dport 25 dnat to {real.address('proxy')}:143; }}"
    ),
    "port 25 has no STARTTLS": _postfix(master=("smtpd_tls_security_level=none",)),
    "port 25 refuses STARTTLS": _postfix("smtpd_tls_cert_file = /nowhere", "smtpd_tls_key_file = /nowhere"),
    "the certificate has another name": _port_25_shows("other.example.org"),
    "the certificate has ended": _port_25_shows("mx.example.org", days=-1),
    "the certificate ends soon": _port_25_shows("mx.example.org", days=5),
    "port 25 offers a login": _postfix(master=("smtpd_sasl_exceptions_networks=",)),
    "port 25 keeps sizes to itself": _postfix("message_size_limit = 0"),
    "strangers may relay": _postfix("mynetworks = 0.0.0.0/0"),
    "postmaster is unknown": _refusing("postmaster@example.net"),
    "abuse is unknown": _refusing("abuse@example.net"),
    "reports are refused": _refusing("dmarc-reports@example.org"),
    "the mailbox of roles was never made": _refusing("postmaster-team@example.org"),
    "port 993 is closed": _shut("proxy", 993),
    "port 587 has no STARTTLS": _starttls(6587, "off"),
    "port 465 speaks without TLS": _proxy("listen 6465 ssl;", "listen 6465;"),
    "IMAP has another name": _shows(6993, "other.example.org"),
    "the certificate of IMAP ends soon": _shows(6993, "imap.example.org", days=3),
    "submission takes passwords in clear text": _starttls(6587, "on"),
    "IMAP takes passwords in clear text": _starttls(6143, "on"),
    "submission offers no login": lambda real: real.nginx(_door(6465, "smtp_auth none;")),
    "IMAP takes TLS 1.0": lambda real: real.nginx(_door(6993, _OLD)),
    "the database is open to the world": lambda real: real.opened("proxy", 3306),
    "Redis is open to the world": lambda real: real.opened("smtp", 6379),
    "autoconfig is gone": _page("/mail/config-v1.1.xml", "return 404;"),
    "autoconfig has a wrong certificate": _site_shows("autoconfig.example.org", "other.example.org"),
    "autoconfig leads to a port that is closed": _config(autoconfig("imap.example.org", 995)),
    "autoconfig leads to somebody else": _config(autoconfig("imap.example.net", 993)),
    "autoconfig goes without TLS": _config(autoconfig("imap.example.org", 143, "plain")),
    "autoconfig is no XML": _config(b"<html><br>"),
    "autodiscover fails": _page("/autodiscover/autodiscover.xml", "return 500;"),
    "calendars are not found": _page("/.well-known/caldav", "return 404;"),
    "port 443 is broken": _page("/", "error_page 599 /; return 502;"),
    "the website has another name": _site_shows("admin.example.org", "other.example.org"),
    "the certificate of the website ends soon": _site_shows("example.org", "example.org", days=5),
    "browsers are not told to insist": _proxy(
        "(listen 6443 default_server ssl;)", r"\1 proxy_hide_header Strict-Transport-Security;"
    ),
    "port 80 does not lead to https": _proxy(r"return 301 https://\$host\$request_uri;", "return 200 '';"),
    "port 80 leads somewhere else": _proxy(r"return 301 https://\$host\$request_uri;", "return 301 https://elsewhere.example/;"),
    "foreign names are answered": _proxy("return 421;", "return 200 '';"),
    "the website takes TLS 1.0": _proxy("(listen 6443 default_server ssl;)", rf"\1 {_OLD}"),
    "TURN is silent": _silent(lambda real: real.address("turn"), 3478),
}  # fmt: skip
"""What is not in zones: daemons, ports, certificates, policies of the proxy."""

_ONE_SERVER = (
    "both servers of the lab have the same files, and its resolver keeps nothing once they have changed"
)
_OWN_AUTHORITY = "the stack's authority is its own there, and whoever asks is told to believe it"
_NO_POLICY = "no policy may ask for certificates of an authority of one's own, so the lab's stack has none"
ELSEWHERE: Mapping[str, str] = {
    "a secondary has an old serial": _ONE_SERVER,
    "the registrar names other servers": _ONE_SERVER,
    "a resolver has an old MX": _ONE_SERVER,
    "one of two servers lacks a host": _ONE_SERVER,
    "the domain ends in five days": "the lab's internet has no registry",
    "a customer's alias leads elsewhere": "the lab's stack serves no domain whose zone is a customer's",
    **dict.fromkeys(
        (
            "the policy is not found", "the policy is somewhere else", "the policy host has a wrong certificate",
            "the policy host has an expired certificate", "the policy host has nobody's certificate", "the policy is HTML",
            "the policy is endless", "the policy is another one", "the policy is a rehearsal", "there is no policy",
            "the id is old", "the id has a hyphen", "there are two ids", "the policy forgets the MX",
            "the record of MTA-STS is gone",
        ),
        _NO_POLICY,
    ),
    "nobody has signed the certificate": _OWN_AUTHORITY,
    "submission has nobody's certificate": _OWN_AUTHORITY,
    "another authority alone may issue": _OWN_AUTHORITY,
    "a CAA property is critical and unknown": _OWN_AUTHORITY,
    "the CAA of a host is gone": _OWN_AUTHORITY,
    "ManageSieve refuses STARTTLS": "Cyrus answers itself, and reads its configuration when it starts",
    "ManageSieve takes passwords in clear text": "Cyrus answers itself, and reads its configuration when it starts",
    "the clock is ten minutes off": "one clock is everybody's there",
    "TURN relays for anybody": "coturn reads its configuration when it starts",
}  # fmt: skip
"""Faults that only the little world has (tests/ops/test_doctor.py), and why the lab has not."""

ON_THE_LAB = tuple(fault for fault in FAULTS if fault.name not in ELSEWHERE)
