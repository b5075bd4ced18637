"""Addresses of web services in a stack file (RFC 3986, the part of it that services really use).

What is secret in a URL has no place in a stack file: user names, queries and long random path segments are refused, and
so is whatever a template, a shell or a record would read as something else.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from model.kind import Kind
from model.types import email, hostname

_URL = re.compile(
    r"(https?)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::([1-9][0-9]{0,4}))?((?:/(?:[A-Za-z0-9._~+@-]|%[0-9A-Fa-f]{2})*)*)"
)
_TOKEN = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[A-Za-z0-9._~%+@-]{20,}")
_MOST = 500
_NTFY = re.compile(r"\?template=[a-z]{1,20}\Z")
"""The one query that holds no secret: how ntfy shall word an alert (https://docs.ntfy.sh/publish/#message-templating)."""


def parts(value: str) -> tuple[str, str, str]:
    """(scheme, host, path) of a URL without user, query and fragment. Raises ValueError with what is allowed."""
    match = _URL.fullmatch(value) if len(value) <= _MOST else None
    if match is None:
        raise ValueError(
            "must be a URL such as https://alerts.example.org/kolab, without user, query, spaces, quotes or braces"
        )
    scheme, host, port, path = match.groups()
    if port and int(port) > 65535:
        raise ValueError("has a port above 65535")
    _known_host(host)
    return scheme, host, path


def _known_host(host: str) -> None:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        if host.startswith("["):
            raise ValueError("has no IPv6 address between its brackets") from None
        try:
            hostname(host)
        except ValueError as error:
            raise ValueError(f"names a host that {error}") from None
        return
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        raise ValueError("names an address where no service of yours can be")


def _https(value: str) -> str:
    if parts(value)[0] != "https":
        raise ValueError("must begin with https://")
    return value


def _endpoint(value: str) -> str:
    _https(value)
    if value.count("/") > 2 and parts(value)[2] != "/":
        raise ValueError("must be the address of the service alone, such as https://s3.example.org")
    return value


def _page(value: str) -> str:
    page, mark, query = re.sub(r"#[A-Za-z0-9._-]{0,100}\Z", "", value).partition("?")
    if mark and not re.fullmatch(r"(?:[A-Za-z0-9._~+@=&:/-]|%[0-9A-Fa-f]{2}){1,200}", query):
        raise ValueError("must be a URL such as https://wiki.example.org/mail")
    parts(page)
    return value


def _webhook(value: str) -> str:
    if value == SECRET:
        return value
    for segment in parts(_NTFY.sub("", value))[2].split("/"):
        if _TOKEN.fullmatch(segment):
            raise ValueError(
                f"looks like it holds a token: write {SECRET} here and store the whole URL as its secret (kolab:alertsWebhook, kolab:alertsHeartbeat)"
            )
    return value


def _report_target(value: str) -> str:
    if "://" in value:
        parts(value)
        return value
    try:
        return email(value)
    except ValueError:
        raise ValueError(
            "must be an address such as postmaster@example.org, or a URL such as https://reports.example.org/caa"
        ) from None


SECRET = "secret"  # noqa: S105 (says where the URL is)
"""Stands in the stack file for a URL that is a secret."""

ReportTarget = Annotated[str, Kind("mail address or URL", _report_target)]
HttpsUrl = Annotated[str, Kind("https URL", _https)]
Endpoint = Annotated[str, Kind("https URL without path", _endpoint)]
PageUrl = Annotated[str, Kind("URL", _page)]
Webhook = Annotated[str, Kind("URL, or `secret`", _webhook)]
