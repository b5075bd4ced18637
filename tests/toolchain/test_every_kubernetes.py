"""API servers of every supported minor version take every object of every base of the table, and warn of none."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.changes import registered
from tests.engine.settings_table import BASES
from tests.lab import programs
from tests.toolchain import control_plane
from tests.toolchain.definitions import surroundings

pytestmark = pytest.mark.acceptance

Object = dict[str, Any]
# Deprecated since 1.14, and so named by every version that is supported.
_OLD_POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "old", "namespace": "default"},
    "spec": {
        "nodeSelector": {"beta.kubernetes.io/arch": "amd64"},
        "containers": [{"name": "a", "image": "a"}],
    },
}
_UNKNOWN: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "odd", "namespace": "default"},
    "dada": {},
}


class Judge:
    """An API server that is asked and keeps nothing."""

    def __init__(self, plane: control_plane.ControlPlane, folder: Path) -> None:
        self.plane = plane
        self._kubeconfig = folder / "kubeconfig"
        self._kubeconfig.write_text(plane.kubeconfig)

    def warns(self, objects: list[Object]) -> str:
        """What it says of objects that it takes with warnings or not at all; nothing where all is well."""
        done = subprocess.run(
            [
                programs.program("kubectl"), f"--kubeconfig={self._kubeconfig}", "apply", "--filename=-", "--server-side",
                "--dry-run=server", "--force-conflicts", "--validate=warn", "--warnings-as-errors",
            ],
            input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0 or done.stderr
        return "" if done.returncode == 0 else done.stderr

    def make(self, obj: Object) -> None:
        """Keep an object that others need."""
        places = {
            "Namespace": "/api/v1/namespaces",
            "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        }
        made = self.plane.request("POST", places[obj["kind"]], obj)
        assert made.get("kind") == obj["kind"], made


@pytest.fixture(scope="module", params=programs.SUPPORTED, ids=lambda each: each.minor)
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Knows the program's namespaces, and the kinds of controllers that a cluster may have."""
    if missing := control_plane.missing():
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    # For its kubectl.
    programs.build(print, "kubernetes")
    folder = tmp_path_factory.mktemp("plane")
    with control_plane.running(folder, controllers=False, kubernetes=request.param) as plane:
        found = Judge(plane, folder)
        for obj in surroundings(each for base in BASES for each in _objects(base)):
            found.make(obj)
        yield found


def _objects(base: str) -> list[Object]:
    return [each.object for each in registered(base) if each.object is not None]


def test_it_is_of_the_version_that_was_asked_for(judge: Judge, request: pytest.FixtureRequest) -> None:
    said = judge.plane.request("GET", "/version")["gitVersion"]
    assert said.rpartition(".")[0] in request.node.name


@pytest.mark.parametrize("base", BASES)
def test_it_takes_every_object_and_warns_of_none(judge: Judge, base: str) -> None:
    assert judge.warns(_objects(base)) == ""


def test_it_would_warn_of_what_is_deprecated_and_of_what_it_does_not_know(judge: Judge) -> None:
    assert "beta.kubernetes.io/arch" in judge.warns([_OLD_POD])
    assert ".dada: field not declared" in judge.warns([_UNKNOWN])
