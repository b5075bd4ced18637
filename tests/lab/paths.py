"""Where the lab keeps what it builds, and what it makes while it runs."""

from __future__ import annotations

import os
from pathlib import Path

SOURCES = Path(__file__).parent
CHECKOUT = SOURCES.parents[1]
# The names of namespaces and cgroups are the machine's, so there is one lab per machine; this file says whose.
MARK = Path("/run/kolab-lab.json")


def cache() -> Path:
    """What is worth keeping between runs, for all checkouts of one user."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "kolab" / "lab"


def state() -> Path:
    """What belongs to the running lab; `down` removes it."""
    return cache() / "state"
