"""Secrets that are recognised wherever they turn up."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from model.keys import dkim_public_key
from model.secrets import Format, Secret
from ops.secrets import make

_QUICK: dict[Format, Format] = {"rsa4096": "rsa2048"}
"""Formats that take seconds to make, and another that will do."""


def sentinel(secret: Secret) -> str:
    """A value that occurs nowhere else."""
    # What is somebody else's to make may hold letters and digits, and be as long.
    if secret.format == "webhookUrl":
        return f"https://alerts.example.com/{make(replace(secret, format='password'))}"
    kind = _QUICK.get(secret.format, secret.format) if secret.made else "hex"
    return make(replace(secret, format=kind))


def found_in(content: bytes, secrets: Mapping[str, str]) -> set[str]:
    """Keys of the secrets that occur in `content`, as they are or anywhere inside base64."""
    return {key for key, value in secrets.items() if any(trace in content for trace in _traces(value))}


@cache
def _traces(value: str) -> tuple[bytes, ...]:
    return tuple(_make_traces(value))


def _make_traces(value: str) -> Iterator[bytes]:
    for line in _telling_lines(value):
        raw = line.encode()
        yield raw
        for offset, shared in enumerate((0, 2, 3)):
            # Inside the base64 of a longer text: three alignments, without the characters shared with its neighbours.
            encoded = base64.b64encode(b"\0" * offset + raw)
            yield encoded[shared : (offset + len(raw)) * 8 // 6]


def _telling_lines(value: str) -> list[str]:
    """Lines that give the value away. Line ends are written differently from place to place."""
    if "PRIVATE KEY" not in value:
        return [value]
    # A private key holds its public half, which everybody may see.
    public = dkim_public_key(value)
    return [line for line in value.splitlines() if len(line) == 64 and line not in public]
