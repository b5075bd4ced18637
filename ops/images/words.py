"""What is said where a registry does not give what it is asked for."""

from __future__ import annotations

import re

import urllib3

from ops.images.credentials import Login
from ops.images.reference import Image


def unreachable(image: Image, host: str, error: Exception) -> str:
    """Why no answer came."""
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, urllib3.exceptions.SSLError):
        return (
            f"{image.asked}: the certificate of {host} is not trusted ({_short(cause)}): if its authority is your own,"
            " name its file with --ca"
        )
    # A refused connection is a kind of time-out to urllib3.
    refused = isinstance(cause, urllib3.exceptions.NewConnectionError)
    if isinstance(cause, (urllib3.exceptions.TimeoutError, TimeoutError)) and not refused:
        return f"{image.asked}: {host} does not answer in time: look at the network or a proxy (HTTPS_PROXY), and try again"
    if isinstance(error, urllib3.exceptions.MaxRetryError) and "redirect" in str(cause):
        return f"{image.asked}: {host} sends from one address to the next without end"
    return f"{image.asked}: {host} cannot be reached ({_short(cause)}): look at its name, the network, or a proxy (HTTPS_PROXY)"


def _short(error: object) -> str:
    return re.sub(
        r"^.*?object at 0x[0-9a-f]+>: |\s+", lambda found: " " if found[0].isspace() else "", str(error)
    )[:200]


def said(image: Image, answer: urllib3.BaseHTTPResponse, given: Login | None) -> str:
    """Why the answer is no."""
    status, wait = answer.status, answer.headers.get("Retry-After")
    answer.release_conn()
    if status in (401, 403) and given is None:
        return login_needed(image)
    if status in (401, 403):
        return (
            f"{image.asked}: {image.registry} refuses the stored login of {'a token' if given and given.is_token else given and given.user}:"
            f" log in again (docker login {image.registry}), or ask its owner for the right to pull"
        )
    if status == 404:
        return f"{image.asked}: {image.registry} has no such image or tag: look at kolab:images, or at the mirror"
    if status == 429:
        until = f"in {wait} seconds" if wait and wait.isdigit() else "later"
        return f"{image.asked}: {image.registry} takes no more questions for now: try again {until}, or log in, which often raises the limit"
    return f"{image.asked}: {image.registry} answers with status {status}: try again later"


def login_needed(image: Image) -> str:
    """What to do where nobody is known to the registry."""
    return (
        f"{image.asked}: {image.registry} wants a login, or has no such image: docker login {image.registry}"
        " (or podman login), and look at the name"
    )
