"""What is generated from the code says what the code says."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from model.catalogue import known_ids
from model.secrets import NAMES
from ops import generate
from ops.__main__ import main
from ops.reference import commands, rules, schema, secrets, settings
from ops.reference.markdown import anchor, prose
from ops.stacks import ROOT
from tests.model.files import Raw, raw

SHIPPED = [*sorted((ROOT / "stacks").glob("Pulumi.*.yaml")), ROOT / "stacks" / "templates" / "local.yaml"]
VALIDATOR = jsonschema.Draft202012Validator(json.loads(schema.text()))


def faults(content: Any) -> list[str]:
    """Where a stack file does not fit the schema."""
    return ["/".join(map(str, error.path)) for error in VALIDATOR.iter_errors(content)]


@functools.cache
def rules_page() -> str:
    """docs/reference/rules.md as it would be written now."""
    return rules.text()


def written(changes: Raw, secret: Raw | None = None) -> Raw:
    """The cluster example as a file, after changes."""
    config = {f"kolab:{key}": value for key, value in raw("cluster", changes).items()}
    return {"config": config | (secret or {})}


# stacks/schema.json


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(VALIDATOR.schema)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_stack_fits_the_schema(path: Path) -> None:
    assert faults(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize("path", [path for path in SHIPPED if path.name.startswith("Pulumi") and "local" not in path.name], ids=lambda path: path.name)  # fmt: skip
def test_an_editor_finds_the_schema(path: Path) -> None:
    modeline = path.read_text().splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", modeline)
    assert named, modeline
    assert (path.parent / named[1]).resolve() == ROOT / "stacks" / "schema.json"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"mdoe": "cluster"}, "config"),
        ({"network/addreses": {}}, "config/kolab:network"),
        ({"network/egress/node": {}}, "config/kolab:network/egress"),
        ({"network/load_balancer": "metallb"}, "config/kolab:network"),
        ({"storage/mailboxes/sise": "1Gi"}, "config/kolab:storage/mailboxes"),
        ({"mail/dkim/selectors/Bad_1": {}}, "config/kolab:mail/dkim/selectors"),
        ({"mode": "custer"}, "config/kolab:mode"),
        ({"mode": None}, "config"),
        ({"dns/ttl": "soon"}, "config/kolab:dns/ttl"),
        ({"databasePassword": "plain"}, "config/kolab:databasePassword"),
        ({"databasePasswort": {"secure": "v1:x"}}, "config"),
    ],
)
def test_a_mistake_is_underlined_where_it_stands(changes: Raw, where: str) -> None:
    assert where in faults(written(changes))


def test_secrets_are_flat_encrypted_values() -> None:
    secure = {"secure": "v1:x"}
    assert faults(written({}, {"kolab:databasePassword": secure, "kolab:dkimKey-k202611": secure})) == []


def test_settings_of_the_engine_stand_beside_ours() -> None:
    assert faults(written({}, {"pulumi:disable-default-providers": ["*"]})) == []
    assert faults(written({}, {"kubernetes:context": "prod"})) == ["config"]


@pytest.mark.parametrize("value", [True, False, "true", "false"])
def test_a_boolean_may_have_the_quotes_that_the_cli_gives_it(value: object) -> None:
    assert faults(written({"example": value})) == []


@pytest.mark.parametrize("value", ["10.20.0.11", ["10.20.0.11"]])
def test_one_address_may_stand_without_a_list(value: object) -> None:
    assert faults(written({"network/addresses/smtp": value})) == []


def test_everything_in_the_schema_is_described() -> None:
    sections = schema.settings()["$defs"]
    for name, section in sections.items():
        assert section["description"], name
        for key, child in section["properties"].items():
            assert child.get("description") or "$ref" in child, f"{name}.{key}"


# docs/reference


def test_every_setting_is_on_the_page() -> None:
    page, found = settings.text(), schema.settings()
    for section in (found, *found["$defs"].values()):
        for key in section["properties"]:
            assert f"`{key}`" in page or f"`kolab:{key}`" in page, key


def test_every_link_of_a_page_leads_to_a_heading() -> None:
    page = settings.text()
    headings = {
        anchor(line.lstrip("# ").replace("&lt;", "<")) for line in page.splitlines() if line.startswith("#")
    }
    links = set(re.findall(r"\(#([^)]*)\)", page))
    assert links
    assert links <= headings


def test_a_default_is_shown_as_it_is_written() -> None:
    assert "| `podCidr` | network | `10.42.0.0/16` |" in settings.text()
    assert "| `size: 50Gi` | Mail, calendars" in settings.text()
    assert "| `mode` | `nodes` | required |" in settings.text()


def test_every_secret_is_on_the_page() -> None:
    page = secrets.text()
    assert {name for name in NAMES if f"| `kolab:{name}` |" in page} == NAMES


@pytest.mark.parametrize("name", sorted(known_ids()))
def test_every_rule_has_an_entry(name: str) -> None:
    assert rules_page().count(f"\n### {name}\n") == 1


def test_a_rule_is_shown_with_its_words_and_with_what_differs_in_brackets() -> None:
    assert (
        "- `kolab:network.egress.<place>` has no IPv4 address, and most receivers have no other. "
        in rules_page()
    )
    assert "addresses: {all: 203.0.113.10}.*" in rules_page()
    assert "{&lt;node>: [&lt;address>]}" in rules_page()


def test_placeholders_are_not_taken_for_html() -> None:
    assert prose("write <name> or `<name>`") == "write &lt;name> or `<name>`"


# The command.


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without generated files, of which there are two."""

    def files(parsers: Any) -> dict[str, str]:
        return {"stacks/schema.json": "{}", "docs/reference/commands.md": commands.text(parsers)}

    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "files", files)
    return tmp_path


def test_after_writing_nothing_is_stale(elsewhere: Path) -> None:
    assert main(["generate"]) == 0
    assert main(["generate", "--check"]) == 0


def test_check_names_what_is_stale_and_writes_nothing(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate"]) == 0
    page = elsewhere / "docs" / "reference" / "commands.md"
    page.write_text("old")
    capsys.readouterr()
    assert main(["generate", "--check"]) == 1
    assert capsys.readouterr().err == (
        "generate: stale: docs/reference/commands.md. Fix: ./kolab generate, and commit the difference\n"
    )
    assert page.read_text() == "old"


def test_only_what_is_stale_is_written(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate"]) == 0
    (elsewhere / "stacks" / "schema.json").unlink()
    capsys.readouterr()
    assert main(["generate"]) == 0
    assert capsys.readouterr().err == "generate: stacks/schema.json\n"


def test_every_command_is_on_the_page(elsewhere: Path) -> None:
    main(["generate"])
    page = (elsewhere / "docs" / "reference" / "commands.md").read_text()
    for command in ("up", "preview", "destroy", "render", "secrets", "generate", "dns push"):
        assert f"## ./kolab {command}\n" in page
    assert "| `--from FOLDER` |" in page
    assert "| `--check` |" in page
