"""Keys of earlier versions that are read no more, each with the sentence that says what to write instead.

A test compares the settings with those of every recorded version (tests/upgrade): a key that has gone stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Migration:
    """`since` is the version that no longer reads the key; `instead` completes "Fix: ..."."""

    since: str
    instead: str


MIGRATIONS: Mapping[str, Migration] = {
    "mail.signatureLifetimeDays": Migration(
        since="0.2.0",
        instead="remove it: signatures last ten days, which Amavis sets and nothing ever changed",
    ),
}
"""Path without `kolab:` -> what became of it; `*` stands for any key of a map."""


def migration_of(path: str) -> Migration | None:
    """What became of the key at `path`, or of the section that it stands in."""
    keys = path.split(".")
    for end in range(len(keys), 0, -1):
        for old, found in MIGRATIONS.items():
            pattern = old.split(".")
            if len(pattern) == end and all(p in ("*", key) for p, key in zip(pattern, keys, strict=False)):
                return found
    return None
