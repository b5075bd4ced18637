"""The monitoring's pods: as restricted as they can be, and nothing of theirs is lost or left unread."""

from __future__ import annotations

import pytest

from components.alertmanager import Alertmanager, AlertmanagerArgs
from components.blackbox import Blackbox, BlackboxArgs
from components.containers import Build
from components.daemon import Site
from components.prometheus import Prometheus, PrometheusArgs
from components.vector import Vector, VectorArgs
from components.victorialogs import Victorialogs, VictorialogsArgs
from model.monitoring import alertmanager, blackbox, prometheus, rules, vector, victorialogs
from model.monitoring.vector import NODE_LOGS
from model.settings import Volume
from model.sizing import DEFAULTS
from tests.monitoring.checkers import settings
from tests.monitoring.deployed import Manifest, deployed, of_kind
from tests.support.validate import pod_security_violations, schema_errors

STACK = settings()
PASSWORD = "S3ntinelPassw0rd"
VOLUME = Volume(size="10Gi")


def _prometheus(site: Site, *, configuration: str = prometheus.config(STACK)) -> Prometheus:
    args = PrometheusArgs(
        build=Build(image="prometheus:1", size=DEFAULTS["prometheus"]),
        volume=VOLUME,
        configuration=configuration,
        rules=rules.config(STACK),
        flags=prometheus.flags(STACK),
    )
    return Prometheus("prometheus", site, args)


def _alertmanager(site: Site, *, password: str | None = PASSWORD, webhook: str | None = None) -> Alertmanager:
    args = AlertmanagerArgs(
        build=Build(image="alertmanager:1", size=DEFAULTS["alertmanager"]),
        configuration=alertmanager.config(STACK),
        flags=alertmanager.flags(STACK),
        password=password,
        webhook=webhook,
        heartbeat=None,
    )
    return Alertmanager("alertmanager", site, args)


def _victorialogs(site: Site) -> Victorialogs:
    size = DEFAULTS["victorialogs"]
    args = VictorialogsArgs(
        build=Build(image="logs:1", size=size), volume=VOLUME, flags=victorialogs.flags(STACK)
    )
    return Victorialogs("victorialogs", site, args)


def _blackbox(site: Site) -> Blackbox:
    configuration = blackbox.config(STACK)
    args = BlackboxArgs(
        build=Build(image="blackbox:1", size=DEFAULTS["blackbox"]),
        configuration=configuration,
        flags=blackbox.FLAGS,
    )
    return Blackbox("blackbox", site, args)


def _vector(site: Site) -> Vector:
    args = VectorArgs(
        build=Build(image="vector:1", size=DEFAULTS["vector"]),
        cluster_name="kolab-vector",
        configuration=vector.config(STACK),
        flags=vector.FLAGS,
    )
    return Vector("vector", site, args)


RESTRICTED = {
    "prometheus": _prometheus,
    "alertmanager": _alertmanager,
    "victorialogs": _victorialogs,
    "blackbox": _blackbox,
}
ALL = RESTRICTED | {"vector": _vector}


def pod(objects: list[Manifest]) -> Manifest:
    """The one pod template among `objects`."""
    (found,) = [each["spec"]["template"]["spec"] for each in objects if "template" in each.get("spec", {})]
    return found


@pytest.mark.parametrize("program", ALL.values(), ids=ALL)
def test_the_api_server_would_take_every_object(program) -> None:  # type: ignore[no-untyped-def]
    assert schema_errors(deployed(program)) == []


@pytest.mark.parametrize("program", RESTRICTED.values(), ids=RESTRICTED)
def test_the_pods_pass_the_restricted_standard(program) -> None:  # type: ignore[no-untyped-def]
    assert pod_security_violations("restricted", deployed(program)) == []


@pytest.mark.parametrize("program", ALL.values(), ids=ALL)
def test_no_root_filesystem_is_writable(program) -> None:  # type: ignore[no-untyped-def]
    (container,) = pod(deployed(program))["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("program", RESTRICTED.values(), ids=RESTRICTED)
def test_only_the_log_collector_has_a_token(program) -> None:  # type: ignore[no-untyped-def]
    assert pod(deployed(program))["automountServiceAccountToken"] is False


@pytest.mark.parametrize("program", RESTRICTED.values(), ids=RESTRICTED)
def test_the_health_checks_ask_a_path_that_the_flags_leave_in_place(program) -> None:  # type: ignore[no-untyped-def]
    (container,) = pod(deployed(program))["containers"]
    external = [flag for flag in container["args"] if "external-url" in flag]
    prefix = "/" + external[0].rpartition("/")[2] if external else ""
    assert container["readinessProbe"]["httpGet"]["path"].startswith(f"{prefix}/")


def test_the_log_collector_reads_the_logs_of_pods_and_nothing_else_of_the_node() -> None:
    volumes = {volume["name"]: volume for volume in pod(deployed(_vector))["volumes"]}
    assert volumes["logs"]["hostPath"] == {"path": NODE_LOGS, "type": "Directory"}
    (container,) = pod(deployed(_vector))["containers"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts["logs"]["readOnly"] is True


def test_the_log_collector_may_look_and_not_touch() -> None:
    (role,) = of_kind(deployed(_vector), "ClusterRole")
    (rule,) = role["rules"]
    assert set(rule["verbs"]) == {"list", "watch"}
    assert (rule["apiGroups"], set(rule["resources"])) == ([""], {"namespaces", "nodes", "pods"})
    assert set(rule["resources"]) == {"namespaces", "nodes", "pods"}


def test_the_log_collector_has_no_capability() -> None:
    (container,) = pod(deployed(_vector))["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_log_collector_knows_its_node() -> None:
    (container,) = pod(deployed(_vector))["containers"]
    (env,) = container["env"]
    assert env["valueFrom"]["fieldRef"]["fieldPath"] == "spec.nodeName"


def test_every_log_collector_can_be_found() -> None:
    (service,) = of_kind(deployed(_vector, namespace="kolab-logs"), "Service")
    assert (service["metadata"]["name"], service["metadata"]["namespace"]) == ("vector", "kolab-logs")
    assert service["spec"]["clusterIP"] == "None"


def test_two_stacks_on_one_node_remember_their_own_positions() -> None:
    volumes = {volume["name"]: volume for volume in pod(deployed(_vector))["volumes"]}
    assert volumes["data"]["hostPath"]["path"] == "/var/lib/kolab-vector"


def test_a_changed_configuration_rolls_the_pod() -> None:
    before = pod(deployed(_prometheus))
    after = pod(deployed(lambda site: _prometheus(site, configuration="global: {}")))
    assert before["volumes"] != after["volumes"]


def test_the_password_of_alertmanager_is_only_inside_a_secret() -> None:
    holders = {each["kind"] for each in deployed(_alertmanager) if PASSWORD in str(each)}
    assert holders == {"Secret"}


def test_the_password_is_mounted_where_the_configuration_looks() -> None:
    objects = deployed(_alertmanager)
    (secret,) = of_kind(objects, "Secret")
    (container,) = pod(objects)["containers"]
    paths = [m["mountPath"] for m in container["volumeMounts"] if m["name"] == "smtp"]
    assert [f"{path}/{file}" for path in paths for file in secret["stringData"]] == [
        alertmanager.PASSWORD_FILE
    ]


def test_without_mail_there_is_no_secret() -> None:
    assert of_kind(deployed(lambda site: _alertmanager(site, password=None)), "Secret") == []


@pytest.mark.parametrize("program", [_prometheus, _victorialogs], ids=["prometheus", "victorialogs"])
def test_what_is_kept_is_on_a_volume(program) -> None:  # type: ignore[no-untyped-def]
    objects = deployed(program)
    (claim,) = of_kind(objects, "PersistentVolumeClaim")
    claims = [
        v["persistentVolumeClaim"]["claimName"]
        for v in pod(objects)["volumes"]
        if "persistentVolumeClaim" in v
    ]
    assert claims == [claim["metadata"]["name"]]


def test_alerts_are_never_sent_by_two_instances() -> None:
    (workload,) = of_kind(deployed(_alertmanager), "StatefulSet")
    assert workload["spec"]["replicas"] == 1
