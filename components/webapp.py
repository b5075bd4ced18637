"""The web application (Laravel): accounts, API, login, policies. Four kinds of pods from one image and one environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components import content, entry
from components.daemon import DaemonComponent, Pod, Site
from components.imap import ADMIN
from components.mariadb import ROUNDCUBE_DATABASE, WEBAPP_DATABASE
from components.pods import Container, Placement, Probe
from model import topology
from model.sizing import Size


@dataclass(frozen=True, kw_only=True)
class FileStore:
    """Where files go: MinIO or another S3."""

    env: Mapping[str, str]
    secrets: Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True)
class WebappArgs:
    """Inputs of Webapp."""

    image: str
    sizes: Mapping[str, Size]
    domain: str
    website: str
    imap_name: str
    smtp_name: str
    activesync_name: str | None
    database_host: str
    redis_host: str
    trusted_proxies: str
    policy: str | None
    spf: str
    meet: bool
    content_filter: bool
    files: FileStore | None
    replicas: int
    placement: Placement
    admin_password: pulumi.Input[str]
    database_password: pulumi.Input[str]
    roundcube_database_password: pulumi.Input[str]
    redis_password: pulumi.Input[str]
    imap_admin_password: pulumi.Input[str]
    noreply_password: pulumi.Input[str]
    app_key: pulumi.Input[str]
    passport_private_key: pulumi.Input[str]
    passport_public_key: str
    passport_client_id: pulumi.Input[str]
    passport_client_secret: pulumi.Input[str]
    webmail_client_id: pulumi.Input[str]
    webmail_client_secret: pulumi.Input[str]
    meet_tokens: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Webapp(DaemonComponent):
    """Octane (HTTP), Horizon (jobs), scheduler and the seed Job. Reached at topology.WEBAPP."""

    def __init__(
        self, name: str, site: Site, args: WebappArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.WEBAPP, name, site, opts)
        keys = self.secret(
            "keys",
            {
                "APP_KEY": args.app_key,
                "PASSPORT_PRIVATE_KEY": args.passport_private_key,
                "PASSPORT_PUBLIC_KEY": args.passport_public_key,
            },
            guarded=True,
        )
        credentials = self.secret("credentials", _credentials(args))
        scripts = self.scripts("webapp")
        self.serve()

        def container(role: str, *, command: tuple[str, ...], **probes: object) -> Container:
            return Container(
                name=role,
                image=args.image,
                size=args.sizes[role],
                command=command,
                env=_environment(args, role),
                secrets=[keys, credentials],
                mounts=[scripts],
                **probes,  # type: ignore[arg-type]
            )

        alive = Probe(http="/api/health/liveness", period=20, timeout=10, failures=6)
        octane = container(
            "webapp",
            command=entry.COMMAND,
            ports=self.daemon.ports,
            # It waits for the seed Job, so its first start may take long.
            startup=Probe(http="/api/health/liveness").until_up(3600),
            readiness=Probe(http="/api/health/readiness"),
            liveness=alive,
        )
        self.deployment(Pod(containers=[octane], placement=args.placement, grace=45), replicas=args.replicas)
        if args.replicas > 1:
            self.disruption_budget()
        Horizon(
            f"{name}-horizon",
            site,
            container("horizon", command=entry.COMMAND, **_horizon_probes()),
            pulumi.ResourceOptions(parent=self),
        )
        Scheduler(
            f"{name}-scheduler",
            site,
            container("scheduler", command=entry.command("schedule.sh")),
            pulumi.ResourceOptions(parent=self),
        )
        seed = container("seed", command=entry.command("seed.sh"))
        Seed(
            f"{name}-seed",
            site,
            seed,
            content.config_name("seed", entry.files("webapp") | {"image": args.image}),
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


class Horizon(DaemonComponent):
    """Runs jobs, migrates the schema at start and upserts service accounts: never two at a time."""

    def __init__(self, name: str, site: Site, container: Container, opts: pulumi.ResourceOptions) -> None:
        super().__init__(topology.HORIZON, name, site, opts)
        self.deployment(Pod(containers=[container], grace=90), recreate=True)
        self.register_outputs({})


class Scheduler(DaemonComponent):
    """Laravel's scheduler, which no role of the image runs: imports, retention, expunging."""

    def __init__(self, name: str, site: Site, container: Container, opts: pulumi.ResourceOptions) -> None:
        super().__init__(topology.SCHEDULER, name, site, opts)
        self.cron_job(Pod(containers=[container]), schedule="* * * * *")
        self.register_outputs({})


class Seed(DaemonComponent):
    """Fills an empty database and imports address ranges; does nothing to one that holds accounts."""

    def __init__(
        self, name: str, site: Site, container: Container, job: str, opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__(topology.SEED, name, site, opts)
        self.job(Pod(containers=[container]), name=job)
        self.register_outputs({})


def _horizon_probes() -> dict[str, Probe]:
    status = entry.command("horizon-runs.sh")
    return {
        # Each time it boots PHP, which takes about a second.
        "startup": Probe(command=status, timeout=14).until_up(3600, every=5),
        "liveness": Probe(command=status, period=60, timeout=30, failures=5),
    }


def _credentials(args: WebappArgs) -> dict[str, pulumi.Input[str]]:
    dsn = pulumi.Output.concat(
        f"mysql://{ROUNDCUBE_DATABASE}:",
        args.roundcube_database_password,
        f"@{args.database_host}/{ROUNDCUBE_DATABASE}",
    )
    found: dict[str, pulumi.Input[str]] = {
        "ADMIN_PASSWORD": args.admin_password,
        "DB_PASSWORD": args.database_password,
        "MFA_DSN": dsn,
        "REDIS_PASSWORD": args.redis_password,
        "IMAP_ADMIN_PASSWORD": args.imap_admin_password,
        "MAIL_PASSWORD": args.noreply_password,
        "PASSPORT_PROXY_OAUTH_CLIENT_ID": args.passport_client_id,
        "PASSPORT_PROXY_OAUTH_CLIENT_SECRET": args.passport_client_secret,
        "PASSPORT_WEBMAIL_SSO_CLIENT_ID": args.webmail_client_id,
        "PASSPORT_WEBMAIL_SSO_CLIENT_SECRET": args.webmail_client_secret,
    }
    return {**found, **args.meet_tokens, **(args.files.secrets if args.files else {})}


def _environment(args: WebappArgs, role: str) -> dict[str, str]:
    url, noreply = f"https://{args.website}", f"noreply@{args.domain}"
    imap, smtp = topology.IMAP, topology.POSTFIX
    env = {
        "KOLAB_ROLE": {"webapp": "octane"}.get(role, role),
        # Any other value leaves Horizon without workers; `local` loads developers' commands.
        "APP_ENV": "production",
        "APP_DEBUG": "false",
        "APP_NAME": "Kolab",
        "APP_URL": url,
        "APP_PUBLIC_URL": url,
        "ASSET_URL": url,
        "APP_DOMAIN": args.domain,
        "APP_WEBSITE_DOMAIN": args.website,
        "APP_TENANT_ID": "5",
        "APP_THEME": "default",
        "APP_LOCALE": "en",
        "APP_WITH_SERVICES": "1",
        # Host headers that may call the internal hooks: what the proxy, Cyrus, Postfix and Prometheus send.
        "APP_SERVICES_ALLOWED_DOMAINS": topology.WEBAPP.name,
        "APP_SERVICES_DOMAIN": topology.WEBAPP.name,
        "TRUSTED_PROXIES": args.trusted_proxies,
        "APP_LDAP": "0",
        "APP_IMAP": "1",
        "APP_WITH_ADMIN": "1",
        "APP_WITH_RESELLER": "1",
        "APP_WITH_WALLET": "0",
        "APP_WITH_SIGNUP": "0",
        "APP_WITH_FILES": "1" if args.files else "0",
        "APP_WITH_MEET": "true" if args.meet else "false",
        # Settings of a filter that no mail passes through would only mislead.
        "APP_WITH_MAILFILTER": "true" if args.content_filter else "false",
        "DB_CONNECTION": "mysql",
        "DB_HOST": args.database_host,
        "DB_PORT": str(topology.MARIADB.port("mysql").number),
        "DB_DATABASE": WEBAPP_DATABASE,
        "DB_USERNAME": WEBAPP_DATABASE,
        "REDIS_HOST": args.redis_host,
        "REDIS_PORT": str(topology.REDIS.port("redis").number),
        "CACHE_DRIVER": "redis",
        "QUEUE_CONNECTION": "redis",
        "BROADCAST_DRIVER": "redis",
        "SESSION_DRIVER": "file",
        "IMAP_URI": imap.at("imap"),
        # Answers for the mail proxy: a bare host name (it is looked up as IPv4) and ports without TLS.
        "IMAP_HOST": imap.name,
        "IMAP_PORT": str(imap.port("imap").number),
        "IMAP_GUAM_PORT": str(imap.port("imap").number),
        "SMTP_HOST": smtp.name,
        "SMTP_PORT": str(smtp.port("submission").number),
        "IMAP_ADMIN_LOGIN": ADMIN,
        "IMAP_VERIFY_PEER": "false",
        "IMAP_VERIFY_HOST": "false",
        "IMAP_WITH_GROUPWARE_DEFAULT_FOLDERS": "false",
        "DAV_URI": imap.url("http", "/dav/"),
        "DAV_VERIFY": "false",
        "MAIL_MAILER": "smtp",
        "MAIL_HOST": smtp.name,
        "MAIL_PORT": str(smtp.port("submission").number),
        "MAIL_ENCRYPTION": "starttls",
        "MAIL_VERIFY_PEER": "false",
        "MAIL_USERNAME": noreply,
        "MAIL_FROM_ADDRESS": noreply,
        "MAIL_REPLYTO_ADDRESS": noreply,
        "MAIL_EHLO_DOMAIN": args.website,
        "RATELIMIT_WHITELIST": noreply,
        # The OAuth redirect is made from this; the slash at its end belongs there.
        "WEBMAIL_URL": "/webmail/",
        "APP_DISCOVERY_IMAP": f"ssl://{args.imap_name}:993",
        "APP_DISCOVERY_SMTP": f"ssl://{args.smtp_name}:465",
        # There is no POP3 in this stack, and an empty value stops it from being announced.
        "APP_DISCOVERY_POP3": "",
        "APP_DISCOVERY_ACTIVESYNC": args.activesync_name or "",
        # The proxy serves the policy itself; this is the same text for whoever reaches the application directly.
        "MTA_STS": args.policy or "",
        "DNS_SPF": args.spf,
        "LOG_CHANNEL": "stdout",
        "LOG_LEVEL": "info",
        "PGP_ENABLE": "false",
    }
    if args.meet:
        env |= {
            "MEET_SERVER_URLS": topology.MEET.url("http", "/meetmedia/api/"),
            "MEET_SERVER_VERIFY_TLS": "false",
        }
    return {**env, **(args.files.env if args.files else {"FILESYSTEM_DISK": "local"})}
