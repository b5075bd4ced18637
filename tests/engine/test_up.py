"""One `up` deploys everything, and from then on nothing changes by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ops import render
from ops.stacks import StackFile
from tests.engine.conftest import Deployed
from tests.engine.program import Program
from toolchain.kubernetes_plugin.normalise import through_go_type

_ELSEWHERE = {
    "PYTHONHASHSEED": "7",
    "TZ": "Pacific/Chatham",
    "LANG": "tr_TR.UTF-8",
    "LC_ALL": "C",
    "USER": "somebody",
}


def test_up_deploys_everything_that_the_program_registers(local: Deployed) -> None:
    settings, _ = StackFile.read("local", local.program.root).settings()
    registered = {(resource.type, resource.name) for resource in render.resources(settings)}
    deployed = {(resource["type"], resource["urn"].rpartition("::")[2]) for resource in local.program.state()}
    assert _our_own(deployed) == _our_own(registered)


def test_a_second_up_by_another_user_in_another_place_writes_no_file(program: Program) -> None:
    before = _written(program)
    again = program.up("--expect-no-changes", cwd=program.root / "model", env=_ELSEWHERE)
    assert again.code == 0, again.output
    assert _written(program) == before


def test_the_engine_renders_what_ops_render_writes(local: Deployed, tmp_path: Path) -> None:
    _renders_alike(local, tmp_path)


def test_the_engine_renders_cluster_mode_as_ops_render_does(cluster: Deployed, tmp_path: Path) -> None:
    _renders_alike(cluster, tmp_path)


def _renders_alike(deployed: Deployed, folder: Path) -> None:
    without_engine = deployed.program.copy(folder / "program")
    without_engine.ops("render", "--stack", without_engine.stack)
    assert _normalised(deployed.program.objects()) == _normalised(without_engine.objects())


def _our_own(resources: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without the engine's: stack, providers, and the look at what was deployed before."""
    return {found for found in resources if not found[0].startswith("pulumi:")}


def _written(program: Program) -> dict[str, int]:
    """Every file outside of the backend that is not the tests' own, and when it was written."""
    return {
        str(path.relative_to(program.root)): path.stat().st_mtime_ns
        for path in program.root.rglob("*")
        if path.is_file() and not {".local", "__pycache__", "events.json", ".venv"} & set(path.parts)
    }


def _normalised(objects: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Objects by file name, without what depends on secret values: the values, and names made from them."""
    found = [through_go_type(_masked(item)) for item in objects]
    text = json.dumps(found)
    for item in found:
        if item["kind"] == "Secret":
            name = item["metadata"]["name"]
            text = text.replace(name, re.sub(r"-[0-9a-f]{10}$", "-<content>", name))
    return {render.file_name(item): item for item in json.loads(text)}


def _masked(item: dict[str, Any]) -> dict[str, Any]:
    values = item.get("data", {}) | item.get("stringData", {})
    kept = {key: value for key, value in item.items() if key != "stringData"}
    return kept | {"data": dict.fromkeys(values, "masked")} if item["kind"] == "Secret" else item


def test_a_stack_that_is_rendered_needs_no_cluster_and_looks_at_none(
    program: Program, tmp_path: Path
) -> None:
    program.change({"kubernetes.context": "prod"})
    run = program.up(env={"KUBECONFIG": str(tmp_path / "somebody's")})
    assert run.code == 0, run.output
    assert {operation.kind for operation in run.operations} <= {"kubernetes"}
