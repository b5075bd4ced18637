"""Postfix is no open relay, whoever asks, from wherever, in whichever spelling."""

from __future__ import annotations

import pytest

from tests.acceptance import relaying
from tests.acceptance.stack import Stack
from tests.acceptance.strangers import ELSEWHERE, Stranger, strangers

_POSTFIX = pytest.mark.proves("postfix", "webapp")


@pytest.mark.usefixtures("stranger")
@_POSTFIX
def test_the_internet_cannot_relay(stack: Stack) -> None:
    assert not relaying.from_the_internet(stack)


@_POSTFIX
def test_a_pod_cannot_relay(stack: Stack) -> None:
    assert not relaying.from_a_pod(stack)


@_POSTFIX
def test_a_node_cannot_relay(stack: Stack) -> None:
    assert not relaying.from_the_nodes(stack)


@_POSTFIX
def test_a_pod_of_somebody_else_cannot_relay_and_finds_no_hidden_port(stack: Stack) -> None:
    stranger = Stranger("spammer", ELSEWHERE)
    with strangers(stack, [stranger]) as pods:
        pod = pods[stranger.name]["metadata"]["name"]
        assert not relaying.from_a_pod(stack, pod, ELSEWHERE)
        assert not relaying.at_hidden_ports(stack, (pod, ELSEWHERE))


@_POSTFIX
def test_a_pod_submits_nothing_without_a_password(stack: Stack) -> None:
    assert not relaying.without_a_password(stack)


@_POSTFIX
def test_port_25_takes_no_password_from_whoever_tries(stack: Stack) -> None:
    """It is not enough to offer none."""
    assert not relaying.with_a_password(stack)


@pytest.mark.proves("postfix", "amavis")
def test_ports_that_trust_their_callers_answer_to_their_own_pod_alone(stack: Stack) -> None:
    assert not relaying.at_hidden_ports(stack)


@pytest.mark.proves("postfix")
def test_pods_that_send_nothing_reach_no_port_of_postfix(stack: Stack) -> None:
    assert not relaying.at_inner_ports(stack)
