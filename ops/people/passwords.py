"""Passwords come from a terminal, from standard input or from a file, and go out into a file: never by a command line."""

from __future__ import annotations

import getpass
import os
import secrets
import string
import sys
from collections.abc import Mapping
from pathlib import Path

from model.settings import Passwords
from model.settings.passwords import LONGEST
from ops.stacks import StackProblem

_LENGTH = 20
_KINDS = {"lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "digit": string.digits}
"""As the application tells them apart (upstream: src/app/Policy/Password.php)."""


def fault(password: str, wanted: Passwords) -> str | None:
    """What is wrong with a password, without telling it. The commands of the application ask no policy."""
    if not wanted.least <= len(password) <= LONGEST:
        return f"must have {wanted.least} to {LONGEST} characters (kolab:passwords.least)"
    if lacking := [kind for kind in wanted.kinds if not set(password) & set(_KINDS[kind])]:
        return f"must hold one of each: {', '.join(lacking)} (kolab:passwords.kinds)"
    # saslauthd's question is user, realm and password with spaces between (upstream: NGINXController::cyrussasl).
    if any(character.isspace() or not character.isprintable() for character in password):
        return "must have no spaces: the mail server would never find it right"
    return None


def ask(whose: str, wanted: Passwords) -> str:
    """A new password: twice from a terminal, else the first line of standard input. Raises StackProblem."""
    if sys.stdin.isatty():
        given = getpass.getpass(f"New password of {whose}: ")
        if given != getpass.getpass("Again: "):
            raise StackProblem("the two passwords differ; nothing was changed")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if wrong := fault(given, wanted):
        raise StackProblem(
            f"the password of {whose} {wrong}; type it, pipe it in on standard input, or have one made with --passwords-to FILE"
        )
    return given


def made(wanted: Passwords) -> str:
    """A new one of letters and digits, at least 119 bits."""
    while True:
        length = max(_LENGTH, wanted.least)
        found = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
        # One in thirty has no digit.
        if fault(found, wanted) is None:
            return found


def write(path: Path, found: Mapping[str, str]) -> None:
    """Hands passwords that were made to the operator, in a new file for its owner alone. Raises StackProblem."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{who},{password}\n" for who, password in found.items())
    except OSError as error:
        raise StackProblem(f"--passwords-to {path}: {error.strerror}; it must name a new file") from None
