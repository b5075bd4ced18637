"""People's files: kept, closed to whoever is not the web application, and moved from MinIO without one being lost."""

from __future__ import annotations

import hashlib

import pytest

from tests.acceptance.files import ask, sha256
from tests.acceptance.stack import Stack

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
