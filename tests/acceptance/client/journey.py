"""How long mail takes from a stranger to its reader."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

from tests.acceptance.client.mail import _imap, receive

_GIVEN_UP = 120
"""Seconds."""


def journeys(mx: str, imap: str, recipient: str, password: str, prefix: str, until: str) -> str:
    """Letters, each written when the one before it can be read, until the file `until` exists: JSON of the seconds from
    connecting to port 25 until IMAP finds it."""
    reader = _imap(imap, "993")
    reader.login(recipient, password)
    reader.select("INBOX", readonly=True)
    taken: list[float] = []
    for number in itertools.count():
        if Path(until).exists():
            break
        subject, began = f"{prefix}-{number}", time.monotonic()
        while not receive(mx, "stranger@sender.test", recipient, subject).startswith("250"):
            time.sleep(0.2)
        while reader.noop() and not reader.search(None, "SUBJECT", f'"{subject}"')[1][0]:
            if time.monotonic() - began > _GIVEN_UP:
                raise TimeoutError(f"{subject} never came")
            time.sleep(0.05)
        taken.append(time.monotonic() - began)
        time.sleep(0.5)
    return json.dumps(taken)
