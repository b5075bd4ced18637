"""Where the lab keeps what it builds, and what it makes while it runs."""

from __future__ import annotations

import os
from pathlib import Path

SOURCES = Path(__file__).parent
CHECKOUT = SOURCES.parents[1]
ROOM = os.environ.get("KOLAB_LAB_ROOM", "")
"""The room whose lab this is (rooms.py), empty for the machine's own."""
LAB = f"lab-{ROOM}" if ROOM else "lab"
"""What distinguishes it from others, where names are the machine's."""
# Says whose lab it is: there is one on the machine, and one in each room.
MARK = Path(f"/run/kolab-{LAB}.json")


def cache() -> Path:
    """What is worth keeping between runs, for all checkouts of one user."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "kolab" / "lab"


def state(room: str = ROOM) -> Path:
    """What belongs to the running lab, of this room or another; `down` removes it."""
    return cache() / (f"state-{room}" if room else "state")
