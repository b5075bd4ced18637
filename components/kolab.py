"""The stack: reads the settings once and gives each component what it needs. Nothing is decided elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pulumi

from components.amavis import AmavisArgs
from components.certificates import Certificates, CertificatesArgs, StableKey
from components.collabora import Collabora, CollaboraArgs
from components.coturn import Coturn, CoturnArgs
from components.daemon import Site
from components.exposure import Exposure, ExposureArgs
from components.guard import Guard
from components.imap import Imap, ImapArgs
from components.mariadb import Mariadb, MariadbArgs
from components.meet import Meet, MeetArgs
from components.minio import BUCKET, USER, Minio, MinioArgs
from components.namespaces import Namespaces
from components.pods import Placement
from components.policies import Policies, PoliciesArgs
from components.postfix import Postfix, PostfixArgs, Relay
from components.proxy import Proxy, ProxyArgs
from components.redis import Redis, RedisArgs
from components.roundcube import Roundcube, RoundcubeArgs
from components.webapp import FileStore, Webapp, WebappArgs
from model import images, topology
from model.identity import mta_sts, spf
from model.names import Names
from model.settings import Settings
from model.sizing import Size, size_of
from model.types import bytes_of

Secrets = Callable[[str], pulumi.Output[str]]
"""Gives the secret of a flat key, tracked as such."""


class Kolab(pulumi.ComponentResource):
    """Everything in the cluster. `proxy` serves the MTA-STS policy, which DNS may name only then."""

    proxy: Proxy

    def __init__(
        self, settings: Settings, secret: Secrets, guard: Guard, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kolab:index:Kolab", "kolab", {}, opts)
        self._settings, self._secret = settings, secret
        self._names = Names.of(settings)
        namespaces = Namespaces(
            "namespace",
            guard,
            namespace=settings.kubernetes.namespace,
            # A port on the node is more than the baseline level allows.
            level="privileged" if settings.network.load_balancer == "hostPort" else "baseline",
            logs=settings.monitoring.enabled,
            opts=self._child(),
        )
        self._site = Site(
            namespace=namespaces.main,
            salt=secret("contentSalt"),
            guard=guard,
            access_mode=settings.storage.access_mode,
            pull_secret=settings.images.pull_secret,
        )
        certificates = self._certificates()
        self._policies(namespaces)
        self._expose()
        self._data()
        self._web(certificates)
        self._mail(certificates)
        self.register_outputs({})

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _image(self, name: str) -> str:
        return images.reference(self._settings.images, name)

    def _size(self, name: str) -> Size:
        return size_of(self._settings, name)

    def _claimed(self, claim: str) -> str:
        return topology.claimed_addresses(self._settings)[claim][0]

    def _edge(self) -> Placement:
        """Where public pods run: on the one edge node in single-node mode, anywhere in a cluster."""
        if not self._settings.single_node:
            return Placement()
        node = topology.edge_node(self._settings)
        return Placement(nodes=(node,) if node else (), together=node is None)

    def _replicas(self, name: str) -> int:
        return 1 if self._settings.single_node else int(getattr(self._settings.replicas, name))

    def _spread(self, name: str) -> Placement:
        return Placement(spread=self._replicas(name) > 1)

    def _certificates(self) -> Certificates:
        needs_token = self._settings.tls.issuer == "acme"
        args = CertificatesArgs(
            tls=self._settings.tls,
            proxy=self._names.proxy_certificate,
            mx=self._names.mx_certificate,
            sieve=(self._names.sieve,),
            cloudflare_token=self._secret("cloudflareApiToken") if needs_token else None,
            mx_key=StableKey(self._secret("mxKey"), self._settings.tlsa.current)
            if self._settings.tlsa
            else None,
        )
        return Certificates("certificates", self._site, args, self._child())

    def _policies(self, namespaces: Namespaces) -> None:
        settings = self._settings
        public, claimed = topology.public_addresses(settings), topology.claimed_addresses(settings)

        def reached(claim: str) -> list[str]:
            found = (*claimed.get(claim, ()), *public.get(claim, ()))
            return [f"{address}/{128 if ':' in address else 32}" for address in dict.fromkeys(found)]

        ingress = settings.network.ingress
        args = PoliciesArgs(
            daemons=topology.daemons(settings),
            edges=topology.edges(settings),
            public=topology.public_ports(settings),
            peers={"meet->proxy": reached("proxy"), "coturn->meet": reached("meet")},
            elsewhere=(topology.VECTOR,),
            logs_namespace=f"{settings.kubernetes.namespace}-logs",
            main_namespace=settings.kubernetes.namespace,
            ingress_namespace=ingress.namespace if ingress else None,
        )
        Policies("policies", self._site, namespaces.logs, args, self._child())

    def _expose(self) -> None:
        network = self._settings.network
        if network.load_balancer == "hostPort":
            return
        args = ExposureArgs(
            ports=topology.public_ports(self._settings),
            addresses=topology.claimed_addresses(self._settings),
            shared=self._settings.single_node,
            metallb_namespace=network.metallb.namespace,
            interfaces=network.metallb.interfaces,
            namespace_name=self._settings.kubernetes.namespace,
            ingress=network.ingress,
            website_hosts=self._names.web,
        )
        Exposure("exposure", self._site, args, self._child())

    def _data(self) -> None:
        settings, secret = self._settings, self._secret
        if settings.external.database is None:
            mariadb = MariadbArgs(
                image=self._image("mariadb"),
                size=self._size("mariadb"),
                volume=settings.storage.database,
                root_password=secret("databaseRootPassword"),
                webapp_password=secret("databasePassword"),
                roundcube_password=secret("roundcubeDatabasePassword"),
                legacy_password=secret("legacyDatabasePassword"),
            )
            Mariadb("mariadb", self._site, mariadb, self._child())
        if settings.external.redis is None:
            redis = RedisArgs(
                image=self._image("redis"),
                size=self._size("redis"),
                volume=settings.storage.redis,
                password=secret("redisPassword"),
            )
            Redis("redis", self._site, redis, self._child())
        if settings.features.files and settings.external.s3 is None:
            minio = MinioArgs(
                image=self._image("minio"),
                size=self._size("minio"),
                volume=settings.storage.files,
                password=secret("minioPassword"),
            )
            Minio("minio", self._site, minio, self._child())

    def _files(self) -> FileStore | None:
        settings = self._settings
        if not settings.features.files:
            return None
        s3 = settings.external.s3
        if s3 is None:
            env = {
                "FILESYSTEM_DISK": "minio",
                "MINIO_ENDPOINT": topology.MINIO.url("s3"),
                "MINIO_BUCKET": BUCKET,
                "MINIO_USER": USER,
            }
            return FileStore(env=env, secrets={"MINIO_PASSWORD": self._secret("minioPassword")})
        env = {
            "FILESYSTEM_DISK": "s3",
            "AWS_ENDPOINT": s3.endpoint,
            "AWS_BUCKET": s3.bucket,
            "AWS_DEFAULT_REGION": s3.region,
            "AWS_USE_PATH_STYLE_ENDPOINT": "true",
        }
        keys = {
            "AWS_ACCESS_KEY_ID": self._secret("s3AccessKey"),
            "AWS_SECRET_ACCESS_KEY": self._secret("s3SecretKey"),
        }
        return FileStore(env=env, secrets=keys)

    def _web(self, certificates: Certificates) -> None:
        settings, secret, names = self._settings, self._secret, self._names
        tokens = {}
        if settings.features.meet:
            tokens = {
                "MEET_SERVER_TOKEN": secret("meetServerToken"),
                "MEET_WEBHOOK_TOKEN": secret("meetWebhookToken"),
            }
        webapp = WebappArgs(
            image=self._image("webapp"),
            sizes={role: self._size(role) for role in ("webapp", "horizon", "scheduler", "seed")},
            domain=settings.domain,
            website=names.website,
            imap_name=names.imap,
            smtp_name=names.smtp,
            activesync_name=names.activesync if settings.features.activesync else None,
            database_host=topology.database_host(settings),
            redis_host=topology.redis_host(settings),
            trusted_proxies=str(settings.network.pod_cidr),
            policy=self._mta_sts(),
            spf=self._spf(),
            meet=settings.features.meet,
            files=self._files(),
            replicas=self._replicas("webapp"),
            placement=self._spread("webapp"),
            admin_password=secret("adminPassword"),
            database_password=secret("databasePassword"),
            roundcube_database_password=secret("roundcubeDatabasePassword"),
            redis_password=secret("redisPassword"),
            imap_admin_password=secret("imapAdminPassword"),
            noreply_password=secret("noreplyPassword"),
            app_key=secret("appKey"),
            passport_private_key=secret("passportPrivateKey"),
            passport_public_key=settings.passport_public_key or "",
            passport_client_id=secret("passportClientId"),
            passport_client_secret=secret("passportClientSecret"),
            webmail_client_id=secret("webmailClientId"),
            webmail_client_secret=secret("webmailClientSecret"),
            meet_tokens=tokens,
        )
        Webapp("webapp", self._site, webapp, self._child())
        roundcube = RoundcubeArgs(
            image=self._image("roundcube"),
            size=self._size("roundcube"),
            migrate_size=self._size("roundcube-migrate"),
            domain=settings.domain,
            website=names.website,
            database_host=topology.database_host(settings),
            redis_host=topology.redis_host(settings),
            office=settings.features.office,
            replicas=self._replicas("roundcube"),
            placement=self._spread("roundcube"),
            database_password=secret("roundcubeDatabasePassword"),
            database_root_password=secret("databaseRootPassword"),
            redis_password=secret("redisPassword"),
            des_key=secret("desKey"),
            webmail_client_id=secret("webmailClientId"),
            webmail_client_secret=secret("webmailClientSecret"),
        )
        Roundcube("roundcube", self._site, roundcube, self._child())
        if settings.features.office:
            collabora = CollaboraArgs(
                image=self._image("collabora"),
                size=self._size("collabora"),
                website=names.website,
                placement=Placement(),
            )
            Collabora("collabora", self._site, collabora, self._child())
        if settings.features.meet:
            self._meet()
        proxy = ProxyArgs(
            image=self._image("proxy"),
            size=self._size("proxy"),
            website=names.website,
            hosts=names.web,
            meet=settings.features.meet,
            office=settings.features.office,
            monitored=settings.monitoring.enabled,
            policy=self._mta_sts(),
            # Attachments travel as base64, a third larger.
            body_limit=bytes_of(settings.mail.message_size_limit) * 3 // 2,
            trusted=[str(settings.network.ingress.controller_cidr)] if settings.network.ingress else [],
            certificate=certificates.proxy,
            operator_password=secret("monitoringPassword") if settings.monitoring.enabled else None,
            replicas=self._replicas("proxy"),
            placement=self._edge() if settings.single_node else self._spread("proxy"),
            edge=settings.single_node,
            host_ports=topology.host_ports(settings, topology.PROXY),
        )
        self.proxy = Proxy("proxy", self._site, proxy, self._child())

    def _meet(self) -> None:
        settings, secret, names = self._settings, self._secret, self._names
        public = topology.public_addresses(settings)
        args = MeetArgs(
            image=self._image("meet"),
            size=self._size("meet"),
            website=names.website,
            website_address=self._claimed("proxy"),
            public_address=public["meet"][0],
            media=topology.meet_media_ports(settings),
            workers=settings.meet.workers,
            turn=names.turn if settings.features.turn else None,
            placement=self._edge(),
            edge=settings.single_node,
            host_ports=topology.host_ports(settings, topology.MEET),
            server_token=secret("meetServerToken"),
            webhook_token=secret("meetWebhookToken"),
            turn_secret=secret("turnSecret"),
        )
        Meet("meet", self._site, args, self._child())
        if settings.features.turn:
            turn = CoturnArgs(
                image=self._image("coturn"),
                size=self._size("coturn"),
                realm=names.turn,
                public_address=public["turn"][0],
                peers=(*public["meet"], *topology.claimed_addresses(settings)["meet"]),
                secret=secret("turnSecret"),
                placement=self._edge(),
                edge=settings.single_node,
                host_ports=topology.host_ports(settings, topology.TURN),
            )
            Coturn("coturn", self._site, turn, self._child())

    def _mail(self, certificates: Certificates) -> None:
        settings, secret = self._settings, self._secret
        imap = ImapArgs(
            image=self._image("imap"),
            size=self._size("imap"),
            mailboxes=settings.storage.mailboxes,
            state=settings.storage.imap_state,
            certificate=certificates.sieve,
            placement=self._edge(),
            edge=settings.single_node,
            host_ports=topology.host_ports(settings, topology.IMAP),
        )
        Imap("imap", self._site, imap, self._child())
        selectors = settings.mail.dkim.selectors
        active = next((name for name, key in selectors.items() if key.stage == "active"), None)
        amavis = AmavisArgs(
            image=self._image("amavis"),
            size=self._size("amavis"),
            domain=settings.domain,
            database_host=topology.database_host(settings),
            antivirus=settings.mail.antivirus,
            selector=active or next(iter(selectors)),
            signing=active is not None,
            keys={name: secret(f"dkimKey-{name}") for name in selectors},
        )
        egress = settings.network.egress
        relay = None
        if egress is not None and egress.mode == "relay":
            password = secret("relayPassword") if egress.username else None
            relay = Relay(host=egress.host, port=egress.port, username=egress.username, password=password)
        postfix = PostfixArgs(
            image=self._image("postfix"),
            exporter_image=self._image("postfix-exporter"),
            size=self._size("postfix"),
            exporter_size=self._size("postfix-exporter"),
            amavis=amavis,
            domain=settings.domain,
            helo=self._names.helo,
            database_host=topology.database_host(settings),
            database_password=secret("databasePassword"),
            message_size_limit=bytes_of(settings.mail.message_size_limit),
            content_filter=settings.mail.content_filter,
            ipv6=any(address.version == 6 for address in settings.network.addresses.smtp),
            aliases=self._role_addresses(),
            relay=relay,
            certificate=certificates.mx,
            queue=settings.storage.queue,
            filters=settings.storage.filters,
            replicas=self._replicas("postfix"),
            placement=self._postfix_placement(),
            edge=settings.single_node,
            host_ports=topology.host_ports(settings, topology.POSTFIX),
            monitored=settings.monitoring.enabled,
        )
        Postfix("postfix", self._site, postfix, self._child())

    def _postfix_placement(self) -> Placement:
        """Only where the world sees an address that SPF and PTR name."""
        egress = self._settings.network.egress
        if self._settings.single_node or egress is None or egress.mode != "nodes":
            return self._edge() if self._settings.single_node else self._spread("postfix")
        return Placement(nodes=tuple(egress.nodes), spread=self._replicas("postfix") > 1)

    def _role_addresses(self) -> Mapping[str, str]:
        """postmaster@ and abuse@ of every domain, and the report addresses that our DNS names (RFC 5321 4.5.1, RFC 2142)."""
        mailbox = self._settings.mail.postmaster
        if mailbox is None:
            return {}
        reports = (
            self._settings.mail.reports.tls_rpt,
            self._settings.mail.reports.caa_iodef,
            *self._settings.mail.dmarc.rua,
        )
        own = [
            address for address in reports if address and address.rpartition("@")[2] in self._settings.domains
        ]
        found = [
            f"{local}@{domain}" for domain in self._settings.domains for local in ("postmaster", "abuse")
        ]
        found += [f"{local}@{self._settings.domain}" for local in ("tls-reports", "dmarc-reports")]
        return {address: mailbox for address in (*found, *own) if address != mailbox}

    def _mta_sts(self) -> str | None:
        """The policy that the world sees, whatever the web application would say by itself."""
        body = mta_sts.policy(self._settings)
        return body.decode("ascii") if body else None

    def _spf(self) -> str:
        """What the web interface tells owners of hosted domains to publish."""
        return spf.text(spf.sources(self._settings), self._settings.mail.spf_all)
