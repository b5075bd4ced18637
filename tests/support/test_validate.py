"""The validator itself: a check that waves everything through is worse than none."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.schemas.generate import KINDS
from tests.support.validate import KUBERNETES, Manifest, pod_security_violations, schema_errors

EXAMPLES: dict[str, Manifest] = {
    each["kind"]: each
    for each in yaml.safe_load_all((Path(__file__).parent.parent / "schemas" / "examples.yaml").read_text())
}


def example(kind: str) -> Manifest:
    """A right manifest, to be spoiled."""
    return copy.deepcopy(EXAMPLES[kind])


def pod(workload: Manifest) -> dict[str, Any]:
    """The pod's spec inside a workload."""
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def hardened(workload: Manifest) -> Manifest:
    """The workload with everything that the restricted level asks for."""
    pod(workload)["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    for container in pod(workload)["containers"]:
        container["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return workload


@pytest.mark.parametrize("kind", [kind for kinds in KINDS.values() for kind in kinds])
def test_a_right_manifest_of_every_kind_passes(kind: str) -> None:
    assert schema_errors([EXAMPLES[kind]]) == []


def test_an_unknown_field_is_named_with_the_object_and_its_place() -> None:
    deployment = example("Deployment")
    pod(deployment)["containers"][0]["imagePullPolice"] = "Always"
    assert schema_errors([deployment]) == [
        "Deployment/proxy: spec.template.spec.containers[0]: unknown field imagePullPolice"
    ]


def test_a_field_is_refused_for_versions_of_kubernetes_that_do_not_know_it() -> None:
    deployment = example("Deployment")
    pod(deployment)["containers"][0]["lifecycle"] = {"stopSignal": "SIGQUIT"}  # since 1.33
    refused = {version for version in KUBERNETES if schema_errors([deployment], version)}
    assert refused == {"v1.32"}


@pytest.mark.parametrize("version", KUBERNETES)
def test_an_enum_is_judged_for_every_version_of_kubernetes(version: str) -> None:
    deployment = example("Deployment")
    pod(deployment)["restartPolicy"] = "always"
    (error,) = schema_errors([deployment], version)
    assert "'always' is none of" in error


def test_a_value_outside_its_enum_is_refused_and_the_right_ones_are_listed() -> None:
    service = example("Service")
    service["spec"]["externalTrafficPolicy"] = "local"
    assert schema_errors([service]) == [
        "Service/smtp: spec.externalTrafficPolicy: 'local' is none of Cluster, Local"
    ]


def test_a_value_of_the_wrong_type_is_refused() -> None:
    deployment = example("Deployment")
    deployment["spec"]["replicas"] = "2"
    assert schema_errors([deployment]) == ["Deployment/proxy: spec.replicas: '2' is not of type integer"]


def test_a_port_may_be_a_number_or_a_name_but_nothing_else() -> None:
    service = example("Service")
    service["spec"]["ports"][0]["targetPort"] = True
    assert schema_errors([service]) == [
        "Service/smtp: spec.ports[0].targetPort: True is not of type integer or string"
    ]


@pytest.mark.parametrize("quantity", ["512mb", "1 Gi", "1,5", "", "Gi"])
def test_a_quantity_that_the_server_cannot_parse_is_refused(quantity: str) -> None:
    claim = example("PersistentVolumeClaim")
    claim["spec"]["resources"]["requests"]["storage"] = quantity
    (error,) = schema_errors([claim])
    assert error.startswith(
        f"PersistentVolumeClaim/mail-imap-0: spec.resources.requests.storage: {quantity!r} does not match"
    )


def test_secret_data_that_is_no_base64_is_refused_without_being_printed() -> None:
    secret = example("Secret")
    secret["data"]["password"] = "hunter2!"
    (error,) = schema_errors([secret])
    assert error.startswith("Secret/database: data.password: the value does not match")
    assert "hunter2" not in error


def test_a_number_that_overflows_on_the_server_is_refused() -> None:
    deployment = example("Deployment")
    deployment["spec"]["replicas"] = 2**32 + 1
    assert schema_errors([deployment]) == [
        "Deployment/proxy: spec.replicas: 4294967297 violates maximum: 2147483647"
    ]


def test_missing_fields_are_named_together() -> None:
    deployment = example("Deployment")
    del deployment["spec"]["selector"], deployment["spec"]["template"]
    assert schema_errors([deployment]) == ["Deployment/proxy: spec: selector, template is missing"]


def test_a_manifest_without_a_name_is_refused() -> None:
    service = example("Service")
    del service["metadata"]["name"]
    assert schema_errors([service]) == ["Service/no name: metadata: name is missing"]


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("apps/v1", "Deploiment"),
        ("apps/v1beta1", "Deployment"),
        ("example.org/v1", "Deployment"),
        ("v1", "Pod"),
    ],
)
def test_an_unknown_kind_is_an_error_and_never_skipped(api_version: str, kind: str) -> None:
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}}
    assert schema_errors([manifest]) == [
        f"{kind}/x: no schema for {api_version} {kind}: is it right? then add it to tests/schemas/generate.py"
    ]


def test_a_group_that_only_begins_like_ours_is_refused() -> None:
    # kubeconform's file names keep the first part of a group only.
    deployment = example("Deployment") | {"apiVersion": "apps.example.org/v1"}
    assert schema_errors([deployment]) == [
        "Deployment/proxy: apiVersion: 'apps.example.org/v1' is none of apps/v1"
    ]


def test_something_that_is_no_manifest_at_all_is_an_error() -> None:
    assert schema_errors([{}]) == [
        "no kind/no name: no schema for None None: is it right? then add it to tests/schemas/generate.py"
    ]


def test_custom_resources_are_judged_as_strictly() -> None:
    pool, certificate = example("IPAddressPool"), example("Certificate")
    pool["spec"]["autoassign"] = False
    pool["spec"]["addresses"] = "192.0.2.10/32"
    certificate["spec"]["privateKey"]["algorithm"] = "ecdsa"
    del certificate["spec"]["issuerRef"]
    assert schema_errors([pool, certificate]) == [
        "IPAddressPool/kolab: spec: unknown field autoassign",
        "IPAddressPool/kolab: spec.addresses: '192.0.2.10/32' is not of type array",
        "Certificate/mail: spec: issuerRef is missing",
        "Certificate/mail: spec.privateKey.algorithm: 'ecdsa' is none of RSA, ECDSA, Ed25519",
    ]


def test_two_entries_with_one_key_are_refused_as_a_server_side_apply_does() -> None:
    service, imap = example("Service"), example("StatefulSet")
    service["spec"]["ports"] = [{"name": "a", "port": 25}, {"name": "b", "port": 25, "protocol": "TCP"}]
    pod(imap)["containers"][0]["env"].append({"name": "DB_HOST", "value": "elsewhere"})
    assert schema_errors([service, imap]) == [
        "Service/smtp: spec.ports: two entries with port 25, protocol TCP",
        "StatefulSet/imap: spec.template.spec.containers[0].env: two entries with name DB_HOST",
    ]


def test_what_the_cluster_writes_is_not_for_manifests() -> None:
    service = example("Service") | {"status": {"loadBalancer": {}}}
    assert schema_errors([service]) == ["Service/smtp: unknown field status"]


def test_all_errors_of_all_objects_are_reported() -> None:
    service, deployment = example("Service"), example("Deployment")
    service["spec"]["type"] = "Loadbalancer"
    service["spec"]["ports"][0]["port"] = "25"
    deployment["spec"]["bogus"] = 1
    assert len(schema_errors([service, example("Secret"), deployment])) == 3


def test_a_hardened_workload_passes_the_restricted_level() -> None:
    assert pod_security_violations("restricted", [hardened(example("Deployment")), EXAMPLES["Secret"]]) == []


def test_a_root_container_is_reported_at_restricted_and_passes_baseline() -> None:
    deployment = hardened(example("Deployment"))
    pod(deployment)["containers"][0]["securityContext"]["runAsUser"] = 0
    (line,) = pod_security_violations("restricted", [deployment])
    assert line.startswith("Deployment/proxy: ")
    assert "runAsUser=0" in line
    assert pod_security_violations("baseline", [deployment]) == []


@pytest.mark.parametrize("kind", ["DaemonSet", "Deployment", "StatefulSet", "Job"])
def test_a_host_path_is_reported_at_baseline_in_every_kind_of_workload(kind: str) -> None:
    workload = hardened(example(kind))
    pod(workload)["volumes"] = [{"name": "host", "hostPath": {"path": "/var/lib/kolab"}}]
    (line,) = pod_security_violations("baseline", [EXAMPLES["Service"], workload])
    assert line.startswith(f"{kind}/{workload['metadata']['name']}: ")
    assert "hostPath" in line


def test_the_pods_of_a_cron_job_are_judged_too() -> None:
    cron_job = example("CronJob")
    cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["hostNetwork"] = True
    (line,) = pod_security_violations("baseline", [cron_job])
    assert line.startswith("CronJob/scheduler: ")


def test_a_level_that_does_not_exist_is_no_clean_bill() -> None:
    with pytest.raises(ValueError, match="strict is no level"):
        pod_security_violations("strict", [hardened(example("Deployment"))])  # type: ignore[arg-type]
