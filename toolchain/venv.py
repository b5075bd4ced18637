"""The project's virtual environment, made or brought up to date. Runs before it exists: standard library only."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
_EVERY = 10.0
"""Seconds between two words about a long installation."""


class NotMade(Exception):
    """Why there is no environment; a sentence for the operator."""


def main() -> int:
    """Exit code 1 and one sentence when it cannot be made."""
    try:
        make(CHECKOUT)
    except NotMade as reason:
        print(f"kolab: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("kolab: interrupted; the next call goes on where this one stopped", file=sys.stderr)
        return 130
    return 0


def make(root: Path) -> None:
    """Makes .venv with the packages of requirements-dev.txt. Raises NotMade.

    `.venv/ready` is touched last, so a run that was cut short is taken up again. Two runs wait for each other.
    """
    wanted, folder = root / "requirements-dev.txt", root / ".venv"
    ready = folder / "ready"
    with (root / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whole = _works(folder / "bin" / "python")
        mark = hashlib.sha256(wanted.read_bytes()).hexdigest()
        if whole and ready.exists():
            # A checkout gives files a new date, also when they stay the same.
            if ready.read_text() == mark:
                ready.touch()
                return
            if ready.stat().st_mtime >= wanted.stat().st_mtime:
                return
        if not whole:
            _say(f"making a virtual environment in {folder}")
            _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        total = sum(
            "==" in line and not line.startswith(("#", " ")) for line in wanted.read_text().splitlines()
        )
        _say(f"installing {total} packages, which takes about two minutes the first time")
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
        _run([*pip, "--progress-bar", "off", "--require-hashes", "-r", str(wanted)], total)
        ready.write_text(mark)


def _works(python: Path) -> bool:
    """Whether the environment's Python and pip start: not after Python was upgraded, or when `venv` was cut short."""
    try:
        done = subprocess.run(
            [python, "-m", "pip", "--version"], capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    enough = subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False)
    return done.returncode == 0 and enough.returncode == 0


def _run(command: list[str], total: int = 0) -> None:
    said: list[str] = []
    try:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            for line in process.stdout or ():
                said.append(line.rstrip())
                _progress(said, total)
    except OSError as error:
        raise NotMade(f"{command[0]} does not start: {error.strerror}") from None
    if process.returncode == 0:
        return
    print("\n".join(said[-15:]), file=sys.stderr)
    if "venv" in command and any("ensurepip" in line for line in said):
        raise NotMade(
            "this Python comes without `venv`; install it (Debian and Ubuntu: apt install python3-venv), and call again"
        )
    what = "its packages could not be installed" if total else "it could not be made"
    raise NotMade(f"no virtual environment: {what}; the reason stands above, and the next call tries again")


_last = [0.0]


def _progress(lines: Iterable[str], total: int) -> None:
    """How far pip is, every few seconds."""
    now = time.monotonic()
    if not total or now - _last[0] < _EVERY:
        return
    _last[0] = now
    count = sum(line.startswith("Collecting ") for line in lines)
    if count >= total:
        _say(f"all {total} packages are here and are being unpacked")
    elif count:
        _say(f"package {count} of {total}")


def _say(text: str) -> None:
    print(f"kolab: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
