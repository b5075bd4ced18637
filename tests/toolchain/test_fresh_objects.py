"""Every change of a setting previews and applies on objects that nobody has updated yet.

The preview of an object's first update is a dry run in which a field that the program drops stays, since Create owns
it (toolchain/kubernetes_plugin/ownership.py). So no change may drop a field that excludes another: a strategy's
details, a probe's or a volume's kind, a port's number under the same name.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.changes import changes_of, key, registered
from tests.engine.settings_table import BASES
from tests.toolchain import control_plane
from tests.toolchain.definitions import surroundings
from toolchain.kubernetes_plugin import ownership
from toolchain.kubernetes_plugin.api import Api, ApiError, Resource
from toolchain.kubernetes_plugin.cluster import ClusterMode
from toolchain.kubernetes_plugin.config import Config
from toolchain.kubernetes_plugin.diff import Mutable, diff
from toolchain.kubernetes_plugin.mode import Call, Failure
from toolchain.kubernetes_plugin.normalise import through_go_type

pytestmark = pytest.mark.acceptance

Object = dict[str, Any]
_MANAGER = "pulumi-kubernetes-00000000"
_FRESH = itertools.count()
_SIZED_WHEN_BOUND = "PersistentVolumeClaim"
"""Its one change is that of its size, which an API server without volumes refuses whatever the program does."""


class Silent:
    """A log that nobody reads."""

    def status(self, text: str) -> None:
        """Not kept."""

    def warning(self, text: str) -> None:
        """Not kept."""


_CALL = Call("urn:pulumi:fresh", 0, Silent())


class Cluster:
    """An API server, and the plugin's ways to it."""

    def __init__(self, kubeconfig: str) -> None:
        config = Config(kubeconfig=kubeconfig)
        self.api, self.mode = Api(config), ClusterMode(config)

    def resource(self, obj: Object) -> Resource:
        """Where the object belongs."""
        return self.api.resource(obj["apiVersion"], obj["kind"])

    def create(self, obj: Object) -> None:
        """As the plugin's Create, without waiting."""
        self.api.create(self.resource(obj), obj, ownership.CREATE_MANAGER)

    def apply(self, obj: Object) -> None:
        """As the plugin's Update, without waiting."""
        ownership.take_over(self.api, self.resource(obj), obj, _MANAGER)
        self.api.apply(self.resource(obj), obj, _MANAGER, force=False)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """An API server that knows the program's namespaces, and the kinds of controllers that a cluster may have."""
    if missing := control_plane.missing():
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    with control_plane.running(tmp_path_factory.mktemp("plane"), controllers=False) as plane:
        found = Cluster(plane.kubeconfig)
        made = (resource.object for base in BASES for resource in registered(base) if resource.object)
        for obj in surroundings(made):
            found.create(obj)
        yield found


@pytest.mark.parametrize("base", BASES)
def test_each_change_of_a_setting_is_accepted_on_fresh_objects_and_so_is_its_way_back(
    cluster: Cluster, base: str
) -> None:
    before = _objects(base)
    refused = {}
    for path, changes in changes_of(base).items():
        after = _objects(base, json.dumps(changes))
        refused[path] = _refused(cluster, before, after) + _refused(cluster, after, before)
    assert {path: found for path, found in refused.items() if found} == {}


_SHIPPED = ("single-node", "cluster")
_MOVES = [(one, other) for one, other in itertools.permutations(BASES, 2) if {one, other} & {*_SHIPPED}]


@pytest.mark.parametrize(("one", "other"), _MOVES)
def test_a_stack_becomes_another_kind_of_stack_on_fresh_objects(
    cluster: Cluster, one: str, other: str
) -> None:
    assert _refused(cluster, _objects(one), _objects(other)) == []


def _objects(base: str, changes: str = "{}") -> dict[tuple[str, str], Object]:
    return {
        key(resource): through_go_type(resource.object)
        for resource in registered(base, changes)
        if resource.object is not None
    }


def _refused(cluster: Cluster, before: dict[Any, Object], after: dict[Any, Object]) -> list[str]:
    """What the API server says against updates from one set of objects to the other; replacements are no updates."""
    found = []
    for name in before.keys() & after.keys():
        old, new = before[name], after[name]
        if (
            old == new
            or new["kind"] == _SIZED_WHEN_BOUND
            or diff({**old, "__inputs": old}, new, Mutable(), []).replaces
        ):
            continue
        old, new = _anew(cluster, old, new)
        try:
            cluster.create(old)
            cluster.mode.preview(new, {**old, "__inputs": old}, _MANAGER, _CALL)
            cluster.apply(new)
        except (ApiError, Failure) as error:
            found.append(f"{name[1]}: {error}")
    return found


def _anew(cluster: Cluster, *objects: Object) -> Iterator[Object]:
    """The same objects under a name that nobody has used."""
    suffix = next(_FRESH)
    for obj in objects:
        metadata = {**obj["metadata"], "name": f"{obj['metadata']['name'][:50]}-{suffix}"}
        if not cluster.resource(obj).namespaced:
            metadata.pop("namespace", None)
        yield {**obj, "metadata": metadata}
