"""An image is rehearsed before its workload gets it: by the same entry, with the same configuration, without data or ports."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.support.deploy import Deployment, Workload, deploy
from tests.support.stacks import changed, deployment

REHEARSED = {
    "proxy": ["proxy"],
    "imap": ["imap"],
    "postfix": ["postfix", "amavis"],
    "roundcube": ["roundcube"],
    "collabora": ["collabora"],
}
ONE, OTHER = (f"sha256:{digit * 64}" for digit in "12")


def rehearsal(program: Deployment, daemon: str) -> Workload:
    """The rehearsal of a daemon."""
    (found,) = [each for each in program.workloads if each.name.startswith(f"rehearse-{daemon}-")]
    return found


def with_digests(**digests: str) -> Deployment:
    return deploy(changed("single-node", {"images": {"digests": digests}}))


@pytest.mark.parametrize(("daemon", "containers"), REHEARSED.items())
@pytest.mark.parametrize("name", ["single-node", "cluster", "host-port", "full"])
def test_a_rehearsal_runs_what_its_workload_runs_as_its_workload_runs_it(
    name: str, daemon: str, containers: list[str]
) -> None:
    program = deployment(name)
    tried, real = rehearsal(program, daemon), program.workload(daemon)
    assert [each["name"] for each in tried.containers] == containers
    for container in tried.containers:
        own = real.container(container["name"])
        for key in ("image", "command", "securityContext", "envFrom", "volumeMounts"):
            assert container.get(key) == own.get(key), key
        task = {"name": "KOLAB_TASK", "value": "rehearse"}
        assert container["env"] == [*own["env"], task]
    assert tried.pod["securityContext"] == real.pod["securityContext"]


@pytest.mark.parametrize("daemon", REHEARSED)
@pytest.mark.parametrize("name", ["single-node", "cluster", "host-port", "full"])
def test_a_rehearsal_has_neither_ports_nor_data_nor_visitors(name: str, daemon: str) -> None:
    program = deployment(name)
    tried = rehearsal(program, daemon)
    kinds: set[str] = {kind for volume in tried.pod["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "secret", "emptyDir", "projected"}
    for container in tried.containers:
        assert (
            not {"ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle"} & container.keys()
        )
    # No Service takes it for a pod of its daemon.
    labels = tried.labels.items()
    selectors = [each["spec"].get("selector") or {} for each in program.of_kind("Service")]
    assert not [found for found in selectors if found and found.items() <= labels]


def test_octane_and_horizon_are_rehearsed_together() -> None:
    tried = rehearsal(deployment("cluster"), "webapp")
    assert [each["name"] for each in tried.containers] == ["webapp", "horizon"]
    for container in tried.containers:
        own = deployment("cluster").workload(container["name"]).container(container["name"])
        for key in ("image", "command", "securityContext", "envFrom", "volumeMounts"):
            assert container.get(key) == own.get(key), key


CHAINS = [
    ("proxy-rehearsal-job", "proxy-pods"),
    ("imap-rehearsal-job", "imap-pods"),
    ("postfix-rehearsal-job", "postfix-pods"),
    ("collabora-rehearsal-job", "collabora-pods"),
    ("roundcube-rehearsal-job", "before-migration-job", "roundcube-migrate-job", "roundcube-pods"),
    ("webapp-rehearsal-job", "before-migration-job", "webapp-seed-job", "webapp-horizon-pods", "webapp-pods"),
]


@pytest.mark.parametrize("chain", CHAINS, ids=lambda each: each[-1])
def test_pods_wait_for_the_rehearsal_and_for_the_tables_that_they_need(chain: tuple[str, ...]) -> None:
    made = {each.name: each for each in deployment("full").resources}
    for first, second in pairwise(chain):
        assert made[first].urn in made[second].dependencies


def test_what_does_not_fit_is_not_tried_again_and_says_why_at_its_end() -> None:
    job: dict[str, Any] = rehearsal(deployment("cluster"), "proxy").object
    rules = job["spec"]["podFailurePolicy"]["rules"]
    assert rules == [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [70]}}]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_only_the_rehearsal_of_an_image_that_changed_is_another() -> None:
    before, after = with_digests(postfix=ONE, proxy=ONE), with_digests(postfix=OTHER, proxy=ONE)
    names = {daemon: (rehearsal(before, daemon).name, rehearsal(after, daemon).name) for daemon in REHEARSED}
    assert [daemon for daemon, (old, new) in names.items() if old != new] == ["postfix"]
    assert rehearsal(before, "proxy").object == rehearsal(after, "proxy").object


def test_the_filters_image_is_tried_with_postfix() -> None:
    before, after = with_digests(amavis=ONE), with_digests(amavis=OTHER)
    assert rehearsal(before, "postfix").name != rehearsal(after, "postfix").name
