"""`destroy` stops at mail; told to leave mail alone it leaves exactly that, and `up` finds it again.

The way back is a hard one: the cluster refuses each kind of object, and docs/how-to/when-an-update-stops.md says what then.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from components.guard import RULE
from tests.acceptance.refusals import refuse_each_kind
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, PASSWORD, Stack
from tests.engine.program import Run

pytestmark = [
    # An update for each kind of object.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
]

_PART_OF_US = "app.kubernetes.io/part-of=kolab"
Objects = dict[tuple[str, str], str]
"""Kind and name of each object -> its identity, which a new object of the same name would not have."""


@dataclass(frozen=True)
class Destroyed:
    """What the two ways to destroy a stack came to."""

    stack: Stack
    before: Objects
    plain: Run
    after_plain: Objects
    emptied: Run
    left: Objects
    protected: set[tuple[str, str]]


@dataclass(frozen=True)
class Rebuilt:
    """What became of it."""

    refused: list[set[str]]
    """Kinds of objects that the cluster refused, by `up`."""
    up: Run
    preview: Run
    objects: Objects


@pytest.fixture(scope="module")
def destroyed(stack: Stack, stranger: None, report: Report) -> Destroyed:
    """Mail arrives, and the stack is destroyed in both ways."""
    answer = stack.received(JANE, "before-the-destroy")
    assert answer.startswith("250"), answer
    stack.inbox(JANE, "before-the-destroy")
    before = _objects(stack)
    plain = stack.engine("destroy", "--yes", "--run-program")
    after_plain = _objects(stack)
    protected = {_identity(each["outputs"]) for each in stack.program.state() if each.get("protect")}
    with report.timed("`pulumi destroy --exclude-protected --run-program`"):
        emptied = stack.engine("destroy", "--yes", "--exclude-protected", "--run-program")
    return Destroyed(stack, before, plain, after_plain, emptied, _objects(stack), protected)


@pytest.fixture(scope="module")
def rebuilt(destroyed: Destroyed, report: Report) -> Rebuilt:
    """It is made again, at first on a cluster that refuses each kind of object once."""
    stack = destroyed.stack
    with report.timed("`up` again and again until each kind of object was refused"):
        refused = refuse_each_kind(stack)
    report.note("refused `up`s in a row (number)", len(refused))
    with report.timed("`pulumi up` after them"):
        again = stack.up()
    stack.wait_ready()
    return Rebuilt(refused, again, stack.engine("preview", "--expect-no-changes"), _objects(stack))


def test_a_plain_destroy_deletes_nothing_and_says_why(destroyed: Destroyed) -> None:
    assert destroyed.plain.code != 0
    assert any(f"[{RULE}]" in error for error in destroyed.plain.errors), destroyed.plain.output
    assert destroyed.after_plain == destroyed.before


def test_a_destroy_that_excludes_what_is_protected_leaves_exactly_that(destroyed: Destroyed) -> None:
    assert destroyed.emptied.code == 0, destroyed.emptied.output
    assert set(destroyed.left) == destroyed.protected
    assert {kind for kind, _ in destroyed.left} == {"Namespace", "PersistentVolumeClaim", "Secret"}
    volumes = {name for kind, name in destroyed.left if kind == "PersistentVolumeClaim"}
    assert volumes >= {"imap-mailboxes", "imap-state", "mariadb-data", "queue-postfix-0"}


def test_an_up_goes_on_after_each_kind_of_object_was_refused(rebuilt: Rebuilt) -> None:
    assert len(rebuilt.refused) > 1, "one `up` met all refusals, none went on from another"
    assert rebuilt.up.code == 0, rebuilt.up.errors or rebuilt.up.output
    assert rebuilt.preview.code == 0, rebuilt.preview.output


def test_an_up_after_it_takes_over_what_was_left(destroyed: Destroyed, rebuilt: Rebuilt) -> None:
    """Among it the DKIM keys, which the world knows, and what deciphers the database."""
    assert set(rebuilt.objects) >= set(destroyed.left)
    assert all(rebuilt.objects[each] == destroyed.before[each] for each in destroyed.left)
    assert any(kind == "Secret" and "-dkim-" in name for kind, name in destroyed.left)


@pytest.mark.usefixtures("rebuilt")
@pytest.mark.proves("imap", "proxy", "webapp", "mariadb")
def test_mail_and_password_survive_a_destroy(stack: Stack) -> None:
    assert "This is before-the-destroy." in stack.inbox(JANE, "before-the-destroy")


@pytest.mark.usefixtures("rebuilt")
@pytest.mark.proves("postfix", "amavis", "imap", "proxy", "webapp")
def test_mail_flows_again_after_a_destroy(stack: Stack) -> None:
    stack.accepted(JANE, "from-a-stranger-after-the-destroy")
    stack.inbox(JANE, "from-a-stranger-after-the-destroy")
    line = (stack.names.smtp, "465", JANE, PASSWORD, JANE, JANE, "after-the-destroy")
    answer = stack.client("submit", *line)
    assert answer.startswith("250"), answer
    assert "DKIM-Signature:" in stack.inbox(JANE, "after-the-destroy")


def _objects(stack: Stack) -> Objects:
    """Every object in the cluster that the stack made, of whatever kind; not what controllers made of them."""
    kinds = stack.lab.kubectl("api-resources", "--verbs=list", "-o", "name").split()
    found = stack.lab.get(",".join(kinds), "-A", "-l", _PART_OF_US)["items"]
    return {
        _identity(each): each["metadata"]["uid"]
        for each in found
        if not each["metadata"].get("ownerReferences") and each["kind"] not in ("Endpoints", "EndpointSlice")
    }


def _identity(each: dict[str, object]) -> tuple[str, str]:
    metadata = each["metadata"]
    assert isinstance(metadata, dict)
    return str(each["kind"]), str(metadata["name"])
