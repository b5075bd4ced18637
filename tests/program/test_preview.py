"""In a preview nothing is known of what is not there yet, and the plan is the same."""

from __future__ import annotations

import pytest

from tests.support.deploy import Deployment, deploy
from tests.support.stacks import deployment, stack


@pytest.fixture(scope="module", params=["single-node", "cluster"])
def plans(request: pytest.FixtureRequest) -> tuple[Deployment, Deployment]:
    """A stack in a preview, and in an update."""
    return deploy(stack(request.param), preview=True), deployment(request.param)


def test_a_preview_shows_every_resource_that_an_update_makes(plans: tuple[Deployment, Deployment]) -> None:
    preview, update = plans
    assert preview.urns == update.urns


def test_a_preview_knows_every_name(plans: tuple[Deployment, Deployment]) -> None:
    # What is named by its content would else be "replaced by something". What waits for others comes in any order.
    preview, update = (sorted(each["metadata"]["name"] for each in plan.objects) for plan in plans)
    assert preview == update


def test_a_preview_protects_what_an_update_protects(plans: tuple[Deployment, Deployment]) -> None:
    preview, update = plans
    protected = [
        {each.urn for each in plan.resources if each.protect and each.delete_hooks} for plan in plans
    ]
    assert protected[0] == protected[1] != set()
    assert preview.resources != update.resources
