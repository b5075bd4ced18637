"""Passwords come from a terminal, from standard input or from a file, and go out into a file: never by a command line."""

from __future__ import annotations

import getpass
import os
import secrets
import string
import sys
from collections.abc import Mapping
from pathlib import Path

from ops.stacks import StackProblem

_LEAST, _MOST = 8, 255
_LENGTH = 20


def fault(password: str) -> str | None:
    """What is wrong with a password, without telling it."""
    if not _LEAST <= len(password) <= _MOST:
        return f"must have {_LEAST} to {_MOST} characters"
    # saslauthd's question is user, realm and password with spaces between (upstream: NGINXController::cyrussasl).
    if any(character.isspace() or not character.isprintable() for character in password):
        return "must have no spaces: the mail server would never find it right"
    return None


def ask(whose: str) -> str:
    """A new password: twice from a terminal, else the first line of standard input. Raises StackProblem."""
    if sys.stdin.isatty():
        given = getpass.getpass(f"New password of {whose}: ")
        if given != getpass.getpass("Again: "):
            raise StackProblem("the two passwords differ; nothing was changed")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if wrong := fault(given):
        raise StackProblem(
            f"the password of {whose} {wrong}; type it, pipe it in on standard input, or have one made with --passwords-to FILE"
        )
    return given


def made() -> str:
    """A new one of letters and digits, 119 bits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(_LENGTH))


def write(path: Path, found: Mapping[str, str]) -> None:
    """Hands passwords that were made to the operator, in a new file for its owner alone. Raises StackProblem."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{who},{password}\n" for who, password in found.items())
    except OSError as error:
        raise StackProblem(f"--passwords-to {path}: {error.strerror}; it must name a new file") from None
