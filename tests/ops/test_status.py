"""`./kolab status` and `./kolab logs`: what the cluster's answers mean, and that a silent cluster costs no more than five seconds."""

from __future__ import annotations

import datetime
import json
import subprocess
import threading
import time
from typing import Any

import pytest

from model import images, topology
from ops import logs
from ops.__main__ import main
from ops.artisan import MARK
from ops.kubectl import Kubectl, Object
from ops.stacks import StackProblem
from ops.status import cluster as judge
from ops.status import look, steps
from ops.status.row import Row
from tests.acceptance.pace import crowding
from tests.ops.cluster_of import CONTEXT, Answer, stand_in
from tests.support.stacks import changed, stack

NOW = datetime.datetime(2026, 11, 27, 12, 0, tzinfo=datetime.UTC)
SETTINGS = stack("single-node")
IMAGE = images.reference(SETTINGS.images, "postfix")


def pod(name: str, node: str = "n1", *, ready: bool = True, **more: Any) -> Object:
    daemon = name.rpartition("-")[0]
    labels = {"app.kubernetes.io/name": daemon, "kolab.org/edge": "main"}
    status = {"name": daemon, "ready": ready, "restartCount": 0, "imageID": "x@sha256:a"} | more
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "ownerReferences": [{"kind": "StatefulSet"}]},
        "spec": {"nodeName": node, "containers": [{"name": daemon, "image": IMAGE}]},
        "status": {"containerStatuses": [status]},
    }


def workload(name: str, replicas: int = 1) -> Object:
    return {
        "kind": "StatefulSet",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name}},
        "spec": {"replicas": replicas},
    }


def service(*given: str) -> Object:
    ingress = [{"ip": each} for each in given]
    return {
        "kind": "Service",
        "metadata": {"name": "public-smtp"},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"kolab.org/edge": "main"},
            "ports": [{"port": 25}],
        },
        "status": {"loadBalancer": {"ingress": ingress}},
    }


def one(rows: Any) -> Row:
    (found,) = rows
    assert isinstance(found, Row)
    return found


def test_a_pod_that_is_not_ready_says_why() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff"}}
    row = one(judge.pods([workload("postfix"), pod("postfix-0", ready=False, state=waiting)]))
    assert (row.name, row.state) == ("postfix", "wrong")
    assert "0 of 1 ready" in row.text
    assert "postfix of postfix-0: ImagePullBackOff" in row.text


def test_a_workload_of_no_pods_is_wrong() -> None:
    assert one(judge.pods([workload("imap", 0)])).state == "wrong"


def test_pods_of_jobs_are_none_of_a_daemons() -> None:
    job = pod("postfix-x", ready=False)
    job["metadata"]["ownerReferences"] = [{"kind": "Job"}]
    assert one(judge.pods([workload("postfix"), pod("postfix-0"), job])).state == "ok"


def test_an_address_is_announced_by_the_node_of_its_ready_pod_whatever_metallb_says() -> None:
    row = one(
        judge.addresses([service("192.0.2.1"), pod("postfix-0", "n2")], SETTINGS, {"public-smtp": "n1"})
    )
    assert row.state == "ok"
    assert row.text == "192.0.2.1 (25) announced by n2"


def test_of_two_possible_nodes_metallb_names_the_one_and_the_other_would_take_over() -> None:
    pods = [pod("postfix-0", "n1"), pod("postfix-1", "n2")]
    row = one(judge.addresses([service("192.0.2.1"), *pods], SETTINGS, {"public-smtp": "n2"}))
    assert row.text == "192.0.2.1 (25) announced by n2; n1 would take over"


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ([service()], "has no address yet"),
        ([service("192.0.2.1"), pod("postfix-0", ready=False)], "no ready pod, so nobody announces it"),
    ],
)
def test_an_address_that_answers_nothing_is_wrong(objects: list[Object], words: str) -> None:
    row = one(judge.addresses(objects, SETTINGS, {}))
    assert row.state == "wrong"
    assert words in row.text


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        ({"notAfter": "2027-02-01T00:00:00Z", "renewalTime": "2027-01-01T00:00:00Z"}, "ok", "2027-02-01, 65 days"),
        ({"notAfter": "2026-12-10T00:00:00Z", "renewalTime": "2026-11-20T00:00:00Z"}, "warning", "was to be renewed on 2026-11-20"),
        ({"notAfter": "2026-11-26T00:00:00Z"}, "wrong", "expired on 2026-11-26"),
        ({}, "wrong", "has not looked at it yet"),
    ],
)  # fmt: skip
def test_a_certificate_is_judged_by_its_end_and_its_renewal(
    status: dict[str, str], state: str, words: str
) -> None:
    ready = [{"type": "Ready", "status": "True"}]
    given = {
        "metadata": {"name": "mx-certificate"},
        "status": status | ({"conditions": ready} if status else {}),
    }
    row = one(judge.certificates([given], NOW))
    assert row.state == state
    assert words in row.text


def test_another_image_than_the_pinned_one_is_named() -> None:
    other = pod("postfix-0")
    other["spec"]["containers"][0]["image"] = IMAGE.rpartition(":")[0] + ":16.1"
    row = one(judge.versions([other], SETTINGS))
    assert row.state == "warning"
    assert f"pinned is {IMAGE}" in row.text


def test_replicas_of_different_contents_under_one_tag_are_named() -> None:
    pods = [pod("postfix-0"), pod("postfix-1", imageID="x@sha256:b")]
    row = one(judge.versions(pods, SETTINGS))
    assert "its tag has moved" in row.text


@pytest.mark.parametrize(("used", "state"), [(10, "ok"), (85, "warning"), (96, "wrong")])
def test_a_volume_is_judged_by_what_is_left(used: int, state: str) -> None:
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "imap-mailboxes"},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
    }
    measured = {
        "pvcRef": {"name": "imap-mailboxes", "namespace": "kolab"},
        "usedBytes": used,
        "capacityBytes": 100,
    }
    row = one(judge.claims([claim], [{"pods": [{"volume": [measured]}]}, {}], SETTINGS))
    assert row.state == state
    assert one(judge.claims([claim], [{}], SETTINGS)).state == "unknown"


def test_a_domain_that_the_application_does_not_know_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = ANSWERS | {"exec php": f"{MARK}{json.dumps([0, '1 old.test 50'])}\n"}
    stand_in(monkeypatch, unknown)
    main(["status", "--stack", "x", "--only", "domains", "--json"])
    found = {row["name"]: row["text"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert "in the stack file alone" in found["example.org"]
    assert "in the application alone" in found["old.test"]


def test_the_last_backup_is_read_from_the_log_of_its_container() -> None:
    log = (
        "2026-11-26T01:31:07.123456789Z backup: kept mail after 41 seconds\n"
        "2026-11-27T01:30:00.000000001Z backup: the repository does not answer\n"
    )
    assert look.last_kept(log) == datetime.datetime(2026, 11, 26, 1, 31, 7, 123456, datetime.UTC)
    assert look.last_kept("") is None


LATE = datetime.timedelta(hours=49)


@pytest.mark.parametrize(
    ("hours", "state", "words"),
    [
        (-48, "ok", "2 d ago"),
        (-50, "warning", "2 d ago"),
        (24, "warning", "which is still to come: the clock of its node is wrong, or that of this machine"),
    ],
)
def test_a_backup_is_as_old_as_clocks_that_agree_say(hours: int, state: str, words: str) -> None:
    row = look.kept("mail", NOW + datetime.timedelta(hours=hours), NOW, LATE)
    assert row.state == state
    assert row.text.endswith(words)


def test_clocks_may_differ_by_minutes() -> None:
    assert look.kept("mail", NOW + datetime.timedelta(minutes=2), NOW, LATE).state == "ok"


def test_an_alert_that_wakes_people_is_wrong_and_a_silenced_one_is_not_told() -> None:
    page = {"labels": {"alertname": "DatabaseDown", "severity": "page"}, "status": {"state": "active"}}
    silent = {"labels": {"alertname": "Other"}, "status": {"state": "suppressed"}}
    row = one(judge.alerts([page, silent]))
    assert (row.name, row.state) == ("DatabaseDown", "wrong")


KEY = "MIIBIjANBgkq"


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("staged", "next: ./kolab dkim publish k1, any day"),
        ("active", "active since 2026-11-20"),
        ("retired", "next: ./kolab dkim revoke k1, not before 2026-12-01"),
        ("revoked", "next: ./kolab dkim remove k1, from today on"),
    ],
)
def test_a_key_says_its_next_step_and_the_first_safe_day(stage: str, words: str) -> None:
    name, key = next(iter(SETTINGS.mail.dkim.selectors.items()))
    given = key.model_copy(update={"stage": stage, "since": "2026-11-20"})
    dkim = SETTINGS.mail.dkim.model_copy(update={"selectors": {"k1": given}})
    mail = SETTINGS.mail.model_copy(update={"dkim": dkim})
    rows = steps.rows(SETTINGS.model_copy(update={"mail": mail}), NOW.date())
    assert words in next(row.text for row in rows if row.name == "DKIM k1"), name


def test_a_policy_that_is_being_removed_says_when_it_is_forgotten() -> None:
    told = changed("single-node", {"mail": {"mtaSts": {"stage": "removing", "since": "2026-11-26"}}})
    row = next(row for row in steps.rows(told, NOW.date()) if row.name == "MTA-STS")
    assert row.text == "removing since 2026-11-26; next: none, not before 2026-12-04"


CLAIM = {
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "redis-data"},
    "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
}
MEASURED = {"pvcRef": {"name": "redis-data", "namespace": "kolab"}, "usedBytes": 1, "capacityBytes": 100}
ANSWERS: dict[str, Answer] = {
    "get pods,services": json.dumps(
        {"items": [workload("postfix"), pod("postfix-0"), service("192.0.2.1"), CLAIM]}
    ),
    "get certificates": json.dumps({"items": []}),
    "get servicel2statuses": StackProblem("forbidden"),
    "get --raw": json.dumps({"pods": [{"volume": [MEASURED]}]}),
    "amtool": "[]",
    "exec php": f"{MARK}{json.dumps([0, '1 example.org 50'])}\n",
    "postqueue": "",
}


def test_the_table_has_every_part_and_well_is_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, ANSWERS)
    assert main(["status", "--stack", "x"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("example.org in context prod, namespace kolab: works, with warnings")
    for part in look.PARTS:
        assert part == "certificates" or f"\n{part} " in said, part


def test_maintenance_is_named_while_it_lasts_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    resting = {
        "get app.kubernetes.io/name=proxy": "proxy-1",
        "maintenance.sh state": "on\n",
        "proxy-1 test": "",
    }
    stand_in(monkeypatch, resting | ANSWERS)
    assert main(["status", "--stack", "x", "--json", "--only", "maintenance"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["state"], row["text"]) == (
        "warning",
        "on in postfix-0, so senders are put off (451): ./kolab maintenance off",
    )


def test_maintenance_of_the_stack_file_ends_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = stand_in(
        monkeypatch, {"get app.kubernetes.io/name=proxy": "", "maintenance.sh state": "on\n"} | ANSWERS
    )
    visit = look.Visit(changed("single-node", {"mail": {"maintenance": True}}), cluster, NOW)
    (row,) = (row for row in look.rows(visit) if row.part == "maintenance")
    assert row.text.endswith(": remove kolab:mail.maintenance")


def test_what_fails_is_unknown_and_ends_with_3_while_the_rest_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(
        monkeypatch, ANSWERS | {"amtool": StackProblem("kubectl exec failed: no such pod"), "postqueue": "{"}
    )
    assert main(["status", "--stack", "x", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    unknown = {row["part"]: row["text"] for row in found["rows"] if row["state"] == "unknown"}
    assert unknown["alerts"] == "kubectl exec failed: no such pod"
    assert "cannot be understood" in unknown["queue"]
    assert any(row["part"] == "pods" and row["state"] == "ok" for row in found["rows"])


def test_alerts_that_the_cluster_keeps_are_looked_for_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kubectl, "run", lambda *_, **__: pytest.fail("there is no Alertmanager to ask"))
    visit = look.Visit(stack("external"), Kubectl(CONTEXT, "kolab"), NOW)
    (row,) = look._PARTS["alerts"](visit)
    assert (row.state, row.text) == (
        "ok",
        "the cluster's Alertmanager has them: label stack is the domain of this stack",
    )


@pytest.mark.thorough
@pytest.mark.parametrize("answers_after", [3, 60])
def test_a_cluster_that_is_slow_or_says_nothing_costs_five_seconds(
    answers_after: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self: Kubectl, *_: str, text: str | None = None, seconds: float = 0) -> str:
        time.sleep(min(seconds, answers_after))
        if seconds < answers_after:
            raise StackProblem("late")
        return ""

    monkeypatch.setattr(Kubectl, "run", slow)
    begun = time.monotonic()
    with crowding() as crowd:
        found = look.rows(look.Visit(SETTINGS, Kubectl(CONTEXT, "kolab"), NOW))
        # Python waits for them before it ends.
        for thread in threading.enumerate():
            if thread.name.startswith("ThreadPoolExecutor"):
                thread.join()
        seconds = time.monotonic() - begun
    assert seconds < 5 * crowd.factor
    assert {row.state for row in found if row.part == "pods"} == {"unknown"}
    assert any(row.part == "steps" for row in found)


@pytest.mark.parametrize("words", [["--watch", "0"], ["--watch", "soon"], ["--only", "nothing"]])
def test_a_status_that_cannot_be_read_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["status", "--stack", "x", *words])
    assert caught.value.code == 2


# ./kolab logs


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("postfix", ("postfix", "kolab", "postfix")),
        ("amavis", ("postfix", "kolab", "amavis")),
        ("postfix-exporter", ("postfix", "kolab", "metrics")),
        ("vector", ("vector", "kolab-logs", None)),
        ("webapp", ("webapp", "kolab", None)),
    ],
)
def test_a_daemon_is_found_where_its_container_runs(name: str, found: tuple[str, str, str | None]) -> None:
    assert logs.place(SETTINGS, name) == found


@pytest.mark.parametrize("name", [daemon.name for daemon in topology.daemons(SETTINGS)])
def test_every_daemon_has_logs(name: str) -> None:
    assert logs.place(SETTINGS, name)[0] == name


def test_logs_are_those_of_all_pods_in_the_stacks_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    class Done:
        returncode = 0

    def run(line: list[str], **_: Any) -> Done:
        seen.append(line)
        return Done()

    stand_in(monkeypatch, {})
    monkeypatch.setattr(subprocess, "run", run)
    assert main(["logs", "amavis", "--since", "10m", "--stack", "x"]) == 0
    line = " ".join(seen[0])
    assert line.startswith(
        "kubectl --context prod --namespace kolab logs --selector app.kubernetes.io/name=postfix"
    )
    assert "--container amavis" in line


@pytest.mark.parametrize(
    ("words", "problem"),
    [(["sendmail"], "does not run in this stack; there are alertmanager, amavis"), (["imap", "--since", "now"], "--since must be")],
)  # fmt: skip
def test_logs_of_what_is_not_there_are_refused(
    words: list[str], problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, {})
    assert main(["logs", *words, "--stack", "x"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert problem in said
