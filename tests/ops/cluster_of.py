"""Stands where kubectl and the cluster are: answers by the first words, and remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ops import kubectl
from ops.stacks import StackFile, StackProblem
from tests.support.stacks import stack

Answer = str | StackProblem | Callable[[tuple[str, ...], str | None], str]
CONTEXT = "prod"


@dataclass(frozen=True)
class FakeCluster(kubectl.Kubectl):
    """`answers`: words in the order of a call (with gaps) -> what kubectl prints, or why it fails."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def run(self, *arguments: str, text: str | None = None, seconds: float = 120) -> str:
        """The first answer whose words are all in the call, in their order."""
        self.calls.append(arguments)
        if text is not None:
            self.texts.append(text)
        for words, answer in self.answers.items():
            rest = iter(arguments)
            if all(any(word in each for each in rest) for word in words.split()):
                if isinstance(answer, StackProblem):
                    raise answer
                return answer if isinstance(answer, str) else answer(arguments, text)
        return ""

    def said(self, *words: str) -> list[tuple[str, ...]]:
        """Calls that have all of these words."""
        return [call for call in self.calls if set(words) <= set(call)]


def stand_in(
    monkeypatch: pytest.MonkeyPatch, answers: Mapping[str, Answer], name: str = "single-node"
) -> FakeCluster:
    """Every command now asks this cluster, and every stack file is that of stack `name`."""
    fake = FakeCluster(CONTEXT, stack(name).kubernetes.namespace, answers)
    monkeypatch.setattr(kubectl.Kubectl, "of", lambda _: fake)
    monkeypatch.setattr(StackFile, "read", classmethod(lambda cls, given: _File(name, given)))
    return fake


class _File:
    def __init__(self, name: str, given: str) -> None:
        self.name, self._stack = given, name

    def settings(self) -> tuple[Any, tuple[()]]:
        return stack(self._stack), ()
