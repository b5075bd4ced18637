"""Every private value of a stack: its key, its format, and why it exists.

Keys are flat (`kolab:databasePassword`), because a secret inside an object reaches the program untracked.
Formats: the daemons paste most values with sed, DSNs and unquoted heredocs, so generated passwords hold only
letters and digits (upstream: docker/*/init.sh, docker/roundcube config.inc.php).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from model.settings import Settings

Format = Literal["password", "appKey", "desKey", "uuid", "hex", "rsa4096", "rsa2048", "ecP256", "given"]


@dataclass(frozen=True)
class Secret:
    """One flat secret key of the stack file (without the `kolab:` prefix)."""

    key: str
    format: Format
    why: str


def secrets(settings: Settings) -> tuple[Secret, ...]:
    """The secrets that this stack needs, in the order in which they are made."""
    return tuple(_secrets(settings))


def _secrets(settings: Settings) -> Iterator[Secret]:
    yield Secret("contentSalt", "hex", "names Kubernetes Secrets by content without giving the content away")
    yield Secret("databaseRootPassword", "password", "MariaDB root; roundcube's migrations")
    yield Secret("databasePassword", "password", "database of the web application")
    yield Secret("legacyDatabasePassword", "password", "third database that the MariaDB image insists on")
    yield Secret("roundcubeDatabasePassword", "password", "database of Roundcube")
    yield Secret("redisPassword", "password", "Redis")
    yield Secret("imapAdminPassword", "password", "cyrus-admin, which creates mailboxes")
    yield Secret("noreplyPassword", "password", "mailbox that sends system mail")
    yield Secret("adminPassword", "password", "first administrator of the web interface")
    yield Secret("appKey", "appKey", "encrypts data of the web application; never change it")
    yield Secret("passportPrivateKey", "rsa4096", "signs OAuth tokens; public half: passportPublicKey")
    yield Secret("passportClientId", "uuid", "OAuth client of the login form")
    yield Secret("passportClientSecret", "password", "OAuth client of the login form")
    yield Secret("webmailClientId", "uuid", "OAuth client of the webmail")
    yield Secret("webmailClientSecret", "password", "OAuth client of the webmail")
    yield Secret("desKey", "desKey", "encrypts webmail sessions; the same on all replicas")
    if settings.features.files and settings.external.s3 is None:
        yield Secret("minioPassword", "password", "MinIO root user, which the web application uses")
    if settings.external.s3:
        yield Secret("s3AccessKey", "given", "access key of the S3 service")
        yield Secret("s3SecretKey", "given", "secret key of the S3 service")
    if settings.features.meet:
        yield Secret("meetServerToken", "hex", "web application to Meet")
        yield Secret("meetWebhookToken", "hex", "Meet to web application")
        yield Secret("turnSecret", "hex", "temporary TURN credentials")
    for selector in settings.mail.dkim.selectors:
        yield Secret(f"dkimKey-{selector}", "rsa2048", f"DKIM key of selector {selector}")
    if settings.tlsa:
        yield Secret("mxKey", "ecP256", "private key of the MX certificate, stable for DANE")
        if settings.tlsa.next:
            yield Secret("mxNextKey", "ecP256", "the MX key that comes next")
    if settings.tls.issuer == "acme" or settings.dns.provider == "cloudflare":
        yield Secret("cloudflareApiToken", "given", "edits DNS records of the zones")
    egress = settings.network.egress
    if egress is not None and egress.mode == "relay" and egress.username:
        yield Secret("relayPassword", "given", "SASL password at the smarthost")
    if settings.monitoring.enabled:
        yield Secret(
            "monitoringPassword", "password", "user `operator` of /prometheus, /alertmanager, /select"
        )
