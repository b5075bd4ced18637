"""What would lose mail is refused in the preview, by rule id and with the way out, until the stack file acknowledges it."""

from __future__ import annotations

import pytest

from components.guard import RULE
from tests.engine.program import Program, Run
from tests.engine.settings_table import Changes

_VOLUME = "imap-mailboxes"
_NAMESPACE = "namespace-main"
_DKIM_KEY = "postfix-dkim-k202605"
_FILES = "minio-data"

_WITHOUT_FILES = {"features.files": False, "features.office": False}
_REFUSED = {
    _VOLUME: {"storage.mailboxes": {"size": "50Gi", "storageClass": "fast"}},
    _NAMESPACE: {"kubernetes.namespace": "other"},
    # The end of the key's life, as far as DNS goes; whether the private half may be thrown away is another question.
    _DKIM_KEY: {"mail.dkim.selectors.k202605": None},
}


@pytest.mark.parametrize("subject", _REFUSED)
def test_a_preview_that_would_lose_data_fails_with_the_rule_and_the_fix(
    program: Program, subject: str
) -> None:
    program.change(_REFUSED[subject])
    found = program.preview()
    assert found.code != 0
    assert any(subject in error for error in found.errors), found.errors
    assert _refusals(found)


@pytest.mark.parametrize(
    "changes",
    [{"kubernetes.clusterIdentifier": "other"}, {"kubernetes.render": "elsewhere"}, {"scope": "dns"}],
    ids=str,
)
def test_a_preview_of_another_cluster_fails_like_that(program: Program, changes: Changes) -> None:
    program.change(changes)
    found = program.preview()
    assert found.code != 0
    assert _refusals(found), found.output


def test_an_up_that_would_lose_data_stops_before_it_touches_anything(program: Program) -> None:
    before = program.files()
    program.change(_WITHOUT_FILES)
    found = program.engine("up", "--yes")
    assert found.code != 0
    assert any(_FILES in refusal for refusal in _refusals(found))
    assert program.files() == before


def test_data_go_after_an_acknowledgement_was_deployed_and_what_made_them_was_removed(
    program: Program,
) -> None:
    before = set(program.files())
    _acknowledge(program, _FILES)
    acknowledged = program.up()
    assert acknowledged.code == 0, acknowledged.output
    assert set(program.files()) == before
    program.change(_WITHOUT_FILES)
    removed = program.engine("up", "--yes")
    assert removed.code == 0, removed.output
    assert removed.done(_FILES)[-1] == "delete"
    assert {path for path in before - set(program.files()) if "persistentvolumeclaim" in path} == {
        f"1-manifest/v1-persistentvolumeclaim-kolab-{_FILES}.yaml"
    }


def test_an_acknowledgement_that_comes_with_the_removal_is_too_late(program: Program) -> None:
    _acknowledge(program, _FILES)
    program.change(_WITHOUT_FILES)
    found = program.preview()
    assert found.code != 0
    assert any(_FILES in error and "protected" in error for error in found.errors), found.errors


def _acknowledge(program: Program, subject: str) -> None:
    reason = "files have moved to another store"
    program.change({"acknowledge": [{"rule": RULE, "subject": subject, "reason": reason}]})


def _refusals(run: Run) -> list[str]:
    return [error for error in run.errors if f"[{RULE}]" in error and "kolab:acknowledge" in error]
