"""Images, imported and unpacked once: every node of every lab begins with the same containerd directory.

Its files are never changed in place, only added and removed, so that nodes can share them by hard links. The two
databases are the exception; each node gets its own copy.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab import paths
from tests.lab.processes import run
from tests.lab.progress import Say
from toolchain.cache import new_directory

_DATABASES = "*.db"
_SECONDS = 1800
# In namespaces of its own, so that an interrupted import leaves neither a process nor a mount. `ctr` needs a short
# path to its socket.
_IMPORT = """
set -eu
mount -t tmpfs tmpfs "$SHORT"
echo 'version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]' >"$SHORT/config"
containerd --root "$ROOT" --state "$SHORT/state" --address "$SHORT/socket" --config "$SHORT/config" >"$SHORT/log" 2>&1 &
until ctr --address "$SHORT/socket" version >/dev/null 2>&1; do
  kill -0 $! || { cat "$SHORT/log" >&2; exit 1; }
  sleep 0.1
done
for tar in "$@"; do
  ctr --address "$SHORT/socket" --namespace k8s.io images import "$tar" >/dev/null
done
kill $!
wait $! || true
"""


def prepare(tars: Sequence[Path], say: Say) -> Path:
    """The directory with all these images, made when it is not there. Older ones are removed: they are big."""
    directory = _home() / _fingerprint(tars)
    if not directory.is_dir():
        say(f"unpacking {len(tars)} images")
        shutil.rmtree(_home(), ignore_errors=True)
        with new_directory(directory) as scratch, tempfile.TemporaryDirectory(prefix="lab") as short:
            # Overlay file systems give each directory's mode on to containers.
            scratch.chmod(0o711)
            isolate = [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "--propagation",
                "private",
            ]
            script = ["env", f"ROOT={scratch}", f"SHORT={short}", "bash", "-c", _IMPORT, "import"]
            run([*isolate, *script, *tars], seconds=_SECONDS)
    return directory


def give(store: Path, target: Path) -> None:
    """Put a copy to `target` that shares all big files."""
    target.parent.mkdir(parents=True, exist_ok=True)
    run(["cp", "--archive", "--link", store, target])
    for database in target.rglob(_DATABASES):
        # Those of containerd itself, not of images.
        if "snapshots" not in database.relative_to(target).parts:
            own = database.with_suffix(".own")
            shutil.copy2(database, own)
            own.replace(database)


def identity(tar: Path) -> str:
    """Changes when the file does, and is known without reading it: it may be hundreds of megabytes."""
    found = tar.stat()
    return f"{tar.resolve()} {found.st_size} {found.st_mtime_ns}"


def _home() -> Path:
    return paths.cache() / "store"


def _fingerprint(tars: Sequence[Path]) -> str:
    return hashlib.sha256("\n".join(sorted(map(identity, tars))).encode()).hexdigest()[:12]
