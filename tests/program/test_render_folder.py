"""Manifests, Secrets included, are never written out of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.preflight import inside_project

pytestmark = pytest.mark.security


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a real folder, and links that lead elsewhere."""
    made = tmp_path / "project"
    (made / "rendered").mkdir(parents=True)
    (made / "out").symlink_to(tmp_path)
    (made / "rendered" / "deep").symlink_to("../..")
    (made / "loop").symlink_to("rendered")
    return made


@pytest.mark.parametrize("folder", ["rendered", "rendered/new/manifests", "loop/x"])
def test_a_folder_inside_may_be_written(project: Path, folder: str) -> None:
    assert inside_project(project / folder, project)


@pytest.mark.parametrize("folder", ["out", "out/x/y", "rendered/deep", "rendered/deep/etc"])
def test_a_link_that_leads_out_is_noticed(project: Path, folder: str) -> None:
    assert not inside_project(project / folder, project)
