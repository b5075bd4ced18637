"""Every private value of a stack: its key, its format, why it exists, and when it is needed.

Keys are flat (`kolab:databasePassword`), because a secret inside an object reaches the program untracked.
Formats: the daemons paste most values with sed, DSNs and unquoted heredocs, so generated passwords hold only
letters and digits (upstream: docker/*/init.sh, docker/roundcube config.inc.php).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from model.monitoring.alertmanager import password as alerts_password
from model.settings import Settings
from model.texts import NO_TEXT
from model.topology import smarthost
from model.urls import SECRET as WEBHOOK_IS_SECRET

Format = Literal[
    "password",
    "appKey",
    "desKey",
    "uuid",
    "hex",
    "rsa4096",
    "rsa2048",
    "ecP256",
    "cloudflareToken",
    "relayPassword",
    "s3AccessKey",
    "s3SecretKey",
    "webhookUrl",
]


@dataclass(frozen=True)
class Shape:
    """What a value of some format looks like: in words, and as a regular expression that it matches in full.

    `made` tells whether `./kolab secrets` can make one; the others only their owner has.
    """

    words: str
    pattern: str
    made: bool = True


_PEM = r"-----BEGIN ((RSA|EC) )?PRIVATE KEY-----\r?\n([A-Za-z0-9+/=]+\r?\n)+-----END ((RSA|EC) )?PRIVATE KEY-----\s*"

FORMATS: dict[Format, Shape] = {
    # A first `-` would be an option to some daemon. bcrypt reads 72 bytes and no more.
    "password": Shape(
        "16 to 72 letters, digits and . _ ~ -, the first a letter or digit",
        r"[A-Za-z0-9][A-Za-z0-9._~-]{15,71}",
    ),
    "hex": Shape("32 to 128 hexadecimal digits", r"[0-9A-Fa-f]{32,128}"),
    "uuid": Shape("UUID", r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "appKey": Shape("`base64:` and 32 random bytes in base64", r"base64:[A-Za-z0-9+/]{43}="),
    "desKey": Shape(
        "24 or 32 characters of base64",
        r"(?=.{24}(.{8})?\Z)[A-Za-z0-9+/]{22}([A-Za-z0-9+/]{8})?[A-Za-z0-9+/=]{2}",
    ),
    "rsa4096": Shape("RSA private key of 4096 bits in PEM; one that is brought in has 2048 or more", _PEM),
    "rsa2048": Shape("RSA private key of 2048 bits in PEM; one that is brought in has 2048 to 4096", _PEM),
    "ecP256": Shape("elliptic-curve private key (P-256) in PEM", _PEM),
    "cloudflareToken": Shape(
        "API token of Cloudflare, 40 or more letters, digits, _ and -, not the global key",
        r"[A-Za-z0-9_-]{40,128}",
        made=False,
    ),
    "relayPassword": Shape(
        "as its owner gave it to you: 8 to 256 letters, digits and signs of ASCII, without spaces",
        r"[!-~]{8,256}",
        made=False,
    ),
    "s3AccessKey": Shape(
        "as its owner gave it to you: 3 to 128 letters, digits and . _ ~ + / = @ -, and not true, false, null or empty",
        rf"(?!{NO_TEXT}\Z)[A-Za-z0-9][A-Za-z0-9._~+/=@-]{{2,127}}",
        made=False,
    ),
    "s3SecretKey": Shape(
        "as its owner gave it to you: 16 to 256 letters, digits and . _ ~ + / = -",
        r"[A-Za-z0-9._~+/=-]{16,256}",
        made=False,
    ),
    "webhookUrl": Shape(
        "URL as its owner gave it to you, beginning with https://, up to 1000 characters",
        r"(?=.{12,1000}\Z)https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%+@:,;!=&-]*)*(\?[A-Za-z0-9._~%+@:,;!=&/-]+)?",
        made=False,
    ),
}
"""Format -> shape."""

DKIM_PREFIX = "dkimKey-"
"""Begins the keys of DKIM's private halves; the selector follows."""


@dataclass(frozen=True)
class Secret:
    """One flat secret key of the stack file (without the `kolab:` prefix)."""

    key: str
    format: Format
    why: str

    @property
    def made(self) -> bool:
        """Whether `./kolab secrets` makes it; otherwise it is somebody's to give."""
        return FORMATS[self.format].made


@dataclass(frozen=True)
class Entry:
    """A secret of the catalogue, and the stacks that need it."""

    secret: Secret
    when: str
    needed: Callable[[Settings], bool]


def secrets(settings: Settings) -> tuple[Secret, ...]:
    """The secrets that this stack needs, in the order in which they are made."""
    needed = [entry.secret for entry in CATALOGUE if entry.needed(settings)]
    if settings.scope == "dns":
        # Such a stack publishes what stands in plain text and runs nothing.
        return tuple(secret for secret in needed if secret.key == "cloudflareApiToken")
    return (*needed, *map(dkim_key, settings.mail.dkim.selectors))


def dkim_key(selector: str) -> Secret:
    """The private half of a DKIM key."""
    return Secret(f"{DKIM_PREFIX}{selector}", "rsa2048", f"DKIM key of selector {selector}")


def is_secret_key(key: str) -> bool:
    """Whether some stack has a secret under this key."""
    return key in NAMES or key.startswith(DKIM_PREFIX)


def _relay_login(settings: Settings) -> bool:
    relay = smarthost(settings)
    return relay is not None and bool(relay.username)


def acme_token(settings: Settings) -> str | None:
    """The key of the Cloudflare token that cert-manager answers DNS-01 with; None when it answers nothing."""
    if settings.tls.issuer != "acme":
        return None
    return "acmeCloudflareToken" if settings.tls.own_token else "cloudflareApiToken"


def _edits_dns(settings: Settings) -> bool:
    return acme_token(settings) == "cloudflareApiToken" or settings.dns.provider == "cloudflare"


def _catalogue() -> Iterator[Entry]:
    def always(key: str, kind: Format, why: str) -> Entry:
        return Entry(Secret(key, kind, why), "always", lambda _: True)

    def own_database(key: str, why: str) -> Entry:
        return Entry(
            Secret(key, "password", why),
            "without external.database",
            lambda settings: settings.external.database is None,
        )

    def meet(key: str, why: str) -> Entry:
        return Entry(Secret(key, "hex", why), "features.meet", lambda settings: settings.features.meet)

    def s3(key: str, kind: Format, why: str) -> Entry:
        return Entry(Secret(key, kind, why), "external.s3", lambda settings: settings.external.s3 is not None)

    yield always("contentSalt", "hex", "names Kubernetes Secrets by content without giving the content away")
    yield own_database("databaseRootPassword", "MariaDB root; roundcube's migrations")
    yield always("databasePassword", "password", "database of the web application")
    yield own_database("legacyDatabasePassword", "third database that the MariaDB image insists on")
    yield always("roundcubeDatabasePassword", "password", "database of Roundcube")
    yield always("redisPassword", "password", "Redis")
    yield always("imapAdminPassword", "password", "cyrus-admin, which creates mailboxes")
    yield always("noreplyPassword", "password", "mailbox that sends system mail")
    yield always("adminPassword", "password", "first administrator of the web interface")
    yield always("appKey", "appKey", "encrypts data of the web application; never change it")
    yield always("passportPrivateKey", "rsa4096", "signs OAuth tokens; public half: passportPublicKey")
    yield always("passportClientId", "uuid", "OAuth client of the login form")
    yield always("passportClientSecret", "password", "OAuth client of the login form")
    yield always("webmailClientId", "uuid", "OAuth client of the webmail")
    yield always("webmailClientSecret", "password", "OAuth client of the webmail")
    yield always("desKey", "desKey", "encrypts webmail sessions; the same on all replicas")
    yield Entry(
        Secret("minioPassword", "password", "MinIO root user, which the web application uses"),
        "features.files without external.s3, files.engine other than versitygw",
        lambda settings: settings.own_minio,
    )
    yield Entry(
        Secret("filesPassword", "password", "Versity Gateway root user, which the web application uses"),
        "features.files without external.s3, files.engine other than minio",
        lambda settings: settings.own_gateway,
    )
    yield s3("s3AccessKey", "s3AccessKey", "access key of the S3 service")
    yield s3("s3SecretKey", "s3SecretKey", "secret key of the S3 service")

    def backup(key: str, kind: Format, why: str, repository: str | None = None) -> Entry:
        return Entry(
            Secret(key, kind, why),
            f"backup with a repository of kind {repository}" if repository else "backup",
            lambda settings: (
                settings.backup is not None and repository in (None, settings.backup.repository.kind)
            ),
        )

    yield backup(
        "backupKey", "password", "encrypts the backups; without it none can be read, so keep it elsewhere too"
    )
    yield backup("backupAccessKey", "s3AccessKey", "access key of the bucket for backups", "s3")
    yield backup("backupSecretKey", "s3SecretKey", "secret key of the bucket for backups", "s3")
    yield backup("backupPassword", "relayPassword", "password at the server for backups", "rest")
    yield meet("meetServerToken", "web application to Meet")
    yield meet("meetWebhookToken", "Meet to web application")
    yield meet("turnSecret", "temporary TURN credentials")
    yield Entry(
        Secret("mxKey", "ecP256", "private key of the MX certificate, stable for DANE"),
        "tlsa",
        lambda settings: settings.tlsa is not None,
    )
    yield Entry(
        Secret("mxNextKey", "ecP256", "the MX key that comes next"),
        "tlsa.next",
        lambda settings: settings.tlsa is not None and settings.tlsa.next is not None,
    )
    yield Entry(
        Secret("cloudflareApiToken", "cloudflareToken", "edits DNS records of the zones"),
        "dns.provider cloudflare, or tls.issuer acme without ownToken",
        _edits_dns,
    )
    yield Entry(
        Secret(
            "acmeCloudflareToken", "cloudflareToken", "cert-manager's own, for _acme-challenge records alone"
        ),
        "tls.ownToken",
        lambda settings: acme_token(settings) == "acmeCloudflareToken",
    )
    yield Entry(
        Secret("relayPassword", "relayPassword", "SASL password at the smarthost"),
        "network.egress of mode relay with a username",
        _relay_login,
    )
    yield Entry(
        Secret("alertsWebhook", "webhookUrl", "where Alertmanager sends alerts, with the token in it"),
        "monitoring.alerts.webhook: secret",
        lambda settings: (
            settings.monitoring.enabled and settings.monitoring.alerts.webhook == WEBHOOK_IS_SECRET
        ),
    )
    yield Entry(
        Secret("alertsServerPassword", "relayPassword", "SASL password at the mail server that takes alerts"),
        "monitoring.alerts.server with a username",
        lambda settings: settings.monitoring.enabled and alerts_password(settings) == "alertsServerPassword",
    )
    yield Entry(
        Secret(
            "alertsHeartbeat", "webhookUrl", "where Alertmanager says that it lives, with the token in it"
        ),
        "monitoring.alerts.heartbeat: secret",
        lambda settings: (
            settings.monitoring.enabled and settings.monitoring.alerts.heartbeat == WEBHOOK_IS_SECRET
        ),
    )
    yield Entry(
        Secret("roundTripPassword", "password", "the account that writes to itself"),
        "monitoring.roundTrip",
        lambda settings: settings.monitoring.trip is not None,
    )
    yield Entry(
        Secret("reportsPassword", "password", "the account that reports about our mail come to"),
        "monitoring.reports",
        lambda settings: settings.monitoring.report_reader is not None,
    )
    yield Entry(
        Secret("monitoringPassword", "password", "user `operator` of /prometheus, /alertmanager, /select"),
        "monitoring.enabled",
        lambda settings: settings.monitoring.enabled,
    )


CATALOGUE = tuple(_catalogue())
"""Every secret that some stack has, except the DKIM keys: those are named by their selectors."""

NAMES = frozenset(entry.secret.key for entry in CATALOGUE)
"""The keys of the catalogue."""
