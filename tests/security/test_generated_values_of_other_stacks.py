"""The same as of a cluster (test_generated_values_of_a_cluster.py) for settings that other kinds of stacks have."""

from __future__ import annotations

import pytest

from tests.engine.settings_table import BASES
from tests.security.promises import Promises, own_texts

pytestmark = [pytest.mark.thorough, pytest.mark.security]


class TestOtherStacks(Promises):
    """Each tries the settings that those before it lack."""

    bases = tuple(name for name in BASES if own_texts(name))
    least = 7_000
