"""What the lab issues for a Certificate, and when again."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.lab import signing
from tests.lab.controllers import issuing
from tests.lab.controllers.issuing import Refused

NOW = datetime.datetime.now(datetime.UTC)
SPEC: dict[str, Any] = {
    "secretName": "s",
    "dnsNames": ["mail.example.org"],
    "issuerRef": {"kind": "ClusterIssuer", "name": "public"},
    "privateKey": {"algorithm": "ECDSA", "rotationPolicy": "Never"},
}
CA = signing.authority("test ca")


def data(spec: dict[str, Any], key: signing.PrivateKey | None = None) -> dict[str, bytes]:
    key = key or issuing.key_for(spec, None)
    return {
        "tls.key": issuing.key_pem(spec, key),
        "tls.crt": signing.certificate_pem(issuing.issue(spec, key, CA)),
    }


def reason(spec: dict[str, Any], content: dict[str, bytes], now: datetime.datetime = NOW) -> str:
    return issuing.reason_to_issue(spec, content, "ClusterIssuer/public", now)


def test_a_fitting_secret_is_left_alone() -> None:
    assert reason(SPEC, data(SPEC)) == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"dnsNames": ["mail.example.org", "smtp.example.org"]}, "other names"),
        ({"commonName": "mail.example.org"}, "other names"),
        ({"privateKey": {"algorithm": "RSA"}}, "another kind of key"),
        ({"privateKey": {"algorithm": "ECDSA", "size": 384}}, "another kind of key"),
        ({"issuerRef": {"name": "other"}}, "issued by"),
        ({"isCA": True}, "isCA"),
    ],
)
def test_a_changed_certificate_is_issued_again(change: dict[str, Any], why: str) -> None:
    assert why in reason(SPEC | change, data(SPEC))


@pytest.mark.parametrize(
    "content", [{}, {"tls.crt": b"", "tls.key": b""}, {**data(SPEC), "tls.key": b"nonsense"}]
)
def test_a_secret_without_certificate_and_key_is_filled(content: dict[str, bytes]) -> None:
    assert "holds no certificate" in reason(SPEC, content)


def test_somebody_elses_key_is_noticed() -> None:
    assert "do not belong together" in reason(SPEC, data(SPEC) | {"tls.key": data(SPEC)["tls.key"]})


@pytest.mark.parametrize(
    ("change", "days"),
    [
        ({}, 60),
        ({"renewBefore": "240h"}, 80),
        ({"renewBeforePercentage": 10}, 81),
        ({"duration": "720h"}, 20),
    ],
)
def test_it_is_renewed_in_time(change: dict[str, Any], days: int) -> None:
    content, day = data(SPEC | change), datetime.timedelta(days=1)
    assert reason(SPEC | change, content, NOW + (days - 1) * day) == ""
    assert "time to renew" in reason(SPEC | change, content, NOW + (days + 1) * day)


def test_the_policy_never_keeps_the_key_and_always_does_not() -> None:
    old = data(SPEC)["tls.key"]
    assert (
        issuing.key_pem(
            SPEC,
            issuing.key_for(
                SPEC | {"privateKey": {"algorithm": "ECDSA", "rotationPolicy": "Never", "encoding": "PKCS8"}},
                old,
            ),
        )
        == old
    )
    assert issuing.key_pem(SPEC, issuing.key_for(SPEC | {"privateKey": {"algorithm": "ECDSA"}}, old)) != old
    with pytest.raises(Refused, match="of another kind"):
        issuing.key_for(SPEC | {"privateKey": {"algorithm": "RSA", "rotationPolicy": "Never"}}, old)


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ({}, rsa.RSAPrivateKey),
        ({"algorithm": "ECDSA", "size": 384}, ec.EllipticCurvePrivateKey),
        ({"algorithm": "Ed25519"}, ed25519.Ed25519PrivateKey),
    ],
)
@pytest.mark.parametrize("encoding", ["PKCS1", "PKCS8"])
def test_kinds_of_keys(wanted: dict[str, Any], kind: type, encoding: str) -> None:
    spec = SPEC | {"privateKey": {**wanted, "encoding": encoding}}
    content = data(spec)
    assert isinstance(signing.load_key(content["tls.key"]), kind)
    assert reason(spec, content) == ""


def test_names_usages_and_signature() -> None:
    spec = SPEC | {
        "ipAddresses": ["192.0.2.1"],
        "uris": ["spiffe://x"],
        "emailAddresses": ["a@example.org"],
        "commonName": "mail.example.org",
        "usages": ["digital signature", "server auth"],
        "subject": {"organizations": ["Example"]},
    }
    content = data(spec)
    assert reason(spec, content) == ""
    certificate = x509.load_pem_x509_certificate(content["tls.crt"])
    certificate.verify_directly_issued_by(CA.certificate)
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each._name for each in purposes] == ["serverAuth"]
    assert certificate.subject.rfc4514_string() == "CN=mail.example.org,O=Example"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (SPEC | {"dnsNames": []}, "neither a commonName"),
        (SPEC | {"keystores": {}}, "keystores"),
        (SPEC | {"usages": ["any"]}, "any"),
        (SPEC | {"duration": "90d"}, "no duration"),
        (SPEC | {"ipAddresses": ["mail"]}, "mail"),
    ],
)
def test_what_cannot_be_issued_is_refused(spec: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        issuing.issue(spec, signing.new_key(), CA)
