"""Fixtures of the lab's own tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import workloads
from tests.lab.cluster import Lab
from tests.lab.use import Apply


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """The one that is up, or one for these tests only."""
    if (running := Lab.running()) is not None:
        yield running
        return
    made = Lab().up()
    yield made
    made.down()


@pytest.fixture
def apply(lab: Lab) -> Iterator[Apply]:
    """Applies manifests, waits for their Deployments, and deletes them after the test."""
    texts = []

    def applied(*manifests: workloads.Manifest) -> None:
        text = workloads.text(*manifests)
        texts.append(text)
        lab.kubectl("apply", "-f", "-", text=text)
        for each in manifests:
            if each["kind"] == "Deployment":
                where = ("-n", each["metadata"]["namespace"])
                lab.kubectl(
                    *where, "rollout", "status", f"deployment/{each['metadata']['name']}", "--timeout=90s"
                )

    yield applied
    for text in reversed(texts):
        lab.kubectl("delete", "--ignore-not-found", "--wait", "-f", "-", text=text, seconds=180)
