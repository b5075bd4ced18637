"""The stack file as typed values. Every field is described: schema.json and the reference page are made from here.

Fields that shape mail are refused when they contradict each other by the rules in model/rules; this module
only knows what one value on its own may look like.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from model.settings.acknowledgement import Acknowledgement
from model.settings.backup import Backup, RestRepository, S3Repository
from model.settings.base import Section
from model.settings.dns import Caa, Dns, Hosts, Ptr, PtrManual, PtrZones, Shard
from model.settings.domains import DomainSettings
from model.settings.extra import Extra
from model.settings.kubernetes import Kubernetes, KubernetesApi, Toleration
from model.settings.mail import (
    SELECTOR,
    Dkim,
    DkimSelector,
    DkimStage,
    Dmarc,
    Mail,
    MtaSts,
    Mx,
    OtherMx,
    Outbound,
    RateLimits,
    Reports,
    Selector,
    Senders,
)
from model.settings.monitoring import Alerts, Monitoring, PrometheusOperator, ReportReader, RoundTrip
from model.settings.network import (
    ClusterDns,
    Egress,
    EgressGateway,
    EgressNodes,
    EgressRelay,
    InternalPeers,
    Metallb,
    Networking,
    PublicAddresses,
)
from model.settings.passwords import Passwords
from model.settings.storage import (
    External,
    ExternalDatabase,
    ExternalRedis,
    ExternalS3,
    Files,
    FilesEngine,
    Mariadb,
    Storage,
    Volume,
)
from model.settings.tls import AcmeDns01, ExistingIssuer, ExistingSecrets, SelfSigned, Tls, TlsaKeys
from model.settings.web_server import Gateway, Ingress
from model.settings.workloads import Features, ImagesRegistry, MeetMedia, Replicas, Resources
from model.texts import DaemonName, PublicPem, SecretKey
from model.types import Hostname

__all__ = [
    "SELECTOR",
    "Acknowledgement",
    "AcmeDns01",
    "Alerts",
    "Backup",
    "Caa",
    "ClusterDns",
    "Dkim",
    "DkimSelector",
    "DkimStage",
    "Dmarc",
    "Dns",
    "DomainSettings",
    "Egress",
    "EgressGateway",
    "EgressNodes",
    "EgressRelay",
    "ExistingIssuer",
    "ExistingSecrets",
    "External",
    "ExternalDatabase",
    "ExternalRedis",
    "ExternalS3",
    "Extra",
    "Features",
    "Files",
    "FilesEngine",
    "Gateway",
    "Hosts",
    "ImagesRegistry",
    "Ingress",
    "InternalPeers",
    "Kubernetes",
    "KubernetesApi",
    "Mail",
    "Mariadb",
    "MeetMedia",
    "Metallb",
    "Mode",
    "Monitoring",
    "MtaSts",
    "Mx",
    "Networking",
    "OtherMx",
    "Outbound",
    "Passwords",
    "PrometheusOperator",
    "Ptr",
    "PtrManual",
    "PtrZones",
    "PublicAddresses",
    "RateLimits",
    "Replicas",
    "ReportReader",
    "Reports",
    "Resources",
    "RestRepository",
    "RoundTrip",
    "S3Repository",
    "Section",
    "Selector",
    "SelfSigned",
    "Senders",
    "Settings",
    "Shard",
    "Storage",
    "Tls",
    "TlsaKeys",
    "Toleration",
    "Volume",
]

Mode = Literal["single-node", "cluster"]


class Settings(Section):
    """Everything a stack file says, except the secrets."""

    mode: Mode
    """single-node: everything on one address and one node. cluster: an address per daemon, replicas, spread."""
    domain: Hostname
    """Primary mail domain; IDN may be written in Unicode."""
    hosted_domains: tuple[Hostname, ...] = ()
    """Further mail domains served by this stack."""
    per_domain: dict[Hostname, DomainSettings] = Field(default={}, alias="domains")
    """Mail domain -> what it has of its own."""
    scope: Literal["all", "cluster", "dns"] = "all"
    """What this stack manages. Above 100 hosted domains, Cloudflare records move to stacks of their own (`dns`, see dns.shard) and the main one keeps `cluster`."""
    example: bool = False
    """Marks a stack that is never deployed: documentation addresses are allowed there and nowhere else."""
    kubernetes: Kubernetes = Kubernetes()
    """Cluster."""
    network: Networking = Networking()
    """Addresses."""
    hosts: Hosts = Hosts()
    """Public names."""
    dns: Dns = Dns()
    """Publishing of records."""
    mail: Mail = Mail()
    """Mail identity."""
    passwords: Passwords = Passwords()
    """What people's passwords must be like."""
    tls: Tls = SelfSigned(issuer="selfSigned")
    """Certificates."""
    tlsa: TlsaKeys | None = None
    """DANE."""
    monitoring: Monitoring = Monitoring()
    """Metrics, logs, alerts."""
    storage: Storage = Storage()
    """Volumes."""
    backup: Backup | None = None
    """Backups of what must not be lost."""
    images: ImagesRegistry = ImagesRegistry()
    """Container images."""
    features: Features = Features()
    """Optional parts."""
    files: Files = Files()
    """The server of people's files."""
    external: External = External()
    """Data engines outside of the stack."""
    mariadb: Mariadb = Mariadb()
    """MariaDB, where nobody else runs it."""
    replicas: Replicas = Replicas()
    """Pods."""
    meet: MeetMedia = MeetMedia()
    """Meet."""
    size: Literal["small", "medium", "large"] = "small"
    """How many people: small for ten, medium for a hundred, large for a thousand. Requests and limits of all containers follow (docs/reference/sizes.md); what runs more than once is `replicas`."""
    resources: dict[DaemonName, Resources] = {}
    """Daemon name, or `amavis`, `postfix-exporter` or `unbound` beside Postfix -> CPU and memory instead of the defaults."""
    extra: Extra = Extra()
    """Lines of your own for the daemons."""
    passport_public_key: PublicPem | None = None
    """Public half of the OAuth key pair, written by `./kolab secrets`."""
    rotations: dict[SecretKey, Annotated[int, Field(ge=1, le=9999)]] = {}
    """Secret -> how often it was rotated. `./kolab secrets rotate` counts here, so that a review sees it and no secret changes by accident."""
    acknowledge: tuple[Acknowledgement, ...] = ()
    """Deliberate exceptions."""

    @property
    def domains(self) -> tuple[str, ...]:
        """Primary domain first, then the hosted ones, each once."""
        return tuple(dict.fromkeys((self.domain, *self.hosted_domains)))

    @property
    def unlimited_domains(self) -> tuple[str, ...]:
        """Domains whose people may send as much as they like."""
        given = self.mail.rate_limits.unlimited
        return self.domains if given is None else given

    def stage_of(self, domain: str) -> Literal["hold", "shadow", "live"]:
        """Whether the world may send mail of `domain` here."""
        own = self.per_domain.get(domain)
        return self.mail.mx.stage if own is None or own.stage is None else own.stage

    @property
    def taking(self) -> tuple[str, ...]:
        """Domains whose mail may arrive here."""
        return tuple(domain for domain in self.domains if self.stage_of(domain) != "hold")

    @property
    def live(self) -> tuple[str, ...]:
        """Domains whose mail and mail clients are led here, and whose policies are ours."""
        return tuple(domain for domain in self.domains if self.stage_of(domain) == "live")

    def senders_of(self, domain: str) -> Senders:
        """Others who may send in the name of `domain`."""
        own = self.per_domain.get(domain)
        return self.mail.senders if own is None or own.senders is None else own.senders

    def dmarc_of(self, domain: str) -> Dmarc:
        """DMARC policy of `domain`."""
        own = self.per_domain.get(domain)
        return self.mail.dmarc if own is None or own.dmarc is None else own.dmarc

    def mta_sts_of(self, domain: str) -> MtaSts:
        """MTA-STS policy of `domain`."""
        own = self.per_domain.get(domain)
        return self.mail.mta_sts if own is None or own.mta_sts is None else own.mta_sts

    @property
    def own_policies(self) -> tuple[str, ...]:
        """Domains with an MTA-STS policy of their own."""
        return tuple(d for d in self.domains if (own := self.per_domain.get(d)) and own.mta_sts is not None)

    def other_mx_of(self, domain: str) -> tuple[OtherMx, ...]:
        """Servers of somebody else in the MX of `domain`."""
        own = self.per_domain.get(domain)
        return self.mail.mx.others if own is None or own.other_mx is None else own.other_mx

    def caa_of(self, domain: str) -> Caa:
        """Authorities beside ours for the names of `domain`."""
        own = self.per_domain.get(domain)
        return self.dns.caa if own is None or own.caa is None else own.caa

    @property
    def single_node(self) -> bool:
        """Whether everything shares one address and one node."""
        return self.mode == "single-node"

    def pods(self, name: str) -> int:
        """How many pods there are of what may run more than once (a field of `replicas`)."""
        return 1 if self.single_node else int(getattr(self.replicas, name))

    @property
    def http_challenges(self) -> bool:
        """Whether the proxy answers authorities that ask port 80 for proof of a name (HTTP-01)."""
        return self.tls.issuer == "existing" and self.tls.challenge == "http"

    @property
    def database_release(self) -> str:
        """The release of the stack's own MariaDB; empty where somebody else runs the database."""
        return "" if self.external.database else self.mariadb.release

    @property
    def own_files(self) -> bool:
        """Whether files are kept by a server of this stack."""
        return self.features.files and self.external.s3 is None

    @property
    def own_minio(self) -> bool:
        """Whether MinIO runs here."""
        return self.own_files and self.files.minio

    @property
    def own_gateway(self) -> bool:
        """Whether Versity Gateway runs here."""
        return self.own_files and self.files.gateway

    def acknowledged(self, rule: str, subject: str) -> bool:
        """Whether the operator has accepted `rule` for `subject`."""
        return any(a.rule == rule and a.subject in ("*", subject) for a in self.acknowledge)
