"""Certificates and tokens of the cluster, made anew for each life of it."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab import signing
from tests.lab.settings import Settings
from tests.lab.signing import Authority

# user of a static token -> its groups
_USERS = {
    "admin": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
}


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
        return self.directory / f"{user.removeprefix('system:').replace(':', '-')}.kubeconfig"

    @property
    def tokens(self) -> Path:
        """The API server's static tokens."""
        return self.directory / "tokens.csv"

    def make(self, settings: Settings) -> None:
        """Write all of it."""
        self.directory.mkdir(parents=True, mode=0o700)
        authority = signing.authority("lab cluster")
        self._write("ca", authority.certificate, authority.key)
        # Answers for issuers that would need the world outside: controllers/certificates.py
        public = signing.authority("lab issuer")
        self._write("issuer", public.certificate, public.key)
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        addresses = [settings.control_plane, settings.api_service, "127.0.0.1"]
        self._signed(authority, "apiserver", signing.name("kube-apiserver"), names, addresses)
        self._signed(authority, "kubelet-client", signing.name("kube-apiserver", "system:masters"))
        for node in settings.node_names:
            subject = signing.name(f"system:node:{node}", "system:nodes")
            self._signed(authority, node, subject, [node], [settings.node_address(node)])
        signing.write_key(self.key("accounts"), rsa.generate_private_key(65537, 2048))
        users = _USERS | {f"system:node:{node}": "system:nodes" for node in settings.node_names}
        tokens = {user: secrets.token_hex(16) for user in users}
        lines = [
            f'{tokens[user]},{user},{number},"{group}"' for number, (user, group) in enumerate(users.items())
        ]
        self.tokens.touch(mode=0o600)
        self.tokens.write_text("\n".join(lines) + "\n")
        for user, token in tokens.items():
            self._write_kubeconfig(self.kubeconfig(user), settings, token)

    def _signed(
        self,
        authority: Authority,
        name: str,
        subject: x509.Name,
        names: list[str] | None = None,
        addresses: list[str] | None = None,
    ) -> None:
        key = signing.new_key()
        alternatives: list[x509.GeneralName] = [x509.DNSName(each) for each in names or []]
        alternatives += [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses or []]
        self._write(name, signing.sign(subject, key, authority, alternatives=alternatives), key)

    def _write(self, name: str, certificate: x509.Certificate, key: signing.PrivateKey) -> None:
        self.certificate(name).write_bytes(signing.certificate_pem(certificate))
        signing.write_key(self.key(name), key)

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
