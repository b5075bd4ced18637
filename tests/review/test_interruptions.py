"""What people are told of a daemon whose pods are replaced."""

from __future__ import annotations

import pytest

from model import topology
from model.review.interruptions import FIGURES, interrupts
from tests.support.stacks import stack


def test_whoever_listens_has_a_sentence_about_his_absence() -> None:
    listening = {daemon.name for daemon in topology.daemons(stack("full")) if daemon.ports}
    assert listening <= FIGURES.keys()


@pytest.mark.parametrize("name", sorted({port.daemon.name for port in topology.public_ports(stack("full"))}))
def test_the_world_notices_when_the_one_pod_of_a_public_daemon_is_replaced(name: str) -> None:
    assert interrupts(name, 1)
