"""Whether a secret's value is one that the daemons can read and nobody can guess. No message holds a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from model.catalogue import files as rules
from model.findings import Finding
from model.keys import Plaintext, PrivateKey, private_key
from model.secrets import FORMATS, Format, Secret, secrets
from model.settings import Settings

KEY_PAIRS: Mapping[Format, tuple[int, int]] = {
    "rsa2048": (2048, 4096),
    "rsa4096": (2048, 16384),
    "ecP256": (256, 256),
}
"""Format of a private key -> least and largest size in bits (RFC 8301 section 3.2 for DKIM)."""


def judge(settings: Settings, plaintext: Plaintext) -> Iterator[Finding]:
    """Findings about the secrets that this stack needs and has, whoever made them."""
    for secret in secrets(settings):
        value = plaintext(secret.key)
        if value is None:
            continue
        found = complaint(secret, value)
        if found is None or (secret.format in KEY_PAIRS and _key(value) is None):
            # What is no key at all is said where the two halves are compared.
            continue
        yield rules.SECRET_VALUE.found(key=secret.key, complaint=found, remedy=_fix(secret))


def complaint(secret: Secret, value: str) -> str | None:
    """What is wrong with `value`, as the end of a sentence; None when it may be used."""
    shape = FORMATS[secret.format]
    if not value:
        return f"is empty; allowed: {shape.words}"
    if secret.format in KEY_PAIRS:
        return _wrong_key(secret.format, value)
    if not value.isprintable():
        return f"holds a line break or another control character; allowed: {shape.words}"
    return (
        None
        if re.fullmatch(shape.pattern, value)
        else f"has the wrong form or length; allowed: {shape.words}"
    )


def _wrong_key(kind: Format, value: str) -> str | None:
    key = _key(value)
    if key is None:
        return "is not a private key in PEM without a password"
    wanted, (least, largest) = FORMATS[kind].words, KEY_PAIRS[kind]
    if re.fullmatch(FORMATS[kind].pattern, value) is None:
        return f"holds more than one key in PEM; allowed: {wanted}"
    right = isinstance(key, ec.EllipticCurvePrivateKey if kind == "ecP256" else rsa.RSAPrivateKey)
    if not right or not least <= key.key_size <= largest or _other_curve(key):
        return f"is a key of another kind or size; allowed: {wanted}"
    return None


def _other_curve(key: PrivateKey) -> bool:
    return isinstance(key, ec.EllipticCurvePrivateKey) and not isinstance(key.curve, ec.SECP256R1)


def _key(value: str) -> PrivateKey | None:
    try:
        return private_key(value)
    except ValueError:
        return None


def _fix(secret: Secret) -> str:
    if secret.made:
        return f"./kolab pulumi config rm kolab:{secret.key}, and ./kolab secrets --stack <stack>: it makes a good one, where nothing depends on the old one yet"
    return f"./kolab pulumi config set --secret kolab:{secret.key}"
