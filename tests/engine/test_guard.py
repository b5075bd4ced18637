"""What would lose mail is refused in the preview, by rule id and with the way out, until the stack file acknowledges it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from components.guard import RULE
from tests.engine.conftest import Deployed
from tests.engine.program import Program, Run, at_once
from tests.engine.settings_table import Changes

_FILES = "versitygw-data"
_WITHOUT_FILES: Changes = {"features.files": False, "features.office": False}
_ACKNOWLEDGED: Changes = {
    "acknowledge": [{"rule": RULE, "subject": _FILES, "reason": "files have moved to another store"}]
}

_LOST_BY: Mapping[str, Changes] = {
    "imap-mailboxes": {"storage.mailboxes": {"size": "50Gi", "storageClass": "fast"}},
    "namespace-main": {"kubernetes.namespace": "other"},
    # The end of the key's life, as far as DNS goes; whether its private half may be thrown away is another question.
    "postfix-dkim-k202605": {"mail.dkim.selectors.k202605": None},
}
_ANOTHER_CLUSTER: Changes = {"kubernetes.clusterIdentifier": "prod-2"}


@pytest.fixture(scope="module")
def previews(local: Deployed, cluster: Deployed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Previews of changes, by what they are about."""

    def preview(deployed: Deployed, changes: Changes) -> Run:
        program = deployed.program.copy(tmp_path_factory.mktemp("preview") / "program")
        program.change(changes)
        return program.preview()

    wanted: dict[str, tuple[Deployed, Changes]] = {
        **{subject: (local, changes) for subject, changes in _LOST_BY.items()},
        "another cluster": (cluster, _ANOTHER_CLUSTER),
        "acknowledged too late": (local, _ACKNOWLEDGED | _WITHOUT_FILES),
    }
    return at_once({name: lambda given=given: preview(*given) for name, given in wanted.items()})


@pytest.mark.parametrize("subject", _LOST_BY)
def test_a_preview_that_would_lose_data_fails_with_the_rule_and_the_fix(
    previews: dict[str, Run], subject: str
) -> None:
    found = previews[subject]
    assert found.code != 0
    assert any(subject in error for error in found.errors), found.errors
    assert _refusals(found)


def test_a_preview_of_everything_in_another_cluster_fails_like_that(previews: dict[str, Run]) -> None:
    assert previews["another cluster"].code != 0
    assert _refusals(previews["another cluster"]), previews["another cluster"].output


def test_an_acknowledgement_that_comes_with_the_removal_is_too_late(previews: dict[str, Run]) -> None:
    found = previews["acknowledged too late"]
    assert found.code != 0
    assert any(_FILES in error and "protected" in error for error in found.errors), found.errors


def test_an_up_that_would_lose_data_stops_before_it_touches_anything(program: Program) -> None:
    before = program.files()
    program.change(_WITHOUT_FILES)
    found = program.engine("up", "--yes")
    assert found.code != 0
    assert any(_FILES in refusal for refusal in _refusals(found))
    assert program.files() == before


def test_data_go_once_an_acknowledgement_was_deployed_and_then_what_made_them_was_removed(
    program: Program,
) -> None:
    before = set(program.files())
    program.change(_ACKNOWLEDGED)
    acknowledged = program.up()
    assert acknowledged.code == 0, acknowledged.output
    assert set(program.files()) == before
    program.change(_WITHOUT_FILES)
    removed = program.engine("up", "--yes")
    assert removed.code == 0, removed.output
    gone = {Path(path).name for path in before - set(program.files())}
    assert {name for name in gone if "persistentvolumeclaim" in name} == {
        f"v1-persistentvolumeclaim-kolab-{_FILES}.yaml"
    }


def _refusals(run: Run) -> list[str]:
    return [error for error in run.errors if f"[{RULE}]" in error and "kolab:acknowledge" in error]
