"""A stack whose records live at the stand-in for Cloudflare, deployed once and copied for each sequence of edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from model.settings import Settings
from ops.stacks import StackFile
from tests.engine.program import Program, Run, _environment
from tests.engine.stacks import configured, example
from tests.identity import keys
from tests.support import cloudflare

STACK = "cluster"


@dataclass(frozen=True)
class Published(Program):
    """A program whose records go to the stand-in. What it holds lies beside the backend, and is copied with it."""

    @property
    def _world(self) -> Path:
        return self.root / ".local" / "cloudflare.json"

    def copy(self, root: Path) -> Published:
        made = super().copy(root)
        return Published(made.root, made.stack)

    def records(self) -> set[tuple[str, str, str]]:
        """What the world finds: name, type and content."""
        found = cloudflare.world(self._world)
        return {(r["name"], r["type"], str(r.get("content") or r.get("data"))) for r in found}

    def settings(self) -> Settings:
        """The stack file as it is now."""
        return StackFile.read(self.stack, self.root).settings()[0]

    def step(self, changes: Mapping[str, Any]) -> Run:
        """Edits the stack file and deploys it; the run says what was done."""
        self.change(changes)
        done = self.up()
        assert done.code == 0, done.output
        return done

    def _run(self, command: list[str], cwd: Path | None, env: Mapping[str, str] | None) -> Any:
        plugins = cloudflare.install(self.root / ".local" / "bin")
        extra = {"PATH": f"{plugins}:{_environment()['PATH']}", cloudflare.WORLD: str(self._world)}
        return super()._run(command, cwd, {**extra, **(env or {})})


def records_of(run: Run) -> set[tuple[str, str]]:
    """Operations on DNS records: action and logical name."""
    return {(o.action, o.name.removeprefix("dns-")) for o in run.operations if o.type == cloudflare.RECORD}


def refusals(run: Run) -> set[str]:
    """Ids of the rules that stopped a preview; it must have stopped before anything was registered."""
    assert run.code != 0, run.output
    assert "Traceback" not in run.output
    (message,) = [error for error in run.errors if not error.startswith("preview failed")]
    started = {
        event["resourcePreEvent"]["metadata"]["type"] for event in run.events if "resourcePreEvent" in event
    }
    # The engine's own provider reads what was exported last.
    assert started <= {"pulumi:pulumi:Stack", "pulumi:providers:pulumi"}
    return {line.rpartition("[")[2].rstrip("]") for line in message.splitlines() if line.endswith("]")}


@dataclass(frozen=True)
class Opened:
    """The whole stack, and what its first steps did."""

    program: Published
    held: Settings
    live: Run
    testing: Run


def config(**changes: Any) -> dict[str, Any]:
    """The example of cluster mode, rendered to files; `changes` replace whole parts of `mail`."""
    found = example(f"Pulumi.{STACK}")
    found["kubernetes"]["render"] = f"rendered/{STACK}/manifests"
    found["mail"] |= changes
    return found


def deployed(root: Path, values: dict[str, Any]) -> Published:
    """A stack of its own after its first `up`."""
    made, _ = configured(root, STACK, values)
    program = Published(made.root, made.stack)
    first = program.up()
    assert first.code == 0, first.output
    return program


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """The whole stack: first on hold without MTA-STS, then live, then with MTA-STS in testing."""
    values = config(mx={"stage": "hold"}, mtaSts={"stage": "none"})
    program = deployed(tmp_path_factory.mktemp("opened") / "program", values)
    held = program.settings()
    live = program.step({"mail.mx.stage": "live"})
    testing = program.step({"mail.mtaSts": {"stage": "testing", "since": "2026-11-02"}})
    return Opened(program, held, live, testing)


@pytest.fixture(scope="session")
def only_records(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A stack of records alone, live, with MTA-STS in enforce: quick, and judged like the whole one."""
    values = config() | {"scope": "dns"}
    values["dns"]["shard"] = {"index": 0, "count": 1}
    values["mail"]["dkim"]["selectors"]["k202602"] = {
        "stage": "retired",
        "since": "2026-11-15",
        "publicKey": keys.public("k202602"),
    }
    return deployed(tmp_path_factory.mktemp("records") / "program", values)


@pytest.fixture
def records_alone(only_records: Published, tmp_path: Path) -> Published:
    """A copy of it, for one test to change."""
    return only_records.copy(tmp_path / "program")
