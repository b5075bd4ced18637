"""Whom a registry takes us for: what `docker login` or `podman login` has stored. Nothing is asked, nothing is kept.

Files and their format: https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.stacks import StackProblem

_HUB = "https://index.docker.io/v1/"
"""What Docker calls its own registry in these files."""
_HELPER_SECONDS = 20


@dataclass(frozen=True)
class Login:
    """A user and a password, or the token that stands for both (OAuth2 refresh token)."""

    user: str
    password: str = field(repr=False)

    @property
    def is_token(self) -> bool:
        """Whether the password is a token that the authority exchanges."""
        return self.user == "<token>"

    @property
    def basic(self) -> str:
        """Value of the Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def login(host: str, repository: str, environment: Mapping[str, str] = os.environ) -> Login | None:
    """The login for an image; the entry with the longest path wins. Raises StackProblem for a file that cannot be read."""
    for path in _files(environment):
        if not path.is_file():
            continue
        try:
            content = json.loads(path.read_text("utf-8"))
            found = _in(content, host, repository)
        except (OSError, ValueError, AttributeError, TypeError, binascii.Error):
            raise StackProblem(
                f"{path} holds no logins of registries that can be read: log in again"
            ) from None
        if found:
            return found
    return None


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    """In the order in which they count."""
    if named := environment.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if folder := environment.get("DOCKER_CONFIG"):
        yield Path(folder) / "config.json"
    home = Path(environment.get("HOME") or Path.home())
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    yield home / ".docker" / "config.json"
    yield home / ".config" / "containers" / "auth.json"


def _in(content: Any, host: str, repository: str) -> Login | None:
    for key in _keys(host, repository):
        helper = (content.get("credHelpers") or {}).get(key) or ""
        if helper and (found := _helped(helper, key)):
            return found
        entry = (content.get("auths") or {}).get(key)
        if entry is None:
            continue
        if token := entry.get("identitytoken"):
            return Login("<token>", token)
        if entry.get("auth"):
            user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
            return Login(user, password)
    store = content.get("credsStore")
    return next(filter(None, (_helped(store, key) for key in _keys(host, ""))), None) if store else None


def _keys(host: str, repository: str) -> list[str]:
    """Names of an entry, the most special one first."""
    parts = repository.split("/") if repository else []
    paths = ["/".join((host, *parts[:count])) for count in range(len(parts), 0, -1)]
    hub = [_HUB, "index.docker.io", "docker.io"] if host.endswith("docker.io") else []
    return [*paths, host, f"https://{host}", *hub]


def _helped(helper: str, key: str) -> Login | None:
    """What a credential helper says. It prints an error where it knows nothing, which is no fault."""
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=key,
            text=True,
            capture_output=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        raise StackProblem(
            f"docker-credential-{helper}, which keeps your login for {key}, does not answer: log in again without it"
        ) from None
    if done.returncode != 0:
        return None
    answer = json.loads(done.stdout)
    return Login(answer["Username"], answer["Secret"])
