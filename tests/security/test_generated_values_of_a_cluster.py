"""No value of any free text changes the structure of anything that is generated: it is refused, or it is a value.

Every setting gets values that mean something in every language that is generated (languages.py). A refusal names the key.
What is accepted is rendered, many values in one stack, and read by bash, Postfix, crossplane, promql-parser, dnspython and
libyaml: the structure of each file has to be the one that it has with harmless values (readers.py).
"""

from __future__ import annotations

import pytest

from tests.security.generated_values import CLUSTER
from tests.security.promises import Promises

pytestmark = [pytest.mark.thorough, pytest.mark.security]


class TestClusterWithEverythingOutside(Promises):
    """The stack with the most settings."""

    bases = (CLUSTER,)
    least = 13_000
