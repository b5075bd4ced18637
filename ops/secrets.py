"""`ops secrets`: makes what is missing, keeps what is there, and writes public halves beside their private ones."""

from __future__ import annotations

import argparse
import base64
import datetime
import re
import secrets as random
import string
import sys
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from model import secret_values
from model.findings import Finding
from model.keys import Pair, PrivateKey, dkim_pair, pairs, private_key, public_entry
from model.secrets import DKIM_PREFIX, Secret, dkim_key, secrets
from model.settings import SELECTOR, Settings
from model.shipped import is_shipped_key
from model.stack_file import StackFileError
from ops.frame import add_stack
from ops.stacks import Pulumi, StackFile, StackProblem

_ALPHABET = string.ascii_letters + string.digits
_PASSWORD_LENGTH = 32


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "secrets", help="make the secrets that a stack lacks, show one, or exchange one"
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=("make", "show", "rotate"),
        default="make",
        help="make (default): fails as long as something is left that only you can give; show: print the value of KEY; rotate: exchange KEY for a new value, which the next update brings to both ends",
    )
    parser.add_argument("key", nargs="?", metavar="KEY", help="for show and rotate, such as adminPassword")
    add_stack(parser)
    parser.add_argument(
        "--from",
        dest="given",
        type=Path,
        metavar="FOLDER",
        help="bring in existing values: one file per key, named like the key",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Shows or exchanges one secret, or makes and stores what is missing.

    Making never overwrites: an existing value, also in FOLDER's way, stays. Raises StackProblem when something is left that
    only the operator can give.
    """
    stack = StackFile.read(options.stack)
    if options.action == "show":
        print(shown(stack, Pulumi(options.stack), options.key))
        return
    if options.action == "rotate":
        from ops.rotate import rotate  # noqa: PLC0415 - it builds on this module

        given = _read_given(options.given)
        print(rotate(stack, Pulumi(options.stack), options.key, given), file=sys.stderr)
        return
    if options.key is not None:
        raise StackProblem(f"makes all that is missing; to see one: ./kolab secrets show {options.key}")
    made = fill(stack, Pulumi(options.stack), given=_read_given(options.given), today=datetime.date.today())
    print(f"secrets: {', '.join(made.written) if made.written else 'nothing was missing'}", file=sys.stderr)
    if made.left:
        raise StackProblem("\n  ".join(("some are left that only you can give:", *made.left)))


def shown(stack: StackFile, pulumi: Pulumi, key: str | None) -> str:
    """The value of one secret. Raises StackProblem when the stack has none of this name."""
    there = sorted(stack.secret_keys)
    if key is None or key.removeprefix("kolab:") not in there:
        said = f"has no secret {key}" if key else "has several secrets"
        raise StackProblem(
            f"stack {stack.name} {said}; name one of: {', '.join(there) or '(there is none yet)'}"
        )
    return pulumi.plaintexts()[key.removeprefix("kolab:")]


@dataclass
class Filled:
    """What `fill` came to: the keys that were written, and a sentence for each that only the operator has."""

    written: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def fill(stack: StackFile, pulumi: Pulumi, *, given: Mapping[str, str], today: datetime.date) -> Filled:
    """Stores every missing secret and public half of `stack`.

    A public half without its private one is somebody's key: it is not replaced, except in an example and a copy of
    one, whose keys nobody has. Raises StackProblem, before anything is written, when `given` cannot be used.
    """
    settings, _ = known(stack)
    halves = {pair.secret: pair for pair in pairs(settings)}
    needed = list(secrets(settings))
    for selector in _first_selectors(settings, {*stack.values, *given}, today):
        needed.append(dkim_key(selector))
        halves[needed[-1].key] = dkim_pair(selector, None)
    usable = {secret.key: usable_value(secret, given[secret.key]) for secret in needed if secret.key in given}
    refuse_strangers(given, stack, needed)
    if not settings.example:
        _refuse_other_halves(usable, halves, stack)
    found = Filled()
    for secret in needed:
        pair = halves.get(secret.key)
        if secret.key in stack.values:
            if pair and pair.public is None:
                # An earlier run was cut short, or somebody stored the private half by hand.
                _publish(pulumi, settings, pair, pulumi.plaintexts()[secret.key], today)
                found.written.append(pair.path)
            continue
        value = usable.get(secret.key)
        lost = pair is not None and pair.public is not None and not _throw_away(pair, settings)
        if value is None and (lost or not secret.made):
            found.left.append(_yours(secret, pair if lost else None))
            continue
        value = value or make(secret)
        pulumi.set_secret(secret.key, value)
        found.written.append(secret.key)
        if pair and not pair.belongs(value):
            _publish(pulumi, settings, pair, value, today)
    return found


def _throw_away(pair: Pair, settings: Settings) -> bool:
    """Whether nobody has the private half, so that a new pair takes its place."""
    return settings.example or is_shipped_key(pair.public)


def _yours(secret: Secret, pair: Pair | None) -> str:
    if pair is None:
        return f"{secret.key} is yours to give: ./kolab pulumi config set --secret kolab:{secret.key} ({secret.why})"
    return (
        f"{secret.key} is yours to give, since its public half stands in kolab:{pair.path}:"
        f" ./kolab secrets --from <folder>, which holds the file {secret.key}, or remove {public_entry(pair)} for a new pair"
    )


def _publish(pulumi: Pulumi, settings: Settings, pair: Pair, private: str, today: datetime.date) -> None:
    """Writes the public half, and for a new DKIM key the rest of its entry."""
    pulumi.set_plain(pair.path, pair.derive(private))
    fresh = pair.public is None or (is_shipped_key(pair.public) and not settings.example)
    if fresh and pair.secret.startswith(DKIM_PREFIX):
        # A stack that is never deployed may sign at once; a real one first waits until DNS shows the key.
        stage = "active" if settings.example else "published"
        entry = pair.path.rpartition(".")[0]
        pulumi.set_plain(f"{entry}.stage", stage)
        pulumi.set_plain(f"{entry}.since", today.isoformat())


def _first_selectors(settings: Settings, keys: Collection[str], today: datetime.date) -> list[str]:
    """Selectors for a stack without any: those of keys that are there or brought in, else one by date."""
    if settings.mail.dkim.selectors or settings.scope == "dns":
        return []
    brought = sorted(key.removeprefix(DKIM_PREFIX) for key in keys if key.startswith(DKIM_PREFIX))
    return [name for name in brought if re.fullmatch(SELECTOR, name)][:1] or [f"k{today:%Y%m}"]


def usable_value(secret: Secret, value: str) -> str:
    """A value that was brought in, in the form that the daemons read. It never appears in a message."""
    complaint = secret_values.complaint(secret, value)
    if complaint is not None:
        raise StackProblem(f"the value brought in for {secret.key} cannot be used: it {complaint}")
    return _pem(private_key(value)) if secret.format in secret_values.KEY_PAIRS else value


def refuse_strangers(given: Mapping[str, str], stack: StackFile, needed: Sequence[Secret]) -> None:
    unknown = set(given) - {secret.key for secret in needed}
    if unknown:
        raise StackProblem(
            f"stack {stack.name} needs no {', '.join(sorted(unknown))}; docs/reference/secrets.md lists all keys"
        )


def _refuse_other_halves(usable: Mapping[str, str], halves: Mapping[str, Pair], stack: StackFile) -> None:
    for key, value in usable.items():
        pair = halves.get(key)
        if is_shipped_key(pair.public if pair else None):
            continue
        if pair and pair.public is not None and key not in stack.values and not pair.belongs(value):
            raise StackProblem(f"the value brought in for {key} is not the private half of kolab:{pair.path}")


_MADE_HERE = ("public-half-missing", "example-key", "image-latest")
"""What a new stack file lacks: commands add it, and the update asks for it."""


def known(stack: StackFile) -> tuple[Settings, tuple[Finding, ...]]:
    """Settings and warnings of a stack that may have no keys and digests yet: only that is forgiven. Raises StackFileError."""
    try:
        return stack.settings()
    except StackFileError as error:
        if any(f.severity == "error" and f.rule not in _MADE_HERE for f in error.findings):
            raise
        values = {key: value for key, value in stack.values.items() if key not in stack.secret_keys}
        return Settings.model_validate(values), error.findings


def _read_given(folder: Path | None) -> dict[str, str]:
    if folder is None:
        return {}
    if not folder.is_dir():
        raise StackProblem(f"{folder} is not a folder with one file per key")
    try:
        return {path.name: path.read_text("utf-8").strip() for path in sorted(folder.iterdir())}
    except (OSError, ValueError):
        raise StackProblem(f"{folder} holds something else than one text file per key") from None


def make(secret: Secret) -> str:
    """A new value in the secret's format (docs/reference/secrets.md)."""
    return _MAKERS[secret.format]()


def _password() -> str:
    return "".join(random.choice(_ALPHABET) for _ in range(_PASSWORD_LENGTH))


def _pem(key: PrivateKey) -> str:
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
    # Like upstream's: base64 of 24 bytes; without + and / it is safe everywhere.
    "desKey": lambda: "".join(random.choice(_ALPHABET) for _ in range(32)),
    "rsa2048": lambda: _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "rsa4096": lambda: _pem(rsa.generate_private_key(public_exponent=65537, key_size=4096)),
    "ecP256": lambda: _pem(ec.generate_private_key(ec.SECP256R1())),
}
