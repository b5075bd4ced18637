"""`ops secrets`: makes what is missing, keeps what is there, and writes public halves beside their private ones."""

from __future__ import annotations

import argparse
import base64
import datetime
import secrets as random
import string
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from model.findings import Finding
from model.keys import dkim_public_key, public_pem
from model.secrets import Secret, secrets
from model.settings import Settings
from model.stack_file import StackFileError
from ops.stacks import Pulumi, StackFile, StackProblem

_ALPHABET = string.ascii_letters + string.digits
_PASSWORD_LENGTH = 32


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser("secrets", help="make the secrets that a stack lacks")
    parser.add_argument("--stack", required=True)
    parser.add_argument(
        "--from",
        dest="given",
        type=Path,
        metavar="FOLDER",
        help="bring in existing values: one file per key, named like the key",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Makes and stores what is missing. Never overwrites: an existing value, also in FOLDER's way, stays."""
    stack = StackFile.read(options.stack)
    made = fill(stack, Pulumi(options.stack), given=_read_given(options.given), today=datetime.date.today())
    print(f"secrets: {', '.join(made) if made else 'nothing is missing'}", file=sys.stderr)


def fill(stack: StackFile, pulumi: Pulumi, *, given: dict[str, str], today: datetime.date) -> list[str]:
    """Stores every missing secret and public half of `stack`; returns the keys that were written."""
    settings, _ = known(stack)
    unknown = (
        set(given) - {secret.key for secret in secrets(settings)} - {f"dkimKey-{_first_selector(today)}"}
    )
    if unknown:
        raise StackProblem(
            f"no such secret: {', '.join(sorted(unknown))}; docs/reference/secrets.md lists them"
        )
    written: list[str] = []
    needed = list(secrets(settings))
    if not settings.mail.dkim.selectors:
        needed.append(Secret(f"dkimKey-{_first_selector(today)}", "rsa2048", "first DKIM key"))
    for secret in needed:
        if secret.key in stack.values:
            continue
        value = given.get(secret.key) or (make(secret) if secret.format != "given" else None)
        if value is None:
            print(
                f"secrets: {secret.key} is yours to give: pulumi config set --secret kolab:{secret.key} ({secret.why})",
                file=sys.stderr,
            )
            continue
        pulumi.set_secret(secret.key, value)
        written.append(secret.key)
        if secret.key == "passportPrivateKey":
            pulumi.set_plain("passportPublicKey", public_pem(value))
        elif secret.key.startswith("dkimKey-") and not settings.mail.dkim.selectors:
            _publish(pulumi, settings, secret.key.removeprefix("dkimKey-"), value, today)
    return written


def _publish(pulumi: Pulumi, settings: Settings, selector: str, private: str, today: datetime.date) -> None:
    # A stack that is never deployed may sign at once; a real one first waits until DNS shows the key.
    stage = "active" if settings.example or settings.kubernetes.render else "published"
    for key, value in (
        ("publicKey", dkim_public_key(private)),
        ("stage", stage),
        ("since", today.isoformat()),
    ):
        pulumi.set_plain(f"mail.dkim.selectors.{selector}.{key}", value)


def _first_selector(today: datetime.date) -> str:
    return f"k{today:%Y%m}"


def known(stack: StackFile) -> tuple[Settings, tuple[Finding, ...]]:
    """Settings and warnings of a stack that may have no keys yet: only that lack is forgiven. Raises StackFileError."""
    try:
        return stack.settings()
    except StackFileError as error:
        if any(f.severity == "error" and f.rule != "public-half-missing" for f in error.findings):
            raise
        values = {key: value for key, value in stack.values.items() if key not in stack.secret_keys}
        return Settings.model_validate(values), error.findings


def _read_given(folder: Path | None) -> dict[str, str]:
    if folder is None:
        return {}
    if not folder.is_dir():
        raise StackProblem(f"{folder} is not a folder with one file per key")
    return {path.name: path.read_text().rstrip("\n") for path in sorted(folder.iterdir()) if path.is_file()}


def make(secret: Secret) -> str:
    """A new value in the secret's format (docs/reference/secrets.md)."""
    return _MAKERS[secret.format]()


def _password() -> str:
    return "".join(random.choice(_ALPHABET) for _ in range(_PASSWORD_LENGTH))


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    # Traditional format: Amavis' Mail::DKIM reads "RSA PRIVATE KEY".
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


_MAKERS: dict[str, Callable[[], str]] = {
    "password": _password,
    "hex": lambda: random.token_hex(32),
    "uuid": lambda: str(uuid.uuid4()),
    "appKey": lambda: "base64:" + base64.b64encode(random.token_bytes(32)).decode(),
    # Roundcube wants exactly 24 characters after decoding for 3DES; letters and digits keep it safe everywhere else.
    "desKey": lambda: "".join(random.choice(_ALPHABET) for _ in range(32)),
    "rsa2048": lambda: _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "rsa4096": lambda: _pem(rsa.generate_private_key(public_exponent=65537, key_size=4096)),
    "ecP256": lambda: _pem(ec.generate_private_key(ec.SECP256R1())),
}
