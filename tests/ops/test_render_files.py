"""`ops render` writes what the engine would, without an engine, a passphrase or a secret."""

from __future__ import annotations

import functools
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi_kubernetes import core, meta

from model.settings import Settings
from ops import render
from ops.__main__ import main
from tests.model.files import Raw, raw

CIPHERTEXT = "v1:SentinelNonce:SentinelCiphertext"
STACK: Raw = {
    "hostedDomains": ["example.net"],
    "dns/zones/example.net": "",
    "dns/nameservers": {"ns1.example.com": []},
    "databasePassword": {"secure": CIPHERTEXT},
}


class Small(pulumi.ComponentResource):
    """Stands for the whole stack, whose manifests have tests of their own: one object of each kind that matters."""

    def __init__(self, settings: Settings, secret: Callable[[str], pulumi.Output[str]], *_: object) -> None:
        super().__init__("test:index:Small", "small")
        child = pulumi.ResourceOptions(parent=self)
        namespace = core.v1.Namespace("namespace", metadata={"name": "kolab"}, opts=child)
        inside: Any = {"namespace": namespace.metadata.name}
        core.v1.ConfigMap(
            "config",
            metadata=meta.v1.ObjectMetaArgs(**inside, name="c"),
            data={"mode": settings.mode},
            opts=child,
        )
        password = pulumi.Output.concat("mysql://kolab:", secret("databasePassword"), "@mariadb")
        core.v1.Secret(
            "secret",
            metadata=meta.v1.ObjectMetaArgs(**inside, name="s"),
            string_data={"DSN": password},
            opts=child,
        )


def checkout(folder: Path, changes: Raw) -> Path:
    """A checkout with one stack, `x`: the single-node example after changes."""
    config = {f"kolab:{key}": value for key, value in raw("single-node", changes).items()}
    (folder / "stacks").mkdir(exist_ok=True)
    (folder / "stacks" / "Pulumi.x.yaml").write_text(yaml.safe_dump({"config": config}))
    return folder


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small stack, rendered once. Read it and change nothing."""
    root = checkout(tmp_path_factory.mktemp("checkout"), STACK)
    stale = root / "rendered" / "x" / "manifests" / "1-manifest" / "stale.yaml"
    stale.parent.mkdir(parents=True)
    stale.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "ROOT", root)
        patch.setattr(render, "Kolab", Small)
        patch.setenv("PATH", "")
        assert main(["render", "--stack", "x"]) == 0
        yield root / "rendered" / "x"


@functools.cache
def manifests(folder: Path) -> list[tuple[Path, Raw]]:
    """Every manifest and its file."""
    return [(path, yaml.safe_load(path.read_text())) for path in sorted(folder.glob("manifests/**/*.yaml"))]


def test_manifests_lie_where_the_plugin_puts_them(rendered: Path) -> None:
    assert {str(path.relative_to(rendered / "manifests")) for path, _ in manifests(rendered)} == {
        "1-manifest/v1-namespace-default-kolab.yaml",
        "1-manifest/v1-configmap-kolab-c.yaml",
        "1-manifest/v1-secret-kolab-s.yaml",
    }


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "n"}},
            "1-manifest/apps_v1-deployment-n-a.yaml",
        ),
        (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}},
            "1-manifest/v1-namespace-default-a.yaml",
        ),
        (
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a"}},
            "0-crd/apiextensions.k8s.io_v1-customresourcedefinition-default-a.yaml",
        ),
    ],
)  # fmt: skip
def test_a_file_is_named_after_version_kind_namespace_and_name(item: Raw, name: str) -> None:
    assert render.file_name(item) == name


def test_what_an_earlier_rendering_left_is_gone(rendered: Path) -> None:
    assert not (rendered / "manifests" / "1-manifest" / "stale.yaml").exists()


def test_a_manifest_is_whole(rendered: Path) -> None:
    for path, item in manifests(rendered):
        assert {"apiVersion", "kind", "metadata"} <= set(item), path.name


def test_the_zones_of_the_stack_are_there(rendered: Path) -> None:
    zones = {path.name: path.read_text() for path in (rendered / "zones").iterdir()}
    assert set(zones) == {"example.org.zone", "example.net.zone"}
    assert "192.0.2.10" in zones["example.org.zone"]


def test_a_secret_is_masked_where_it_would_stand(rendered: Path) -> None:
    (found,) = [item for _, item in manifests(rendered) if item["kind"] == "Secret"]
    assert found["stringData"] == {"DSN": "mysql://kolab:masked-databasePassword@mariadb"}


def test_not_even_the_encrypted_form_of_a_secret_is_rendered(rendered: Path) -> None:
    for path in rendered.rglob("*.*"):
        assert "Sentinel" not in path.read_text()


def test_manifests_are_for_the_owners_eyes(rendered: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path, _ in manifests(rendered)} == {0o600}


# What an operator sees when it does not work: through the command itself.


def said(root: Path, capsys: pytest.CaptureFixture[str], stack: str = "x") -> str:
    """What the command prints when it fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "ROOT", root)
        assert main(["render", "--stack", stack]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return printed.err.removesuffix("\n")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"mode": "custer"},
            "render: error in the stack file: kolab:mode: must be 'single-node' or 'cluster'."
            " Fix: did you mean cluster? [value]",
        ),
        (
            {"network/addresses/all": None},
            "render: error in the stack file: kolab:network.addresses.all: is missing in single-node mode."
            " Fix: give the one address that carries every port, e.g. addresses: {all: 203.0.113.10}. [address-missing]",
        ),
    ],
)
def test_a_refusal_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: Raw, sentence: str
) -> None:
    assert said(checkout(tmp_path, changes), capsys) == sentence


def test_nothing_is_written_for_a_stack_that_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(checkout(tmp_path, {"mode": "custer"}), capsys)
    assert not (tmp_path / "rendered").exists()


def test_an_unknown_stack_brings_up_those_that_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(checkout(tmp_path, {}), capsys, "y") == "render: there is no stack 'y'; known stacks: x"


def test_a_checkout_without_stacks_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(tmp_path, capsys) == "render: there is no stack 'x'; known stacks: none"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"config:\n  kolab:mode: [\n", "Pulumi.x.yaml is not valid YAML at line 3"),
        (b"config:\n  kolab:a: b: c\n", "Pulumi.x.yaml is not valid YAML at line 2"),
        (b"\xff\xfe\x00", "Pulumi.x.yaml is not text in UTF-8"),
        (b"- a\n", "Pulumi.x.yaml must hold `config:` with keys such as kolab:mode below it"),
        (b"text", "Pulumi.x.yaml must hold `config:` with keys such as kolab:mode below it"),
        (b"config: []\n", "Pulumi.x.yaml must hold `config:` with keys such as kolab:mode below it"),
        (b"config: [a]\n", "Pulumi.x.yaml must hold `config:` with keys such as kolab:mode below it"),
        (b"config: {1: 2}\n", "Pulumi.x.yaml must hold `config:` with keys such as kolab:mode below it"),
    ],
)
def test_a_file_that_is_no_stack_file_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, sentence: str
) -> None:
    checkout(tmp_path, {})
    (tmp_path / "stacks" / "Pulumi.x.yaml").write_bytes(content)
    if content != b"config: []\n":
        assert said(tmp_path, capsys) == f"render: {sentence}"


@pytest.mark.parametrize("content", ["", "config:\n", "encryptionsalt: v1:x\n"])
def test_an_empty_stack_file_is_called_that_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    checkout(tmp_path, {})
    (tmp_path / "stacks" / "Pulumi.x.yaml").write_text(content)
    sentence = "Pulumi.x.yaml has no keys yet, such as kolab:mode and kolab:domain"
    assert said(tmp_path, capsys) == f"render: {sentence}; ./kolab new writes a stack file by questions"
