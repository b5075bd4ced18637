"""How long nobody answered: the longest time, and all times together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.client import outage


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        # Each question takes a second here.
        ([True, True, True], "1.0 0.0"),
        ([True, False, True, True, False, False, True], "3.0 5.0"),
        ([True, True, False, False], "2.0 2.0"),
        ([False, False], "2.0 2.0"),
    ],
    ids=["always", "away twice", "away at the end", "never"],
)
def test_the_longest_silence_and_all_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: list[bool], said: str
) -> None:
    left, now = list(answers), [0.0]

    def answer(host: str, port: int) -> bool:
        assert (host, port) == ("mx.example.org", 25)
        now[0] += 1
        found = left.pop(0)
        if len(left) == 1:
            (tmp_path / "enough").touch()
        return found

    monkeypatch.setattr(outage, "_answers", answer)
    monkeypatch.setattr(outage.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(outage.time, "sleep", lambda seconds: None)
    assert outage.outage("mx.example.org", "25", str(tmp_path / "enough")) == said
    assert left == []
