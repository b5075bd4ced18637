"""Every test here looks at all resources of a whole stack; most look at every stack that the tests know."""

from __future__ import annotations

import pytest

from tests.support.deploy import Deployment
from tests.support.stacks import SHIPPED, VARIANTS, deployment


@pytest.fixture(params=[*SHIPPED, *VARIANTS])
def name(request: pytest.FixtureRequest) -> str:
    """A stack."""
    return str(request.param)


@pytest.fixture
def program(name: str) -> Deployment:
    """What the stack would create."""
    return deployment(name)
