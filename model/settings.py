"""The stack file as typed values. Every field is described: schema.json and the reference page are made from here.

Fields that shape mail are refused when they contradict each other by the rules in model/rules; this module
only knows what one value on its own may look like.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, PositiveInt
from pydantic.alias_generators import to_camel

from model.types import (
    Address,
    Addresses,
    Duration,
    Email,
    Hostname,
    KubernetesName,
    Network,
    Quantity,
    Size,
)

Mode = Literal["single-node", "cluster"]


class Section(BaseModel):
    """Base of every part of the stack file: unknown keys are errors, values never appear in messages."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class Kubernetes(Section):
    """Which cluster the stack lives in."""

    context: str | None = None
    """Context of the kubeconfig that reaches the cluster."""
    cluster_identifier: str | None = None
    """Your name for the cluster. Only a change of this name makes Pulumi replace everything, not an edited kubeconfig."""
    namespace: KubernetesName = "kolab"
    """Namespace of all pods but the log collector, which lives in `<namespace>-logs`."""
    render: str | None = None
    """Write manifests below this folder instead of talking to a cluster. For `local` and reviews, never for a real stack."""
    cluster_domain: str = "cluster.local"
    """DNS suffix of Services in this cluster."""


class PublicAddresses(Section):
    """Addresses that the stack claims on the load balancer, by what listens there."""

    all: Address | None = None
    """single-node: the one address that carries every port."""
    proxy: Address | None = None
    """cluster: HTTPS, IMAP and submission (nginx)."""
    smtp: Addresses = ()
    """cluster: port 25. The one place where an IPv6 address may stand beside the IPv4 one: Postfix listens on both."""
    turn: Address | None = None
    """cluster: TURN (coturn)."""
    sieve: Address | None = None
    """cluster: ManageSieve (Cyrus)."""
    meet: Address | None = None
    """cluster: media of Meet (WebRTC)."""


class EgressNodes(Section):
    """Mail leaves from the node that runs Postfix, so each such node is listed with what the world sees."""

    mode: Literal["nodes"]
    """Kind of egress."""
    nodes: Annotated[dict[KubernetesName, Addresses], Field(min_length=1)]
    """Node name -> its public source addresses. Postfix runs on these nodes only."""


class EgressGateway(Section):
    """An egress gateway or NAT outside of this stack gives all mail the same source."""

    mode: Literal["gateway"]
    """Kind of egress."""
    addresses: Annotated[Addresses, Field(min_length=1)]
    """Public source addresses of the gateway."""


class EgressRelay(Section):
    """A smarthost sends for us: its SPF include stands in for our addresses."""

    mode: Literal["relay"]
    """Kind of egress."""
    host: Hostname
    """Name of the smarthost."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Port of the smarthost."""
    username: str | None = None
    """SASL user; its password is the flat secret key kolab:relayPassword."""
    spf_include: Hostname | None = None
    """Domain whose SPF record lists the relay's addresses (`include:`)."""


Egress = Annotated[EgressNodes | EgressGateway | EgressRelay, Discriminator("mode")]


class Metallb(Section):
    """How MetalLB announces the addresses (layer 2)."""

    namespace: KubernetesName = "metallb-system"
    """Namespace where MetalLB itself runs: its pools are read only there."""
    interfaces: tuple[str, ...] = ()
    """Announce on these network interfaces only; empty means all."""


class Ingress(Section):
    """An Ingress controller in front of the web part. Mail ports stay with the proxy."""

    class_name: KubernetesName
    """Ingress class of the controller."""
    namespace: KubernetesName
    """Namespace of the controller's pods: X-Forwarded-For is believed from there alone."""
    controller_cidr: Network
    """Addresses of the controller's pods, for the proxy's real-IP module and TRUSTED_PROXIES."""
    addresses: Addresses = ()
    """Public addresses of the controller: A and AAAA of every web name. Mail names keep the proxy's address."""


class Networking(Section):
    """Addresses in, addresses out, and what lies between."""

    load_balancer: Literal["metallb", "hostPort"] = "metallb"
    """`hostPort` opens the ports on the node itself: a VPS whose only address is the node's own."""
    addresses: PublicAddresses = PublicAddresses()
    """Addresses claimed inside, on the load balancer."""
    public: dict[Address, Address] = {}
    """Claimed address -> address the world uses, where a NAT maps them; others are public themselves."""
    egress: Egress | None = None
    """What the world sees as the source of our mail. SPF, HELO, A/AAAA of the HELO name and PTR follow it."""
    announced_egress: Addresses = ()
    """Addresses that mail will leave from later: they stand in SPF, HELO and PTR now, so that every cache knows them on the day of the move."""
    pod_cidr: Network = Field(default="10.42.0.0/16", validate_default=True)
    """Addresses of pods. Nothing in it may be public, and no daemon trusts it as a mail client."""
    service_cidr: Network = Field(default="10.43.0.0/16", validate_default=True)
    """Addresses of Services."""
    edge_node: KubernetesName | None = None
    """single-node mode in a larger cluster: the one node that runs all public pods."""
    metallb: Metallb = Metallb()
    """MetalLB's own settings."""
    ingress: Ingress | None = None
    """Set when an Ingress controller answers 80 and 443 instead of the proxy."""


class Hosts(Section):
    """Public names. Empty ones are derived from the domain."""

    website: Hostname | None = None
    """Web interface, API and /webmail. Default: the domain itself."""
    mx: Hostname | None = None
    """Name in the MX record and in the certificate of port 25. Default: mx.<domain>."""
    helo: Hostname | None = None
    """Name Postfix says in EHLO; A/AAAA and PTR of every egress address. Default: mail.<domain>."""
    imap: Hostname | None = None
    """IMAP. Default: imap.<domain>."""
    smtp: Hostname | None = None
    """Submission. Default: smtp.<domain>."""
    sieve: Hostname | None = None
    """ManageSieve. Default: sieve.<domain>."""
    turn: Hostname | None = None
    """TURN. Default: turn.<domain>."""


class PtrManual(Section):
    """PTR records are set by a human at the owner of the addresses."""

    provider: Literal["manual"] = "manual"
    """Kind of reverse DNS."""


class PtrZones(Section):
    """Reverse zones that you run yourself, published through the same provider as the forward ones."""

    provider: Literal["zones"]
    """Kind of reverse DNS."""
    zones: Annotated[dict[str, str], Field(min_length=1)]
    """Reverse zone name (also RFC 2317 child zones such as 0-15.2.0.192.in-addr.arpa) -> zone id at the provider, or "" for zone files."""


Ptr = Annotated[PtrManual | PtrZones, Discriminator("provider")]


class Shard(Section):
    """One of several stacks that publish records: the engine's work grows with the square of a stack's size."""

    index: Annotated[int, Field(ge=0)]
    """Number of this stack, from 0."""
    count: Annotated[int, Field(ge=1)]
    """How many such stacks there are; changing it moves zones between them."""


class Dns(Section):
    """Who publishes the records."""

    provider: Literal["cloudflare", "zonefile"] = "zonefile"
    """`zonefile` leaves publishing to `python -m ops dns export|push`."""
    zones: dict[Hostname, str] = {}
    """Zone -> Cloudflare zone id ("" with zonefile). Hosted domains outside these zones get a CNAME sheet."""
    ttl: Annotated[int, Field(ge=60, le=86400)] = 3600
    """Seconds that resolvers keep our records."""
    shard: Shard | None = None
    """scope dns only: which part of the zones this stack publishes."""
    ptr: Ptr = PtrManual()
    """Reverse DNS."""
    dnssec: bool = False
    """Whether the zones are signed: without it no TLSA is published (RFC 7672 section 2.1)."""
    nameservers: dict[Hostname, Addresses] = {}
    """Authoritative servers -> their addresses (glue; needed only for names inside our zones). For NS and SOA of zone files; Cloudflare fills its own."""

    @property
    def zone_ids(self) -> dict[str, str]:
        """Zone -> id at the provider, forward and reverse ones."""
        reverse = self.ptr.zones if isinstance(self.ptr, PtrZones) else {}
        return {**self.zones, **reverse}


class Mx(Section):
    """Whether the world may send us mail yet."""

    stage: Literal["hold", "live"] = "hold"
    """`hold` publishes everything but MX, _mta-sts and what leads mail clients here (autodiscover, autoconfig, SRV), so a first `up` never empties a live domain."""
    preference: Annotated[int, Field(ge=0, le=65535)] = 10
    """Preference of our MX."""


DkimStage = Literal["staged", "published", "active", "retired", "revoked"]
SELECTOR = r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"
"""Names of DKIM keys."""
Selector = Annotated[str, Field(pattern=SELECTOR)]


class DkimSelector(Section):
    """One DKIM key. Its private half is the flat secret key kolab:dkimKey-<selector>."""

    stage: DkimStage
    """staged -> published -> active -> retired (11 days or more) -> revoked -> removed from this file."""
    public_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
    """Base64 of the DER SubjectPublicKeyInfo: the p= of the record (RFC 6376 section 3.6.1)."""
    since: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """Day on which this stage began, written by `python -m ops dkim`."""


class Dkim(Section):
    """Keys that sign outgoing mail, all domains alike."""

    selectors: dict[Selector, DkimSelector] = {}
    """Selector -> key."""
    reserved: tuple[Selector, ...] = ()
    """Names of selectors to come. Owners of foreign domains publish their CNAMEs now, so that rotations never need them."""


class MtaSts(Section):
    """Policy that makes senders refuse forged or unencrypted MX hosts (RFC 8461)."""

    stage: Literal["none", "testing", "enforce", "removing"] = "none"
    """none -> testing -> enforce, one step at a time; back to none only through removing, which serves `mode: none` until every sender has forgotten the old policy (RFC 8461 section 8.3)."""
    max_age: Annotated[int, Field(ge=86400, le=31557600)] = 604800
    """Seconds that senders keep the policy. While removing: the largest value ever served."""
    since: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    """Day on which this stage began, written by ops; the earliest safe end of `removing` counts from here."""


class Dmarc(Section):
    """What receivers do with mail that claims our domains and does not pass (RFC 9989)."""

    policy: Literal["none", "quarantine", "reject"] = "none"
    """p="""
    subdomain_policy: Literal["none", "quarantine", "reject"] | None = None
    """sp="""
    nonexistent_policy: Literal["none", "quarantine", "reject"] | None = "reject"
    """np="""
    testing: bool = False
    """t=y: receivers apply one level less."""
    rua: tuple[Email, ...] = ()
    """Where aggregate reports go. Default: dmarc-reports@ the primary domain."""


class Reports(Section):
    """Mail addresses that DNS names; all must be deliverable here or elsewhere."""

    tls_rpt: Email | None = None
    """TLS reports (RFC 8460). Default: tls-reports@ the primary domain."""
    caa_iodef: Email | None = None
    """Certificate mis-issue reports (RFC 8659). Default: postmaster@ the primary domain."""


class Mail(Section):
    """Mail identity and limits."""

    mx: Mx = Mx()
    """Inbound switch."""
    dkim: Dkim = Dkim()
    """Signing keys."""
    mta_sts: MtaSts = MtaSts()
    """Inbound transport policy."""
    dmarc: Dmarc = Dmarc()
    """Outbound authentication policy."""
    reports: Reports = Reports()
    """Report addresses."""
    spf_all: Literal["~all", "-all"] = "~all"
    """End of SPF records; ~all keeps forwarded mail judged by DKIM and DMARC instead of refused at once."""
    postmaster: Email | None = None
    """Existing mailbox that receives postmaster@ and abuse@ of every domain (RFC 5321 section 4.5.1). Required before mx.stage: live."""
    message_size_limit: Size = "50Mi"
    """Largest accepted message. Above 10Mi the content filter must stay off: the web application takes no more."""
    content_filter: bool = False
    """Run mail through the web application's filter (invitations, external-sender notes)."""
    antivirus: bool = False
    """ClamAV beside Amavis: about 2 GiB of memory more."""
    signature_lifetime_days: Literal[10] = 10
    """Lifetime (x=) that Amavis gives its signatures; fixed upstream."""


class AcmeDns01(Section):
    """Certificates from an ACME issuer by DNS-01 through Cloudflare, with an Issuer that this stack owns."""

    issuer: Literal["acme"]
    """Kind of certificate source."""
    email: Email
    """Contact of the ACME account."""
    server: str = "https://acme-v02.api.letsencrypt.org/directory"
    """Directory URL of the ACME issuer."""
    account_uri: str | None = None
    """URL of the ACME account once it exists; binds CAA to it (RFC 8657)."""
    caa: str = "letsencrypt.org"
    """Name of the issuer in CAA records."""


class SelfSigned(Section):
    """A certificate authority of the stack's own, kept by cert-manager. Senders with MTA-STS or DANE-TA will not trust it."""

    issuer: Literal["selfSigned"]
    """Kind of certificate source."""


class ExistingIssuer(Section):
    """An Issuer or ClusterIssuer that is already there."""

    issuer: Literal["existing"]
    """Kind of certificate source."""
    name: KubernetesName
    """Name of the issuer."""
    kind: Literal["Issuer", "ClusterIssuer"] = "ClusterIssuer"
    """Kind of the issuer object."""
    caa: str | None = None
    """Name of the issuing authority in CAA records; no CAA is published without it."""


class ExistingSecrets(Section):
    """Certificates that somebody else puts into kubernetes.io/tls Secrets of the namespace."""

    issuer: Literal["secrets"]
    """Kind of certificate source."""
    proxy: KubernetesName
    """Secret with the certificate of the web, IMAP and submission names."""
    mx: KubernetesName
    """Secret with the certificate of the MX and HELO names."""
    sieve: KubernetesName
    """Secret with the certificate of the ManageSieve name."""
    caa: str | None = None
    """Name of the issuing authority in CAA records; no CAA is published without it."""


Tls = Annotated[AcmeDns01 | SelfSigned | ExistingIssuer | ExistingSecrets, Discriminator("issuer")]


class TlsaKeys(Section):
    """Public halves of the MX key pairs (DANE, RFC 7672). Private halves: kolab:mxKey and kolab:mxNextKey."""

    current: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the current key's SubjectPublicKeyInfo, in hex."""
    next: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The same of the key that comes next; published before it is used."""


class Alerts(Section):
    """Where Alertmanager sends."""

    email: Email | None = None
    """Mailbox, better one outside of this stack."""
    webhook: str | None = None
    """URL that takes Alertmanager's JSON."""


class Monitoring(Section):
    """Prometheus, Alertmanager, VictoriaLogs, vector, blackbox and Postfix exporters."""

    enabled: bool = True
    """Whether any of it runs."""
    retention: Duration = "15d"
    """How long metrics are kept."""
    logs_retention: Duration = "7d"
    """How long logs are kept."""
    alerts: Alerts = Alerts()
    """Receivers of alerts."""


class Volume(Section):
    """One persistent volume."""

    size: Size
    """Requested size; it can grow later, never shrink."""
    storage_class: str | None = None
    """Storage class; the cluster's default when empty. Changing it later means moving the data by hand."""


def _volume(size: str) -> Volume:
    return Volume(size=size)


class Storage(Section):
    """Volumes that hold what must not be lost."""

    protect: bool = True
    """Refuse deletion and replacement of data. Only a throw-away stack turns this off."""
    access_mode: Literal["ReadWriteOnce", "ReadWriteOncePod"] = "ReadWriteOncePod"
    """ReadWriteOncePod keeps a second pod off the data; ReadWriteOnce for provisioners that do not know it."""
    mailboxes: Volume = _volume("50Gi")
    """Mail, calendars, contacts (/var/spool/imap)."""
    imap_state: Volume = _volume("5Gi")
    """mailboxes.db, sieve, seen state (/var/lib/imap). Back it up together with mailboxes."""
    queue: Volume = _volume("5Gi")
    """Postfix queue, one per replica."""
    database: Volume = _volume("10Gi")
    """MariaDB."""
    redis: Volume = _volume("2Gi")
    """Job queue and sessions."""
    files: Volume = _volume("20Gi")
    """MinIO."""
    metrics: Volume = _volume("10Gi")
    """Prometheus."""
    logs: Volume = _volume("10Gi")
    """VictoriaLogs."""
    filters: Volume = _volume("2Gi")
    """SpamAssassin and ClamAV databases, one per Postfix replica."""


class ImagesRegistry(Section):
    """Where images come from."""

    registry: str = "quay.io/apheleiait/kolab"
    """Prefix of the Kolab images; point it at a mirror for a closed network."""
    mirror: str | None = None
    """Prefix put before every other image (docker.io/..., quay.io/...), for a closed network."""
    tag: str = "latest"
    """Tag of the Kolab images; upstream publishes only `latest`, so real stacks pin digests."""
    digests: dict[str, Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]] = {}
    """Image name (postfix, imap, ...) -> digest; wins over the tag."""
    pull_secret: KubernetesName | None = None
    """Existing pull Secret."""


class Features(Section):
    """Optional parts."""

    meet: bool = True
    """Video conferences."""
    turn: bool = True
    """TURN relay for Meet clients behind strict firewalls."""
    office: bool = True
    """Collabora."""
    files: bool = True
    """File storage (MinIO or another S3)."""
    activesync: bool = True
    """ActiveSync for mobile devices (Syncroton): one PHP worker per waiting device."""


class ExternalDatabase(Section):
    """A MariaDB that somebody else runs (one writable endpoint on port 3306)."""

    host: Hostname
    """Name of the endpoint."""
    cidr: Network
    """Its addresses, for the NetworkPolicy."""


class ExternalRedis(Section):
    """A Redis that somebody else runs (port 6379, no cluster protocol)."""

    host: Hostname
    """Name of the endpoint."""
    cidr: Network
    """Its addresses, for the NetworkPolicy."""


class ExternalS3(Section):
    """An S3 service instead of MinIO. Access key: kolab:s3AccessKey, kolab:s3SecretKey."""

    endpoint: Annotated[str, Field(pattern=r"^https://")]
    """URL of the service."""
    region: str = "us-east-1"
    """Region name."""
    bucket: str
    """Existing bucket."""
    cidr: Network
    """Its addresses, for the NetworkPolicy."""


class External(Section):
    """Data engines outside of the stack."""

    database: ExternalDatabase | None = None
    """Instead of MariaDB. Databases `kolabdev` and `roundcube` (utf8mb4) must exist, each with a user of its name who has
    all rights on it (kolab:databasePassword, kolab:roundcubeDatabasePassword). The stack makes the tables as these
    users, and asks for no password of root."""
    redis: ExternalRedis | None = None
    """Instead of Redis."""
    s3: ExternalS3 | None = None
    """Instead of MinIO."""


class Replicas(Section):
    """Pods of what may run more than once. single-node mode runs one of each."""

    proxy: PositiveInt = 2
    """nginx."""
    webapp: PositiveInt = 2
    """Octane."""
    roundcube: PositiveInt = 2
    """Webmail, ActiveSync, Chwala."""
    postfix: PositiveInt = 2
    """Postfix with Amavis, each with a queue of its own."""


class MeetMedia(Section):
    """Size of Meet."""

    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Media workers; each opens one port from 44444 upwards, UDP and TCP."""


class Resources(Section):
    """CPU and memory of one daemon. The memory limit equals the request unless given."""

    cpu: Quantity | None = None
    """Requested CPU."""
    memory: Size | None = None
    """Requested memory."""
    memory_limit: Size | None = None
    """Limit of memory."""


class Acknowledgement(Section):
    """A deliberate exception from one rule, with the reason that a reviewer reads."""

    rule: str
    """Id of the rule, as printed in its finding."""
    subject: str = "*"
    """Resource or key the exception is for; * for all."""
    reason: Annotated[str, Field(min_length=10)]
    """Why this is right here."""


class Settings(Section):
    """Everything a stack file says, except the secrets."""

    mode: Mode
    """single-node: everything on one address and one node. cluster: an address per daemon, replicas, spread."""
    domain: Hostname
    """Primary mail domain; IDN may be written in Unicode."""
    hosted_domains: tuple[Hostname, ...] = ()
    """Further mail domains served by this stack."""
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
    tls: Tls = SelfSigned(issuer="selfSigned")
    """Certificates."""
    tlsa: TlsaKeys | None = None
    """DANE."""
    monitoring: Monitoring = Monitoring()
    """Metrics, logs, alerts."""
    storage: Storage = Storage()
    """Volumes."""
    images: ImagesRegistry = ImagesRegistry()
    """Container images."""
    features: Features = Features()
    """Optional parts."""
    external: External = External()
    """Data engines outside of the stack."""
    replicas: Replicas = Replicas()
    """Pods."""
    meet: MeetMedia = MeetMedia()
    """Meet."""
    resources: dict[str, Resources] = {}
    """Daemon name, or `amavis` or `postfix-exporter` beside Postfix -> CPU and memory instead of the defaults."""
    passport_public_key: str | None = None
    """Public half of the OAuth key pair, written by `python -m ops secrets`."""
    acknowledge: tuple[Acknowledgement, ...] = ()
    """Deliberate exceptions."""

    @property
    def domains(self) -> tuple[str, ...]:
        """Primary domain first, then the hosted ones, each once."""
        return tuple(dict.fromkeys((self.domain, *self.hosted_domains)))

    @property
    def single_node(self) -> bool:
        """Whether everything shares one address and one node."""
        return self.mode == "single-node"

    def acknowledged(self, rule: str, subject: str) -> bool:
        """Whether the operator has accepted `rule` for `subject`."""
        return any(a.rule == rule and a.subject in ("*", subject) for a in self.acknowledge)
