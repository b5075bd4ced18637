"""By which address the world sees this machine: two name servers of strangers are asked, and believed if both say the same.

Where something on the way answers for everybody, one would show its address, and the other none: hence two.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import dns.resolver

_TIMEOUT = 2.0
"""Seconds for finding one server, and again for its answer."""
_KINDS = {4: "A", 6: "AAAA"}
"""Version of IP -> the type of its addresses."""


@dataclass(frozen=True)
class Witness:
    """A name server that has a name for whoever asks, in the type of record that `kind` gives for a version of IP."""

    server: str
    name: str
    kind: Callable[[int], str]


_WITNESSES = (
    Witness("resolver1.opendns.com", "myip.opendns.com", lambda version: _KINDS[version]),
    Witness("ns1.google.com", "o-o.myaddr.l.google.com", lambda _: "TXT"),
)


@dataclass(frozen=True)
class Seen:
    """What both have seen; empty is what could not be looked up."""

    address: str = ""
    """The IPv4 address by which the world sees this machine."""
    inside: str = ""
    """This machine's own address, where NAT maps it to the other."""
    lines: tuple[str, ...] = ()
    """For the person who answers."""


def find(server: str, kind: str) -> list[str]:
    """Addresses of a name server. Raises DNSException."""
    return [str(answer) for answer in dns.resolver.resolve(server, kind, lifetime=_TIMEOUT)]


def look(find: Callable[[str, str], list[str]] = find, port: int = 53) -> Seen:
    """What the world sees of this machine, after some seconds at most. Raises nothing."""
    questions = [(witness, version) for version in _KINDS for witness in _WITNESSES]
    with ThreadPoolExecutor(len(questions)) as pool:
        asked = {each: pool.submit(_ask, *each, find=find, port=port) for each in questions}
    by_version = {version: [asked[each, version].result() for each in _WITNESSES] for version in _KINDS}
    address, own = _agreed(by_version[4])
    address6, _ = _agreed(by_version[6])
    inside = own if own != address else ""
    return Seen(address, inside, tuple(_lines(address, inside, address6, by_version[4])))


@dataclass(frozen=True)
class _Answer:
    address: str = ""
    own: str = ""
    """The address of this machine that asked."""
    failure: str = ""


def _ask(witness: Witness, version: int, *, find: Callable[[str, str], list[str]], port: int) -> _Answer:
    try:
        server = find(witness.server, _KINDS[version])[0]
        query = dns.message.make_query(witness.name, witness.kind(version))
        answer, _ = dns.query.udp_with_fallback(query, server, port=port, timeout=_TIMEOUT)
        wanted = dns.rdatatype.from_text(witness.kind(version))
        texts = [
            str(rdata).strip('"') for found in answer.answer if found.rdtype == wanted for rdata in found
        ]
        return _Answer(_public(texts, version), _own(server, port))
    except (dns.exception.DNSException, OSError, ValueError) as error:
        return _Answer(failure=f"{witness.server}: {type(error).__name__}")


def _public(texts: list[str], version: int) -> str:
    """The one address. Raises ValueError for anything else, such as the address of a resolver beside that of its client."""
    (text,) = texts
    address = ipaddress.ip_address(text)
    if address.version != version or not address.is_global:
        raise ValueError("no address of the world")
    return str(address)


def _own(server: str, port: int) -> str:
    """The address from which this machine asks `server`; no packet is sent. Raises OSError."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as end:
        end.connect((server, port))
        return str(end.getsockname()[0])


def _agreed(answers: list[_Answer]) -> tuple[str, str]:
    """What all say, and the address that asked; empty when one says nothing or something else."""
    said = {answer.address for answer in answers}
    return (said.pop(), answers[0].own) if len(said) == 1 else ("", "")


def _lines(address: str, inside: str, address6: str, answers: list[_Answer]) -> Iterator[str]:
    failures = [answer.failure for answer in answers if answer.failure]
    if address and inside:
        yield f"the world sees this machine as {address}, which is not its own address ({inside}): NAT maps it"
    elif address:
        yield f"the world sees this machine as {address}, which is its own address"
    elif failures:
        yield (
            "could not look up by which address the world sees this machine"
            f" ({', '.join(failures)}); answer what you know"
        )
    else:
        said = " and ".join(answer.address for answer in answers)
        yield f"the world sees this machine as {said}, depending on whom one asks; answer what you know"
    if address6:
        yield f"by IPv6 the world sees it as {address6}; a stack needs none (kolab:network.addresses)"
