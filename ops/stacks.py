"""Reads and edits stack files. Values are written by the pulumi CLI, which alone can encrypt them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.deployed import Deployed, UnreadableModel
from model.findings import Finding
from model.ledger import RECORD, RECORDS_OF, Resource, possible
from model.settings import Settings
from model.stack_file import NAMESPACE, load
from ops import strict_yaml
from ops.backend import explained
from ops.tools import ready

ROOT = Path(__file__).resolve().parent.parent


LOCAL = "local"
"""The stack of `make up`: made on the spot, kept in ignored files of the checkout."""


def environment(stack: str, root: Path = ROOT) -> dict[str, str]:
    """Variables with which the CLI runs on `stack`: the operator's own; local has its own backend and passphrase."""
    if stack != LOCAL:
        return {**_plugins(stack, root), **_passphrase(), **os.environ}
    folder = root / ".local"
    # The CLI takes a passphrase from this variable, were it empty, before it looks into the file.
    others = {key: value for key, value in os.environ.items() if key != "PULUMI_CONFIG_PASSPHRASE"}
    return {
        **_plugins(stack, root),
        **others,
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
        # The file backend writes the whole state after every resource; a rendered stack can simply be run again.
        "PULUMI_SKIP_CHECKPOINTS": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
    }


def _plugins(stack: str, root: Path) -> dict[str, str]:
    """Keeps the engine from looking for plugins that the stack does not need.

    The language host names the plugin of every installed package, Cloudflare's too, and the engine tries to fetch what
    is missing at each command: for nothing, and in a closed network until that times out. The other plugin is there
    (ops/tools.py).
    """
    names = [stack] if stack else known_stacks(root)
    if any(_publishes_at_cloudflare(name, root) for name in names):
        return {}
    return {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}


def _publishes_at_cloudflare(stack: str, root: Path) -> bool:
    try:
        values = StackFile.read(stack, root).values
    except StackProblem:
        return False
    dns = values.get("dns")
    return isinstance(dns, dict) and dns.get("provider") == "cloudflare" and values.get("scope") != "cluster"


def known_stacks(root: Path = ROOT) -> list[str]:
    """Names of the stack files, in order."""
    found = (root / "stacks").glob("Pulumi.*.yaml")
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in found)


def passphrase_file() -> Path:
    """Where an operator's passphrase is kept: outside of the checkout, readable by its owner alone."""
    return Path.home() / ".kolab" / "passphrase"


def _passphrase() -> dict[str, str]:
    """The variable that names the kept passphrase, unless the shell gives one."""
    given = any(os.environ.get(f"PULUMI_CONFIG_PASSPHRASE{end}") is not None for end in ("", "_FILE"))
    kept = passphrase_file()
    return {"PULUMI_CONFIG_PASSPHRASE_FILE": str(kept)} if not given and kept.is_file() else {}


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class StackProblem(Exception):
    """A stack cannot be read or edited; the message is for the operator."""


@dataclass(frozen=True)
class StackFile:
    """The keys of one stack file, without the `kolab:` prefix, and which of them hold `secure:`."""

    name: str
    path: Path
    values: dict[str, Any]
    secret_keys: frozenset[str]

    @classmethod
    def read(cls, name: str, root: Path = ROOT) -> StackFile:
        """Reads stacks/Pulumi.<name>.yaml. Raises StackProblem when it is absent or no YAML."""
        if not _NAME.fullmatch(name):
            raise StackProblem("the name of a stack has letters, digits, . _ and - alone, such as prod")
        path = root / "stacks" / f"Pulumi.{name}.yaml"
        try:
            content = strict_yaml.read(path.read_text("utf-8")) or {}
        except FileNotFoundError:
            known = ", ".join(known_stacks(root)) or "none"
            raise StackProblem(f"there is no stack {name!r}; known stacks: {known}") from None
        except UnicodeDecodeError:
            raise StackProblem(f"{path.name} is not text in UTF-8") from None
        except strict_yaml.YamlProblem as problem:
            raise StackProblem(f"{path.name} {problem}") from None
        config = (content.get("config") or {}) if isinstance(content, dict) else None
        if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
            raise StackProblem(f"{path.name} must hold `config:` with keys such as {NAMESPACE}:mode below it")
        prefix = f"{NAMESPACE}:"
        bare = sorted(key for key in config if ":" not in key)
        if bare:
            meant = ", ".join(f"{prefix}{key}" for key in bare)
            raise StackProblem(f"{path.name} has keys without their prefix; write {meant}")
        if not config:
            raise StackProblem(
                f"{path.name} has no keys yet, such as kolab:mode and kolab:domain; ./kolab new writes a stack file by questions"
            )
        values = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
        return cls(name, path, values, frozenset(key for key, value in values.items() if _secure(value)))

    def settings(self) -> tuple[Settings, tuple[Finding, ...]]:
        """Settings and warnings, without asking for the secrets. Raises StackFileError."""
        return load(self.values, self.secret_keys, need_secrets=False)


def _secure(value: Any) -> bool:
    if isinstance(value, dict):
        return "secure" in value or any(_secure(child) for child in value.values())
    return isinstance(value, list) and any(_secure(child) for child in value)


class Pulumi:
    """The few CLI calls that ops needs, on one stack."""

    def __init__(self, stack: str, root: Path = ROOT) -> None:
        self._stack, self._root = stack, root

    def select(self, *, create: bool) -> None:
        """Makes the stack known to the backend."""
        self._run(["stack", "select", *(["--create"] if create else [])])

    def set_secret(self, key: str, value: str) -> None:
        """Encrypts `value` into the flat key. The value travels on standard input, never on a command line."""
        self._run(["config", "set", "--secret", f"{NAMESPACE}:{key}"], value)

    def set_plain(self, path: str, value: str) -> None:
        """Stores a public value at a path such as mail.dkim.selectors.k1.stage."""
        self._run(["config", "set", "--plaintext", "--path", f"{NAMESPACE}:{path}"], value)

    def remove(self, path: str) -> None:
        """Removes the value at a path."""
        self._run(["config", "rm", "--path", f"{NAMESPACE}:{path}"])

    def append(self, key: str, entry: Mapping[str, str]) -> None:
        """Adds an entry to the list at `key`."""
        count = len(StackFile.read(self._stack, self._root).values.get(key) or [])
        for name, value in entry.items():
            self.set_plain(f"{key}[{count}].{name}", value)

    def plaintexts(self) -> dict[str, str]:
        """All flat values, decrypted. For comparing only."""
        shown = json.loads(self._run(["config", "--show-secrets", "--json"]))
        prefix = f"{NAMESPACE}:"
        return {key.removeprefix(prefix): entry["value"] for key, entry in shown.items() if "value" in entry}

    def deployed(self) -> tuple[Deployed, ...]:
        """The models that the world may have a part of (model/ledger.py), the latest last; none where nothing can be read."""
        try:
            found = [
                Resource(r["type"], r["urn"].rpartition("::")[2], r.get("outputs") or {})
                for r in self._state()
            ]
            root = next((each.outputs for each in found if each.type == "pulumi:pulumi:Stack"), {})
            return possible(found, root.get("model"))
        except (StackProblem, UnreadableModel, ValueError, KeyError, AttributeError):
            return ()

    def urns(self) -> frozenset[str]:
        """What the state of the stack knows; nothing where it cannot be read."""
        try:
            return frozenset(str(each["urn"]) for each in self._state())
        except (StackProblem, ValueError, KeyError):
            return frozenset()

    def records(self) -> frozenset[str]:
        """Logical names of the records at the provider that the stack has (model/identity/logical.py)."""
        names = (urn.rpartition("::") for urn in self.urns())
        return frozenset(
            name.removeprefix(f"{RECORDS_OF}-") for above, _, name in names if above.endswith(f"${RECORD}")
        )

    def _state(self) -> list[dict[str, Any]]:
        return json.loads(self._run(["stack", "export"]))["deployment"].get("resources") or []

    def _run(self, arguments: Sequence[str], text: str | None = None) -> str:
        ready()
        command = ["pulumi", "--non-interactive", *arguments, "--stack", self._stack]
        done = subprocess.run(
            command,
            input=text,
            text=True,
            capture_output=True,
            cwd=self._root,
            env=environment(self._stack, self._root),
            check=False,
        )
        if done.returncode != 0:
            last = (done.stderr.strip() or "pulumi failed").splitlines()[-1]
            reason = explained(done.stderr, self._stack)
            raise StackProblem(reason or f"pulumi {' '.join(arguments[:2])} on stack {self._stack}: {last}")
        return done.stdout
