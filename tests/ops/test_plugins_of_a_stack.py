"""The engine looks for Cloudflare's plugin only where a stack publishes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.stacks import environment

_OFF = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
_CLOUDFLARE = "kolab:dns: {provider: cloudflare}"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(_OFF, raising=False)
    (tmp_path / "stacks").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("lines", "looks"),
    [
        ([_CLOUDFLARE], True),
        ([_CLOUDFLARE, "kolab:scope: dns"], True),
        ([_CLOUDFLARE, "kolab:scope: cluster"], False),
        (["kolab:dns: {provider: zonefile}"], False),
        (["kolab:domain: example.org"], False),
    ],
)
def test_a_stack_needs_it_when_it_publishes_there(root: Path, lines: list[str], looks: bool) -> None:
    content = "\n".join(["config:", *(f"  {line}" for line in lines)])
    (root / "stacks" / "Pulumi.mine.yaml").write_text(content)
    assert (_OFF not in environment("mine", root)) is looks


def test_a_command_on_no_stack_looks_where_any_stack_does(root: Path) -> None:
    without = _OFF not in environment("", root)
    (root / "stacks" / "Pulumi.mine.yaml").write_text(f"config:\n  {_CLOUDFLARE}\n")
    assert (without, _OFF not in environment("", root)) == (False, True)


def test_an_operator_decides_otherwise(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_OFF, "false")
    assert environment("mine", root)[_OFF] == "false"
