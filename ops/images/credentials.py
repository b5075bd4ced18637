"""Whom a registry takes us for: what `docker login` or `podman login` has stored. Nothing is asked, nothing is kept.

Files and their format: https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
"""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from ops.images.documents import HelpersLogin, Logins, StoredLogin, read, understood
from ops.stacks import StackProblem

_HUB = ("https://index.docker.io/v1/", "index.docker.io", "docker.io")
"""What Docker calls its own registry in these files."""
_HELPER_SECONDS = 20
_AGAIN = "log in again"


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
        complaint = f"{path} holds no logins of registries that can be read"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StackProblem(f"{complaint} ({error.strerror}): log in again") from None
        if found := _in(read(Logins, content, complaint, _AGAIN), host, repository, complaint):
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


def _in(logins: Logins, host: str, repository: str, complaint: str) -> Login | None:
    stored = {_plain(name): entry for name, entry in (logins.auths or {}).items()}
    helpers = {_plain(name): helper for name, helper in (logins.helpers or {}).items()}
    for key in _keys(host, repository):
        if (helper := helpers.get(key)) and (found := _helped(helper, _written(logins.helpers, key))):
            return found
        if found := _stored(stored.get(key), complaint):
            return found
    if not logins.store:
        return None
    names = (host, f"https://{host}", *(_HUB if _is_hub(host) else ()))
    return next(filter(None, (_helped(logins.store, name) for name in names)), None)


def _stored(entry: JsonValue, complaint: str) -> Login | None:
    """What an entry says; nothing where it is absent, or only says that a helper has it."""
    if entry is None:
        return None
    said = understood(StoredLogin, entry, complaint, _AGAIN)
    if said.identitytoken:
        return Login("<token>", said.identitytoken)
    if not said.auth:
        return None
    # Programs that wrap lines or leave out the padding (RFC 4648 sections 3.1 and 3.2) have written some of these.
    encoded = "".join(said.auth.split()).rstrip("=")
    try:
        plain = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except (ValueError, binascii.Error):
        raise StackProblem(f"{complaint} (an auth is no base64): {_AGAIN}") from None
    # Of the password alone: a line end that was encoded with it is none of either.
    user, _, password = plain.rstrip("\r\n\0").partition(":")
    return Login(user, password)


def _keys(host: str, repository: str) -> list[str]:
    """Names of an entry as `_plain` gives them, the most special one first."""
    parts = repository.split("/") if repository else []
    paths = ["/".join((host, *parts[:count])) for count in range(len(parts), 0, -1)]
    return [*paths, host, *(map(_plain, _HUB) if _is_hub(host) else ())]


def _plain(name: str) -> str:
    """A name of an entry without what makes no difference: a scheme, with which only the host counts (docker/cli,
    ConvertToHostname), a slash at the end, and the version of the registry's API."""
    scheme, separator, rest = name.rpartition("://")
    if separator and scheme in ("http", "https"):
        return rest.partition("/")[0]
    host, _, path = name.rstrip("/").partition("/")
    return host if path in ("", "v1", "v2") else f"{host}/{path}"


def _written(names: Iterable[str] | None, plain: str) -> str:
    """The name of an entry as the file has it: helpers know it by that."""
    return next(name for name in names or () if _plain(name) == plain)


def _is_hub(host: str) -> bool:
    return host == "docker.io" or host.endswith(".docker.io")


def _helped(helper: str, key: str) -> Login | None:
    """What a credential helper says. It prints an error where it knows nothing, which is no fault."""
    complaint = f"docker-credential-{helper}, which keeps your login for {key}, does not answer"
    hint = "log in again without it"
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=key.encode(),
            capture_output=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise StackProblem(f"{complaint}: {hint}") from None
    if done.returncode != 0:
        return None
    answer = read(HelpersLogin, done.stdout, f"{complaint} with a user and a secret", hint)
    return Login(answer.user, answer.secret)
