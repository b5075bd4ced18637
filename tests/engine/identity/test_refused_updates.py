"""`up` refuses what would lose mail, whoever asks and whether or not the policy pack looks on: by rule, with the fix."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

import pytest

from tests.engine.identity.conftest import Published
from tests.engine.program import CHECKOUT, Program, Run

_PACK = CHECKOUT / "policy"
_PROGRAM = "components/dns.py"

_MX: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "a stack that goes back to hold": (
        {"mail.mx.stage": "hold", "mail.mtaSts": {"stage": "none"}},
        "mx-lost",
        "leave it live, or acknowledge it once the MX records point elsewhere",
    ),
    "a domain that is left out": (
        {"hostedDomains": ["example.net"]},
        "domain-lost",
        "put them back, or acknowledge it once their mail goes elsewhere",
    ),
    "records that move into files": ({"dns.provider": "zonefile"}, "scope-provider", "set it to cloudflare"),
}
_VOLUMES: Mapping[str, dict[str, Any]] = {
    "replaced": {"storage.mailboxes": {"size": "50Gi", "storageClass": "fast"}},
    "deleted": {"features.files": False, "features.office": False},
}


@pytest.fixture(params=["without the pack", "with the pack"])
def pack(request: pytest.FixtureRequest) -> bool:
    """Whether the engine asks the policy pack as well."""
    if request.param == "without the pack":
        return False
    if not (_PACK / ".venv" / "ready").exists():
        pytest.skip("the policy pack has no virtual environment here: make policy")
    return True


def _up(program: Program, *, pack: bool) -> Run:
    if not pack:
        return program.engine("up", "--yes")
    shutil.copytree(_PACK, program.root / "policy", ignore=shutil.ignore_patterns(".venv"))
    (program.root / "policy" / ".venv").symlink_to(_PACK / ".venv")
    return program.engine("up", "--yes", "--policy-pack", "policy")


def _assert_stopped(run: Run) -> None:
    """Without a preview too: by the rule, not by the engine's own protection, and before anything is made."""
    _assert_refused(run, "data-delete", "kolab:acknowledge")
    assert not any("protect" in error for error in run.errors), run.errors
    assert run.operations == []


def _assert_refused(run: Run, rule: str, fix: str) -> None:
    assert run.code != 0, run.output
    assert any(f"[{rule}]" in error and fix in error for error in run.errors), run.errors
    assert "Traceback" not in run.output


@pytest.mark.parametrize("loss", _MX)
def test_no_update_deletes_an_mx(loss: str, pack: bool, records_alone: Published) -> None:
    changes, rule, fix = _MX[loss]
    before = records_alone.records()
    records_alone.change(changes)
    _assert_refused(_up(records_alone, pack=pack), rule, fix)
    assert records_alone.records() == before


def test_no_update_of_a_changed_program_deletes_an_mx(pack: bool, records_alone: Published) -> None:
    """Nothing in the stack file has changed: somebody's code leaves the MX records out."""
    dns = records_alone.root / _PROGRAM
    text, loop = dns.read_text(), "            for record in records:\n"
    assert text.count(loop) == 1
    dns.write_text(
        text.replace(loop, f"{loop}                if record.type == 'MX':\n                    continue\n")
    )
    before = _exchangers(records_alone)
    assert before
    _assert_refused(_up(records_alone, pack=pack), "data-delete", "kolab:acknowledge")
    _assert_stopped(records_alone.up())
    assert _exchangers(records_alone) == before


def _exchangers(program: Published) -> set[tuple[str, str, str]]:
    """MX records that lead to a server. A null MX (RFC 7505) has no mail to lose."""
    return {each for each in program.records() if each[1] == "MX" and each[2] != "."}


@pytest.mark.parametrize("way", _VOLUMES)
def test_no_update_replaces_or_deletes_a_volume(way: str, pack: bool, program: Program) -> None:
    before = program.files()
    program.change(_VOLUMES[way])
    _assert_refused(_up(program, pack=pack), "data-delete", "kolab:acknowledge")
    _assert_stopped(program.up())
    claims = {path for path in before if "persistentvolumeclaim" in path}
    assert claims
    assert {path: program.files().get(path) for path in claims} == {path: before[path] for path in claims}
