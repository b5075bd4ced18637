"""Every object of every stack: accepted by an API server, made by the one provider, kept if it holds data."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import yaml

from model.images import KOLAB, reference, used
from model.topology import daemons
from ops.stacks import ROOT
from tests.schemas.generate import TARGET
from tests.support.deploy import Deployment, deploy
from tests.support.stacks import changed, stack
from tests.support.validate import KUBERNETES, schema_errors

OUTSIDE = {"IPAddressPool": "metallb-system", "L2Advertisement": "metallb-system"}
"""Kinds that live in the namespace of the controller that reads them."""

EVERYWHERE = {"Namespace", "ClusterRole", "ClusterRoleBinding", "PriorityClass"}
"""Kinds without a namespace."""

GUARDED = {"Namespace", "PersistentVolumeClaim"}
"""Kinds whose loss is the loss of mail."""

KEYS = {"webapp-keys", "mariadb-credentials"}
"""Secrets that data cannot be read without; those of DKIM besides."""


def test_an_api_server_would_accept_every_object(program: Deployment) -> None:
    assert program.faults() == []


@pytest.mark.thorough
@pytest.mark.parametrize("kubernetes", [each for each in KUBERNETES if each != TARGET.name])
def test_an_api_server_of_every_supported_version_would_accept_every_object(
    program: Deployment, kubernetes: str
) -> None:
    assert schema_errors(program.objects, kubernetes) == []


def test_no_two_objects_have_one_name(program: Deployment) -> None:
    names = Counter(
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in program.objects
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_every_resource_has_a_parent_in_the_stack(program: Deployment) -> None:
    urns = program.urns
    roots = {each.name for each in program.resources if each.parent not in urns}
    assert roots == {"kolab", "cluster"}


def test_every_object_is_made_by_the_one_explicit_provider(program: Deployment) -> None:
    (cluster,) = (each.urn for each in program.resources if each.type == "pulumi:providers:kubernetes")
    for each in program.resources:
        if each.type.startswith("kubernetes:"):
            assert each.provider == f"{cluster}::cluster-id", each.urn


def test_every_object_is_in_a_namespace_of_the_stack(program: Deployment) -> None:
    ours = program.names("Namespace")
    for each in program.objects:
        namespace = each["metadata"].get("namespace")
        if each["kind"] in EVERYWHERE:
            assert namespace is None
        else:
            assert namespace == OUTSIDE.get(each["kind"], namespace)
            assert namespace in ours or each["kind"] in OUTSIDE, each["metadata"]["name"]


def test_every_object_can_be_found_by_its_label(program: Deployment) -> None:
    for each in program.objects:
        assert each["metadata"]["labels"]["app.kubernetes.io/part-of"] == "kolab", each["metadata"]["name"]


def test_what_holds_data_is_protected_and_refuses_to_be_deleted(program: Deployment) -> None:
    for each in program.objects:
        resource = program.registered(each)
        holds = each["kind"] in GUARDED or resource.name in KEYS or resource.name.startswith("postfix-dkim-")
        if holds and (each["kind"], each["metadata"]["name"]) not in _lifted():
            assert (resource.protect, len(resource.delete_hooks)) == (True, 1), resource.name


def _lifted() -> set[tuple[str, str]]:
    """The logs' namespace holds no data, and one variant has lifted one guard."""
    return {("Namespace", "kolab-logs"), ("PersistentVolumeClaim", "versitygw-data")}


def test_nothing_but_data_is_protected(program: Deployment) -> None:
    # Whatever else was protected could never be changed without an acknowledgement.
    for each in program.resources:
        if each.protect:
            kind = each.type.rpartition(":")[2]
            assert kind in GUARDED or each.name in KEYS or each.name.startswith("postfix-dkim-"), each.name


def test_no_image_of_another_project_moves(program: Deployment) -> None:
    for workload in program.workloads:
        for container in workload.containers:
            repository, _, tag = container["image"].rpartition(":")
            if repository.rpartition("/")[2] not in KOLAB:
                assert re.search(r"\d+\.\d+|\d{4}-\d\d-\d\d", tag), container["image"]


def test_the_model_knows_each_image_that_runs_and_who_runs_it(program: Deployment, name: str) -> None:
    settings = stack(name)
    ran = {(workload.daemon, each["image"]) for workload in program.workloads for each in workload.containers}
    host = {side.name: daemon.name for daemon in daemons(settings) for side in daemon.sidecars}
    assert ran == {
        (host.get(who, who), reference(settings.images, image))
        for image, users in used(settings).items()
        for who in users
    }


def test_a_restart_of_a_pod_brings_in_no_other_image(program: Deployment) -> None:
    policies = {each.get("imagePullPolicy") for workload in program.workloads for each in workload.containers}
    assert policies == {"IfNotPresent"}


@pytest.mark.thorough
def test_jobs_that_change_the_schema_run_again_with_another_image() -> None:
    def jobs(digest: str) -> set[str]:
        digests = {"webapp": digest, "roundcube": digest}
        made = deploy(changed("single-node", {"images": {"digests": digests}}))
        return {each.name for each in made.workloads if each.daemon in ("seed", "roundcube-migrate")}

    one, other = jobs(f"sha256:{'1' * 64}"), jobs(f"sha256:{'2' * 64}")
    assert len(one) == len(other) == 2
    assert not one & other


def test_the_account_of_previews_may_plan_every_object(program: Deployment) -> None:
    account = yaml.safe_load_all((ROOT / "docs/how-to/preview-account.yaml").read_text())
    (role,) = (each for each in account if each["kind"] == "ClusterRole")
    planned = {group for rule in role["rules"] if "create" in rule["verbs"] for group in rule["apiGroups"]}
    assert {each["apiVersion"].rpartition("/")[0] for each in program.objects} <= planned


def test_the_kinds_of_the_stack_are_few(program: Deployment) -> None:
    assert {each["kind"] for each in program.objects} <= {
        *("Namespace", "ConfigMap", "Secret", "Service", "PersistentVolumeClaim", "PodDisruptionBudget"),
        *("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "NetworkPolicy", "Ingress"),
        *("Certificate", "Issuer", "IPAddressPool", "L2Advertisement", "ScrapeConfig", "PrometheusRule"),
        # The log collector asks the API for names of pods; nobody else asks it anything.
        *("ServiceAccount", "ClusterRole", "ClusterRoleBinding"),
        "PriorityClass",
        *("HTTPRoute", "BackendTLSPolicy", "ReferenceGrant"),
    }
