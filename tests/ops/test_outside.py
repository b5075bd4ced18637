"""By which address the world sees this machine: two servers of a small world say it, or lie, or say nothing."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.message
import dns.rrset
import pytest

from ops import new
from ops.new import look, outside
from ops.new.questions import Asker
from ops.stacks import StackProblem

OPENDNS = ("resolver1.opendns.com", "myip.opendns.com.", "A")
GOOGLE = ("ns1.google.com", "o-o.myaddr.l.google.com.", "TXT")
Zone = Mapping[tuple[str, str], list[str]]


@contextmanager
def serving(address: str, port: int, zone: Zone) -> Iterator[int]:
    """A name server that gives the values of `zone` (name, type), and refuses what it has not."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, end = self.request
            question = dns.message.from_wire(data)
            asked = question.question[0]
            answer = dns.message.make_response(question)
            values = zone.get((str(asked.name), asked.rdtype.name), [])
            if values:
                answer.answer.append(dns.rrset.from_text_list(asked.name, 0, "IN", asked.rdtype, values))
            end.sendto(answer.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer((address, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class World:
    """Addresses of servers by name, all at one port."""

    found: Mapping[str, str]
    port: int

    def look(self) -> outside.Seen:
        """From this machine."""
        return outside.look(self.find, self.port)

    def find(self, server: str, kind: str) -> list[str]:
        """IPv4 alone: this world has nothing else."""
        if kind != "A" or server not in self.found:
            raise dns.exception.Timeout
        return [self.found[server]]


@contextmanager
def world(opendns: Iterable[str] = ("11.0.0.1",), google: Iterable[str] = ("11.0.0.1",)) -> Iterator[World]:
    """What the two servers say; a server that says nothing is not there."""
    found, port = {}, 0
    with ExitStack() as servers:
        for number, ((server, name, kind), values) in enumerate(((OPENDNS, opendns), (GOOGLE, google)), 2):
            if values:
                zone = {(name, kind): list(values)}
                port = servers.enter_context(serving(f"127.0.0.{number}", port, zone))
                found[server] = f"127.0.0.{number}"
        yield World(found, port)


def test_an_address_that_both_see_is_offered_and_nat_is_named() -> None:
    with world() as small:
        seen = small.look()
    assert (seen.address, seen.inside) == ("11.0.0.1", "127.0.0.1")
    assert seen.lines == (
        "the world sees this machine as 11.0.0.1, which is not its own address (127.0.0.1): NAT maps it",
    )


def test_a_machine_that_has_the_address_itself_is_behind_no_nat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "_own", lambda *_: "11.0.0.1")
    with world() as small:
        seen = small.look()
    assert (seen.address, seen.inside) == ("11.0.0.1", "")
    assert seen.lines == ("the world sees this machine as 11.0.0.1, which is its own address",)


def test_two_that_disagree_are_not_believed() -> None:
    with world(google=["11.0.0.9"]) as small:
        seen = small.look()
    assert seen.address == ""
    assert "11.0.0.1 and 11.0.0.9, depending on whom one asks" in seen.lines[0]


@pytest.mark.parametrize(
    ("google", "who"),
    [
        ([], "ns1.google.com: Timeout"),
        (["10.0.0.1"], "ns1.google.com: ValueError"),
        (["nonsense"], "ns1.google.com: ValueError"),
        (["2001:db8::1"], "ns1.google.com: ValueError"),
        # A resolver on the way says for whom it asks, beside its own address.
        (["11.0.0.1", '"edns0-client-subnet 11.0.0.0/24"'], "ns1.google.com: ValueError"),
    ],
    ids=["nothing", "a private address", "no address", "of another kind", "two texts"],
)
def test_one_alone_is_not_believed_and_the_other_is_named(google: list[str], who: str) -> None:
    with world(google=google) as small:
        seen = small.look()
    assert (seen.address, seen.inside) == ("", "")
    assert seen.lines == (
        f"could not look up by which address the world sees this machine ({who}); answer what you know",
    )


def test_without_a_network_both_are_named() -> None:
    seen = World({}, 0).look()
    assert seen.address == ""
    assert "resolver1.opendns.com: Timeout, ns1.google.com: Timeout" in seen.lines[0]


def test_an_address_of_ipv6_is_said_beside_the_other() -> None:
    name, of_six = OPENDNS[1], {(OPENDNS[1], "AAAA"): ["2a00::5"], (GOOGLE[1], "TXT"): ["2a00::5"]}
    of_four = {(name, "A"): ["11.0.0.1"], (GOOGLE[1], "TXT"): ["11.0.0.1"]}
    with serving("127.0.0.1", 0, of_four) as port, _six(port, of_six):
        seen = outside.look(lambda _, kind: ["127.0.0.1" if kind == "A" else "::1"], port)
    assert seen.address == "11.0.0.1"
    assert seen.lines[1].startswith("by IPv6 the world sees it as 2a00::5")


@contextmanager
def _six(port: int, zone: Zone) -> Iterator[None]:
    """The same at ::1. Skips the test on a machine without IPv6."""
    kind = socketserver.UDPServer.address_family
    socketserver.UDPServer.address_family = socket.AF_INET6
    try:
        with ExitStack() as opened:
            try:
                opened.enter_context(serving("::1", port, zone))
            except OSError:
                pytest.skip("this machine has no IPv6")
            yield
    finally:
        socketserver.UDPServer.address_family = kind


# Offers at the terminal


DEDICATED = "addresses=proxy=10.20.0.10,smtp=10.20.0.11,turn=10.20.0.12,sieve=10.20.0.13,meet=10.20.0.14"
_NAT = outside.Seen("11.0.0.1", "10.0.0.5", ("looked",))


def offered(*given: str, seen: outside.Seen | None = _NAT, **known: Any) -> dict[str, str]:
    """What Enter takes for each question that nothing is `given` for, when the world sees this of the machine; None where
    it must not be asked."""

    def ask() -> outside.Seen:
        assert seen is not None
        return seen

    typed, asked = dict(pair.split("=", 1) for pair in given), set()

    def read(prompt: str) -> str:
        assert prompt not in asked, f"there is no default for {prompt}"
        asked.add(prompt)
        return typed.get(prompt.partition(" ")[0], "")

    asker = Asker({}, interactive=True, read=read)
    return new.asked(asker, look.World(ask_outside=ask, backend="file://~", **known))


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: str) -> list[str]:
        raise dns.exception.Timeout

    monkeypatch.setattr(look, "_ask", ask)


def test_behind_nat_the_own_address_and_the_one_that_maps_to_it_are_offered() -> None:
    answers = offered("domain=kolabtest.eu")
    assert (answers["addresses"], answers["public"]) == ("10.0.0.5", "11.0.0.1")
    assert answers["egress"] == "server1=11.0.0.1"


def test_a_public_address_of_the_machine_is_offered_alone() -> None:
    answers = offered("domain=kolabtest.eu", seen=outside.Seen("11.0.0.1"))
    assert (answers["addresses"], answers["public"]) == ("11.0.0.1", "")


def test_an_address_of_the_world_that_somebody_types_needs_none_that_maps_to_it() -> None:
    assert offered("domain=kolabtest.eu", "addresses=11.0.0.7")["public"] == ""


def test_nodes_of_a_cluster_with_private_addresses_send_by_the_address_that_the_world_sees() -> None:
    answers = offered("domain=kolabtest.eu", "mode=cluster", DEDICATED, nodes=("n1", "n2"))
    assert answers["public"] == "11.0.0.1"
    assert answers["egress"] == "n1=11.0.0.1,n2=11.0.0.1"


@pytest.mark.parametrize("given", [["mode=single-node"], ["mode=cluster", "addresses=proxy=11.0.0.20"]])
def test_what_the_cluster_knows_is_offered_and_nobody_is_asked(given: list[str]) -> None:
    known = {"external": {"n1": "11.0.0.7"}, "nodes": ("n1",)}
    answers = offered("domain=kolabtest.eu", *given, seen=None, **known)
    assert answers["egress"] == "n1=11.0.0.7"
    assert answers["addresses"] in ("11.0.0.7", "proxy=11.0.0.20")


@pytest.mark.parametrize(
    ("more", "terminal", "asks"),
    [([], True, True), (["--no-address-lookup"], True, False), (["--yes"], True, False), ([], False, False)],
    ids=["at a terminal", "turned off", "asks nothing", "no terminal"],
)
def test_only_where_somebody_judges_the_answer_is_the_world_asked(
    more: list[str], terminal: bool, asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def stop(_: Asker, world: look.World) -> dict[str, str]:
        asked.append(world.ask_outside is not None)
        raise StackProblem("enough")

    monkeypatch.setattr(new, "asked", stop)
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    from ops.__main__ import main  # noqa: PLC0415

    assert main(["new", "mine-not-there", *more]) == 1
    assert asked == [asks]
