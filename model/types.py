"""The kinds of value a stack file may hold, each declared once and checked where it is read."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated

import idna
from pydantic import BeforeValidator, Field, IPvAnyAddress, IPvAnyNetwork

from model.kind import Kind

# Always matched in full: a `$` would let a line end through.
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# RFC 2317 names its child zones with slashes or what else reads well.
_REVERSE_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_/-]{0,61}[a-z0-9_])?")
# Names of SPF records are no host names: many begin with an underscore.
_SPF_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_QUANTITY = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?(m|k|Ki|[MGTPE]i?)?")
_BARE = re.compile(r"[0-9]+(\.[0-9]+)?")
# Of what RFC 5321 allows, # begins a comment of a Postfix map, { a template, and $ % ` | mean something to a shell.
_LOCAL_PART = re.compile(r"(?=.{1,64}$)\w[\w!&'*+/=?^~-]*(\.[\w!&'*+/=?^~-]+)*", re.ASCII)
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdwy])")
_HUGE = 10**18
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}


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


def _reverse_zone(value: str) -> str:
    text = value.strip().removesuffix(".").lower()
    if len(text) > 253 or not all(_REVERSE_LABEL.fullmatch(label) for label in text.split(".")):
        raise ValueError("must be a reverse zone such as 2.0.192.in-addr.arpa or 0-15.2.0.192.in-addr.arpa")
    return text


def _spf_name(value: str) -> str:
    text = value.strip().removesuffix(".").lower()
    labels = text.split(".")
    if len(text) > 253 or len(labels) < 2 or not all(_SPF_LABEL.fullmatch(label) for label in labels):
        raise ValueError("must be the name of an SPF record, such as _spf.example.net")
    return text


_SPF_MECHANISM = re.compile(
    r"[+?~-]?(?:(?:a|mx)(?::(?P<named>[!-~]+?))?(?:/\d{1,2})?(?://\d{1,3})?|exists:(?P<asked>[!-~]+))",
    re.IGNORECASE,
)


def _spf_mechanism(value: str) -> str:
    text = value.strip()
    match = _SPF_MECHANISM.fullmatch(text)
    target = match and (match["named"] or match["asked"])
    # Macros are filled in by receivers; the rest is a host name.
    plain = re.sub(r"%\{[slodivhSLODIVH]\d{0,3}[rR]?[.+,/_=-]*\}", "x", target or "x.example").removesuffix(
        "."
    )
    labels = plain.split(".")
    if (
        match is None
        or len(labels) < 2
        or not all(map(_SPF_LABEL.fullmatch, (each.lower() for each in labels)))
    ):
        raise ValueError(
            "must be a, mx or exists of SPF, such as a:web.example.net or mx:example.net/28; include and networks have keys"
            " of their own, and ptr is not followed by many receivers"
        )
    return text


def email(value: str) -> str:
    """A mail address whose domain is a host name. Raises ValueError."""
    local, at, domain = value.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        raise ValueError("must be an address such as postmaster@example.org")
    return f"{local}@{hostname(domain)}"


def _cpu(value: str) -> str:
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(m?)", value)
    if match is None or not 1 <= Fraction(match[1]) * (1 if match[2] else 1000) <= 256_000:
        raise ValueError("must be from 1m to 256 processors, such as 500m or 2")
    return value


def _number_as_text(value: object) -> object:
    # YAML reads `cpu: 2` as a number. Python writes none of more than 4300 digits.
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE
    return str(value) if number else value


def _with_unit(example: str) -> Callable[[object], object]:
    """Refuses a bare number: nobody means bytes or seconds."""

    def check(value: object) -> object:
        text = _number_as_text(value)
        if isinstance(text, str) and _BARE.fullmatch(text):
            raise ValueError(f"must have a unit, such as {example}")
        return value

    return check


def _size(title: str, least: str, most: str, example: str) -> Kind:
    """Sizes in bytes from `least` to `most`."""

    def in_range(value: str) -> str:
        if not _QUANTITY.fullmatch(value) or value.endswith("m"):
            raise ValueError(f"must be a size such as {example}")
        if not bytes_of(least) <= bytes_of(value) <= bytes_of(most):
            raise ValueError(f"must be from {least} to {most}, such as {example}")
        return value

    return Kind(title, in_range, before=_with_unit(example))


def _duration(title: str, least: str, most: str, example: str) -> Kind:
    """Durations from `least` to `most`."""

    def check(value: str) -> str:
        if not _DURATION.fullmatch(value):
            raise ValueError(f"must be a duration such as {example}")
        if not seconds_of(least) <= seconds_of(value) <= seconds_of(most):
            raise ValueError(f"must be from {least} to {most}, such as {example}")
        return value

    return Kind(title, check, before=_with_unit(example))


def _written(value: object) -> object:
    # ipaddress would read the number 5 as 0.0.0.5, and keep the zone of fe80::1%eth0.
    if isinstance(value, int | list) or "%" in str(value):
        raise ValueError("must be written as digits with dots or colons")
    if str(value).lower().startswith("::ffff:"):
        raise ValueError("must be written as an IPv4 address, with dots alone")
    return value


def no_name_twice(value: object) -> object:
    """Refuses a name that is written in two ways, as with a final dot or capitals: the last would win in silence."""
    if isinstance(value, dict):
        plain = [str(key).strip().rstrip(".").lower() for key in value]
        twice = next((name for name in plain if plain.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"names {twice} twice, once with other capitals or a final dot")
    return value


def as_tuple(value: object) -> object:
    """One text where a list may stand is a list of one."""
    return (value,) if isinstance(value, str) else value


# The titles name each kind in schema.json and on the reference page.
Hostname = Annotated[str, Kind("host name", hostname)]
ReverseZone = Annotated[str, Kind("reverse zone", _reverse_zone)]
SpfName = Annotated[str, Kind("name of an SPF record", _spf_name)]
SpfMechanism = Annotated[str, Kind("mechanism of SPF", _spf_mechanism)]
Email = Annotated[str, Kind("mail address", email)]
Cpu = Annotated[
    str,
    BeforeValidator(_number_as_text, json_schema_input_type=str | float),
    Kind("processors", _cpu),
]
MessageSize = Annotated[str, _size("size of a message", "1Mi", "1Gi", "50Mi")]
VolumeSize = Annotated[str, _size("size of a volume", "64Mi", "500Ti", "20Gi")]
Memory = Annotated[str, _size("memory", "16Mi", "4Ti", "512Mi")]
MetricsRetention = Annotated[str, _duration("duration of metrics", "1h", "10y", "15d")]
LogsRetention = Annotated[str, _duration("duration of logs", "1h", "10y", "7d")]
PortNumber = Annotated[int, Field(ge=1, le=65535, title="port")]
Address = Annotated[IPvAnyAddress, BeforeValidator(_written), Field(title="IP address")]
Addresses = Annotated[
    tuple[Address, ...],
    BeforeValidator(as_tuple, json_schema_input_type=Address | tuple[Address, ...]),
    Field(title="IP addresses"),
]
Network = Annotated[IPvAnyNetwork, BeforeValidator(_written), Field(title="network")]
Networks = Annotated[
    tuple[Network, ...],
    BeforeValidator(as_tuple, json_schema_input_type=Network | tuple[Network, ...]),
    Field(title="networks"),
]

DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)
"""Address blocks that exist only in examples (RFC 5737, RFC 3849, RFC 9637)."""


def seconds_of(duration: str) -> int:
    """A duration such as 15d in seconds."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is not a duration")
    return int(match[1]) * _SECONDS[match[2]]


def is_documentation(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether `address` exists only in examples."""
    return any(address in net for net in DOCUMENTATION if net.version == address.version)


def bytes_of(quantity: str) -> int:
    """A memory or storage quantity in bytes, as Kubernetes reads it (apimachinery resource.Quantity)."""
    units = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
    units |= {f"{u}i": 1024 ** (i + 1) for i, u in enumerate("KMGTPE")}
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)", quantity)
    if match is None or match[2] not in units:
        raise ValueError(f"{quantity!r} is not a size in bytes")
    return int(Fraction(match[1]) * units[match[2]])
