"""The conversion from OpenAPI, on small schemas; what it makes of the real ones is in tests/support/test_validate.py."""

from __future__ import annotations

import json

import pytest

from tests.schemas.generate import BASE64, KINDS, TARGET, Schema, convert, file_name, render

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
TREE = "org.example.v1.Tree"


def published() -> dict[str, Schema]:
    """What a server with one kind publishes, a tree that may stand inside another tree."""
    metadata = {
        "allOf": [{"$ref": f"#/components/schemas/{META}"}],
        "default": {},
        "description": "Standard metadata.",
    }
    return {
        META: {"type": "object", "properties": {"name": {"type": "string"}}},
        TREE: {
            "type": "object",
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": metadata,
                "branch": {"$ref": f"#/components/schemas/{TREE}"},
                "status": {"$ref": "#/components/schemas/org.example.v1.Weather"},
            },
            "x-kubernetes-group-version-kind": [{"group": "example.org", "version": "v1", "kind": "Tree"}],
        },
        "org.example.v1.Weather": {"type": "object", "properties": {"rain": {"type": "boolean"}}},
        "org.example.v1.Stone": {"type": "object", "properties": {}},
    }


def test_the_committed_files_are_those_of_the_kinds() -> None:
    names = {file_name(api_version, kind) for api_version, kinds in KINDS.items() for kind in kinds}
    assert {path.name for path in TARGET.iterdir()} == names | {"_definitions.json"}


def test_the_committed_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in TARGET.iterdir()) < 500_000


def test_files_are_named_as_kubeconform_looks_for_them() -> None:
    assert file_name("v1", "Service") == "service-v1.json"
    assert file_name("apps/v1", "StatefulSet") == "statefulset-apps-v1.json"
    assert file_name("cert-manager.io/v1", "Issuer") == "issuer-cert-manager-v1.json"


def test_only_what_a_manifest_of_our_kinds_reaches_is_rendered() -> None:
    files = render(published(), {"example.org/v1": ("Tree",)})
    assert set(files) == {"tree-example-v1.json", "_definitions.json"}
    assert set(json.loads(files["_definitions.json"])["definitions"]) == {
        "tree-example-v1",
        TREE,
        META,
        "org.example.v1.Weather",  # by the branch: only a whole manifest has no status
    }


def test_a_manifest_must_say_what_it_is_but_the_same_type_inside_another_need_not() -> None:
    definitions = json.loads(render(published(), {"example.org/v1": ("Tree",)})["_definitions.json"])[
        "definitions"
    ]
    assert definitions["tree-example-v1"]["required"] == ["apiVersion", "kind", "metadata"]
    assert definitions["tree-example-v1"]["properties"]["kind"] == {"enum": ["Tree"]}
    assert "required" not in definitions[TREE]


def test_a_kind_that_the_server_does_not_know_stops_the_generation() -> None:
    with pytest.raises(ValueError, match=r"0 schemas for example\.org/v1 Bush: are the CRDs in\?"):
        render(published(), {"example.org/v1": ("Bush",)})


def test_an_object_with_known_fields_is_closed_and_a_map_is_not() -> None:
    assert convert({"type": "object", "properties": {}})["additionalProperties"] is False
    labels = {"type": "object", "additionalProperties": {"type": "string"}}
    assert convert(labels) == labels


def test_an_object_that_keeps_unknown_fields_stays_open() -> None:
    schema = {"type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": True}
    assert convert(schema)["additionalProperties"] is True


def test_enums_stay_and_prose_and_defaults_go() -> None:
    schema = {
        "type": "string",
        "enum": ["Cluster", "Local"],
        "default": "Cluster",
        "description": "Where to.",
    }
    assert convert(schema) == {"type": "string", "enum": ["Cluster", "Local"]}


def test_properties_that_are_called_like_keywords_are_properties() -> None:
    names = {
        "$ref": {"type": "string"},
        "enum": {"type": "array", "items": {}},
        "description": {"type": "string"},
    }
    assert convert({"type": "object", "properties": names})["properties"] == names


def test_formats_become_keywords_that_every_validator_judges() -> None:
    assert convert({"type": "string", "format": "byte"}) == {"type": "string", "pattern": BASE64}
    assert convert({"type": "integer", "format": "int32"})["maximum"] == 2147483647


def test_an_int_or_string_keeps_its_pattern() -> None:
    schema = {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": "^[0-9]+%?$",
        "x-kubernetes-int-or-string": True,
    }
    assert convert(schema) == {"type": ["integer", "string"], "pattern": "^[0-9]+%?$"}


def test_a_keyword_that_nobody_thought_of_stops_the_generation() -> None:
    with pytest.raises(ValueError, match="the OpenAPI keyword nullable is new here"):
        convert({"type": "string", "nullable": True})
