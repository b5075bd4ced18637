"""Certificates and tokens of the cluster, made anew for each life of it."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab.settings import Settings

DAYS = 365
# user of a static token -> its groups
USERS = {
    "admin": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
}


@dataclass(frozen=True)
class Authority:
    """A CA that signs for the lab."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes


class Pki:
    """Everything under one directory; paths by name."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def certificate(self, name: str) -> Path:
        """A certificate in PEM."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """A private key in PEM."""
        return self.directory / f"{name}.key"

    def kubeconfig(self, user: str) -> Path:
        """A kubeconfig of a user of the control plane, or of a node."""
        return self.directory / f"{user.removeprefix('system:')}.kubeconfig"

    @property
    def tokens(self) -> Path:
        """The API server's static tokens."""
        return self.directory / "tokens.csv"

    def make(self, settings: Settings) -> None:
        """Write all of it."""
        self.directory.mkdir(parents=True, mode=0o700)
        authority = self._authority("ca", "lab cluster")
        # What (Cluster)Issuers of kinds that need the world outside are answered with: controllers/certificates.py
        self._authority("issuer", "lab issuer")
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        addresses = [settings.control_plane, settings.api_service, "127.0.0.1"]
        self._signed(authority, "apiserver", "kube-apiserver", names=names, addresses=addresses)
        self._signed(authority, "kubelet-client", "kube-apiserver-kubelet-client", group="system:masters")
        for node in settings.node_names:
            self._signed(authority, node, f"system:node:{node}", "system:nodes",
                         names=[node], addresses=[settings.node_address(node)])  # fmt: skip
        write_key(self.key("accounts"), rsa.generate_private_key(65537, 2048))
        users = USERS | {f"system:node:{node}": "system:nodes" for node in settings.node_names}
        tokens = {user: secrets.token_hex(16) for user in users}
        lines = [f'{tokens[user]},{user},{number},"{group}"' for number, (user, group) in enumerate(users.items())]
        self.tokens.write_text("\n".join(lines) + "\n")
        for user, token in tokens.items():
            self._write_kubeconfig(self.kubeconfig(user), settings, token)

    def authority(self, name: str) -> Authority:
        """A CA that `make` wrote."""
        key = serialization.load_pem_private_key(self.key(name).read_bytes(), None)
        return Authority(x509.load_pem_x509_certificate(self.certificate(name).read_bytes()), key)  # type: ignore[arg-type]

    def _authority(self, name: str, common_name: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = (
            _builder(subject, subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self._write(name, certificate, key)
        return Authority(certificate, key)

    def _signed(
        self, authority: Authority, name: str, user: str, group: str = "",
        *, names: list[str] | None = None, addresses: list[str] | None = None,
    ) -> None:  # fmt: skip
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
        if group:
            subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
        builder = _builder(x509.Name(subject), authority.certificate.subject, key.public_key())
        alternatives: list[x509.GeneralName] = [x509.DNSName(each) for each in names or []]
        alternatives += [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses or []]
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(_usage(authority=False), critical=True)
            .sign(authority.key, hashes.SHA256())
        )
        self._write(name, certificate, key)

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate(name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        write_key(self.key(name), key)

    def _write_kubeconfig(self, path: Path, settings: Settings, token: str) -> None:
        authority = base64.b64encode(self.certificate("ca").read_bytes()).decode()
        path.touch(mode=0o600)
        path.write_text(f"""\
apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster: {{server: "https://{settings.control_plane}:6443", certificate-authority-data: {authority}}}
users:
- name: lab
  user: {{token: {token}}}
contexts:
- name: lab
  context: {{cluster: lab, user: lab}}
current-context: lab
""")


def write_key(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    """PKCS#8 PEM that only its owner reads."""
    path.touch(mode=0o600)
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip
