"""Where certificates come from, and the keys that DNS names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field

from model.settings.base import Section
from model.texts import ObjectName
from model.types import Email, Hostname
from model.urls import HttpsUrl


class AcmeDns01(Section):
    """Certificates from an ACME issuer by DNS-01 through Cloudflare, with an Issuer that this stack owns."""

    issuer: Literal["acme"]
    """Kind of certificate source."""
    email: Email
    """Contact of the ACME account."""
    server: HttpsUrl = "https://acme-v02.api.letsencrypt.org/directory"
    """Directory URL of the ACME issuer."""
    account_uri: HttpsUrl | None = None
    """URL of the ACME account once it exists; binds CAA to it (RFC 8657)."""
    own_token: bool = False
    """cert-manager gets a Cloudflare token of its own, kolab:acmeCloudflareToken, and not the one that publishes all records: whoever breaks into the cluster finds what that token may do."""
    caa: Hostname = "letsencrypt.org"
    """Name of the issuer in CAA records."""


class SelfSigned(Section):
    """A certificate authority of the stack's own, kept by cert-manager. Senders with MTA-STS or DANE-TA will not trust it."""

    issuer: Literal["selfSigned"]
    """Kind of certificate source."""


class ExistingIssuer(Section):
    """An Issuer or ClusterIssuer that is already there."""

    issuer: Literal["existing"]
    """Kind of certificate source."""
    name: ObjectName
    """Name of the issuer."""
    kind: Literal["Issuer", "ClusterIssuer"] = "ClusterIssuer"
    """Kind of the issuer object."""
    challenge: Literal["dns", "http"] | None = None
    """How the issuer proves names to an ACME authority. `dns`: it follows CNAMEs, and owners of foreign domains are asked for theirs. `http`: it has names that are proven by a file on port 80, where the proxy answers then, and certificates hold such names alone as lead to the proxy."""
    caa: Hostname | None = None
    """Name of the issuing authority in CAA records; no CAA is published without it."""


class ExistingSecrets(Section):
    """Certificates that somebody else puts into kubernetes.io/tls Secrets of the namespace."""

    issuer: Literal["secrets"]
    """Kind of certificate source."""
    proxy: ObjectName
    """Secret with the certificate of the web, IMAP and submission names."""
    mx: ObjectName
    """Secret with the certificate of the MX and HELO names."""
    sieve: ObjectName
    """Secret with the certificate of the ManageSieve name."""
    domains: dict[Hostname, ObjectName] = {}
    """Hosted domain -> Secret with the certificate of its mta-sts, autoconfig and autodiscover names, with a key of the same kind as that of `proxy`. What is not listed must be in the certificate of `proxy`."""
    caa: Hostname | None = None
    """Name of the issuing authority in CAA records; no CAA is published without it."""


Tls = Annotated[AcmeDns01 | SelfSigned | ExistingIssuer | ExistingSecrets, Discriminator("issuer")]


class TlsaKeys(Section):
    """Public halves of the MX key pairs (DANE, RFC 7672). Private halves: kolab:mxKey and kolab:mxNextKey."""

    current: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the current key's SubjectPublicKeyInfo, in hex."""
    next: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The same of the key that comes next; published before it is used."""
