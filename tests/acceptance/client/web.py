"""HTTP as a browser or a phone asks."""

from __future__ import annotations

import base64
import socket
import urllib.error
import urllib.request
from http.client import HTTPSConnection

from tests.acceptance.client.tls import careful, careless

_TIMEOUT = 20


class _Stay(urllib.request.HTTPRedirectHandler):
    """Does not follow redirects: they are part of the answer."""

    def redirect_request(self, *_: object) -> None:
        return None


def http(url: str, *headers: str, method: str = "GET", body: bytes | None = None) -> str:
    """Status, headers and body of one request to whoever the name in `url` leads to.

    A header `Host` sends the request to the place in `url` under another name; its certificate is then not checked.
    """
    given = dict(header.split(": ", 1) for header in headers)
    context = careless() if "Host" in given else careful()
    opener = urllib.request.build_opener(_Stay(), urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(url, data=body, method=method, headers=given)
    try:
        answer = opener.open(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        answer = error
    lines = [str(answer.status), *(f"{key}: {value}" for key, value in answer.headers.items()), ""]
    return "\n".join(lines) + "\n" + answer.read(100_000).decode(errors="replace")


def post(url: str, body: str, *headers: str) -> str:
    """The same with a body."""
    return http(url, *headers, method="POST", body=body.encode())


def ask(method: str, url: str, *headers: str) -> str:
    """The same with any method, and without a body."""
    return http(url, *headers, method=method)


def statuses(method: str, *urls: str) -> str:
    """The status of one request to each of these, a line each."""
    return "\n".join(ask(method, url).partition("\n")[0] for url in urls)


def status_from(address: str, host: str) -> str:
    """The status of a website's first page for who comes from this one of the client's addresses."""
    connection = HTTPSConnection(host, timeout=_TIMEOUT, context=careful(), source_address=(address, 0))
    connection.request("GET", "/")
    return str(connection.getresponse().status)


def head(host: str, *lines: str) -> str:
    """The head of the answer to a request that is given line by line, sent over TLS as it stands."""
    with (
        socket.create_connection((host, 443), timeout=_TIMEOUT) as plain,
        careful().wrap_socket(plain, server_hostname=host) as secure,
    ):
        secure.sendall("\r\n".join([*lines, "", ""]).encode())
        found = b""
        while b"\r\n\r\n" not in found and (more := secure.recv(4096)):
            found += more
    return found.partition(b"\r\n\r\n")[0].decode(errors="replace")


def phone(host: str, user: str, password: str) -> str:
    """What ActiveSync answers to a phone that asks what there is ([MS-ASHTTP] 2.2.3)."""
    given = base64.b64encode(f"{user}:{password}".encode()).decode()
    return ask("OPTIONS", f"https://{host}/Microsoft-Server-ActiveSync", f"Authorization: Basic {given}")
