"""Every setting is changed once: no volume, namespace or StatefulSet is replaced or deleted unless the guard knows it."""

from __future__ import annotations

import json

import pytest

from model.settings import Settings
from ops.recorder import Registered
from tests.engine.changes import key, registered
from tests.engine.leaves import leaves
from tests.engine.settings_table import HARMLESS, NOT_ALONE, REFUSED, Changes
from toolchain.kubernetes_plugin.diff import Mutable, diff
from toolchain.kubernetes_plugin.normalise import through_go_type

_LASTING = ("Namespace", "PersistentVolumeClaim", "StatefulSet")


def test_every_setting_has_its_place_in_the_table() -> None:
    changed = [*(path for changes in HARMLESS.values() for path in changes), *REFUSED, *NOT_ALONE]
    assert sorted(set(changed)) == sorted(leaves(Settings))


@pytest.mark.parametrize("base", HARMLESS)
def test_harmless_settings_leave_volumes_namespaces_and_stateful_sets_in_place(base: str) -> None:
    if _lost(base, HARMLESS[base]):
        culprits = {
            path: lost for path, value in HARMLESS[base].items() if (lost := _lost(base, {path: value}))
        }
        pytest.fail(f"replaced or deleted: {culprits or 'only when all change together'}")


@pytest.mark.parametrize("path", REFUSED)
def test_what_would_lose_data_is_something_that_the_guard_holds(path: str) -> None:
    base, changes, subject = REFUSED[path]
    guarded = {
        resource.name for resource in _lost(base, changes) if resource.protect and resource.delete_hooks
    }
    assert subject in guarded


def _lost(base: str, changes: Changes) -> list[Registered]:
    """What of the base would be deleted or replaced by the changes, of what has to last or is protected."""
    after = {key(resource): resource for resource in registered(base, json.dumps(changes))}
    return [
        old
        for old in registered(base)
        if _lasts(old) and (key(old) not in after or _replaces(old, after[key(old)]))
    ]


def _lasts(resource: Registered) -> bool:
    return resource.protect or (resource.object is not None and resource.object["kind"] in _LASTING)


def _replaces(old: Registered, new: Registered) -> bool:
    """As the kubernetes plugin decides; its stand-in is held to recorded answers of the genuine one."""
    before, after = (through_go_type(resource.object or {}) for resource in (old, new))
    return bool(diff({**before, "__inputs": before}, after, Mutable(), []).replaces)
