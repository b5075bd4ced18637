"""The bill of materials: right in form, complete, and the same for the same materials."""

from __future__ import annotations

import argparse
import base64
import datetime
import json
import re
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from model import images
from model.settings import ImagesRegistry
from ops import sbom
from ops.stacks import ROOT, StackProblem
from tests.support.stacks import deployment

pytestmark = pytest.mark.thorough
DAY = datetime.datetime(2026, 11, 27, tzinfo=datetime.UTC)
DIGEST = "sha256:" + "4" * 64


def bill(*used: str) -> dict[str, Any]:
    return json.loads(sbom.bill(ROOT, used, DAY))


def parts(document: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Components of a type of package, by name and version."""
    found = (each for each in document["components"] if each["purl"].startswith(f"pkg:{kind}/"))
    return {f"{each['name']} {each.get('version', '')}": each for each in found}


def hashes(part: dict[str, Any]) -> set[str]:
    return {each["content"] for each in part.get("hashes", ())}


def test_it_is_cyclonedx() -> None:
    text = sbom.bill(ROOT, {f"registry.example.org:5000/kolab/imap@{DIGEST}", "docker.io/a/b:1"}, DAY)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_every_locked_package_is_in_it_with_the_hashes_of_all_its_files() -> None:
    found = parts(bill(), "pypi")
    for lock in ("requirements.txt", "policy/requirements.txt"):
        for entry in re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip()):
            name, version = re.match(r"([^=\[]+)[^=]*==(\S+)", entry).groups()  # type: ignore[union-attr]
            wanted = set(re.findall(r"sha256:([0-9a-f]{64})", entry))
            assert wanted
            assert wanted <= hashes(found[f"{name} {version}"])


def test_every_go_module_is_in_it_with_its_hash() -> None:
    found = parts(bill(), "golang")
    lines = (ROOT / "toolchain/go/pulumi/go.sum").read_text().splitlines()
    wanted = [line.split() for line in lines if "/go.mod " not in line]
    assert len(found) == len(wanted) > 100
    for module, version, mark in wanted:
        assert base64.b64encode(bytes.fromhex(*hashes(found[f"{module} {version}"]))).decode() == mark[3:]


def test_an_image_is_named_by_its_digest_where_it_is_pinned_and_by_its_tag_where_not() -> None:
    found = parts(bill(f"quay.io/x/imap@{DIGEST}", "registry.example.org:5000/kolab/redis:latest"), "oci")
    pinned, tagged = found[f"quay.io/x/imap {DIGEST}"], found["registry.example.org:5000/kolab/redis latest"]
    assert hashes(pinned) == {"4" * 64}
    assert pinned["purl"].startswith("pkg:oci/imap@sha256:44")
    assert pinned["properties"] == [{"name": "kolab:pinned", "value": "digest"}]
    assert hashes(tagged) == set()
    assert "tag=latest" in tagged["purl"]
    assert tagged["properties"] == [{"name": "kolab:pinned", "value": "tag"}]


def test_the_bill_of_a_stack_has_the_images_that_its_pods_name(capsys: pytest.CaptureFixture[str]) -> None:
    sbom.run(argparse.Namespace(of="cluster"))
    found = {each["name"] for each in parts(json.loads(capsys.readouterr().out), "oci").values()}
    wanted = {each["image"] for pods in deployment("cluster").workloads for each in pods.containers}
    assert found == {re.split(r"@|:(?=[^/]*$)", image)[0] for image in wanted}


def test_the_bill_of_a_release_has_every_image_that_some_stack_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sbom.run(argparse.Namespace(of=None))
    found = {each["name"] for each in parts(json.loads(capsys.readouterr().out), "oci").values()}
    known = [images.reference(ImagesRegistry(), name) for name in (*images.KOLAB, *images.OTHERS)]
    assert found == {image.rpartition(":")[0] for image in known}


def test_the_same_materials_give_the_same_bill() -> None:
    assert sbom.bill(ROOT, {"a/b:1", "a/c:1"}, DAY) == sbom.bill(ROOT, {"a/c:1", "a/b:1"}, DAY)
    assert bill("a/b:1")["serialNumber"] != bill("a/b:2")["serialNumber"]


def test_what_is_no_time_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(StackProblem, match=r"^SOURCE_DATE_EPOCH is no number"):
        sbom.run(argparse.Namespace(of=None))


def test_everything_belongs_to_the_program() -> None:
    document = bill("a/b:1")
    (of_program,) = (each for each in document["dependencies"] if each["ref"].startswith("pkg:generic/"))
    assert set(of_program["dependsOn"]) == {each["bom-ref"] for each in document["components"]}
