"""Says what is wrong with manifests, without a cluster: by their schemas, and by the Pod Security Standards."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, get_args

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.schemas.generate import TARGET, file_name
from tests.schemas.other_versions import HERE, VERSIONS
from tests.support.tools import tool

Manifest = dict[str, Any]
Level = Literal["baseline", "restricted"]

# The server fills this in before it compares: {port: 25} and {port: 25, protocol: TCP} are one entry to it.
KEY_DEFAULTS = {"protocol": "TCP"}


KUBERNETES = tuple(sorted([*VERSIONS, TARGET.name]))
"""Minor versions whose schemas are here: those that the project supports."""


def schema_errors(objects: Sequence[Manifest], version: str = TARGET.name) -> list[str]:
    """Every error of every object for a minor version of Kubernetes, as `Kind/name: path.to.field: what is wrong`.

    As strict as a server-side apply: unknown fields, unknown kinds and list entries with the same key are errors.
    What the server judges by code or by CEL (a name's characters, a port's range) is not seen here.
    """
    return [f"{_title(each)}: {error}" for each in objects for error in _errors(each, version)]


def pod_security_violations(level: Level, objects: Sequence[Manifest]) -> list[str]:
    """One line for each workload that the level forbids, in the words of Kubernetes' own admission plugin."""
    if level not in get_args(Level):
        raise ValueError(f"{level} is no level: upstream's code would forbid nothing")
    documents = "\n---\n".join(json.dumps(each) for each in objects)
    verdict = subprocess.run(
        [_psa_check(), level], check=False, input=documents, capture_output=True, text=True
    )
    lines = verdict.stdout.splitlines()
    # It exits with 1 when it has something to report; anything else means that it did not judge.
    if verdict.returncode != bool(lines):
        raise RuntimeError(f"psa-check failed with exit code {verdict.returncode}: {verdict.stderr.strip()}")
    return lines


def _errors(manifest: Manifest, version: str) -> Iterator[str]:
    api_version, kind = str(manifest.get("apiVersion")), str(manifest.get("kind"))
    validator = _validator(file_name(api_version, kind), version)
    if validator is None:
        yield f"no schema for {api_version} {kind}: is it right? then add it to tests/schemas/generate.py"
        return
    errors = sorted(validator.iter_errors(manifest), key=lambda error: list(map(str, error.absolute_path)))
    # jsonschema reports two missing fields twice; here one line names both.
    yield from dict.fromkeys(_sentence(error, secret=kind == "Secret") for error in errors)


def _sentence(error: ValidationError, *, secret: bool) -> str:
    # Messages end up in public logs, and values of Secrets do not belong there.
    reason = _reason(error, "the value" if secret else _short(error.instance))
    path = _path(error)
    return f"{path}: {reason}" if path else reason


def _reason(error: ValidationError, value: str) -> str:
    """jsonschema's own messages print the whole object that holds the error; these name the error."""
    instance: Any = error.instance
    wanted: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            assert isinstance(error.schema, dict)
            reason = f"unknown field {_listed(instance.keys() - error.schema['properties'].keys())}"
        case "required":
            reason = f"{_listed(set(wanted) - instance.keys())} is missing"
        case "enum":
            reason = f"{value} is none of {', '.join(map(str, wanted))}"
        case "type":
            reason = f"{value} is not of type {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
        case "pattern":
            reason = f"{value} does not match {wanted}"
        case "x-kubernetes-list-map-keys":
            reason = error.message
        case keyword:
            reason = f"{value} violates {keyword}: {_short(wanted)}"
    return reason


def _unique_by_key(_: object, keys: list[str], entries: object, __: object) -> Iterator[ValidationError]:
    """A server-side apply refuses two entries with the same key; a plain create hides one behind the other."""
    seen: list[dict[str, object]] = []
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        key = {name: entry.get(name, KEY_DEFAULTS.get(name)) for name in keys}
        if key in seen:
            yield ValidationError(
                f"two entries with {', '.join(f'{name} {value}' for name, value in key.items())}"
            )
        seen.append(key)


@functools.cache
def _validator(name: str, version: str) -> Any:
    if not (TARGET / name).is_file():
        return None
    dialect: Any = extend(Draft202012Validator, {"x-kubernetes-list-map-keys": _unique_by_key})
    return dialect(_read(name), registry=_definitions(version))


@functools.cache
def _definitions(version: str) -> Registry[Any]:
    found = _read("_definitions.json")
    if version != TARGET.name:
        found["definitions"] |= json.loads((HERE / f"{version}.json").read_text())["definitions"]
    content = DRAFT202012.create_resource(found)
    definitions: Registry[Any] = Registry().with_resource("_definitions.json", content)
    return definitions


def _read(name: str) -> Any:
    return json.loads((TARGET / name).read_text())


def _psa_check() -> str:
    found = tool("psa-check")
    if found is None:
        raise RuntimeError("psa-check is not built yet: run `python3 -m toolchain ensure --tests`")
    return found


def _title(manifest: Manifest) -> str:
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{manifest.get('kind', 'no kind')}/{name or 'no name'}"


def _path(error: ValidationError) -> str:
    """`spec.ports[0].port`."""
    return "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path
    ).removeprefix(".")


def _listed(names: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, names)))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
