"""Makes v<minor>.json: what the types of v1.34/ are in the other supported versions of Kubernetes.

From `api/openapi-spec/v3` of the module k8s.io/kubernetes, where no server has to be built. It says nothing of enums,
so those of v1.34 stay. Only types that differ are kept: a few dozen lines a version. Custom resources are the same
everywhere. `go` fetches the modules into its cache.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.schemas.generate import KINDS, TARGET, Schema, render

HERE = Path(__file__).parent
BASE = "v1.34.2"
VERSIONS = {"v1.32": "v1.32.13", "v1.33": "v1.33.13", "v1.35": "v1.35.4"}
"""Minor version -> the module that its schemas are made from."""

_BUILT_IN = {
    version: kinds for version, kinds in KINDS.items() if "." not in version or ".k8s.io/" in version
}


def main() -> None:
    """Replaces v<minor>.json."""
    enums = json.loads((TARGET / "_definitions.json").read_text())["definitions"]
    base = definitions(BASE)
    for minor, version in VERSIONS.items():
        changed = differences(base, definitions(version), enums)
        lines = ",\n".join(f"{json.dumps(name)}: {_compact(changed[name])}" for name in sorted(changed))
        (HERE / f"{minor}.json").write_text(f'{{"from": "{version}", "definitions": {{\n{lines}\n}}}}\n')


def differences(
    base: dict[str, Schema], other: dict[str, Schema], enums: dict[str, Schema]
) -> dict[str, Schema]:
    """The definitions of `other` that are new or are not those of `base`, with the enums of `enums`."""
    return {
        name: _with_enums(schema, enums.get(name, {}))
        for name, schema in other.items()
        if schema != base.get(name)
    }


def definitions(version: str) -> dict[str, Schema]:
    """What the built-in kinds of a version consist of."""
    published: dict[str, Schema] = {}
    for file in sorted(_module(version).glob("api/openapi-spec/v3/*_openapi.json")):
        published |= json.loads(file.read_text()).get("components", {}).get("schemas", {})
    found: dict[str, Schema] = json.loads(render(published, _BUILT_IN)["_definitions.json"])["definitions"]
    return found


def _module(version: str) -> Path:
    command = ["go", "mod", "download", "-json", f"k8s.io/kubernetes@{version}"]
    # Outside of any module, so that none is asked for its version of it.
    answer = subprocess.run(command, cwd="/", check=True, capture_output=True, text=True)
    return Path(json.loads(answer.stdout)["Dir"])


def _with_enums(schema: Any, published: Any) -> Any:
    """`schema`, and in it each enum that stands at the same place of `published`."""
    if isinstance(schema, dict) and isinstance(published, dict):
        found = {key: _with_enums(value, published.get(key)) for key, value in schema.items()}
        if "enum" in published and "enum" not in found and found.get("type") == published.get("type"):
            found["enum"] = published["enum"]
        return found
    return schema


def _compact(schema: Schema) -> str:
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


if __name__ == "__main__":
    main()
