"""What a Certificate of cert-manager asks for, and when its Secret no longer fits: pure, as far as keys can be."""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests.lab import signing
from tests.lab.signing import Authority, PrivateKey

Spec = Mapping[str, Any]

DEFAULT_DURATION = datetime.timedelta(days=90)
_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "data encipherment": "data_encipherment",
    "key agreement": "key_agreement",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
}
_PURPOSES = {
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
}
_DEFAULT_USAGES = ("digital signature", "key encipherment")
_KNOWN = {
    "secretName", "issuerRef", "commonName", "dnsNames", "ipAddresses", "uris", "emailAddresses", "subject", "duration",
    "renewBefore", "renewBeforePercentage", "isCA", "usages", "privateKey", "secretTemplate", "revisionHistoryLimit",
    "encodeUsagesInRequest",
}  # fmt: skip
_CURVES: dict[int, ec.EllipticCurve] = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Refused(Exception):
    """Nobody can issue this, or the lab cannot; the Certificate's status says so."""


def duration(text: str) -> datetime.timedelta:
    """Go's notation: 2160h, 1h30m0s."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    if "".join(number + unit for number, unit in parts) != text or not text:
        raise Refused(f"{text!r} is no duration")
    return datetime.timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def names(spec: Spec) -> list[x509.GeneralName]:
    """Every alternative name, in the order of the specification."""
    try:
        return [
            *map(x509.DNSName, spec.get("dnsNames", [])),
            *(x509.IPAddress(ipaddress.ip_address(each)) for each in spec.get("ipAddresses", [])),
            *map(x509.UniformResourceIdentifier, spec.get("uris", [])),
            *map(x509.RFC822Name, spec.get("emailAddresses", [])),
        ]
    except ValueError as error:
        raise Refused(str(error)) from None


def reason_to_issue(spec: Spec, data: Mapping[str, bytes], issuer: str | None, now: datetime.datetime) -> str:
    """Why the Secret's content does not do; empty when it does. `issuer`: as `issuer_name` wrote it beside the data."""
    try:
        certificate = x509.load_pem_x509_certificate(data["tls.crt"])
        key = signing.load_key(data["tls.key"])
    except (KeyError, ValueError, TypeError, UnsupportedAlgorithm):
        return "the Secret holds no certificate and key"
    other_names = set(_names_of(certificate)) != set(names(spec)) or certificate.subject != _subject(spec)
    reasons = {
        "certificate and key do not belong together": certificate.public_key() != key.public_key(),
        f"it was issued by {issuer}": issuer != issuer_name(spec),
        "another kind of key is wanted": not _fits(spec, key),
        "other names are wanted": other_names,
        "isCA has changed": _is_ca(certificate) != bool(spec.get("isCA")),
        "it is time to renew it": now >= renewal_time(spec, certificate),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def renewal_time(spec: Spec, certificate: x509.Certificate) -> datetime.datetime:
    """A third of its life before it ends, unless the Certificate says otherwise."""
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    before = life / 3
    if "renewBefore" in spec:
        before = duration(spec["renewBefore"])
    elif "renewBeforePercentage" in spec:
        before = life * spec["renewBeforePercentage"] / 100
    return certificate.not_valid_after_utc - (before if before < life else life / 3)


def issuer_name(spec: Spec) -> str:
    """Kind and name."""
    return f"{spec['issuerRef'].get('kind', 'Issuer')}/{spec['issuerRef']['name']}"


def key_for(spec: Spec, old: bytes | None) -> PrivateKey:
    """The old key where it may not rotate, else a new one."""
    if spec.get("privateKey", {}).get("rotationPolicy", "Always") == "Never" and old:
        try:
            key = signing.load_key(old)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Refused("rotationPolicy is Never, but the Secret's key cannot be read") from None
        if not _fits(spec, key):
            raise Refused("rotationPolicy is Never, but the Secret's key is of another kind than wanted")
        return key
    wanted = spec.get("privateKey", {})
    match wanted.get("algorithm", "RSA"):
        case "ECDSA":
            return ec.generate_private_key(_CURVES[wanted.get("size", 256)])
        case "Ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(65537, wanted.get("size", 2048))


def key_pem(spec: Spec, key: PrivateKey) -> bytes:
    """In the wanted encoding."""
    pkcs8 = spec.get("privateKey", {}).get("encoding", "PKCS1") == "PKCS8"
    return signing.key_pem(key, pkcs8=pkcs8 or isinstance(key, ed25519.Ed25519PrivateKey))


def issue(spec: Spec, key: PrivateKey, by: Authority | None) -> x509.Certificate:
    """The certificate; `by` None: self-signed."""
    if unknown := sorted(set(spec) - _KNOWN):
        raise Refused(f"the lab does not issue certificates with {', '.join(unknown)}")
    if not names(spec) and not spec.get("commonName"):
        raise Refused("neither a commonName nor any other name is wanted")
    wanted = spec.get("usages", _DEFAULT_USAGES)
    if unknown := sorted(set(wanted) - set(_USAGES) - set(_PURPOSES)):
        raise Refused(f"the lab does not know the usages {', '.join(unknown)}")
    purposes: list[ObjectIdentifier] = [_PURPOSES[each] for each in wanted if each in _PURPOSES]
    return signing.sign(
        _subject(spec),
        key,
        by,
        alternatives=names(spec),
        purposes=purposes,
        usages=[_USAGES[each] for each in wanted if each in _USAGES],
        is_ca=bool(spec.get("isCA")),
        lifetime=duration(spec["duration"]) if "duration" in spec else DEFAULT_DURATION,
    )


def _subject(spec: Spec) -> x509.Name:
    subject = spec.get("subject", {})
    parts = [(NameOID.ORGANIZATION_NAME, each) for each in subject.get("organizations", [])]
    parts += [(NameOID.ORGANIZATIONAL_UNIT_NAME, each) for each in subject.get("organizationalUnits", [])]
    parts += [(NameOID.COUNTRY_NAME, each) for each in subject.get("countries", [])]
    if spec.get("commonName"):
        parts.append((NameOID.COMMON_NAME, spec["commonName"]))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _fits(spec: Spec, key: PrivateKey) -> bool:
    wanted = spec.get("privateKey", {})
    match wanted.get("algorithm", "RSA"):
        case "ECDSA":
            return isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size == wanted.get("size", 256)
        case "Ed25519":
            return isinstance(key, ed25519.Ed25519PrivateKey)
        case _:
            return isinstance(key, rsa.RSAPrivateKey) and key.key_size == wanted.get("size", 2048)


def _names_of(certificate: x509.Certificate) -> list[x509.GeneralName]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
