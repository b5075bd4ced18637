"""What is pinned, once. tests/toolchain checks that Pulumi.yaml and requirements.txt say the same."""

from __future__ import annotations

import re

PULUMI = "3.259.0"
KUBERNETES_PLUGIN = "4.34.2"


def parse(text: str) -> tuple[int, int, int] | None:
    """The three numbers of `v3.259.0-dev`, or None when there are none."""
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def suffices(found: str, wanted: str = PULUMI) -> bool:
    """Whether a CLI that reports `found` may run this project (the same major version, not older)."""
    have, need = parse(found), parse(wanted)
    return have is not None and need is not None and have[0] == need[0] and have >= need
