"""What holds for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import is_hypothesis_test, settings

# An Output printed as text is an error, in every test that runs a program or a part of it.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"

# The machine is shared, so an example may take long now and then; the same examples everywhere.
settings.register_profile("suite", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that try many generated stacks take seconds each: they run beside the engine's, not in the quick layers."""
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.thorough)
