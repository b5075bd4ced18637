"""People's files: kept, closed to whoever is not the web application, and moved from MinIO without one being lost."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from model import topology
from tests.acceptance.files import Answer, ask, sha256
from tests.acceptance.report import Report
from tests.acceptance.stack import Stack, eventually
from tests.lab.cluster import Lab

pytestmark = [pytest.mark.mode("single-node"), pytest.mark.proves("versitygw")]

_TEXT = "what somebody wrote"
_DIGEST = hashlib.sha256(_TEXT.encode()).hexdigest()


def test_a_file_is_there_after_its_server_has_started_anew(stack: Stack) -> None:
    (put,) = ask(stack, [("PUT", "chunks/one", _TEXT)])
    assert put.status == 200, put
    before = stack.get("pod", "versitygw-0")["metadata"]["uid"]
    stack.kubectl("delete", "pod", "versitygw-0", "--wait=true")
    stack.wait_ready()
    assert stack.get("pod", "versitygw-0")["metadata"]["uid"] != before
    (got,) = ask(stack, [("GET", "chunks/one", "")])
    assert (got.status, got.sha256) == (200, _DIGEST)


def test_a_file_of_60_mib_goes_in_by_parts_and_comes_out_whole(stack: Stack) -> None:
    put, got, _ = ask(stack, [("PARTS", "big", 60), ("GET", "big", ""), ("DELETE", "big", "")])
    assert put.status == 200, put
    assert (got.length, got.sha256) == (60 * 1024**2, sha256("big", 60))


@pytest.mark.parametrize(
    "stranger",
    [("", ""), ("stranger", "a-secret-of-somebody"), ("kolab", "a-secret-of-somebody")],
    ids=["nobody", "another user", "another password"],
)
def test_who_is_not_the_web_application_reads_writes_and_deletes_nothing(
    stack: Stack, stranger: tuple[str, str]
) -> None:
    access, secret = stranger
    ask(stack, [("PUT", "chunks/two", _TEXT)])
    steps = [(method, "chunks/two", "x") for method in ("GET", "PUT", "DELETE")]
    refused = ask(stack, [*steps, ("GET", "", "")], access=access, secret=secret)
    words = ("AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "XAdminUserNotFound")
    assert all(each.status in (403, 404) and each.code in words for each in refused), refused
    (got,) = ask(stack, [("GET", "chunks/two", "")])
    assert got.sha256 == _DIGEST


def test_the_server_of_files_can_do_no_more_than_keep_them(stack: Stack) -> None:
    found = stack.get("pod", "versitygw-0")["spec"]["containers"][0]["securityContext"]
    assert (found["runAsNonRoot"], found["readOnlyRootFilesystem"], found["capabilities"]) == (
        True,
        True,
        {"drop": ["ALL"]},
    )


@dataclass(frozen=True)
class Moved:
    """What was in MinIO before, and what people stored while their files moved."""

    before: dict[str, str]
    """Key -> SHA-256."""
    meanwhile: dict[str, str]
    said: str
    """By what copies, when all was copied."""


_LETTERS = [f"chunks/{number:03}" for number in range(60)]


@pytest.fixture(scope="module")
def moved(stack: Stack, own_lab: Lab, report: Report) -> Moved:
    """A stack of before, and each stage of docs/how-to/move-files.md."""
    del own_lab
    _as_before(stack)
    old, new = topology.MINIO, topology.VERSITYGW
    put = ask(stack, [*(("PUT", key, key) for key in _LETTERS), ("PUT", "big", 60)], server=old)
    assert {each.status for each in put} == {200}
    before = {
        key: each.sha256
        for key, each in zip([*_LETTERS, "big"], _get(stack, [*_LETTERS, "big"], old), strict=True)
    }

    stack.program.change({"files.engine": "minio-to-versitygw"})
    with report.timed("an update that copies all files to the gateway"):
        stack.apply()
    said = stack.logs("move-files")
    # People go on.
    ask(stack, [("PUT", "meanwhile", "meanwhile"), ("DELETE", _LETTERS[0], "")], server=old)
    before.pop(_LETTERS[0])
    # Copied again each minute: what is deleted in the last one before the change may stay (docs/how-to/move-files.md). The web
    # application has no way to the gateway yet.
    gone = lambda: _get(stack, [_LETTERS[0]], new, where="move-files")[0].status == 404  # noqa: E731
    eventually(gone, "the gateway never followed a deletion", seconds=180)
    stack.program.change({"files.engine": "versitygw-from-minio"})
    with report.timed("an update that leads the web application to the gateway"):
        stack.apply()
    # What a page of before was still writing. The web application's own way there is closed by now.
    ask(stack, [("PUT", "late", "late")], server=old, where="move-files")
    deadline = time.monotonic() + 180
    while _get(stack, ["late"], new)[0].status != 200:
        assert time.monotonic() < deadline, stack.logs("move-files")
        time.sleep(2)
    meanwhile = {key: hashlib.sha256(key.encode()).hexdigest() for key in ("meanwhile", "late")}
    return Moved(before, meanwhile, said)


def _get(stack: Stack, keys: Sequence[str], server: topology.Daemon, where: str = "webapp") -> list[Answer]:
    return ask(stack, [("GET", key, "") for key in keys], server=server, where=where)


def _as_before(stack: Stack) -> None:
    """Gives the gateway and its volume up: MinIO begins with nothing, as in a stack of before. The exceptions are taken back."""
    kept = stack.program.config().get("kolab:acknowledge") or []
    why = "the lab begins anew with another server"
    volume = {"rule": "data-delete", "subject": "versitygw-data", "reason": why}
    stack.program.change({"acknowledge": [*kept, volume]})
    stack.apply()
    # Each is for one change: what was there at an earlier update covers no later one.
    stage = {"rule": "files-stage-skipped", "subject": "*", "reason": why}
    stack.program.change({"acknowledge": [*kept, volume, stage], "files.engine": "minio"})
    stack.program.ops("secrets", "--stack", stack.program.stack)
    stack.apply()
    stack.program.change({"acknowledge": kept or None})


@pytest.mark.long
@pytest.mark.proves("rclone")
def test_all_files_are_in_the_gateway_and_nothing_that_was_deleted(stack: Stack, moved: Moved) -> None:
    wanted = moved.before | moved.meanwhile
    got = _get(stack, [*wanted], topology.VERSITYGW)
    assert {key: each.sha256 for key, each in zip(wanted, got, strict=True)} == wanted
    assert _get(stack, [_LETTERS[0]], topology.VERSITYGW)[0].status == 404


@pytest.mark.long
def test_what_copied_said_how_many_files_are_the_same_in_both(moved: Moved) -> None:
    assert "files: all is copied: 61 files, " in moved.said


@pytest.mark.long
@pytest.mark.usefixtures("moved")
def test_the_way_back_and_the_loss_of_minios_volume_are_refused(stack: Stack) -> None:
    for engine, why in (("minio", "files-stage-skipped"), ("versitygw", "data-delete")):
        stack.program.change({"files.engine": engine})
        done = stack.engine("preview")
        assert done.code != 0
        assert any(why in error or "minio-data" in error for error in done.errors), done.errors
    stack.program.change({"files.engine": "versitygw-from-minio"})


@pytest.mark.long
def test_once_acknowledged_minio_goes_and_files_stay(stack: Stack, moved: Moved) -> None:
    entry = {"rule": "data-delete", "subject": "minio-data", "reason": "files were moved to Versity Gateway"}
    kept = stack.program.config().get("kolab:acknowledge") or []
    stack.program.change({"acknowledge": [*kept, entry]})
    stack.apply()
    stack.program.change({"files.engine": "versitygw"})
    stack.apply()
    assert {each["metadata"]["name"] for each in stack.get("statefulset,pvc")["items"]}.isdisjoint(
        {"minio", "minio-data"}
    )
    wanted = moved.before | moved.meanwhile
    got = _get(stack, [*wanted], topology.VERSITYGW)
    assert {key: each.sha256 for key, each in zip(wanted, got, strict=True)} == wanted
