"""A mail program that knows an address and a password, and looks for its servers in DNS."""

from __future__ import annotations

from collections.abc import Callable

import dns.resolver

from tests.acceptance.client import mail


def sign_in(service: str, address: str, password: str) -> str:
    """Signs in to a service of RFC 6186, 8314 or 5804. Prints where and `accepted`, or that there is none."""
    [place] = dns.resolver.resolve(f"_{service}._tcp.{address.rpartition('@')[2]}", "SRV")
    host = str(place.target).rstrip(".")
    if not host:
        return "there is none"
    _WAYS[service](host, str(place.port), address, password)
    return f"{host}:{place.port} accepted"


def _imap(host: str, port: str, user: str, password: str) -> None:
    imap = mail._imap(host, port)
    imap.login(user, password)
    imap.logout()


def _smtp(host: str, port: str, user: str, password: str) -> None:
    with mail._submission(host, port) as smtp:
        smtp.login(user, password)


def _sieve(host: str, _: str, user: str, password: str) -> None:
    answer = mail.sieve_login(host, user, password)
    if not answer.startswith("OK"):
        raise ValueError(answer)


_WAYS: dict[str, Callable[[str, str, str, str], None]] = {
    "imaps": _imap,
    "imap": _imap,
    "submissions": _smtp,
    "submission": _smtp,
    "sieve": _sieve,
}
