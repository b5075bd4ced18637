"""`./kolab`: found from anywhere, and no more than a POSIX shell and Python is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops.stacks import ROOT
from toolchain import venv

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout whose environment says how it is called. Its path has a space."""
    root = tmp_path / "a clone"
    (root / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "kolab", root / "kolab")
    (root / "requirements-dev.txt").touch()
    (root / ".venv" / "ready").touch()
    python = root / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} "$@"\necho "$PWD|$PYTHONPATH|$*"\n')
    python.chmod(0o755)
    return root


def call(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True, check=False)


@pytest.mark.parametrize("shell", SHELLS)
def test_it_runs_from_any_folder_and_leaves_the_folder_as_it_is(
    shell: str, clone: Path, tmp_path: Path
) -> None:
    words = (shell, "sh") if shell == "busybox" else (shell,)
    done = call(*words, clone / "kolab", "dns", "show", "a b", cwd=tmp_path)
    assert done.stdout == f"{tmp_path}|{clone}|-P -m ops dns show a b\n"


def test_it_runs_through_a_chain_of_symbolic_links(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "two").symlink_to(clone / "kolab")
    (tmp_path / "one").symlink_to("bin/two")
    assert f"|{clone}|-P -m ops x" in call(tmp_path / "one", "x", cwd=tmp_path).stdout


def test_it_runs_from_path(clone: Path, tmp_path: Path) -> None:
    done = call("kolab", "x", cwd=tmp_path, PATH=f"{clone}:{os.environ['PATH']}")
    assert f"|{clone}|-P -m ops x" in done.stdout


def test_without_a_python_that_is_new_enough_it_says_so(clone: Path, tmp_path: Path) -> None:
    (clone / ".venv" / "ready").unlink()
    (tmp_path / "bin").mkdir()
    for tool in ("dirname", "find", "readlink"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    old = tmp_path / "bin" / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = call("/bin/sh", clone / "kolab", "x", cwd=tmp_path, PATH=str(tmp_path / "bin"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("kolab: Python 3.11 or newer was not found")


@pytest.mark.thorough
def test_a_module_in_the_callers_folder_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("raise SystemExit('taken')\n")
    (tmp_path / "yaml.py").write_text("raise SystemExit('taken')\n")
    done = call(sys.executable, "-P", "-m", "ops", "--help", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr


def test_the_launcher_uses_nothing_that_only_gnu_has() -> None:
    first, *lines = (ROOT / "kolab").read_text().splitlines()
    assert first == "#!/bin/sh"
    text = "\n".join(line for line in lines if not line.startswith("#"))
    assert not any(word in text for word in ("readlink -f", "realpath", "[[", "sort -V", "stat -c"))
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "--shell=sh", ROOT / "kolab"], check=True)


# The environment itself


class Pip:
    """Stands where `venv` and pip are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[list[str]] = []
        self.fails = False
        monkeypatch.setattr(venv, "_works", lambda python: python.exists())
        monkeypatch.setattr(venv, "_run", self.run)

    def run(self, command: list[str], total: int = 0) -> None:
        self.commands.append(command)
        if "venv" in command:
            (Path(command[-1]) / "bin").mkdir(parents=True, exist_ok=True)
            (Path(command[-1]) / "bin" / "python").touch()
        elif self.fails:
            raise venv.NotMade("no")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pip:
    (tmp_path / "requirements-dev.txt").write_text("a==1 \\\n    --hash=sha256:0\n")
    return Pip(monkeypatch)


def test_the_environment_is_made_once(pip: Pip, tmp_path: Path) -> None:
    venv.make(tmp_path)
    assert ["venv" in command for command in pip.commands] == [True, False]
    assert "--require-hashes" in pip.commands[1]
    venv.make(tmp_path)
    assert len(pip.commands) == 2


def test_an_installation_that_failed_is_taken_up_again(pip: Pip, tmp_path: Path) -> None:
    pip.fails = True
    with pytest.raises(venv.NotMade):
        venv.make(tmp_path)
    pip.fails = False
    venv.make(tmp_path)
    assert ["venv" in command for command in pip.commands] == [True, False, False]


def test_changed_requirements_are_installed_and_a_new_date_alone_is_not_a_change(
    pip: Pip, tmp_path: Path
) -> None:
    wanted = tmp_path / "requirements-dev.txt"
    venv.make(tmp_path)
    later = (tmp_path / ".venv" / "ready").stat().st_mtime + 10
    os.utime(wanted, (later, later))
    venv.make(tmp_path)
    assert len(pip.commands) == 2
    wanted.write_text("a==2\n")
    os.utime(wanted, (later + 100, later + 100))
    venv.make(tmp_path)
    assert len(pip.commands) == 3


def test_pip_that_fails_ends_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(venv.NotMade, match="could not be installed"):
        venv._run([sys.executable, "-c", "print('no route'); raise SystemExit(1)"], 1)
    assert "no route" in capsys.readouterr().err
