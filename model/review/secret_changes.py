"""Secrets that get another value, and what people notice of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model import rotation
from model.review.item import Item
from model.secrets import is_secret_key
from model.settings import Settings


def items(before: Settings | None, after: Settings, keys: Sequence[str]) -> Iterator[Item]:
    """A sentence for each of `keys`, the secrets that are encrypted otherwise than before."""
    for key in keys:
        if is_secret_key(key):
            yield Item(_sentence(before, after, key), "care")


def _sentence(before: Settings | None, after: Settings, key: str) -> str:
    how = rotation.of(key, after)
    begun = before is not None and before.rotations.get(key) != after.rotations.get(key)
    if begun:
        return f"kolab:{key} is rotated: {how.words}"
    match how.kind:
        case "made":
            return f"kolab:{key} is encrypted anew without a rotation: the update is refused if it is another value"
        case "never":
            return f"kolab:{key} is encrypted anew: the update is refused if it is another value, since {how.words}"
        case _:
            return f"kolab:{key} gets another value: {how.words}"
