"""Images, imported and unpacked once: every node of every lab begins with the same containerd directory.

Its files are never changed in place, only added and removed, so that nodes can share them by hard links. The two
databases are the exception; each node gets its own copy. When some images have changed, only those are unpacked.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab import paths
from tests.lab.processes import run
from tests.lab.progress import Say
from toolchain.cache import new_directory

_SECONDS = 1800
_CONTENT = "tars.json"
# Big; two, because some tests want all images and some none but the lab's own.
_KEEP = 2
_NAME = "io.containerd.image.name"
# In namespaces of its own, so that an interrupted import leaves neither a process nor a mount. `ctr` needs a short
# path to its socket. On standard input: the names of all images that are to be there.
_IMPORT = """
set -eu
mount -t tmpfs tmpfs "$SHORT"
cat >"$SHORT/wanted"
echo 'version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]' >"$SHORT/config"
containerd --root "$ROOT" --state "$SHORT/state" --address "$SHORT/socket" --config "$SHORT/config" >"$SHORT/log" 2>&1 &
images() { ctr --address "$SHORT/socket" --namespace k8s.io images "$@"; }
until images ls >/dev/null 2>&1; do
  kill -0 $! || { cat "$SHORT/log" >&2; exit 1; }
  sleep 0.1
done
for tar in "$@"; do
  images import "$tar" >/dev/null
done
images ls --quiet | { grep --fixed-strings --line-regexp --invert-match --file="$SHORT/wanted" || true; } >"$SHORT/old"
[ ! -s "$SHORT/old" ] || images rm --sync $(cat "$SHORT/old") >/dev/null
kill $!
wait $! || true
"""


def prepare(tars: Sequence[Path], say: Say) -> Path:
    """The directory with exactly these images, made when it is not there."""
    wanted = {identity(tar) for tar in tars}
    directory = _home() / hashlib.sha256("\n".join(sorted(wanted)).encode()).hexdigest()[:12]
    if not directory.is_dir():
        with new_directory(directory) as scratch:
            root, there = scratch / "containerd", set()
            if near := _nearest(wanted):
                give(near / "containerd", root)
                there = _content(near)
            missing = [tar for tar in tars if identity(tar) not in there]
            say(f"unpacking {len(missing)} images")
            _import(root, missing, [name for tar in tars for name in names(tar)])
            (scratch / _CONTENT).write_text(json.dumps(sorted(wanted)))
    directory.touch()
    for old in sorted(_home().glob("*"), key=lambda path: -path.stat().st_mtime)[_KEEP:]:
        shutil.rmtree(old, ignore_errors=True)
    return directory / "containerd"


def _nearest(wanted: set[str]) -> Path | None:
    """The one from which the fewest images have to be added or removed, if that is less than to begin anew."""
    distances = {
        path: len(_content(path) ^ wanted) for path in _home().glob("*") if (path / _CONTENT).exists()
    }
    nearest = min(distances, key=lambda path: distances[path], default=None)
    return nearest if nearest and distances[nearest] < len(wanted) else None


def _content(store: Path) -> set[str]:
    return set(json.loads((store / _CONTENT).read_text()))


def give(store: Path, target: Path) -> None:
    """Put a copy to `target` that shares all big files."""
    target.parent.mkdir(parents=True, exist_ok=True)
    run(["cp", "--archive", "--link", store, target])
    for database in target.glob("*/*.db"):
        own = database.with_suffix(".own")
        shutil.copy2(database, own)
        own.replace(database)


def identity(tar: Path) -> str:
    """Changes when the file does, and is known without reading it: it may be hundreds of megabytes."""
    found = tar.stat()
    return f"{tar.resolve()} {found.st_size} {found.st_mtime_ns}"


def names(tar: Path) -> list[str]:
    """What the images in an OCI tar are called."""
    with tarfile.open(tar) as opened:
        index = opened.extractfile("index.json")
        manifests = json.load(index)["manifests"] if index else []
    return [each["annotations"][_NAME] for each in manifests if _NAME in each.get("annotations", {})]


def _import(root: Path, tars: Sequence[Path], wanted: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="lab") as short:
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
        script = ["env", f"ROOT={root}", f"SHORT={short}", "bash", "-c", _IMPORT, "import"]
        run([*isolate, *script, *tars], text="\n".join(wanted) + "\n", seconds=_SECONDS)


def _home() -> Path:
    return paths.cache() / "store"
