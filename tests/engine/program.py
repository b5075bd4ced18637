"""A private copy of the program with a stack of its own, and the real engine on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from toolchain.env import environment

CHECKOUT = Path(__file__).resolve().parents[2]
_SOURCES = ("Pulumi.yaml", "__main__.py", "components", "model", "ops", "stacks/templates", "toolchain")
_PASSPHRASE = "engine-tests"

State = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """Something that the engine did, or would do, to one resource."""

    action: str
    type: str
    name: str

    @property
    def kind(self) -> str:
        """Kind of the Kubernetes object."""
        return self.type.rpartition(":")[2]


@dataclass(frozen=True)
class Run:
    """What one command came to."""

    code: int
    output: str
    events: list[dict[str, Any]] = field(repr=False)

    @property
    def operations(self) -> list[Operation]:
        """What was finished, in order. Unchanged resources and read ones are left out."""
        return [
            Operation(meta["op"], meta["type"], meta["urn"].rpartition("::")[2])
            for event in self.events
            if (meta := event.get("resOutputsEvent", {}).get("metadata"))
            and meta["op"] not in ("same", "read", "refresh")
        ]

    @property
    def errors(self) -> list[str]:
        """Error messages, in order."""
        found = (event.get("diagnosticEvent", {}) for event in self.events)
        return [diagnostic["message"] for diagnostic in found if diagnostic.get("severity") == "error"]

    def done(self, name: str) -> list[str]:
        """Actions on the resource called `name`, in order."""
        return [operation.action for operation in self.operations if operation.name == name]


@dataclass(frozen=True)
class Program:
    """A checkout of its own below a temporary folder. Its backend lies in it, so a copied folder is a copied stack."""

    root: Path
    stack: str

    @classmethod
    def make(cls, root: Path, stack: str, config: Mapping[str, Any], secrets: Mapping[str, str]) -> Program:
        """A program with one stack, not yet deployed. `config` and `secrets` have keys without `kolab:`."""
        sources(root)
        made = cls(root, stack)
        made.write({f"kolab:{key}": value for key, value in config.items()})
        made.must("stack", "init", stack)
        given = [text for key, value in secrets.items() for text in ("--secret", f"kolab:{key}={value}")]
        made.must("config", "set-all", "--stack", stack, *given)
        return made

    def copy(self, root: Path) -> Program:
        """The same program and stack elsewhere."""
        shutil.copytree(self.root, root, symlinks=True)
        return Program(root, self.stack)

    @property
    def stack_file(self) -> Path:
        """The stack's configuration."""
        return self.root / "stacks" / f"Pulumi.{self.stack}.yaml"

    @property
    def manifests(self) -> Path:
        """Where the stack is rendered to."""
        return self.root / "rendered" / self.stack / "manifests"

    def config(self) -> dict[str, Any]:
        """The stack file's configuration, with the `kolab:` prefixes."""
        loaded: dict[str, Any] = yaml.safe_load(self.stack_file.read_text())["config"]
        return loaded

    def write(self, config: Mapping[str, Any]) -> None:
        """Replaces the configuration and keeps the salt of the secrets."""
        kept = yaml.safe_load(self.stack_file.read_text()) if self.stack_file.exists() else {}
        self.stack_file.write_text(yaml.safe_dump({**kept, "config": dict(config)}, sort_keys=False))

    def change(self, changes: Mapping[str, Any]) -> None:
        """Sets keys such as `storage.mailboxes.size`; None removes one."""
        config = self.config()
        for path, value in changes.items():
            put(config, f"kolab:{path}".split("."), value)
        self.write(config)

    def files(self) -> dict[str, str]:
        """The rendered files by their path."""
        found = (path for path in self.manifests.rglob("*") if path.is_file())
        return {str(path.relative_to(self.manifests)): path.read_text() for path in found}

    def objects(self) -> Iterator[dict[str, Any]]:
        """The rendered objects."""
        return (yaml.safe_load(text) for text in self.files().values())

    def state(self) -> list[State]:
        """The resources in the state, without the stack itself."""
        path = self.root / ".local" / ".pulumi" / "stacks" / "kolab" / f"{self.stack}.json"
        found: list[State] = json.loads(path.read_text())["checkpoint"]["latest"].get("resources", [])
        return [resource for resource in found if resource["type"] != "pulumi:pulumi:Stack"]

    def preview(self, *arguments: str, **options: Any) -> Run:
        """What the engine would do."""
        return self.engine("preview", *arguments, **options)

    def up(self, *arguments: str, **options: Any) -> Run:
        """As `make up` of local does it: without the preview."""
        return self.engine("up", "--yes", "--skip-preview", *arguments, **options)

    def destroy(self, *arguments: str, **options: Any) -> Run:
        """As an operator who says yes to whatever is asked."""
        return self.engine("destroy", "--yes", *arguments, **options)

    def engine(self, *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Run:
        """A command that runs the engine. Its events are kept beside what it prints."""
        log = self.root / "events.json"
        log.unlink(missing_ok=True)
        command = ["pulumi", "--non-interactive", *arguments, "--stack", self.stack, "--event-log", str(log)]
        done = self._run(command, cwd, env)
        lines = log.read_text().splitlines() if log.exists() else []
        events = [json.loads(line) for line in lines if line]
        return Run(done.returncode, done.stdout + done.stderr, events)

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """A command that runs the engine in the background, in a session of its own: whoever starts it may kill it."""
        return subprocess.Popen(
            ["pulumi", "--non-interactive", *arguments, "--stack", self.stack],
            cwd=self.root,
            env=self.variables(env),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def must(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Standard output of a command that has to succeed."""
        done = self._run(["pulumi", "--non-interactive", *arguments], None, env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def answer(self, *arguments: str) -> str:
        """Standard output alone, of a command that may fail."""
        return self._run(
            ["pulumi", "--non-interactive", *arguments, "--stack", self.stack], None, None
        ).stdout

    def ops(self, *arguments: str) -> str:
        """What one of the program's own commands prints; it has to succeed."""
        done = self._run([".venv/bin/python", "-m", "ops", *arguments], None, None)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def _run(
        self, command: list[str], cwd: Path | None, env: Mapping[str, str] | None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=cwd or self.root,
            env=self.variables(env),
            text=True,
            capture_output=True,
            check=False,
        )

    def variables(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Of its commands, with more beside them."""
        return {**_environment(), "PULUMI_BACKEND_URL": f"file://{self.root / '.local'}", **(env or {})}


def at_once(jobs: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What the jobs answer, two at a time on programs of their own: one run leaves half of a machine idle."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        started = {name: pool.submit(job) for name, job in jobs.items()}
    return {name: job.result() for name, job in started.items()}


def put(config: dict[str, Any], keys: list[str], value: Any) -> None:
    """Sets what stands below `keys`; None removes it."""
    for key in keys[:-1]:
        config = config.setdefault(key, {})
    if value is None:
        config.pop(keys[-1], None)
    else:
        config[keys[-1]] = value


@cache
def _environment() -> dict[str, str]:
    found = environment(python=sys.executable)
    # Whoever runs the tests may have a backend, a passphrase and a stack of their own.
    ours = {key: value for key, value in found.items() if not key.startswith("PULUMI_") or key in _TOOLCHAIN}
    return ours | {
        "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
        # Written at the end only: the file backend would write the whole state after every resource.
        "PULUMI_SKIP_CHECKPOINTS": "true",
        # A run is short and small: half of its memory's upkeep is not worth its time.
        "GOGC": "400",
        "PULUMI_ERROR_OUTPUT_STRING": "true",
        # Offers --event-log.
        "PULUMI_DEBUG_COMMANDS": "true",
        "NO_COLOR": "1",
    }


_TOOLCHAIN = ("PULUMI_HOME", "PULUMI_SKIP_UPDATE_CHECK", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION")


def sources(root: Path) -> None:
    """What the program needs of this checkout, and a backend, below `root`."""
    for source in _SOURCES:
        _copy(CHECKOUT / source, root / source)
    (root / ".venv").symlink_to(sys.prefix)
    (root / ".local").mkdir()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def checkout_environment() -> dict[str, str]:
    """The environment of a user who runs this project's commands, without their own Pulumi settings."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "KOLAB_"))}
