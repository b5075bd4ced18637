"""restic's own server for backups (restic: rest-server), which takes backups and deletes none."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path


def command(program: str | Path, listen: str, repository: str | Path, folder: str | Path) -> list[str]:
    """Its command line. In `folder` are `users`, and `identity.pem` with the certificate and its key."""
    return [
        str(program), "--path", str(repository), "--listen", listen, "--append-only", "--private-repos",
        "--htpasswd-file", f"{folder}/users",
        "--tls", "--tls-cert", f"{folder}/identity.pem", "--tls-key", f"{folder}/identity.pem",
    ]  # fmt: skip


def user(name: str, password: str) -> str:
    """A line of its users, as htpasswd writes it."""
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()  # noqa: S324 (htpasswd's own)
    return f"{name}:{{SHA}}{digest}\n"
