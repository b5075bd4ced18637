"""The stack `local`: everything it needs is made on the spot and stays in ignored files of the checkout."""

from __future__ import annotations

import json
import os
import secrets as random
import shutil
import socket
from pathlib import Path

from ops.stacks import LOCAL, ROOT


def prepare(root: Path = ROOT) -> None:
    """Makes the stack file from its tracked template, and the backend with its passphrase. Keeps what is there."""
    folder, stack_file = root / ".local", root / "stacks" / f"Pulumi.{LOCAL}.yaml"
    folder.mkdir(exist_ok=True, mode=0o700)
    passphrase = folder / "passphrase"
    if not passphrase.exists():
        passphrase.touch(mode=0o600)
        passphrase.write_text(random.token_hex(16))
        # What was encrypted with the old one cannot be read any more.
        stack_file.unlink(missing_ok=True)
        shutil.rmtree(folder / ".pulumi", ignore_errors=True)
    _forget_dead_locks(folder)
    if not stack_file.exists():
        shutil.copyfile(root / "stacks" / "templates" / f"{LOCAL}.yaml", stack_file)
        stack_file.chmod(0o600)


def forget_if_unrendered(root: Path = ROOT) -> bool:
    """Drops the state when its rendered files are gone: the engine would say "unchanged" and write none of them."""
    state = root / ".local" / ".pulumi" / "stacks"
    if (root / "rendered" / LOCAL / "manifests").exists() or not state.exists():
        return False
    shutil.rmtree(state)
    return True


def _forget_dead_locks(folder: Path) -> None:
    """An engine that was killed leaves its lock behind; on the own machine it is known whether it still runs."""
    for lock in folder.glob(".pulumi/locks/**/*.json"):
        try:
            holder = json.loads(lock.read_text())
            if holder["hostname"] == socket.gethostname():
                os.kill(int(holder["pid"]), 0)
        except ProcessLookupError:
            lock.unlink()
        except (PermissionError, FileNotFoundError, ValueError, KeyError, TypeError):
            # It runs under another user, ended by itself, or wrote something that only the engine can judge.
            continue
