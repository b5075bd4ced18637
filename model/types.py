"""The kinds of value a stack file may hold, each declared once and checked where it is read."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

import idna
from pydantic import AfterValidator, BeforeValidator, IPvAnyAddress, IPvAnyNetwork

_LABEL = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
_DNS1123 = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
_QUANTITY = re.compile(r"^[0-9]+(\.[0-9]+)?(m|[kKMGTPE]i?)?$")
_LOCAL_PART = re.compile(r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$")
_DURATION = re.compile(r"^[1-9][0-9]*[smhdwy]$")


def hostname(value: str) -> str:
    """`value` as lower-case A-labels without the final dot (RFC 5890, RFC 1123 section 2.1).

    Raises ValueError for anything that no resolver and no certificate authority would accept.
    """
    text = value.strip().rstrip(".").lower()
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError(f"is not a valid international domain name ({error})") from None
    labels = text.split(".")
    if len(labels) < 2:
        raise ValueError("must be a full host name with at least one dot, such as mail.example.org")
    if len(text) > 253:
        raise ValueError("is longer than 253 bytes, the most that DNS carries")
    for label in labels:
        if not _LABEL.match(label):
            raise ValueError(f"has the label {label!r}: labels are 1 to 63 letters, digits or inner hyphens")
    if labels[-1].isdigit():
        raise ValueError("ends in a number, so it reads as an address and not as a name")
    return text


def _email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if not at or not _LOCAL_PART.match(local):
        raise ValueError("must be an address such as postmaster@example.org")
    return f"{local}@{hostname(domain)}"


def _dns1123(value: str) -> str:
    if not _DNS1123.match(value):
        raise ValueError("must be a Kubernetes name: 1 to 63 lower-case letters, digits or inner hyphens")
    return value


def _quantity(value: str) -> str:
    if not _QUANTITY.match(value):
        raise ValueError("must be a Kubernetes quantity such as 500m, 2, 512Mi or 20Gi")
    return value


def _duration(value: str) -> str:
    if not _DURATION.match(value):
        raise ValueError("must be a duration such as 15d, 12h or 30m")
    return value


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Hostname = Annotated[str, AfterValidator(hostname)]
Email = Annotated[str, AfterValidator(_email)]
KubernetesName = Annotated[str, AfterValidator(_dns1123)]
Quantity = Annotated[str, AfterValidator(_quantity)]
Duration = Annotated[str, AfterValidator(_duration)]
Address = IPvAnyAddress
Addresses = Annotated[tuple[IPvAnyAddress, ...], BeforeValidator(_as_tuple)]
Network = IPvAnyNetwork

DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)
"""Address blocks that exist only in examples (RFC 5737, RFC 3849, RFC 9637)."""


def bytes_of(quantity: str) -> int:
    """A memory or storage quantity in bytes, as Kubernetes reads it (apimachinery resource.Quantity)."""
    units = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
    units |= {f"{u}i": 1024 ** (i + 1) for i, u in enumerate("KMGTPE")}
    match = re.match(r"^([0-9.]+)([A-Za-z]*)$", quantity)
    if match is None or match[2] not in units:
        raise ValueError(f"{quantity!r} is not a size in bytes")
    return int(float(match[1]) * units[match[2]])
