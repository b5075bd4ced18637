"""The web side: application, webmail, office, conferences, and the proxy before them."""

from __future__ import annotations

from components.certificates import Certificates
from components.collabora import Collabora, CollaboraArgs
from components.composition import Composition
from components.coturn import Coturn, CoturnArgs
from components.meet import Meet, MeetArgs
from components.minio import BUCKET, USER
from components.pods import ANYWHERE
from components.proxy import Proxy, ProxyArgs
from components.roundcube import Roundcube, RoundcubeArgs
from components.webapp import FileStore, Webapp, WebappArgs
from model import topology
from model.identity import mta_sts, spf
from model.types import bytes_of


def web(stack: Composition, certificates: Certificates) -> Proxy:
    """Everything that speaks HTTP to people. Returns the proxy, which serves the MTA-STS policy."""
    settings, secret, names = stack.settings, stack.secret, stack.names
    tokens = {}
    if settings.features.meet:
        tokens = {
            "MEET_SERVER_TOKEN": secret("meetServerToken"),
            "MEET_WEBHOOK_TOKEN": secret("meetWebhookToken"),
        }
    webapp = WebappArgs(
        image=stack.image("webapp"),
        sizes={role: stack.size(role) for role in ("webapp", "horizon", "scheduler", "seed")},
        domain=settings.domain,
        website=names.website,
        imap_name=names.imap,
        smtp_name=names.smtp,
        activesync_name=names.activesync if settings.features.activesync else None,
        database_host=topology.database_host(settings),
        redis_host=topology.redis_host(settings),
        trusted_proxies=str(settings.network.pod_cidr),
        policy=_mta_sts(stack),
        spf=_spf(stack),
        meet=settings.features.meet,
        content_filter=settings.mail.content_filter,
        files=_files(stack),
        replicas=stack.replicas("webapp"),
        placement=stack.spread("webapp"),
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
    Webapp("webapp", stack.site, webapp, stack.child())
    roundcube = RoundcubeArgs(
        image=stack.image("roundcube"),
        size=stack.size("roundcube"),
        migrate_size=stack.size("roundcube-migrate"),
        domain=settings.domain,
        website=names.website,
        database_host=topology.database_host(settings),
        redis_host=topology.redis_host(settings),
        office=settings.features.office,
        replicas=stack.replicas("roundcube"),
        placement=stack.spread("roundcube"),
        database_password=secret("roundcubeDatabasePassword"),
        # Root of somebody else's database is not ours.
        database_root_password=None if settings.external.database else secret("databaseRootPassword"),
        redis_password=secret("redisPassword"),
        des_key=secret("desKey"),
        webmail_client_id=secret("webmailClientId"),
        webmail_client_secret=secret("webmailClientSecret"),
    )
    Roundcube("roundcube", stack.site, roundcube, stack.child())
    if settings.features.office:
        collabora = CollaboraArgs(
            image=stack.image("collabora"),
            size=stack.size("collabora"),
            website=names.website,
            placement=ANYWHERE,
        )
        Collabora("collabora", stack.site, collabora, stack.child())
    if settings.features.meet:
        _meet(stack)
    proxy = ProxyArgs(
        image=stack.image("proxy"),
        size=stack.size("proxy"),
        website=names.website,
        hosts=names.web,
        meet=settings.features.meet,
        office=settings.features.office,
        activesync=settings.features.activesync,
        monitored=settings.monitoring.enabled,
        policy=_mta_sts(stack),
        # Attachments travel as base64, a third larger.
        body_limit=bytes_of(settings.mail.message_size_limit) * 3 // 2,
        trusted=[str(settings.network.ingress.controller_cidr)] if settings.network.ingress else [],
        certificate=certificates.proxy,
        operator_password=secret("monitoringPassword") if settings.monitoring.enabled else None,
        replicas=stack.replicas("proxy"),
        placement=stack.edge() if settings.single_node else stack.spread("proxy"),
        edge=settings.single_node,
        host_ports=topology.host_ports(settings, topology.PROXY),
    )
    return Proxy("proxy", stack.site, proxy, stack.child())


def _files(stack: Composition) -> FileStore | None:
    settings = stack.settings
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
        return FileStore(env=env, secrets={"MINIO_PASSWORD": stack.secret("minioPassword")})
    env = {
        "FILESYSTEM_DISK": "s3",
        "AWS_ENDPOINT": s3.endpoint,
        "AWS_BUCKET": s3.bucket,
        "AWS_DEFAULT_REGION": s3.region,
        "AWS_USE_PATH_STYLE_ENDPOINT": "true",
    }
    keys = {
        "AWS_ACCESS_KEY_ID": stack.secret("s3AccessKey"),
        "AWS_SECRET_ACCESS_KEY": stack.secret("s3SecretKey"),
    }
    return FileStore(env=env, secrets=keys)


def _meet(stack: Composition) -> None:
    settings, secret, names = stack.settings, stack.secret, stack.names
    public = topology.public_addresses(settings)
    args = MeetArgs(
        image=stack.image("meet"),
        size=stack.size("meet"),
        website=names.website,
        website_address=_website_address(stack),
        public_address=public["meet"][0],
        media=topology.meet_media_ports(settings),
        workers=settings.meet.workers,
        turn=names.turn if settings.features.turn else None,
        placement=stack.edge(),
        edge=settings.single_node,
        host_ports=topology.host_ports(settings, topology.MEET),
        server_token=secret("meetServerToken"),
        webhook_token=secret("meetWebhookToken"),
        turn_secret=secret("turnSecret"),
    )
    Meet("meet", stack.site, args, stack.child())
    if settings.features.turn:
        turn = CoturnArgs(
            image=stack.image("coturn"),
            size=stack.size("coturn"),
            realm=names.turn,
            peers=(*public["meet"], *topology.load_balancer_addresses(settings)["meet"]),
            secret=secret("turnSecret"),
            placement=stack.edge(),
            edge=settings.single_node,
            host_ports=topology.host_ports(settings, topology.TURN),
        )
        Coturn("coturn", stack.site, turn, stack.child())


def _website_address(stack: Composition) -> str | None:
    """Where the website answers inside: at the proxy's address, or at the Ingress controller's if that is known."""
    ingress = stack.settings.network.ingress
    if ingress is None:
        return stack.inside_address("proxy")
    return next((str(address) for address in ingress.addresses), None)


def _mta_sts(stack: Composition) -> str | None:
    """The policy that the world sees, whatever the web application would say by itself."""
    body = mta_sts.policy(stack.settings)
    return body.decode("ascii") if body else None


def _spf(stack: Composition) -> str:
    """What the web interface tells owners of hosted domains to publish."""
    sources = spf.sources(stack.settings)
    # A relay whose addresses nobody has named: no SPF is right, and a wrong one would fail all mail.
    return spf.text(sources, stack.settings.mail.spf_all) if sources else ""
