"""A registry of images that runs while a test does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.registry import Store, serving


@pytest.fixture
def store() -> Store:
    """What it has and was asked."""
    return Store()


@pytest.fixture
def host(store: Store) -> Iterator[str]:
    """Its host and port."""
    with serving(store) as found:
        yield found
