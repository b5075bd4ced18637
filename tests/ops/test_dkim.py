"""`ops dkim`: each step edits the stack file once it is safe, and says what comes next and when."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from components.guard import RULE
from model.identity import zone_file, zones
from model.keys import dkim_public_key
from model.settings import Settings
from ops import dkim
from ops.stacks import StackProblem
from tests.identity.stacks import selectors, stack
from tests.ops.editing import Editor, editor
from tests.support.nameserver import NameServer, serving

TODAY = date(2026, 11, 23)
_ZONES = ("example.org", "example.net")


def take(step: str, selector: str | None, *servers: str, today: date = TODAY) -> None:
    """`ops dkim <step> <selector>`."""
    given = argparse.Namespace(step=step, selector=selector, stack="mine", server=list(servers))
    dkim.run(given, today)


def stages(found: Editor) -> dict[str, str]:
    return {name: key["stage"] for name, key in found.values["mail"]["dkim"]["selectors"].items()}


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Keys: `new` is published, `now` signs, `old` is retired since the 12th."""
    keys = selectors(new="published 2026-11-20", now="active 2026-11-12", old="retired 2026-11-12")
    return editor(monkeypatch, mail__dkim__selectors=keys, mail__dkim__reserved=[])


def test_a_staged_key_is_encrypted_and_its_public_half_stands_beside_it(
    file: Editor, capsys: pytest.CaptureFixture[str]
) -> None:
    take("stage", None)
    key = file.values["mail"]["dkim"]["selectors"]["k202611"]
    assert key == {
        "stage": "staged",
        "since": "2026-11-23",
        "publicKey": dkim_public_key(file.secrets["dkimKey-k202611"]),
    }
    assert "./kolab dkim publish k202611 --stack mine" in capsys.readouterr().out


def test_a_selector_is_never_used_twice(file: Editor) -> None:
    with pytest.raises(StackProblem, match="never used twice"):
        take("stage", "now")
    assert file.writes == 0


def test_a_step_needs_a_selector(file: Editor) -> None:
    with pytest.raises(StackProblem, match="name the selector; there are new, now, old"):
        take("publish", None)


@pytest.mark.parametrize(
    ("step", "selector"), [("revoke", "new"), ("publish", "old"), ("remove", "old"), ("retire", "new")]
)
def test_a_skipped_stage_is_refused_and_nothing_is_written(step: str, selector: str, file: Editor) -> None:
    with pytest.raises(StackProblem, match=r"nothing was changed: .*\[dkim-stage-skipped\]"):
        take(step, selector)
    assert file.writes == 0


def test_an_early_revocation_is_refused_with_the_first_safe_day(file: Editor) -> None:
    with pytest.raises(StackProblem, match=r"wait until 2026-11-23.*\[dkim-retired-early\]"):
        take("revoke", "old", today=date(2026, 11, 22))
    assert file.writes == 0


def test_after_eleven_days_a_key_is_revoked_and_its_secret_may_go(
    file: Editor, capsys: pytest.CaptureFixture[str]
) -> None:
    take("revoke", "old", today=date(2026, 11, 23))
    assert stages(file)["old"] == "revoked"
    (accepted,) = file.values["acknowledge"]
    assert (accepted["rule"], accepted["subject"]) == (RULE, "postfix-dkim-old")
    assert "not before 2026-11-24: ./kolab dkim remove old" in capsys.readouterr().out


def test_a_removed_key_leaves_neither_half(monkeypatch: pytest.MonkeyPatch) -> None:
    found = editor(monkeypatch, mail__dkim__selectors=selectors(now="active", old="revoked"))
    found.secrets["dkimKey-old"] = "private"
    take("remove", "old")
    assert stages(found) == {"now": "active"}
    assert found.secrets == {}


# Activation asks every server.


def published(settings: Settings) -> dict[str, str]:
    return {zone: zone_file(settings, zone, zones(settings)[zone]) for zone in _ZONES}


def servers(stack_: ExitStack, folder: Path, *held: Settings) -> list[NameServer]:
    """One server for each, with its zones."""
    return [stack_.enter_context(serving(folder / str(n), published(s))) for n, s in enumerate(held)]


def _keys(file: Editor, **changes: str) -> Settings:
    known = file.values["mail"]["dkim"]["selectors"]
    kept = {name: key | {"stage": changes.get(name, key["stage"])} for name, key in known.items()}
    return stack(mail__dkim__selectors=kept)


def test_activation_starts_one_key_and_ends_the_other(
    file: Editor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as all_:
        both = servers(all_, tmp_path, _keys(file), _keys(file))
        take("activate", "new", *(server.given for server in both))
    assert stages(file) == {"new": "active", "now": "retired", "old": "retired"}
    assert "now is retired; revoke it not before 2026-12-04" in capsys.readouterr().out


def test_activation_is_refused_while_one_of_two_servers_does_not_show_the_key(
    file: Editor, tmp_path: Path
) -> None:
    with ExitStack() as all_:
        both = servers(all_, tmp_path, _keys(file), _keys(file, new="staged"))
        with pytest.raises(StackProblem, match=r"does not show it at new\._domainkey\.example\.org"):
            take("activate", "new", *(server.given for server in both))
    assert file.writes == 0


def test_activation_is_refused_while_a_server_shows_another_key(file: Editor, tmp_path: Path) -> None:
    other = _keys(file, new="revoked")
    with ExitStack() as all_:
        (one,) = servers(all_, tmp_path, other)
        with pytest.raises(StackProblem, match=r"shows 1 other record\(s\)"):
            take("activate", "new", one.given)
    assert file.writes == 0


def test_activation_is_refused_while_a_server_does_not_answer(file: Editor) -> None:
    with pytest.raises(StackProblem, match="does not answer"):
        take("activate", "new", "127.0.0.1:1")
    assert file.writes == 0


def test_a_key_that_is_not_published_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = editor(monkeypatch, mail__dkim__selectors=selectors(now="active", new="staged"))
    with pytest.raises(StackProblem, match=r"\./kolab dkim publish new first"):
        take("activate", "new")
    assert found.writes == 0


def test_the_only_key_that_waits_need_not_be_named() -> None:
    settings = stack(mail__dkim__selectors=selectors(new="published 2026-11-20", now="active 2026-11-12"))
    assert dkim._meant("activate", settings, TODAY) == "new"
    assert dkim._meant("publish", settings, TODAY) is None
    assert dkim._meant("revoke", settings, TODAY) is None
    both = stack(mail__dkim__selectors=selectors(new="published 2026-11-20", now="published 2026-11-12"))
    assert dkim._meant("activate", both, TODAY) is None
