"""Edits are judged before they are written: by all rules, and as a step."""

from __future__ import annotations

from datetime import date

import pytest

from model.stack_file import StackFileError
from ops.edits import propose, write
from ops.stacks import StackProblem
from tests.identity.stacks import selectors
from tests.ops.editing import Editor, editor

TODAY = date(2026, 11, 23)


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> Editor:
    return editor(monkeypatch, mail__dkim__selectors=selectors(k1="active", k2="published"))


def test_a_proposal_changes_neither_the_file_nor_what_was_read(file: Editor) -> None:
    read = file.read()
    after = propose(read, {"mail.mx.preference": "20"}, TODAY)
    assert after.mail.mx.preference == 20
    assert "preference" not in read.values["mail"]["mx"]
    assert file.writes == 0


def test_an_edit_that_a_rule_refuses_is_refused(file: Editor) -> None:
    with pytest.raises(StackFileError, match=r"kolab:dns\.ttl"):
        propose(file.read(), {"dns.ttl": "1"}, TODAY)


def test_a_step_that_is_refused_names_its_rule(file: Editor) -> None:
    with pytest.raises(StackProblem, match=r"nothing was changed: .*\[mta-sts-stage-skipped\]"):
        propose(file.read(), {"mail.mtaSts.stage": "none"}, TODAY)


def test_a_step_that_bounces_while_caches_follow_is_refused_with_the_safe_way(file: Editor) -> None:
    file.values["mail"]["dkim"]["selectors"] = selectors(k1="active", k2="staged")
    edits = {"mail.dkim.selectors.k1.stage": "retired", "mail.dkim.selectors.k2.stage": "active"}
    with pytest.raises(StackProblem, match=r"(?s)1\. First, on its own:.*2\. Wait 3600 seconds"):
        propose(file.read(), edits, TODAY)


def test_written_edits_are_what_was_proposed(file: Editor) -> None:
    edits = {"mail.mx.preference": "20", "mail.dkim.selectors.k2": None}
    proposed = propose(file.read(), edits, TODAY)
    write(file, edits)  # type: ignore[arg-type]
    assert file.read().settings()[0] == proposed
