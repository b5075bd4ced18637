"""Certificates of the public names, kept by cert-manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, core, meta

from components import content
from components.daemon import Site
from components.labels import labels_of
from model.settings import AcmeDns01, ExistingIssuer, ExistingSecrets, Tls

_API = "cert-manager.io/v1"


@dataclass(frozen=True)
class StableKey:
    """A private key that DNS names (TLSA): its PEM, and the SHA-256 of its public half in hex."""

    pem: pulumi.Input[str]
    hash: str


@dataclass(frozen=True)
class HostCertificate:
    """Host names, and the Secret with the certificate that they show."""

    hosts: Sequence[str]
    secret: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class CertificatesArgs:
    """Inputs of Certificates: host names by certificate, in the order of the certificate's names.

    `domains` are hosted domains, each with its names.
    """

    tls: Tls
    proxy: Sequence[str]
    mx: Sequence[str]
    sieve: Sequence[str]
    domains: Mapping[str, Sequence[str]]
    cloudflare_token: pulumi.Input[str] | None = None
    mx_key: StableKey | None = None


class Certificates(pulumi.ComponentResource):
    """The Secrets `proxy`, `mx` and `sieve`, those of hosted `domains`, and what keeps them fresh.

    A domain's Secret comes when its owner has pointed its names here, which may be never.

    Made in two steps: names of ours, and with `start` those of hosted domains.
    """

    proxy: pulumi.Input[str]
    mx: pulumi.Input[str]
    sieve: pulumi.Input[str]
    domains: Mapping[str, HostCertificate]

    def __init__(
        self, name: str, site: Site, args: CertificatesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kolab:index:Certificates", name, {}, opts)
        self._name, self._site = name, site
        self._hosted: dict[str, dict[str, object]] = {}
        if isinstance(args.tls, ExistingSecrets):
            self.proxy, self.mx, self.sieve = args.tls.proxy, args.tls.mx, args.tls.sieve
            self.domains = {
                domain: HostCertificate(args.domains[domain], secret)
                for domain, secret in args.tls.domains.items()
                if domain in args.domains
            }
        else:
            issuer = self._issuer(args)
            self.proxy = self._certificate("proxy", args.proxy, issuer, at_once=_asks_the_proxy(args.tls))
            self.mx = self._certificate("mx", args.mx, issuer, args.mx_key)
            self.sieve = self._certificate("sieve", args.sieve, issuer)
            secrets = {domain: f"tls.{domain}" for domain in args.domains}
            self.domains = {
                domain: HostCertificate(args.domains[domain], secret) for domain, secret in secrets.items()
            }
            self._hosted = {
                secret: _wanted(secret, args.domains[domain], issuer) for domain, secret in secrets.items()
            }

    def start(self, after: Sequence[pulumi.Resource]) -> None:
        """Asks for the certificates of hosted domains once `after` has shown that ours are there: an authority issues so
        many an hour, and cert-manager works at so many names at a time, those of careless owners among them."""
        for secret, spec in self._hosted.items():
            self._object(secret, "Certificate", secret, spec, after=after)
        self.register_outputs({})

    def _issuer(self, args: CertificatesArgs) -> dict[str, str]:
        if isinstance(args.tls, ExistingIssuer):
            return {"name": args.tls.name, "kind": args.tls.kind, "group": "cert-manager.io"}
        if isinstance(args.tls, AcmeDns01):
            return self._make_issuer("acme", {"acme": self._acme(args.tls, args.cloudflare_token)})
        root = self._make_issuer("self-signed", {"selfSigned": {}})
        self._object(
            "authority",
            "Certificate",
            "kolab-authority",
            {
                "isCA": True,
                "commonName": "Kolab",
                "secretName": "kolab-authority",
                "duration": "87600h",
                "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
                "issuerRef": root,
            },
        )
        return self._make_issuer("authority", {"ca": {"secretName": "kolab-authority"}})

    def _acme(self, tls: AcmeDns01, token: pulumi.Input[str] | None) -> dict[str, object]:
        data = {"token": token or ""}
        secret = core.v1.Secret(
            f"{self._name}-dns-token",
            metadata=self._meta(content.secret_name("dns-token", data, self._site.salt)),
            string_data=data,
            immutable=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        cloudflare = {"apiTokenSecretRef": {"name": secret.metadata.name, "key": "token"}}
        # Owners of foreign domains point _acme-challenge at our zone, once; see the CNAME sheet.
        solver = {"dns01": {"cnameStrategy": "Follow", "cloudflare": cloudflare}}
        return {
            "server": tls.server,
            "email": tls.email,
            "privateKeySecretRef": {"name": "kolab-acme-account"},
            "solvers": [solver],
        }

    def _make_issuer(self, role: str, spec: dict[str, object]) -> dict[str, str]:
        self._object(f"{role}-issuer", "Issuer", f"kolab-{role}", spec)
        return {"name": f"kolab-{role}", "kind": "Issuer", "group": "cert-manager.io"}

    def _certificate(
        self,
        role: str,
        names: Sequence[str],
        issuer: dict[str, str],
        key: StableKey | None = None,
        *,
        at_once: bool = False,
    ) -> pulumi.Input[str]:
        name = f"{role}-certificate"
        secret: pulumi.Input[str] = name
        if key is not None:
            # A key of its own has a Secret of its own: the switch to the next key rolls Postfix onto that one.
            name = f"{name}-{key.hash[:10]}"
            secret = self._hand_over(role, name, key)
        # The proxy does not start without a certificate, and answers whoever asks for proof before there is one: until then
        # it has one that nobody trusts (cert-manager: internal/controller/certificates/policies, temporary certificates).
        annotations = {"cert-manager.io/issue-temporary-certificate": "true"} if at_once else None
        self._object(role, "Certificate", name, _wanted(secret, names, issuer), annotations=annotations)
        return secret

    def _hand_over(self, role: str, name: str, key: StableKey) -> pulumi.Output[str]:
        """Puts `key` where cert-manager finds it and keeps using it (rotationPolicy Never).

        Returns the Secret's name, as an output: a Certificate that comes first makes cert-manager make a key of its
        own there, which no record names.
        """
        made = core.v1.Secret(
            f"{self._name}-{role}-key-{key.hash[:10]}",
            metadata=self._meta(name),
            # The type kubernetes.io/tls asks for a certificate, and whatever stood in its place Postfix would start with. A type
            # stays for ever: cert-manager fills this one as it is (pkg/controller/certificates/issuing/internal/secret.go).
            type="Opaque",
            string_data={"tls.key": key.pem},
            # From here on the certificate and its annotations are cert-manager's.
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["data", "stringData", "metadata.annotations", "type"]
            ),
        )
        return made.metadata.name

    def _object(
        self,
        role: str,
        kind: str,
        name: str,
        spec: dict[str, object],
        *,
        annotations: Mapping[str, str] | None = None,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        apiextensions.CustomResource(
            f"{self._name}-{role}",
            api_version=_API,
            kind=kind,
            metadata=self._meta(name, annotations),
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )

    def _meta(
        self, name: pulumi.Input[str], annotations: Mapping[str, str] | None = None
    ) -> meta.v1.ObjectMetaArgs:
        return meta.v1.ObjectMetaArgs(
            name=name,
            namespace=self._site.namespace,
            labels=labels_of("certificates"),
            annotations=annotations,
        )


def _asks_the_proxy(tls: Tls) -> bool:
    return isinstance(tls, ExistingIssuer) and tls.challenge == "http"


def _wanted(secret: pulumi.Input[str], names: Sequence[str], issuer: Mapping[str, str]) -> dict[str, object]:
    """What cert-manager shall keep in a Secret."""
    return {
        "secretName": secret,
        "dnsNames": list(names),
        "issuerRef": dict(issuer),
        # The same key at each renewal: a published TLSA 3 1 1 holds its hash (RFC 7671 section 5.1).
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
        "usages": ["digital signature", "server auth"],
    }
