"""The kinds of value a stack file may hold, each declared once and checked where it is read."""

from __future__ import annotations

import ipaddress
import re
from fractions import Fraction
from typing import Annotated

import idna
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    IPvAnyAddress,
    IPvAnyNetwork,
    TypeAdapter,
    ValidationError,
)

# Always matched in full: a `$` would let a line end through.
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_QUANTITY = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?(m|k|Ki|[MGTPE]i?)?")
_LOCAL_PART = re.compile(r"(?=.{1,64}$)[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_HTTP = TypeAdapter(HttpUrl)
_DURATION = re.compile(r"[1-9][0-9]*[smhdwy]")


def hostname(value: str) -> str:
    """`value` as lower-case A-labels without the final dot (RFC 5890, RFC 1123 section 2.1).

    Raises ValueError for anything that no resolver and no certificate authority would accept.
    """
    text = value.strip().removesuffix(".").lower()
    if not text.isascii() or "xn--" in text:
        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise ValueError("is not a valid international domain name (RFC 5891)") from None
    labels = text.split(".")
    if len(labels) < 2:
        raise ValueError("must be a full host name with at least one dot, such as mail.example.org")
    if len(text) > 253:
        raise ValueError("is longer than 253 bytes, the most that DNS carries")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("must have 1 to 63 letters, digits or inner hyphens between its dots")
    if labels[-1].isdigit():
        raise ValueError("ends in a number, so it reads as an address and not as a name")
    return text


def _email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        raise ValueError("must be an address such as postmaster@example.org")
    return f"{local}@{hostname(domain)}"


def _dns1123(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise ValueError("must be a Kubernetes name: 1 to 63 lower-case letters, digits or inner hyphens")
    return value


def _quantity(value: str) -> str:
    if not _QUANTITY.fullmatch(value):
        raise ValueError("must be a Kubernetes quantity such as 500m or 2")
    return value


def _size(value: str) -> str:
    if not _QUANTITY.fullmatch(value) or value.endswith("m") or bytes_of(value) < 1:
        raise ValueError("must be a size such as 512Mi or 20Gi")
    return value


def _duration(value: str) -> str:
    if not _DURATION.fullmatch(value):
        raise ValueError("must be a duration such as 15d, 12h or 30m")
    return value


def _url(value: str) -> str:
    try:
        parsed = _HTTP.validate_python(value)
    except ValidationError:
        parsed = None
    if parsed is None or not re.fullmatch(r"[!-~]+", value):
        raise ValueError("must be a URL such as https://wiki.example.org/mail")
    if parsed.username or parsed.password:
        raise ValueError("must not hold a user or a password: whoever reads the stack file would know it")
    return value


def _number_as_text(value: object) -> object:
    # YAML reads `cpu: 2` as a number.
    return str(value) if isinstance(value, int | float) else value


def _written(value: object) -> object:
    # ipaddress would read the number 5 as 0.0.0.5, and keep the zone of fe80::1%eth0.
    if isinstance(value, int | list) or "%" in str(value):
        raise ValueError("must be written as digits with dots or colons")
    return value


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


# The titles name each kind in schema.json and on the reference page.
Hostname = Annotated[str, AfterValidator(hostname), Field(title="host name")]
Email = Annotated[str, AfterValidator(_email), Field(title="mail address")]
KubernetesName = Annotated[str, AfterValidator(_dns1123), Field(title="Kubernetes name")]
Quantity = Annotated[
    str,
    BeforeValidator(_number_as_text, json_schema_input_type=str | float),
    AfterValidator(_quantity),
    Field(title="quantity"),
]
ByteQuantity = Annotated[
    str,
    BeforeValidator(_number_as_text, json_schema_input_type=str | float),
    AfterValidator(_size),
    Field(title="size"),
]
Duration = Annotated[str, AfterValidator(_duration), Field(title="duration")]
Url = Annotated[str, AfterValidator(_url), Field(title="URL")]
Address = Annotated[IPvAnyAddress, BeforeValidator(_written), Field(title="IP address")]
Addresses = Annotated[
    tuple[Address, ...],
    BeforeValidator(_as_tuple, json_schema_input_type=Address | tuple[Address, ...]),
    Field(title="IP addresses"),
]
Network = Annotated[IPvAnyNetwork, BeforeValidator(_written), Field(title="network")]

DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)
"""Address blocks that exist only in examples (RFC 5737, RFC 3849, RFC 9637)."""


def bytes_of(quantity: str) -> int:
    """A memory or storage quantity in bytes, as Kubernetes reads it (apimachinery resource.Quantity)."""
    units = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
    units |= {f"{u}i": 1024 ** (i + 1) for i, u in enumerate("KMGTPE")}
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)", quantity)
    if match is None or match[2] not in units:
        raise ValueError(f"{quantity!r} is not a size in bytes")
    return int(Fraction(match[1]) * units[match[2]])
