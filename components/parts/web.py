"""The web side: application, webmail, office, conferences, and the proxy before them."""

from __future__ import annotations

from components.before_migration import BeforeMigration, BeforeMigrationArgs
from components.certificates import Certificates
from components.collabora import Collabora, CollaboraArgs
from components.composition import Composition
from components.coturn import Coturn, CoturnArgs
from components.inputs import OAuthClient, Passport, Sizes
from components.meet import Meet, MeetArgs
from components.parts.data import Kept
from components.pods import ANYWHERE
from components.proxy import Proxy, ProxyArgs
from components.proxy_edge import Monitoring, Offered, Pages
from components.proxy_inner import Logins
from components.proxy_policies import Policies
from components.roundcube import Behaviour, Roundcube, RoundcubeArgs
from components.webapp import Webapp
from components.webapp_environment import (
    Announced,
    Callers,
    Credentials,
    FileStore,
    MeetTokens,
    Policy,
    Stores,
    WebappArgs,
)
from model import accounts, budget, topology
from model.identity import mta_sts, spf
from model.identity.http01 import certified
from model.monitoring.places import host
from model.types import bytes_of


def web(stack: Composition, certificates: Certificates, kept: Kept) -> Proxy:
    """Everything that speaks HTTP to people, once what it keeps its data in is there. Returns the proxy, which serves the
    MTA-STS policy."""
    settings, secret, names = stack.settings, stack.secret, stack.names
    webapp = WebappArgs(
        builds={role: stack.build(role, "webapp") for role in ("webapp", "horizon", "scheduler", "seed")},
        domain=settings.domain,
        website=names.website,
        announced=Announced(
            imap=names.imap,
            smtp=names.smtp,
            activesync=names.activesync if settings.features.activesync else None,
            policy=_policies(stack).shared,
            spf=_spf(stack),
        ),
        stores=Stores(
            database=stack.webapp_database(),
            webmail=stack.webmail_database(),
            redis=stack.redis(),
            files=_files(stack),
        ),
        credentials=Credentials(
            app_key=secret("appKey"),
            admin=secret("adminPassword"),
            imap_admin=secret("imapAdminPassword"),
            noreply=secret("noreplyPassword"),
        ),
        passport=Passport(
            private_key=secret("passportPrivateKey"),
            public_key=settings.passport_public_key or "",
            client=OAuthClient(id=secret("passportClientId"), secret=secret("passportClientSecret")),
        ),
        webmail=stack.webmail_client(),
        meet=_meet_tokens(stack),
        callers=Callers(
            proxies=str(settings.network.pod_cidr),
            names=[host(settings, topology.WEBAPP)] if settings.monitoring.reader else [],
        ),
        policy=Policy(
            content_filter=settings.mail.content_filter,
            body_limit=settings.mail.web_body_limit,
            unlimited=settings.unlimited_domains,
            passwords=settings.passwords.policy,
        ),
        replicas=stack.spread("webapp"),
    )
    application = Webapp("webapp", stack.site, webapp, stack.child())
    roundcube = RoundcubeArgs(
        build=stack.build("roundcube"),
        migrate=stack.build("roundcube-migrate", "roundcube"),
        domain=settings.domain,
        website=names.website,
        database=stack.webmail_database(),
        # Root of somebody else's database is not ours.
        database_root_password=None if settings.external.database else secret("databaseRootPassword"),
        redis=stack.redis(),
        behaviour=Behaviour(
            office=settings.features.office,
            sizes=Sizes(
                message=bytes_of(settings.mail.message_size_limit), request=settings.mail.web_body_limit
            ),
            options=settings.extra.roundcube,
        ),
        replicas=stack.spread("roundcube"),
        des_key=secret("desKey"),
        webmail=stack.webmail_client(),
    )
    webmail = Roundcube("roundcube", stack.site, roundcube, stack.child())
    _migrate(stack, kept, application, webmail)
    if settings.features.office:
        collabora = CollaboraArgs(
            build=stack.build("collabora"),
            website=names.website,
            placement=ANYWHERE,
        )
        Collabora("collabora", stack.site, collabora, stack.child())
    if settings.features.meet:
        _meet(stack)
    told = stack.told()
    proxy = ProxyArgs(
        build=stack.build("proxy"),
        pages=_pages(stack),
        monitoring=_monitoring(stack),
        operator_password=secret("monitoringPassword") if settings.monitoring.enabled else None,
        logins=Logins(
            minute=settings.network.brakes.mail_logins,
            each=budget.LOGINS_EACH,
            together=budget.logins_together(settings),
        ),
        policies=_policies(stack),
        certificate=certificates.proxy,
        domains=certificates.domains,
        told=told.service if told else {},
        extra=settings.extra.website,
        replicas=settings.pods("proxy"),
        public=stack.public(
            topology.PROXY, None if settings.single_node else stack.spread("proxy").placement
        ),
    )
    return Proxy("proxy", stack.site, proxy, stack.child())


def _migrate(stack: Composition, kept: Kept, *changing: Webapp | Roundcube) -> None:
    """Dumps the databases when all that changes their tables is rehearsed, and files that move are there, and starts it; a
    MariaDB that takes over data of an older release, too."""
    release = stack.settings.database_release
    # Kolab's own release has no name here: a stack that runs it has its dump already.
    engine = [f"mariadb-{release}"] if release not in ("", "10.5") else []
    before = BeforeMigrationArgs(
        databases=stack.databases("before-migration"),
        restoring=stack.databases("restore-dump"),
        volume=stack.settings.storage.dumps,
        migrations=[*(each.migration for each in changing), *engine],
        rehearsed=[*(each.rehearsed for each in changing), *([kept.moved] if kept.moved else [])],
        keeper=stack.keeper(),
    )
    dumped = BeforeMigration("before-migration", stack.site, before, stack.child())
    for each in changing:
        each.start(dumped.done)
    if kept.database:
        # A first start, and one that recovers from a bad end, have nothing to wait for: the dump waits for them.
        kept.database.start(after=[dumped.done] if stack.overtaken else [])


def _pages(stack: Composition) -> Pages:
    settings, names = stack.settings, stack.names
    front = settings.network.web_server
    doors = {names.admin: settings.network.doors.admin, names.reseller: settings.network.doors.reseller}
    return Pages(
        website=names.website,
        hosts=names.web,
        offered=Offered(
            meet=settings.features.meet,
            office=settings.features.office,
            activesync=settings.features.activesync,
        ),
        body_limit=settings.mail.web_body_limit,
        trusted=[str(front[1].controller_cidr)] if front else [],
        doors={host: [*map(str, nets)] for host, nets in doors.items() if nets is not None},
        web_logins=settings.network.brakes.web_logins,
        web_logins_at_once=budget.LOGINS_EACH,
        programs=settings.network.brakes.programs,
        proven=certified(settings).every if settings.http_challenges else (),
    )


def _monitoring(stack: Composition) -> Monitoring | None:
    settings, names = stack.settings, stack.names
    if not settings.monitoring.enabled:
        return None
    allowed = settings.network.doors.monitoring
    return Monitoring(
        host=names.monitoring or names.website,
        alone=names.monitoring is not None,
        allowed=None if allowed is None else [*map(str, allowed)],
        own=settings.monitoring.own,
    )


def _files(stack: Composition) -> FileStore | None:
    settings = stack.settings
    if not settings.features.files:
        return None
    s3 = settings.external.s3
    if s3 is None and settings.files.served_by_gateway:
        return FileStore(
            env={
                **_s3(topology.VERSITYGW.url("s3"), accounts.FILES_BUCKET, accounts.GATEWAY_REGION),
                "AWS_ACCESS_KEY_ID": accounts.GATEWAY_USER,
            },
            secrets={"AWS_SECRET_ACCESS_KEY": stack.secret("filesPassword")},
        )
    if s3 is None:
        env = {
            "FILESYSTEM_DISK": "minio",
            "MINIO_ENDPOINT": topology.MINIO.url("s3"),
            "MINIO_BUCKET": accounts.FILES_BUCKET,
            "MINIO_USER": accounts.FILES_USER,
        }
        return FileStore(env=env, secrets={"MINIO_PASSWORD": stack.secret("minioPassword")})
    keys = {
        "AWS_ACCESS_KEY_ID": stack.secret("s3AccessKey"),
        "AWS_SECRET_ACCESS_KEY": stack.secret("s3SecretKey"),
    }
    return FileStore(env=_s3(s3.endpoint, s3.bucket, s3.region), secrets=keys)


def _s3(endpoint: str, bucket: str, region: str) -> dict[str, str]:
    return {
        "FILESYSTEM_DISK": "s3",
        "AWS_ENDPOINT": endpoint,
        "AWS_BUCKET": bucket,
        "AWS_DEFAULT_REGION": region,
        "AWS_USE_PATH_STYLE_ENDPOINT": "true",
    }


def _meet_tokens(stack: Composition) -> MeetTokens | None:
    if not stack.settings.features.meet:
        return None
    return MeetTokens(server=stack.secret("meetServerToken"), webhook=stack.secret("meetWebhookToken"))


def _meet(stack: Composition) -> None:
    settings, secret, names = stack.settings, stack.secret, stack.names
    public = topology.public_addresses(settings)
    args = MeetArgs(
        build=stack.build("meet"),
        website=names.website,
        website_address=_website_address(stack),
        public_address=public["meet"][0],
        media=topology.meet_media_ports(settings),
        workers=settings.meet.workers,
        turn=names.turn if settings.features.turn else None,
        public=stack.public(topology.MEET),
        server_token=secret("meetServerToken"),
        webhook_token=secret("meetWebhookToken"),
        turn_secret=secret("turnSecret"),
    )
    Meet("meet", stack.site, args, stack.child())
    if settings.features.turn:
        turn = CoturnArgs(
            build=stack.build("coturn"),
            realm=names.turn,
            peers=(*public["meet"], *topology.load_balancer_addresses(settings)["meet"]),
            secret=secret("turnSecret"),
            public=stack.public(topology.TURN),
        )
        Coturn("coturn", stack.site, turn, stack.child())


def _website_address(stack: Composition) -> str | None:
    """Where the website answers inside: at the proxy's address, or at that of the controller before it if that is known."""
    given = stack.settings.network.web_addresses
    if given is None:
        return stack.inside_address("proxy")
    return next((str(address) for address in given), None)


def _policies(stack: Composition) -> Policies:
    """The policies that the world sees, whatever the web application would say by itself."""

    def text(body: bytes | None) -> str | None:
        return body.decode("ascii") if body else None

    settings = stack.settings
    own = {f"mta-sts.{d}": text(mta_sts.own(settings, d)) for d in settings.own_policies}
    return Policies(shared=text(mta_sts.shared(settings)), own=own)


def _spf(stack: Composition) -> str:
    """What the web interface tells owners of hosted domains to publish."""
    sources = spf.sources(stack.settings)
    # A relay whose addresses nobody has named: no SPF is right, and a wrong one would fail all mail.
    return spf.text(sources, stack.settings.mail.spf_all) if sources else ""
