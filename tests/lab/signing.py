"""Making certificates: for the cluster itself, and for Certificates inside it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

YEAR = datetime.timedelta(days=365)
_BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
_NO_USAGE = dict.fromkeys(
    (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    ),
    False,
)  # fmt: skip


@dataclass(frozen=True)
class Authority:
    """Who signs."""

    certificate: x509.Certificate
    key: PrivateKey

    @staticmethod
    def load(certificate: bytes, key: bytes) -> Authority:
        """From PEM."""
        return Authority(x509.load_pem_x509_certificate(certificate), load_key(key))


def new_key() -> ec.EllipticCurvePrivateKey:
    """What the lab uses where nothing asks for another kind."""
    return ec.generate_private_key(ec.SECP256R1())


def name(common_name: str = "", organization: str = "") -> x509.Name:
    """A subject; empty parts are left out."""
    parts = {NameOID.ORGANIZATION_NAME: organization, NameOID.COMMON_NAME: common_name}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items() if value])


def authority(common_name: str, key: PrivateKey | None = None) -> Authority:
    """A CA that signs itself."""
    key = key or new_key()
    # The name also as a DNS name: cert-controller, which rotates the certificate of MetalLB's webhook, checks it.
    alternatives = [x509.DNSName(common_name)] if " " not in common_name else []
    certificate = sign(name(common_name), key, None, alternatives=alternatives, is_ca=True, purposes=())
    return Authority(certificate, key)


def sign(
    subject: x509.Name,
    key: PrivateKey,
    by: Authority | None,
    *,
    alternatives: Sequence[x509.GeneralName] = (),
    purposes: Sequence[ObjectIdentifier] = _BOTH,
    usages: Sequence[str] = ("digital_signature", "key_encipherment"),
    is_ca: bool = False,
    lifetime: datetime.timedelta = YEAR,
    age: datetime.timedelta = datetime.timedelta(0),
) -> x509.Certificate:
    """A certificate for `key` that has held for `age`; `by` None signs it with itself."""
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    wanted = {*usages, "key_cert_sign", "crl_sign"} if is_ca else set(usages)
    issuer = by.certificate.subject if by else subject
    signer = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - age)
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**(_NO_USAGE | dict.fromkeys(wanted, True))), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if alternatives:
        # RFC 5280: critical when there is no subject.
        critical = not list(subject)
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=critical)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, algorithm)


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: PrivateKey, *, pkcs8: bool = True) -> bytes:
    """PEM without a passphrase, as PKCS#8 or in the older form that names the algorithm."""
    form = serialization.PrivateFormat.PKCS8 if pkcs8 else serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def load_key(pem: bytes) -> PrivateKey:
    """A key of one of the kinds that we make."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, PrivateKey):
        raise TypeError(f"{type(key).__name__} is not a kind of key that the lab signs with")
    return key


def write_key(path: Path, key: PrivateKey) -> None:
    """A file that only its owner reads."""
    path.touch(mode=0o600)
    path.write_bytes(key_pem(key))
