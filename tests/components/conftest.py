"""Fixtures of the components' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """An empty container to run scripts in."""
    return Sandbox(tmp_path / "root")
