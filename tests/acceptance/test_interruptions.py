"""The figures that reviewers read (model/review/interruptions.py) are what a replaced pod really costs."""

from __future__ import annotations

import time
from typing import Any

import pytest

from model.review.interruptions import FIGURES
from tests.acceptance.report import Report
from tests.acceptance.stack import Stack, eventually

_SHARED = 3
"""Times a figure that a pod may take here: two clusters share the machine, and a figure is for one that has nothing else to do."""
_MEASURED = sorted(daemon for daemon, figure in FIGURES.items() if figure.protocols)


@pytest.mark.mode("single-node")
@pytest.mark.proves("imap", "postfix", "proxy")
@pytest.mark.parametrize("daemon", _MEASURED)
def test_a_replaced_pod_is_back_within_the_figure_that_reviewers_read(
    stack: Stack, report: Report, daemon: str
) -> None:
    if not stack.pods(daemon):
        pytest.skip(f"this stack runs no {daemon}")
    [old] = stack.pods(daemon)
    began = time.monotonic()
    with report.timed(f"{daemon}: from a deleted pod to one that is ready"):
        stack.kubectl("delete", "pod", old["metadata"]["name"], "--wait=false")
        eventually(lambda: _renewed(stack, daemon, old), f"there is no new pod of {daemon}", every=0.5)
    assert time.monotonic() - began <= _SHARED * FIGURES[daemon].seconds


def _renewed(stack: Stack, daemon: str, old: dict[str, Any]) -> bool:
    for pod in stack.pods(daemon):
        ready = any(
            c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ())
        )
        if pod["metadata"]["uid"] != old["metadata"]["uid"] and ready:
            return True
    return False
