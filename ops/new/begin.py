"""What a new stack file needs around it: a backend, a passphrase, a stack in the backend, and the secrets."""

from __future__ import annotations

import datetime
import os
import secrets as random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ops import backend as backends
from ops import secrets
from ops.stacks import ROOT, Pulumi, StackFile, StackProblem, environment, passphrase_file
from ops.tools import ready


def backend(answers: Mapping[str, str]) -> None:
    """Logs in where the state shall live, unless that is so already. Raises StackProblem."""
    wanted, current = answers["backend"], backends.current()
    if wanted == current:
        return
    if os.environ.get("PULUMI_BACKEND_URL"):
        raise StackProblem(
            f"nothing was written: PULUMI_BACKEND_URL names another backend than --backend {wanted}; unset one of them"
        )
    if wanted.startswith("file:///"):
        Path(wanted.removeprefix("file://")).mkdir(mode=0o700, parents=True, exist_ok=True)
    ready()
    command = ["pulumi", "login", wanted, "--non-interactive"]
    done = subprocess.run(command, cwd=ROOT, env=environment(""), text=True, capture_output=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or "pulumi failed").splitlines()[-1]
        raise StackProblem(f"nothing was written: the backend {wanted} does not take you: {last}")
    _say(f"the state lives at {wanted}")


def passphrase(answers: Mapping[str, str], *, interactive: bool) -> None:
    """Makes and keeps a passphrase, unless there is one or the backend encrypts by itself."""
    names = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
    own = any(os.environ.get(name) is not None for name in names)
    kept = passphrase_file()
    if own or answers["backend"].startswith("https://"):
        return
    if not kept.exists():
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(random.token_urlsafe(32))
        _say(
            f"a passphrase that encrypts the secrets was made: {kept}. Keep it in two places outside of this machine:"
            " nobody can recover it, and without it every key and password of the stack is lost"
        )
        if interactive:
            input("press Enter when you know where you will keep it: ")


def stack(name: str) -> None:
    """Makes the stack known to the backend."""
    Pulumi(name).select(create=True)


def keys(name: str) -> None:
    """Makes the secrets, and says what only the operator can give."""
    _say("making keys and passwords, which takes a moment")
    today = datetime.date.today()
    found = secrets.fill(StackFile.read(name), Pulumi(name), given={}, today=today)
    _say(f"{len(found.written)} secrets are in the stack file, encrypted")
    for text in found.left:
        _say(text)


def _say(text: str) -> None:
    print(f"new: {text}", file=sys.stderr, flush=True)
