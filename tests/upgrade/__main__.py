"""`make record-release`: what this version leaves behind, for the upgrade tests of all later ones.

Deploys the stack of `make up` and the example of cluster mode, and keeps the stack file and the exported state of
each below tests/upgrade/<version>/. Their secrets are made on the spot and encrypted with a passphrase of the tests.
"""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.engine.identity.conftest import config, deployed
from tests.engine.program import CHECKOUT, Program
from tests.engine.stacks import configured, example

RELEASES = Path(__file__).parent


def record(version: str) -> None:
    """Writes the folder of `version` anew."""
    folder = RELEASES / version
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy2(CHECKOUT / "stacks" / "schema.json", folder)
    with tempfile.TemporaryDirectory() as name:
        plain = example("templates/local")
        plain["mail"]["dkim"] = {"selectors": {"k202611": {"stage": "active", "since": "2026-11-02"}}}
        local, _ = configured(Path(name) / "local", "local", plain)
        first = local.up()
        assert first.code == 0, first.output
        for program in (local, deployed(Path(name) / "cluster", config())):
            _keep(program, folder)


def _keep(program: Program, folder: Path) -> None:
    shutil.copy2(program.stack_file, folder / program.stack_file.name)
    exported = program.must("stack", "export", "--stack", program.stack)
    # The same state gives the same bytes.
    packed = gzip.compress(exported.encode(), mtime=0)
    (folder / f"{program.stack}.json.gz").write_bytes(packed)
    print(f"{folder.name}: {program.stack}, {len(packed) // 1024} KiB", file=sys.stderr)


if __name__ == "__main__":
    record(tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"])
