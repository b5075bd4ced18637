"""The token that publishes records is exchanged: the provider is shown the new one from the next update on."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.engine.identity.conftest import Published
from tests.engine.program import Run
from tests.support import cloudflare

pytestmark = pytest.mark.security

_NEW = "N3w_token-of-the-provider-" + "0" * 20
_MORE = {"dns.ttl": 600}


@dataclass(frozen=True)
class Exchanged:
    """Updates that change every record, before the new token was stored and after it."""

    program: Published
    old: str
    early: Run
    counted: Run
    late: Run


@pytest.fixture(scope="module")
def exchanged(only_records: Published, tmp_path_factory: pytest.TempPathFactory) -> Exchanged:
    program = only_records.copy(tmp_path_factory.mktemp("token") / "program")
    stack, given = ("--stack", program.stack), tmp_path_factory.mktemp("given")
    old = program.must("config", "get", *stack, "kolab:cloudflareApiToken").strip()
    program.change(_MORE)
    new = {cloudflare.TOKEN: _NEW}
    early = program.up(env=new)
    (given / "cloudflareApiToken").write_text(_NEW)
    program.ops("secrets", "rotate", "cloudflareApiToken", "--from", str(given), *stack)
    counted = program.up(env=new)
    program.change({"dns.ttl": 900})
    return Exchanged(program, old, early, counted, program.up(env={cloudflare.TOKEN: old}))


def test_a_token_that_the_provider_takes_no_more_changes_nothing(exchanged: Exchanged) -> None:
    assert exchanged.early.code != 0
    assert "Authentication error" in exchanged.early.output
    assert not [each for each in exchanged.early.operations if each.type == cloudflare.RECORD]


def test_the_rotation_lets_the_next_update_in(exchanged: Exchanged) -> None:
    assert exchanged.counted.code == 0, exchanged.counted.output
    changed = [each for each in exchanged.counted.operations if each.type == cloudflare.RECORD]
    assert {each.action for each in changed} == {"update"}
    assert changed


@pytest.mark.rotates("cloudflareApiToken")
def test_the_old_token_is_shown_no_more(exchanged: Exchanged) -> None:
    assert exchanged.late.code != 0
    assert "Authentication error" in exchanged.late.output


def test_neither_token_is_printed_or_left_in_plain_text(exchanged: Exchanged) -> None:
    runs = (exchanged.early, exchanged.counted, exchanged.late)
    said = "".join(run.output for run in runs) + "".join(
        path.read_text(errors="replace")
        for path in (exchanged.program.root / ".local" / ".pulumi").rglob("*.json")
    )
    assert [token for token in (exchanged.old, _NEW) if token in said] == []
