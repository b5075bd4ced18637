"""What the web application is told: one environment for all four of its roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.containers import Build
from components.inputs import Database, OAuthClient, Passport, Queue
from components.pods import Replicas
from model import topology
from model.accounts import IMAP_ADMIN


@dataclass(frozen=True, kw_only=True)
class FileStore:
    """Where files go: a server of ours or another S3."""

    env: Mapping[str, str]
    secrets: Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where data are kept. `files` is None when people keep none; `webmail` is read for second factors."""

    database: Database
    webmail: Database
    redis: Queue
    files: FileStore | None


@dataclass(frozen=True, kw_only=True)
class Announced:
    """What clients are told: public names, the MTA-STS policy and the SPF record; None and "" for what there is not."""

    imap: str
    smtp: str
    activesync: str | None
    policy: str | None
    spf: str


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The application's own key, and the passwords of the accounts that it uses or makes."""

    app_key: pulumi.Input[str]
    admin: pulumi.Input[str]
    imap_admin: pulumi.Input[str]
    noreply: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class MeetTokens:
    """What the application shows to Meet, and Meet to the application."""

    server: pulumi.Input[str]
    webhook: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the application does with mail, and asks of people: whether it filters, the domains whose people it does not slow
    down, and what a new password must be like (upstream: src/app/Policy/Password.php)."""

    content_filter: bool
    body_limit: int
    unlimited: tuple[str, ...]
    passwords: str


@dataclass(frozen=True, kw_only=True)
class Callers:
    """Who asks the application: `proxies` are believed about a client's address, and `names` are further ones by which
    its internal hooks are called."""

    proxies: str
    names: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class WebappArgs:
    """Inputs of Webapp. `builds` are those of its four roles; without `meet` there are no conferences."""

    builds: Mapping[str, Build]
    domain: str
    website: str
    announced: Announced
    stores: Stores
    credentials: Credentials
    passport: Passport
    webmail: OAuthClient
    meet: MeetTokens | None
    callers: Callers
    policy: Policy
    replicas: Replicas


def credentials(args: WebappArgs) -> dict[str, pulumi.Input[str]]:
    stores, second_factors = args.stores, args.stores.webmail
    dsn = pulumi.Output.concat(
        f"mysql://{second_factors.name}:",
        second_factors.password,
        f"@{second_factors.host}/{second_factors.name}",
    )
    found: dict[str, pulumi.Input[str]] = {
        "DB_PASSWORD": stores.database.password,
        "MFA_DSN": dsn,
        "REDIS_PASSWORD": stores.redis.password,
        "IMAP_ADMIN_PASSWORD": args.credentials.imap_admin,
        "MAIL_PASSWORD": args.credentials.noreply,
        "PASSPORT_PROXY_OAUTH_CLIENT_ID": args.passport.client.id,
        "PASSPORT_PROXY_OAUTH_CLIENT_SECRET": args.passport.client.secret,
        "PASSPORT_WEBMAIL_SSO_CLIENT_ID": args.webmail.id,
        "PASSPORT_WEBMAIL_SSO_CLIENT_SECRET": args.webmail.secret,
    }
    if args.meet:
        found |= {"MEET_SERVER_TOKEN": args.meet.server, "MEET_WEBHOOK_TOKEN": args.meet.webhook}
    return {**found, **(stores.files.secrets if stores.files else {})}


def page_headers(website: str) -> dict[str, str]:
    """What browsers may do with the application's pages: as upstream's production has it (config.prod/src/.env).

    No page of anybody else shows them in a frame, where clicks would be stolen. Pages of `admin.` and of mail domains take
    scripts, styles and pictures from the website (ASSET_URL), which is another origin there; and to older browsers
    the same origin is no leave for the WebSocket of a conference.
    """
    own = f"'self' https://{website}"
    directives = {
        "default-src": own,
        "connect-src": f"{own} wss://{website}",
        "child-src": own,
        "font-src": own,
        "form-action": "'self' data:",
        "frame-ancestors": "'self'",
        # Mail domains and documents bring pictures of their own.
        "img-src": "blob: data: 'self' *",
        "media-src": own,
        "object-src": own,
        "script-src": f"{own} 'unsafe-inline' 'unsafe-eval'",
        "style-src": f"{own} 'unsafe-eval' 'unsafe-inline'",
    }
    policy = "; ".join(f"{name} {sources}" for name, sources in directives.items())
    return {"APP_HEADER_CSP": policy, "APP_HEADER_XFO": "sameorigin"}


def environment(args: WebappArgs, role: str) -> dict[str, str]:
    url, noreply = f"https://{args.website}", f"noreply@{args.domain}"
    imap, smtp = topology.IMAP, topology.POSTFIX
    stores, told = args.stores, args.announced
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
        "APP_SERVICES_ALLOWED_DOMAINS": ",".join((topology.WEBAPP.name, *args.callers.names)),
        "APP_SERVICES_DOMAIN": topology.WEBAPP.name,
        "TRUSTED_PROXIES": args.callers.proxies,
        "APP_LDAP": "0",
        "APP_IMAP": "1",
        "APP_WITH_ADMIN": "1",
        "APP_WITH_RESELLER": "1",
        "APP_WITH_WALLET": "0",
        "APP_WITH_SIGNUP": "0",
        "APP_WITH_FILES": "1" if stores.files else "0",
        "APP_WITH_MEET": "true" if args.meet else "false",
        # Settings of a filter that no mail passes through would only mislead.
        "APP_WITH_MAILFILTER": "true" if args.policy.content_filter else "false",
        # Postfix hands the filter a whole message with a head of HTTP before it; with the default one of 10Mi waits for ever.
        "SWOOLE_PACKAGE_MAX_LENGTH": str(args.policy.body_limit),
        "SWOOLE_UPLOAD_MAX_FILESIZE": str(args.policy.body_limit),
        # Postfix has no map for their addresses in older images: what can be made here would answer 550.
        "APP_WITH_DISTLISTS": "false",
        "APP_WITH_SHARED_FOLDERS": "false",
        "APP_WITH_RESOURCES": "false",
        "PASSWORD_POLICY": args.policy.passwords,
        **page_headers(args.website),
        "DB_CONNECTION": "mysql",
        "DB_HOST": stores.database.host,
        "DB_PORT": str(stores.database.port),
        "DB_DATABASE": stores.database.name,
        "DB_USERNAME": stores.database.name,
        "REDIS_HOST": stores.redis.host,
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
        "IMAP_ADMIN_LOGIN": IMAP_ADMIN,
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
        "APP_DISCOVERY_IMAP": f"ssl://{told.imap}:993",
        "APP_DISCOVERY_SMTP": f"ssl://{told.smtp}:465",
        # There is no POP3 in this stack, and an empty value stops it from being announced.
        "APP_DISCOVERY_POP3": "",
        "APP_DISCOVERY_ACTIVESYNC": told.activesync or "",
        # The proxy serves the policy itself; this is the same text for whoever reaches the application directly.
        "MTA_STS": told.policy or "",
        "DNS_SPF": told.spf,
        "LOG_CHANNEL": "stdout",
        "LOG_LEVEL": "info",
        "PGP_ENABLE": "false",
    }
    if role == "scheduler":
        env["KOLAB_UNLIMITED_DOMAINS"] = " ".join(args.policy.unlimited)
    if args.meet:
        env |= {
            "MEET_SERVER_URLS": topology.MEET.url("http", "/meetmedia/api/"),
            "MEET_SERVER_VERIFY_TLS": "false",
        }
    return {**env, **(stores.files.env if stores.files else {"FILESYSTEM_DISK": "local"})}
