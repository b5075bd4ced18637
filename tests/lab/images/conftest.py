"""What tests of images share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.images import backups


@pytest.fixture(scope="module")
def site() -> Iterator[backups.Site]:
    """The pods of a stack with backups, and the server that takes these."""
    with backups.site() as made:
        yield made
