"""Releases of MariaDB that Debian has had, each with the userland of its time.

The lab's images share one base, which has one release. These are whole trees from mmdebstrap, kept beside them.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.images import base
from tests.lab.images.places import RECIPES, hash_of, home

SUITES = {"10.5": "bullseye", "11.8": "trixie"}
"""Release of MariaDB -> the suite of Debian that has it."""
_HOOKS = {
    # sclorg's user, which Kolab's image has; MariaDB's own knows no user of that number.
    "10.5": ['chroot "$1" usermod -u 27 mysql', 'ln -s true "$1"/bin/contract-check'],
    "11.8": ['rm -f "$1"/usr/bin/mysql*'],
}
_THEIRS = RECIPES / "mariadb/rootfs"
"""How Kolab's image starts its server."""
_DATA = "/var/lib/mysql/data"


def folder(release: str) -> Path:
    """Where the tree of a release is kept."""
    files = sorted(each for each in _THEIRS.rglob("*") if each.is_file())
    return home() / hash_of(files, release, *_HOOKS[release])


def tree(release: str) -> Path:
    """The root of a release, made when it is missing. Raises LabError when its packages cannot be had."""
    made = folder(release)
    if made.is_dir():
        return made / "rootfs"
    home().mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=home(), prefix=".new-"))
    scratch.chmod(0o755)
    arguments = ["mmdebstrap", "--variant=essential", "--mode=root", "--include=mariadb-server,procps"]
    arguments += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("man", "doc", "locale")]
    arguments += [
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--customize-hook={line}" for line in _HOOKS[release]),
        '--customize-hook=rm -rf "$1"/etc/mysql/mariadb.conf.d "$1"/etc/mysql/conf.d "$1"/etc/mysql/my.cnf',
        f"--customize-hook=sync-in {_THEIRS} /",
        f'--customize-hook=chmod 755 "$1"/usr/bin/run-mysqld; mkdir -p "$1"/kolab/entry "$1"/work "$1"/dumps "$1"{_DATA}; chown 27:0 "$1"/var/lib/mysql; chmod 775 "$1"/var/lib/mysql',
        SUITES[release],
        str(scratch / "rootfs"),
        *(_mirror() or []),
    ]
    with (scratch / "log").open("w") as log:
        done = subprocess.run(arguments, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise LabError(
            f"MariaDB {release} could not be had from Debian's {SUITES[release]}: see {scratch}/log"
        )
    (scratch / "lab-image").touch()
    scratch.rename(made)
    return made / "rootfs"


def _mirror() -> list[str]:
    """The machine's own mirror, where apt has one."""
    for source in base.sources():
        for line in Path(source).read_text().splitlines():
            if line.startswith("URIs:"):
                return [line.split()[1]]
    return []
