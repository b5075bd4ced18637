"""Names made from content: a changed ConfigMap or Secret is a new object, and its readers roll onto it.

The hash must be known at preview and must not give a weak password away, so for Secrets it is keyed with the
stack's own salt (HMAC) and then taken out of secrecy on purpose.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

import pulumi

_LENGTH = 10


def config_name(role: str, data: Mapping[str, str]) -> str:
    """Name of a ConfigMap that holds `data`."""
    return f"{role}-{hashlib.sha256(_canonical(data)).hexdigest()[:_LENGTH]}"


def secret_name(
    role: str, data: Mapping[str, pulumi.Input[str]], salt: pulumi.Input[str]
) -> pulumi.Output[str]:
    """Name of a Secret that holds `data`. Not secret itself, so that previews can show which object is new."""
    # No value is called "salt" by accident: the data travel as one JSON text beside it.
    text = pulumi.Output.all(**data).apply(_canonical)
    named = pulumi.Output.all(text, salt).apply(lambda both: f"{role}-{_keyed(both[0], both[1])}")
    return pulumi.Output.unsecret(named)


def _canonical(data: Mapping[str, str]) -> bytes:
    return json.dumps(dict(data), sort_keys=True).encode()


def _keyed(text: bytes, salt: str) -> str:
    return hmac.new(salt.encode(), text, hashlib.sha256).hexdigest()[:_LENGTH]
