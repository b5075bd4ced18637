"""What becomes of a running stack when a secret changes: one entry for each of model/secrets.

The image of MariaDB sets the passwords of its users from its variables at every start (upstream:
docker/mariadb/.../80-add-arbitrary-users.sh), Redis, MinIO and Versity Gateway know theirs from there alone, and `data:init` sets those of
the service accounts when Horizon starts (upstream: src/app/Console/Commands/Data/InitCommand.php:37-67). So one update
changes both ends, and what asks in between is told to come again. What the application has written into its database
under an old value stays there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from model.catalogue import changes as rules
from model.deployed import Deployed
from model.findings import Finding
from model.keys import Plaintext
from model.secrets import DKIM_PREFIX, secrets
from model.settings import Settings

Kind = Literal["made", "given", "staged", "never"]

_SALT = "contentSalt"
_LENGTH = 16
"""Hexadecimal digits of a fingerprint: without the salt, nobody can try values against it."""


@dataclass(frozen=True)
class Rotation:
    """How a secret is exchanged on a running stack.

    `made`: a new value is made here, and one update brings it to both ends. `given`: the same with a value that whoever
    runs the other end gives. `staged`: another command leads it through stages. `never`: a change would do harm.
    """

    kind: Kind
    words: str
    """What people notice; for `staged` the command, for `never` the reason."""

    @property
    def possible(self) -> bool:
        """Whether `./kolab secrets rotate` does it."""
        return self.kind in ("made", "given")


_DATABASE = (
    "MariaDB restarts and all that ask it follow: mail waits at its senders, and web pages fail for a minute"
)
_CLIENT = (
    "the web application wrote it into its database (oauth_clients) at the first start and never reads it again,"
    " so every login through it would fail"
)
_BACKED_UP = "Cyrus restarts, and the server of the files where it is ours: mailboxes and files cannot be opened for a minute"
_BACKUPS = (
    f"the service has to know it already: backups stop until it does, and an alert says so; {_BACKED_UP}"
)
_BUCKET = (
    "the service has to know the new pair already; both keys change in one update: backups stop until then,"
    f" and an alert says so; {_BACKED_UP}"
)
_FILES = (
    "the S3 service has to know the new pair already; both keys change in one update, and web pages restart"
)
_CALLS = "Meet restarts: meetings that go on end and can be joined anew"

ROTATIONS: Mapping[str, Rotation] = {
    "contentSalt": Rotation(
        "never",
        "all names of Secrets and all fingerprints are made with it, so nobody could see what else changes;"
        " where it leaked, rotate the secrets themselves",
    ),
    "databaseRootPassword": Rotation("made", _DATABASE),
    "databasePassword": Rotation("made", _DATABASE),
    "legacyDatabasePassword": Rotation("made", _DATABASE),
    "roundcubeDatabasePassword": Rotation("made", _DATABASE),
    "redisPassword": Rotation(
        "made", "Redis restarts with its queue on disk: web pages and webmail fail for a minute, no job is lost"
    ),
    "imapAdminPassword": Rotation(
        "made", "new accounts get their mailbox some seconds later, when Horizon has set the password"
    ),
    "noreplyPassword": Rotation("made", "system mail waits some seconds, until Horizon has set the password"),
    "adminPassword": Rotation(
        "never",
        "it is of the first login alone; the account's own password is changed in the web interface,"
        " or by `./kolab user passwd`",
    ),
    "appKey": Rotation(
        "never",
        "what the web application stored encrypted could not be read again, and the keys of before are no setting of it"
        " (upstream: src/config/app.php)",
    ),
    "passportPrivateKey": Rotation("made", "everybody logs in to web interface and webmail again"),
    "passportClientId": Rotation("never", _CLIENT),
    "passportClientSecret": Rotation("never", _CLIENT),
    "webmailClientId": Rotation("never", _CLIENT),
    "webmailClientSecret": Rotation("never", _CLIENT),
    "desKey": Rotation("made", "everybody logs in to the webmail again; what is being written there is lost"),
    "minioPassword": Rotation("made", "MinIO restarts: files cannot be opened for a minute"),
    "filesPassword": Rotation("made", "Versity Gateway restarts: files cannot be opened for a minute"),
    "s3AccessKey": Rotation("given", _FILES),
    "s3SecretKey": Rotation("given", _FILES),
    "meetServerToken": Rotation("made", _CALLS),
    "meetWebhookToken": Rotation("made", _CALLS),
    "turnSecret": Rotation("made", f"coturn and {_CALLS}"),
    "mxKey": Rotation("staged", "./kolab tlsa: senders have to know the next key first"),
    "mxNextKey": Rotation("staged", "./kolab tlsa: senders have to know the next key first"),
    "cloudflareApiToken": Rotation("given", "nothing stops; take the old token back at Cloudflare afterwards"),
    "acmeCloudflareToken": Rotation("given", "nothing stops; take the old token back at Cloudflare afterwards"),
    "relayPassword": Rotation("given", "the smarthost has to know it already: mail to the world waits until it does, and goes back to its senders after"
        " days only; Postfix restarts: senders come again"),
    "alertsWebhook": Rotation("given", "nothing stops; take the old address back afterwards"),
    "alertsServerPassword": Rotation("given", "that server has to know it already: alerts come by other ways until it does"),
    "alertsHeartbeat": Rotation("given", "nothing stops; take the old address back afterwards"),
    "backupKey": Rotation(
        "given", "the repository has to have it already (`restic key add`, with the old key): backups stop until it does;"
        f" {_BACKED_UP}"
    ),
    "backupAccessKey": Rotation("given", _BUCKET),
    "backupSecretKey": Rotation("given", _BUCKET),
    "backupPassword": Rotation("given", _BACKUPS),
    "roundTripPassword": Rotation("given", "the account has to have it already (`./kolab user passwd`): RoundTripLate fires until the update"),
    "reportsPassword": Rotation("given", "the account has to have it already (`./kolab user passwd`): ReportsUnread fires until the update"),
    "monitoringPassword": Rotation("made", "the operators' pages ask for the new password"),
}  # fmt: skip
"""Key -> its rotation. DKIM keys have names of their own: see `of`."""

DKIM = Rotation("staged", "./kolab dkim: a new key gets a new selector")


def of(key: str, settings: Settings) -> Rotation:
    """The rotation of a secret of this stack. Raises KeyError when no stack has such a secret."""
    if key.startswith(DKIM_PREFIX):
        return DKIM
    found = ROTATIONS[key]
    outside = settings.external
    if (outside.database and key.endswith("atabasePassword")) or (outside.redis and key == "redisPassword"):
        return Rotation("given", "its server has to know it already: all that ask it fail until it does")
    return found


GUARDED: Mapping[str, tuple[str, ...]] = {
    "mariadb-credentials": (
        "databaseRootPassword",
        "databasePassword",
        "roundcubeDatabasePassword",
        "legacyDatabasePassword",
    ),
    "webapp-keys": ("passportPrivateKey",),
}
"""Guarded Secret, by its logical name -> the secrets in it that are rotated: then it is replaced by another."""


def replaceable(settings: Settings) -> frozenset[str]:
    """Guarded Secrets of which one of other content may have taken the place."""
    return _guarding(settings.rotations)


def pending(settings: Settings, deployed: Iterable[Deployed]) -> frozenset[str]:
    """Guarded Secrets that this update replaces, as far as any of the models that may be deployed tells."""
    return _guarding({key for model in deployed for key in _begun(model, settings)})


def _guarding(keys: Collection[str]) -> frozenset[str]:
    return frozenset(name for name, held in GUARDED.items() if any(key in keys for key in held))


def _begun(before: Deployed, after: Settings) -> list[str]:
    """Keys whose rotation this step counts, or takes back."""
    counted, was = after.rotations, before.rotations
    return [key for key in sorted({*counted, *was}) if counted.get(key, 0) != was.get(key, 0)]


def fingerprints(settings: Settings, plaintext: Plaintext) -> dict[str, str]:
    """Key -> what tells one value from another and gives none away; of the secrets that this stack needs and has."""
    salt = plaintext(_SALT)
    if not salt:
        return {}
    values = ((secret.key, plaintext(secret.key)) for secret in secrets(settings))
    return {key: _fingerprint(salt, key, value) for key, value in values if value}


def _fingerprint(salt: str, key: str, value: str) -> str:
    return hmac.new(salt.encode(), f"{key}\0{value}".encode(), hashlib.sha256).hexdigest()[:_LENGTH]


def told_apart(settings: Settings) -> bool:
    """Whether updates of this stack record fingerprints: one of records alone has no salt for them, and one secret."""
    return any(secret.key == _SALT for secret in secrets(settings))


def changed(before: Deployed, now: Mapping[str, str]) -> list[str]:
    """Keys whose value is another than the deployed one, where both are known."""
    found = [key for key, mark in now.items() if before.secrets.get(key, mark) != mark]
    return [_SALT] if _SALT in found else found


def judge(before: Deployed, after: Settings, now: Mapping[str, str]) -> Iterator[Finding]:
    """Findings about secrets that change otherwise than by their rotation."""
    begun = _begun(before, after)
    if begun and not before.secrets and told_apart(after):
        for key in begun:
            yield rules.SECRET_ROTATION_EARLY.found(key=key)
    for key in changed(before, now):
        rotation = of(key, after)
        if rotation.kind == "never":
            yield rules.SECRET_CHANGE_NEVER.found(key=key, words=rotation.words)
        elif rotation.kind == "made" and key not in begun:
            yield rules.SECRET_CHANGE.found(key=key, words=rotation.words)
        elif rotation.kind == "given" and key not in begun:
            yield rules.SECRET_CHANGE_GIVEN.found(key=key, words=rotation.words)
