"""An operator's machine: a clone of the project, a backend of its own, and a clock that moves with the page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests.engine.program import CHECKOUT, checkout_environment
from tests.replay.steps import Command, Merge, Patch, Step, Wait


@dataclass
class Machine:
    """Takes the steps of a page, one after the other. What goes wrong is an AssertionError with the line of the page.

    `beside` are arguments that a command gets because the world is missing here: its beginning -> what is added.
    The operator has logged in to no backend and has no passphrase: a page tells them, or `variables` do.
    """

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    days: int = 0

    @classmethod
    def make(cls, root: Path, **options: Any) -> Machine:
        """A clone below `root`, in which nothing has been done."""
        clone(root / "kolab")
        (root / "home").mkdir()
        return cls(root / "kolab", **options)

    def copy(self, root: Path) -> Machine:
        """The same machine once more: what one does, the other does not see."""
        shutil.copytree(self.root.parent, root, symlinks=True)
        login = root / "home" / ".pulumi" / "credentials.json"
        if login.exists():
            login.write_text(login.read_text().replace(str(self.root.parent), str(root)))
        return replace(self, root=root / self.root.name, variables=dict(self.variables))

    def play(self, steps: Iterable[Step]) -> None:
        """Takes all steps but those that need daemons which run."""
        for step in steps:
            self.take(step)

    def take(self, step: Step) -> None:
        """Takes one step."""
        match step:
            case Command(where="here"):
                self._command(step)
            case Merge():
                self._merge(step)
            case Patch():
                self._patch(step)
            case Wait():
                self.days += step.days

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        """One command line as the operator's shell runs it."""
        added = next((more for begins, more in self.beside.items() if text.startswith(begins)), "")
        # Pulumi asks the system for the home folder, whatever HOME says.
        text = text.replace("file://~", f"file://{self.root.parent / 'home'}")
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{text} {added}"],
            cwd=self.root,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def _command(self, step: Command) -> None:
        exported = re.match(r"export (\w+)=", step.text)
        shown = f'{step.text} && printf %s "${exported[1]}"' if exported else step.text
        done = self.run(shown)
        if exported:
            self.variables[exported[1]] = done.stdout
        said = f"line {step.line}: {step.text}\n{done.stdout}"
        assert (done.returncode != 0) == step.refused, f"{'not ' if step.refused else ''}refused: {said}"
        assert "Traceback" not in done.stdout, said
        missing = unsaid(step.prints, done.stdout)
        assert missing is None, f"it does not say {missing!r}: {said}"

    def _merge(self, step: Merge) -> None:
        path = self.root / step.file
        before = yaml.safe_load(path.read_text()) if path.exists() else {}
        path.write_text(yaml.safe_dump(merged(before, yaml.safe_load(step.text)), sort_keys=False))

    def _patch(self, step: Patch) -> None:
        path = self.root / step.file
        path.write_text(patched(path.read_text(), step.text, step.line))

    def _environment(self) -> dict[str, str]:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        found = {**checkout_environment(), "XDG_CACHE_HOME": str(cache), **_OPERATOR}
        # Nothing here reaches the login of whoever runs the tests, and genuine plugins are where theirs are.
        found["HOME"] = str(self.root.parent / "home")
        found["PULUMI_CREDENTIALS_PATH"] = str(self.root.parent / "home" / ".pulumi")
        found["PULUMI_HOME"] = str(Path.home() / ".pulumi")
        found |= self.variables
        found["PYTHONPATH"] = str(Path(__file__).parent / "clock")
        found["KOLAB_REPLAY_DAYS"] = str(self.days)
        return found


_SECONDS = 300
"""Nothing that is replayed takes so long."""

_OPERATOR = {
    # They have seen the preview and say yes.
    "PULUMI_SKIP_CONFIRMATIONS": "true",
    "PULUMI_SKIP_CHECKPOINTS": "true",
    "NO_COLOR": "1",
}


def clone(root: Path) -> None:
    """What a clone of this checkout has, uncommitted changes included, with the virtual environment of these tests."""
    listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, _git(CHECKOUT, *listed).split("\0")):
        if (CHECKOUT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, root / name)
    _git(root, "init", "--quiet")
    _git(root, "add", "--all")
    _git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "clone")
    (root / ".venv").mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != "ready":
            (root / ".venv" / entry.name).symlink_to(entry)
    # Newer than requirements-dev.txt: nothing is installed.
    (root / ".venv" / "ready").touch()


def merged(before: Any, change: Any) -> Any:
    """Objects key by key; whatever else stands in `change` takes the place of what was there."""
    if not isinstance(before, dict) or not isinstance(change, dict):
        return change
    return before | {key: merged(before.get(key), value) for key, value in change.items()}


def patched(text: str, change: str, line: int) -> str:
    """`text` with its `-` lines, which have to stand there once and together, replaced by the `+` lines."""
    rows = [row for row in change.splitlines() if row.strip()]
    old = "\n".join(row[1:] for row in rows if row[0] in "- ")
    new = "\n".join(row[1:] for row in rows if row[0] in "+ ")
    found = f"\n{text}".count(f"\n{old}\n")
    assert found == 1, f"line {line}: these lines stand {found} times in the file:\n{old}"
    return f"\n{text}".replace(f"\n{old}\n", f"\n{new}\n" if new else "\n")[1:]


def unsaid(expected: Iterable[str], output: str) -> str | None:
    """The first expected line that `output` lacks after the ones before it; None when all are there."""
    lines = iter(re.sub(r"\s+", " ", line).strip() for line in output.splitlines())
    for wanted in expected:
        pattern = ".*".join(map(re.escape, re.split(r"\s*…\s*", re.sub(r"\s+", " ", wanted))))
        if not any(re.search(pattern, line) for line in lines):
            return wanted
    return None


def _git(root: Path, *arguments: str) -> str:
    ours = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(["git", *arguments], cwd=root, env=ours, capture_output=True, text=True, check=True)
    return done.stdout
