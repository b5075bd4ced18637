"""The engine writes the state while the program reads it: what is half written is read again."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi
import pytest

from components.preflight import patiently

_EOF = Exception("invoke of pulumi:pulumi:readStackOutputs failed: failed to load checkpoint: EOF")
_HALF = Exception(
    "invoke of pulumi:pulumi:readStackResourceOutputs failed: failed to load checkpoint: unexpected EOF"
)
_OTHER = Exception("invoke of pulumi:pulumi:readStackOutputs failed: incorrect passphrase")


class State:
    """A state that answers each question with the next of `answers`; an exception is raised."""

    def __init__(self, *answers: object) -> None:
        self._answers: Iterator[object] = iter(answers)

    def ask(self) -> object:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("troubles", [[], [_EOF], [_HALF, _EOF, _EOF]], ids=len)
def test_a_state_that_is_being_written_is_read_again(troubles: list[Exception]) -> None:
    assert patiently(State(*troubles, "read").ask, pauses=(0, 0, 0)) == "read"


def test_a_state_that_stays_unreadable_is_told_in_a_sentence() -> None:
    with pytest.raises(
        pulumi.RunError, match=r"checkpoint: EOF\. Nothing was changed; run the same command again"
    ):
        patiently(State(_EOF, _EOF, _EOF).ask, pauses=(0, 0))


def test_any_other_trouble_is_not_tried_again() -> None:
    with pytest.raises(Exception, match="incorrect passphrase"):
        patiently(State(_OTHER, "read").ask, pauses=(0,))
