"""Public halves in the stack file, and whether they belong to the private ones."""

from __future__ import annotations

import base64
import functools
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from model import keys
from tests.model.files import Raw, places, raw, refused, settings

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@functools.cache
def made(name: str) -> Private:
    """The key called `name`."""
    kind = name.partition("-")[0]
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed" else rsa.generate_private_key(65537, 2048)


@functools.cache
def pem(name: str, password: bytes | None = None) -> str:
    """A private key in PEM."""
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return made(name).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()  # fmt: skip


SECRETS = {
    "passportPrivateKey": "ec-passport",
    "dkimKey-k1": "rsa-dkim",
    "mxKey": "ec-mx",
    "mxNextKey": "ec-next",
}
"""Flat key -> key."""


@functools.cache
def changes() -> Raw:
    """The public halves that belong to SECRETS. Made once, so change nothing."""
    return {
        "passportPublicKey": keys.public_pem(pem("ec-passport")),
        "mail/dkim/selectors": {
            "k1": {
                "stage": "active",
                "since": "2026-11-02",
                "publicKey": keys.dkim_public_key(pem("rsa-dkim")),
            }
        },
        "tlsa": {"current": keys.tlsa_hash(pem("ec-mx")), "next": keys.tlsa_hash(pem("ec-next"))},
    }


def found(instead: dict[str, str | None]) -> set[tuple[str, str]]:
    """(rule, path) of what is wrong when these private halves are stored instead."""
    stored = {key: pem(name) for key, name in SECRETS.items()} | instead
    return places(tuple(keys.mismatches(settings("cluster", changes()), stored.get)))


def test_halves_that_belong_together_are_right() -> None:
    assert found({}) == set()


@pytest.mark.parametrize(
    ("secret", "path"),
    [
        ("passportPrivateKey", "passportPublicKey"),
        ("dkimKey-k1", "mail.dkim.selectors.k1.publicKey"),
        ("mxKey", "tlsa.current"),
        ("mxNextKey", "tlsa.next"),
    ],
)
def test_another_private_half_is_noticed_at_the_public_one(secret: str, path: str) -> None:
    assert found({secret: pem("ec-other")}) == {("key-halves", f"kolab:{path}")}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        keys.public_pem(pem("ec-other")),
        pem("ed-key"),
        pem("ec-other", b"password"),
    ],
    ids=["empty", "text", "broken", "public", "ed25519", "with a password"],
)
def test_what_is_no_usable_private_key_is_said_so(text: str) -> None:
    assert found({"mxKey": text}) == {("key-unreadable", "kolab:mxKey")}


def test_a_private_half_that_is_not_there_is_not_compared() -> None:
    assert found({"mxKey": None}) == set()


def test_line_ends_of_the_public_half_do_not_matter() -> None:
    public = changes()["passportPublicKey"].replace("\n", "\r\n") + "\n"
    stack = settings("cluster", changes() | {"passportPublicKey": public})
    assert list(keys.mismatches(stack, {"passportPrivateKey": pem("ec-passport")}.get)) == []


def test_line_ends_of_the_private_half_do_not_matter() -> None:
    assert found({"passportPrivateKey": pem("ec-passport").replace("\n", "\r\n") + "\n\n"}) == set()


def test_no_message_holds_a_private_key() -> None:
    stored = {key: pem("ec-other") for key in SECRETS}
    told = refused(raw("cluster", changes()), plaintext=stored.get)
    assert {finding.rule for finding in told} == {"key-halves", "secret-value"}
    lines = pem("ec-other").splitlines()
    assert not any(line in str(finding) for finding in told for line in lines)


def test_the_dkim_value_is_the_der_of_the_public_key() -> None:
    der = base64.b64decode(keys.dkim_public_key(pem("rsa-dkim")))
    assert serialization.load_der_public_key(der) == made("rsa-dkim").public_key()


def test_the_tlsa_value_is_the_hash_of_the_same_der() -> None:
    der = keys.subject_public_key_info(pem("ec-mx"))
    assert keys.tlsa_hash(pem("ec-mx")) == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize("base", ["single-node", "cluster"])
def test_every_public_half_of_a_shipped_stack_has_a_key_of_its_own(base: str) -> None:
    halves = [pair.public for pair in keys.pairs(settings(base))]
    assert len(halves) == len(set(halves))
    assert None not in halves
