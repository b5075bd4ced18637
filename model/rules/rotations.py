"""What kolab:rotations counts: secrets that can be rotated."""

from __future__ import annotations

from collections.abc import Iterator

from model import rotation
from model.catalogue import files as rules
from model.findings import Finding
from model.secrets import is_secret_key
from model.settings import Settings


def possible(settings: Settings) -> Iterator[Finding]:
    """Each entry is a secret, and one that `./kolab secrets rotate` exchanges."""
    for key in settings.rotations:
        if not is_secret_key(key):
            words = "no stack has a secret of this name"
        else:
            found = rotation.of(key, settings)
            if found.possible:
                continue
            words = found.words
        yield rules.SECRET_ROTATION_IMPOSSIBLE.found(key=key, words=words)


RULES = (possible,)
"""Rotations."""
