"""`python -m tests.security`: scans the manifests of the shipped stacks with checkov, without any network.

The scanner lives in .venv-security, since it wants other versions of packages than the program (`make security`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ops.stacks import ROOT
from tests.security.accepted import FILE, Finding, faults, findings, read

_CHECKOV = ROOT / ".venv-security" / "bin" / "checkov"
_STACKS = ("single-node", "cluster")
_QUIET = {"LOG_LEVEL": "ERROR", "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"}


def scan(folder: Path) -> set[Finding]:
    """What checkov finds in the manifests below a folder. Raises RuntimeError when it looked at nothing."""
    line: list[str | Path] = [
        _CHECKOV,
        "--directory",
        folder,
        "--framework",
        "kubernetes",
        "--skip-download",
        "--output",
        "json",
    ]
    done = subprocess.run(
        line, capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, **_QUIET}
    )
    try:
        report = json.loads(done.stdout)
        looked_at = report["summary"]["passed"]
    except (ValueError, KeyError, TypeError):
        raise RuntimeError(f"checkov ended with {done.returncode}: {done.stderr.strip()[-500:]}") from None
    if not looked_at or report["summary"]["parsing_errors"]:
        raise RuntimeError(f"checkov did not read the manifests in {folder}: {report['summary']}")
    return findings(report)


def main() -> int:
    """0 when every finding is accepted with a reason."""
    found: set[Finding] = set()
    for stack in _STACKS:
        subprocess.run(
            [sys.executable, "-m", "ops", "render", "--stack", stack],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        found |= scan(ROOT / "rendered" / stack / "manifests")
    accepted = read(FILE.read_text())
    wrong = faults(found, accepted)
    for sentence in wrong:
        print(f"scan: {sentence}", file=sys.stderr)
    if not wrong:
        print(
            f"scan: {len(found)} findings on {', '.join(_STACKS)}, each accepted with a reason in {FILE.relative_to(ROOT)}"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
