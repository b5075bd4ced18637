"""Certificates for tests: an authority, and leaves that are right or wrong in one thing."""

from __future__ import annotations

import datetime
import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """Signs what it is asked to."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path) -> Authority:
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(folder, key, _signed("authority", key, key, "authority", (), 3650, authority=True))

    @property
    def file(self) -> Path:
        """What clients trust."""
        path = self.folder / "authority.pem"
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path

    def context(
        self,
        names: Sequence[str],
        *,
        days: int = 60,
        trusted: bool = True,
        old: bool = False,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> ssl.SSLContext:
        """TLS of a server with these names, that end in `days`."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        signer, issuer = (self.key, "authority") if trusted else (own, "leaf")
        leaf = _signed("leaf", own, signer, issuer, names, days, authority=False)
        path = self.folder / "leaf.pem"
        secret = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(secret + leaf.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if old:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
        return context


def _signed(  # noqa: PLR0917
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: str,
    names: Sequence[str],
    days: int,
    *,
    authority: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=90))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        made = made.add_extension(alternatives, critical=False)
    return made.sign(signer, hashes.SHA256())
