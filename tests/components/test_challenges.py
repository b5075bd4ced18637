"""Certificate authorities find proof of our names on port 80, and nobody finds anything else there."""

from __future__ import annotations

import http.client
import http.server
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dns.message
import dns.rrset
import pytest

from model.topology.outside import SOLVER
from tests.components.test_proxy_edge import PAGES, nginx, status
from tests.support.deploy import Deployment, deploy
from tests.support.ports import free_port
from tests.support.stacks import changed

pytestmark = pytest.mark.security

HTTP = {"tls": {"issuer": "existing", "name": "public", "challenge": "http"}}
_PROVEN = replace(PAGES, proven=("example.org", "mx.example.org", "imap.example.org"))
_PATH = "/.well-known/acme-challenge/"
_NAME = "solvers.kolab.svc.cluster.local"


class _Pod(http.server.BaseHTTPRequestHandler):
    """A pod of cert-manager: one answer, and 404 to whatever else it is asked (pkg/issuer/acme/http/solver)."""

    def do_GET(self) -> None:
        made = self.server
        assert isinstance(made, _Solver)
        made.asked.append((self.headers["Host"], self.path, self.headers.get("Cookie")))
        code = 200 if (self.headers["Host"], self.path) == (made.host, _PATH + made.token) else 404
        self.send_response(code)
        self.end_headers()
        self.wfile.write(b"proof" if code == 200 else b"secret of the pod")

    def log_message(self, *_: object) -> None:
        pass


class _Solver(http.server.ThreadingHTTPServer):
    def __init__(self, address: str, port: int, host: str, token: str) -> None:
        super().__init__((address, port), _Pod)
        self.host, self.token = host, token
        self.asked: list[tuple[str, str, str | None]] = []


@dataclass
class _Names:
    """The cluster's DNS, which knows the pods of one Service."""

    addresses: list[str] = field(default_factory=list)

    def answer(self, wire: bytes) -> bytes:
        asked = dns.message.from_wire(wire)
        made = dns.message.make_response(asked)
        question = asked.question[0]
        if self.addresses and question.name.to_text() == f"{_NAME}.":
            made.answer.append(dns.rrset.from_text(question.name, 1, "IN", "A", *self.addresses))
        return made.to_wire()


@contextmanager
def _full(address: str, port: int) -> Iterator[None]:
    """What is sent there is dropped: the queue of the socket that listens is full (listen(2))."""
    with ExitStack() as opened:
        for _ in range(2):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, port))
        yield


@contextmanager
def _solvers(folder: Path, known: Mapping[str, str], *, gone: int = 0) -> Iterator[list[_Solver]]:
    """A pod for each host and its token, behind one name, as entry.sh tells nginx of them. DNS still names some that are gone."""
    port, names = free_port(), _Names()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, back = self.request
            back.sendto(names.answer(wire), self.client_address)

    with ExitStack() as opened:
        server = opened.enter_context(socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler))
        made = [
            opened.enter_context(_Solver(f"127.0.1.{number}", port, host, token))
            for number, (host, token) in enumerate(known.items(), start=1)
        ]
        for each in (server, *made):
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            opened.callback(each.shutdown)
        left = [f"127.0.2.{number}" for number in range(1, gone + 1)]
        for address in left:
            opened.enter_context(socket.create_server((address, port), backlog=0))
            opened.enter_context(_full(address, port))
        names.addresses += [*(str(each.server_address[0]) for each in made), *left]
        (folder / "solvers.conf").write_text(
            f"resolver 127.0.0.1:{server.server_address[1]} valid=1s ipv6=off;\n"
            f"set $kolab_solvers {_NAME}:{port};\n"
        )
        yield made


def _fetch(folder: Path, host: str, path: str, method: str = "GET") -> tuple[int, str]:
    port = int((folder / "plain").read_text())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, headers={"Host": host, "Cookie": "session=1"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_each_name_is_proven_by_the_one_pod_among_many_that_knows_how(tmp_path: Path) -> None:
    known = {f"c{number}.example.org": f"token-{number}" for number in range(60)}
    pages = replace(_PROVEN, proven=(*_PROVEN.proven, *known))
    with _solvers(tmp_path, known), nginx(tmp_path, pages):
        for host, token in known.items():
            assert _fetch(tmp_path, host, _PATH + token) == (200, "proof")


def test_pods_that_went_a_moment_ago_keep_nobody_from_being_proven(tmp_path: Path) -> None:
    with _solvers(tmp_path, {"example.org": "abc"}, gone=20), nginx(tmp_path, _PROVEN):
        assert [_fetch(tmp_path, "example.org", f"{_PATH}abc") for _ in range(3)] == [(200, "proof")] * 3


def test_a_proof_that_was_found_is_there_for_whoever_comes_next_whatever_becomes_of_its_pod(
    tmp_path: Path,
) -> None:
    with _solvers(tmp_path, {"example.org": "abc"}) as (pod,), nginx(tmp_path, _PROVEN):
        assert _fetch(tmp_path, "example.org", f"{_PATH}abc") == (200, "proof")
        pod.host = "nobody.example.org"
        assert _fetch(tmp_path, "example.org", f"{_PATH}abc") == (200, "proof")
        assert len(pod.asked) == 1
        # It proves one name.
        assert _fetch(tmp_path, "mx.example.org", f"{_PATH}abc")[0] == 404


def test_what_was_not_found_is_looked_for_again(tmp_path: Path) -> None:
    with _solvers(tmp_path, {"example.org": "abc"}) as (pod,), nginx(tmp_path, _PROVEN):
        assert _fetch(tmp_path, "example.org", f"{_PATH}later")[0] == 404
        pod.token = "later"
        assert _fetch(tmp_path, "example.org", f"{_PATH}later") == (200, "proof")


def test_names_of_mail_servers_are_proven_and_have_no_pages(tmp_path: Path) -> None:
    with _solvers(tmp_path, {"mx.example.org": "abc"}), nginx(tmp_path, _PROVEN) as port:
        assert _fetch(tmp_path, "mx.example.org", f"{_PATH}abc") == (200, "proof")
        assert _fetch(tmp_path, "mx.example.org", "/")[0] == 421
        assert status(port, "mx.example.org") == 421
        assert _fetch(tmp_path, "example.org", "/login")[0] == 301


@pytest.mark.parametrize(
    "path",
    [
        _PATH,
        f"{_PATH}abc/",
        f"{_PATH}abc/../../healthz",
        f"{_PATH}a%2fb",
        f"{_PATH}..",
        "/healthz",
        "/.well-known/acme-challenge",
        "/.well-known/acme-challengeX/abc",
        "//.well-known/acme-challenge/..%2f..%2fhealthz",
    ],
)
def test_nothing_but_a_token_reaches_the_pods(tmp_path: Path, path: str) -> None:
    with _solvers(tmp_path, {"example.org": "abc"}) as pods, nginx(tmp_path, _PROVEN):
        code, said = _fetch(tmp_path, "example.org", path)
        assert (code in (301, 404), "secret" in said) == (True, False)
        assert not any(asked for pod in pods for asked in pod.asked)


def test_what_no_pod_knows_is_not_found_and_their_words_are_not_passed_on(tmp_path: Path) -> None:
    with (
        _solvers(tmp_path, {"example.org": "abc", "imap.example.org": "def"}) as pods,
        nginx(tmp_path, _PROVEN),
    ):
        code, said = _fetch(tmp_path, "example.org", f"{_PATH}guess")
        assert (code, "secret" in said) == (404, False)
        assert all(cookie is None for pod in pods for _, _, cookie in pod.asked)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_the_pods_are_only_read_from(tmp_path: Path, method: str) -> None:
    with _solvers(tmp_path, {"example.org": "abc"}) as pods, nginx(tmp_path, _PROVEN):
        assert _fetch(tmp_path, "example.org", f"{_PATH}abc", method)[0] in (403, 405)
        assert not any(pod.asked for pod in pods)


def test_hosts_of_others_are_turned_away_there_as_well(tmp_path: Path) -> None:
    with _solvers(tmp_path, {"stranger.example": "abc"}) as pods, nginx(tmp_path, _PROVEN):
        assert _fetch(tmp_path, "stranger.example", f"{_PATH}abc")[0] == 421
        assert not any(pod.asked for pod in pods)


def test_without_any_pod_nothing_is_found_and_the_rest_is_as_always(tmp_path: Path) -> None:
    with _solvers(tmp_path, {}), nginx(tmp_path, _PROVEN) as port:
        assert _fetch(tmp_path, "example.org", f"{_PATH}abc")[0] == 404
        assert status(port, "example.org") == 200


def _stack() -> Deployment:
    return deploy(changed("single-node", HTTP))


def test_the_pods_are_asked_by_the_proxy_alone_and_ask_nobody() -> None:
    found = _stack()
    key, value = SOLVER
    policy = found.get("NetworkPolicy", "solvers")["spec"]
    assert policy["podSelector"] == {"matchLabels": {key: value}}
    (rule,) = policy["ingress"]
    assert [peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in rule["from"]] == [
        "proxy"
    ]
    assert [port["port"] for port in rule["ports"]] == [8089]
    assert (policy["policyTypes"], policy.get("egress", [])) == (["Ingress", "Egress"], [])
    egress = found.get("NetworkPolicy", "proxy")["spec"]["egress"]
    assert any(port["port"] == 8089 for rule in egress for port in rule["ports"])


def test_the_name_that_nginx_asks_for_lists_every_such_pod() -> None:
    key, value = SOLVER
    service = _stack().get("Service", "solvers")["spec"]
    assert (service["clusterIP"], service["selector"]) == ("None", {key: value})


@pytest.mark.parametrize("challenge", ["dns", None])
def test_nothing_of_it_is_there_unless_somebody_asks_for_it(challenge: str | None) -> None:
    tls: dict[str, Any] = {"issuer": "existing", "name": "public", "challenge": challenge}
    found = deploy(changed("single-node", {"tls": tls}))
    assert "solvers" not in {*found.names("Service"), *found.names("NetworkPolicy")}
    assert not any("acme-challenge" in str(each.get("data")) for each in found.of_kind("ConfigMap"))


def test_the_proxy_has_a_certificate_before_the_authority_has_asked_it() -> None:
    """cert-manager fills the Secret at once with one that nobody trusts, and the others wait for theirs."""
    at_once = {
        each["metadata"]["name"]
        for each in _stack().of_kind("Certificate")
        if each["metadata"].get("annotations", {}).get("cert-manager.io/issue-temporary-certificate")
        == "true"
    }
    assert at_once == {"proxy-certificate"}
