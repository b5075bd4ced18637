"""Every pod of every stack: as safe as it can be, and looked after."""

from __future__ import annotations

import pytest

from model.types import bytes_of
from tests.support.deploy import Deployment, Workload, deploy
from tests.support.stacks import changed, deployment
from tests.support.validate import pod_security_violations

EXCEPTIONS = {
    "postfix": "queue owners and setgid commands want root; Amavis drops to its own user; the exporter reads the queue's socket; the resolver opens port 53",
    "imap": "init gives the volumes to its user and drops to it; KILL passes the stop on",
    "rehearsal": "what starts as root in its own pod is rehearsed as root, without data, ports, or a way to anybody",
    "restore-mail": "the image of imap, whose own init lets reconstruct run as its user",
    "drill-mail": "the image of imap, as restore-mail",
    "collabora": "file capabilities jail each document",
    "meet": "the image has no user; root without any capability",
    "vector": "log files of the node belong to root",
}
"""Workloads that are not `restricted`, and why. Shorter is better."""


def violations(level: str, objects: list[dict[str, object]]) -> list[str]:
    try:
        return pod_security_violations(level, objects)  # type: ignore[arg-type]
    except RuntimeError as missing:
        pytest.skip(str(missing))


def level_of(program: Deployment, workload: Workload) -> str:
    labels = program.get("Namespace", workload.namespace)["metadata"]["labels"]
    return str(labels["pod-security.kubernetes.io/enforce"])


def test_every_pod_is_allowed_in_its_namespace(program: Deployment) -> None:
    judged = [each.object for each in program.workloads if level_of(program, each) != "privileged"]
    assert violations("baseline", judged) == [] if judged else True


@pytest.mark.parametrize("stack", ["single-node", "cluster", "full"])
def test_every_pod_is_restricted_but_for_the_exceptions(stack: str) -> None:
    others = [each.object for each in deployment(stack).workloads if each.daemon not in EXCEPTIONS]
    assert violations("restricted", others) == []


@pytest.mark.parametrize(("daemon", "reason"), EXCEPTIONS.items())
def test_every_exception_is_needed_and_has_a_reason(daemon: str, reason: str) -> None:
    own = [each.object for each in deployment("full").workloads if each.daemon == daemon]
    assert violations("restricted", own) != []
    assert reason


def test_no_pod_shares_anything_with_its_node(program: Deployment) -> None:
    for workload in program.workloads:
        assert not {"hostNetwork", "hostPID", "hostIPC"} & workload.pod.keys()
        paths = {each["name"] for each in workload.pod.get("volumes", ()) if "hostPath" in each}
        assert not paths or workload.daemon == "vector"


def test_services_of_the_namespace_do_not_become_variables(program: Deployment) -> None:
    # REDIS_PORT=tcp://... would be read as a setting.
    assert all(each.pod["enableServiceLinks"] is False for each in program.workloads)


def test_only_the_log_collector_can_speak_to_the_api(program: Deployment) -> None:
    for workload in program.workloads:
        assert workload.pod["automountServiceAccountToken"] is (workload.daemon == "vector")


def test_every_container_says_what_it_needs_and_has_a_limit(program: Deployment) -> None:
    for workload in program.workloads:
        for container in workload.containers:
            resources = container["resources"]
            assert {"cpu", "memory"} <= resources["requests"].keys(), container["name"]
            limit, request = resources["limits"]["memory"], resources["requests"]["memory"]
            assert bytes_of(limit) >= bytes_of(request), container["name"]


def test_every_container_that_runs_for_ever_is_looked_after(program: Deployment) -> None:
    for workload in program.workloads:
        for container in workload.pod["containers"]:
            watched = workload.runs_for_ever
            assert ("livenessProbe" in container) is watched, f"{workload.daemon}/{container['name']}"


def test_every_container_with_a_service_says_when_it_is_ready(program: Deployment) -> None:
    served = {each["metadata"]["labels"]["app.kubernetes.io/name"] for each in program.of_kind("Service")}
    for workload in program.workloads:
        for container in workload.pod["containers"]:
            # A backup that fails takes no mail away.
            exporter = container["name"] == "metrics" or container["name"].startswith("backup-")
            if workload.daemon in served and workload.runs_for_ever and not exporter:
                assert "readinessProbe" in container, f"{workload.daemon}/{container['name']}"


def test_a_slow_start_is_never_a_crash(program: Deployment) -> None:
    # Without a startup probe, liveness alone must leave at least two minutes.
    for workload in program.workloads:
        for container in workload.pod["containers"]:
            alive = container.get("livenessProbe")
            if alive and "startupProbe" not in container:
                assert alive["periodSeconds"] * alive["failureThreshold"] >= 60, container["name"]


def test_a_probe_never_waits_longer_than_its_period(program: Deployment) -> None:
    for workload in program.workloads:
        for container in workload.pod["containers"]:
            # A container that starts is asked as often as it answers: Probe.until_up.
            for kind in ("readinessProbe", "livenessProbe"):
                if probe := container.get(kind):
                    assert probe["timeoutSeconds"] <= probe["periodSeconds"], (container["name"], kind)


def test_what_has_started_is_found_ready_within_seconds(program: Deployment) -> None:
    # A restart of the one Cyrus or Postfix ends when this passes, not when the daemon answers.
    for workload in program.workloads:
        for container in workload.pod["containers"]:
            if "readinessProbe" in container:
                assert container["startupProbe"]["periodSeconds"] <= 2, container["name"]


GRACE = {
    "imap": 180,
    "mariadb": 120,
    "prometheus": 120,
    "horizon": 90,
    "postfix": 60,
    "redis": 60,
    "proxy": 60,
    # It has nothing to finish.
    "coturn": 5,
}
"""Seconds that a daemon may need to finish what it has begun."""


def test_every_pod_has_the_time_that_it_needs_to_stop(program: Deployment) -> None:
    for workload in program.workloads:
        assert workload.pod["terminationGracePeriodSeconds"] >= GRACE.get(workload.daemon, 30)


def test_data_never_have_two_owners(program: Deployment) -> None:
    owners: dict[str, str] = {}
    for workload in program.workloads:
        if workload.object["spec"].get("suspend"):
            # It runs by hand, while the owner is down.
            continue
        claims = [
            v["persistentVolumeClaim"]["claimName"]
            for v in workload.pod.get("volumes", ())
            if "persistentVolumeClaim" in v
        ]
        templates = workload.object["spec"].get("volumeClaimTemplates", ())
        if claims or templates:
            # A Deployment would start the next pod before the last one is gone. A Job tries again when one has ended.
            assert workload.kind in ("StatefulSet", "Job"), workload.name
        for claim in claims:
            assert owners.setdefault(claim, workload.name) == workload.name
            one = "replicas" if workload.kind == "StatefulSet" else "parallelism"
            assert workload.object["spec"].get(one, 1 if one == "parallelism" else None) == 1


def test_every_claim_is_used(program: Deployment) -> None:
    used = set()
    for workload in program.workloads:
        for volume in workload.pod.get("volumes", ()):
            used.add(volume.get("persistentVolumeClaim", {}).get("claimName"))
        for template in workload.object["spec"].get("volumeClaimTemplates", ()):
            for ordinal in range(workload.object["spec"]["replicas"]):
                used.add(f"{template['metadata']['name']}-{workload.name}-{ordinal}")
    assert program.names("PersistentVolumeClaim") == used - {None}


def test_what_has_no_replica_is_restarted_and_what_has_is_rolled(program: Deployment) -> None:
    for workload in program.workloads:
        spec = workload.object["spec"]
        if workload.kind == "Deployment" and spec["replicas"] > 1:
            assert spec["strategy"] == {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            }
            assert workload.name in program.names("PodDisruptionBudget")


@pytest.mark.thorough
def test_the_log_collector_alone_has_the_selinux_type_of_the_stack_file() -> None:
    program = deploy(changed("single-node", {"monitoring": {"seLinuxType": "spc_t"}}))
    types = {
        workload.daemon: container["securityContext"]["seLinuxOptions"]
        for workload in program.workloads
        for container in workload.containers
        if "seLinuxOptions" in container["securityContext"]
    }
    assert types == {"vector": {"type": "spc_t"}}
