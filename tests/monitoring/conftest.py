"""Fixtures of the monitoring's tests."""

from __future__ import annotations

import pytest

from model.settings import Settings
from tests.monitoring.checkers import settings


@pytest.fixture
def stack() -> Settings:
    """A cluster that uses all of the monitoring."""
    return settings()
