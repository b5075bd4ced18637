"""Nothing that the scanner finds is passed over without a reason."""

from __future__ import annotations

import pytest

from tests.security.accepted import FILE, Accepted, Finding, faults, findings, read

pytestmark = pytest.mark.security
REASON = "upstream's image reads it nowhere else, and only the pod that uses it has it"


def test_every_accepted_finding_has_a_reason_and_names_its_workloads() -> None:
    accepted = read(FILE.read_text())
    assert accepted
    found = {Finding(entry.check, name, "") for entry in accepted for name in entry.workloads}
    assert faults(found, accepted) == []


def test_no_check_is_accepted_twice() -> None:
    checks = [entry.check for entry in read(FILE.read_text())]
    assert len(checks) == len(set(checks))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (Accepted("CKV_1", ("imap",), REASON), []),
        (Accepted("CKV_1", ("all",), REASON), []),
        (Accepted("CKV_1", ("imap",), ""), ["CKV_1 is accepted without a reason"]),
        (Accepted("CKV_1", ("imap",), "needed"), ["CKV_1 is accepted without a reason"]),
        (
            Accepted("CKV_1", ("imap", "redis"), REASON),
            ["CKV_1 on redis is accepted, but nothing is found there: remove it"],
        ),
        (
            Accepted("CKV_2", ("all",), REASON),
            [
                "CKV_1 on imap: root",
                "CKV_2 on all is accepted, but nothing is found there: remove it",
            ],
        ),
        (
            Accepted("CKV_1", ("redis",), REASON),
            [
                "CKV_1 on imap: root",
                "CKV_1 on redis is accepted, but nothing is found there: remove it",
            ],
        ),
    ],
)
def test_a_finding_is_accepted_by_check_and_workload_with_a_reason(entry: Accepted, said: list[str]) -> None:
    assert faults([Finding("CKV_1", "imap", "root")], [entry]) == said


def test_a_job_goes_by_its_name_without_its_content() -> None:
    failed = {"check_id": "CKV_1", "check_name": "root", "resource": "Job.kolab.seed-2fb90a6046"}
    assert findings({"results": {"failed_checks": [failed]}}) == {Finding("CKV_1", "seed", "root")}
