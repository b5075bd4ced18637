"""Every name that an object of a stack uses belongs to something that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from model import topology
from model.monitoring import prometheus
from model.names import Names
from model.topology.outside import SOLVER
from tests.support.deploy import Deployment, Workload
from tests.support.stacks import deployment, stack


def services(program: Deployment) -> list[dict[str, Any]]:
    """Those that lead to pods of ours; cert-manager makes others of its own (test_challenges.py)."""
    return [each for each in program.of_kind("Service") if SOLVER[0] not in each["spec"]["selector"]]


def selected(program: Deployment, service: dict[str, Any]) -> list[Workload]:
    selector = service["spec"]["selector"].items()
    namespace = service["metadata"]["namespace"]
    return [
        each
        for each in program.workloads
        if each.namespace == namespace and selector <= each.labels.items() and each.runs_for_ever
    ]


def test_every_service_selects_pods(program: Deployment) -> None:
    for service in services(program):
        assert selected(program, service), service["metadata"]["name"]


def test_a_workload_selects_its_own_pods_and_no_others(program: Deployment) -> None:
    for workload in program.workloads:
        if workload.runs_for_ever:
            selector = workload.object["spec"]["selector"]["matchLabels"].items()
            assert [each.name for each in program.workloads if selector <= each.labels.items()] == [
                workload.name
            ]


def test_every_port_of_a_service_leads_to_a_port_of_that_name(program: Deployment) -> None:
    for service in services(program):
        for port in service["spec"]["ports"]:
            found = [p for each in selected(program, service) for p in each.port(port["targetPort"])]
            assert found, f"{service['metadata']['name']}: {port['targetPort']}"
            assert {each["protocol"] for each in found} == {port["protocol"]}


def test_a_service_inside_has_the_port_of_the_daemon(program: Deployment) -> None:
    # Addresses are written with the ports of the topology.
    for service in program.of_kind("Service"):
        if service["spec"].get("type") != "LoadBalancer":
            for port in service["spec"]["ports"]:
                for each in selected(program, service):
                    assert {p["containerPort"] for p in each.port(port["targetPort"])} == {port["port"]}


def test_what_runs_is_what_the_topology_says(name: str, program: Deployment) -> None:
    daemons = {each.name for each in topology.daemons(stack(name))}
    running = {each.daemon for each in program.workloads}
    assert running == daemons


def test_every_daemon_opens_the_ports_of_the_topology_and_no_others(name: str, program: Deployment) -> None:
    settings = stack(name)
    media = {(port.number, port.protocol) for port in topology.meet_media_ports(settings)}
    for daemon in topology.daemons(settings):
        for workload in (each for each in program.workloads if each.daemon == daemon.name):
            opened = {
                (port["containerPort"], port["protocol"])
                for container in workload.containers
                for port in container.get("ports", ())
            }
            absent = set(daemon.sidecars) - set(topology.sidecars(settings, daemon))
            closed = {port for sidecar in absent for port in sidecar.ports}
            expected = {(port.number, port.protocol) for port in daemon.ports if port not in closed}
            if daemon == topology.MEET:
                expected |= media
            assert opened == expected, daemon.name


def test_probes_ask_ports_that_their_container_has(program: Deployment) -> None:
    for workload in program.workloads:
        for container in workload.containers:
            names = {port["name"] for port in container.get("ports", ())}
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                probe = container.get(kind, {})
                for way in ("httpGet", "tcpSocket"):
                    if way in probe:
                        assert probe[way]["port"] in names, f"{workload.daemon}/{container['name']} {kind}"


def made_by_cert_manager(program: Deployment) -> set[str]:
    return {each["spec"]["secretName"] for each in program.of_kind("Certificate")}


def given_by_the_operator(name: str) -> set[str]:
    settings = stack(name)
    return (
        {settings.tls.proxy, settings.tls.mx, settings.tls.sieve}
        if settings.tls.issuer == "secrets"
        else set()
    )


def references(workload: Workload) -> Iterator[tuple[str, str]]:
    """(kind, name) of each ConfigMap and Secret that a pod needs to start."""
    for volume in workload.pod.get("volumes", ()):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
    for container in workload.containers:
        for source in container.get("envFrom", ()):
            yield "Secret", source["secretRef"]["name"]


def test_every_configmap_and_secret_that_a_pod_needs_is_there(name: str, program: Deployment) -> None:
    there = {("ConfigMap", each) for each in program.names("ConfigMap")}
    secrets = program.names("Secret") | made_by_cert_manager(program) | given_by_the_operator(name)
    there |= {("Secret", each) for each in secrets}
    for workload in program.workloads:
        for reference in references(workload):
            assert reference in there, workload.name


def test_a_changed_file_or_password_rolls_whoever_reads_it(name: str, program: Deployment) -> None:
    # Under a name that stays, pods go on with what they have read.
    kept_fresh = made_by_cert_manager(program) | given_by_the_operator(name)
    for workload in program.workloads:
        for kind, made in references(workload):
            assert re.search(r"-[0-9a-f]{10}$", made) or made in kept_fresh, f"{workload.name}: {kind} {made}"


def test_every_configmap_and_secret_is_needed(program: Deployment) -> None:
    needed = {each for workload in program.workloads for each in references(workload)}
    for kind in ("ConfigMap", "Secret"):
        for made in program.names(kind):
            token = made.startswith("dns-token-")
            # Keys of other stages wait for their turn.
            waiting = made.startswith("postfix-dkim-")
            # A Grafana of the cluster finds them by their label.
            board = made.endswith("-dashboard")
            assert (kind, made) in needed or token or waiting or board, made


def test_every_mounted_volume_is_there(program: Deployment) -> None:
    for workload in program.workloads:
        volumes = {each["name"] for each in workload.pod.get("volumes", ())}
        volumes |= {
            each["metadata"]["name"] for each in workload.object["spec"].get("volumeClaimTemplates", ())
        }
        mounted = {mount["name"] for each in workload.containers for mount in each.get("volumeMounts", ())}
        assert mounted == volumes, workload.name


def test_a_stateful_set_comes_after_the_claims_that_it_adopts(program: Deployment) -> None:
    # It makes those that are not there yet, small and unprotected.
    for each in program.of_kind("StatefulSet"):
        before = program.registered(each).dependencies
        for template in each["spec"].get("volumeClaimTemplates", ()):
            for ordinal in range(each["spec"]["replicas"]):
                name = f"{template['metadata']['name']}-{each['metadata']['name']}-{ordinal}"
                claim = program.get("PersistentVolumeClaim", name)
                assert program.registered(claim).urn in before, name


def test_every_single_file_that_is_mounted_is_a_key_of_its_volume(program: Deployment) -> None:
    for workload in program.workloads:
        volumes = {each["name"]: each for each in workload.pod.get("volumes", ())}
        for container in workload.containers:
            for mount in container.get("volumeMounts", ()):
                volume = volumes.get(mount["name"], {})
                if "subPath" in mount and "configMap" in volume:
                    assert mount["subPath"] in program.get("ConfigMap", volume["configMap"]["name"])["data"]
                if "subPath" in mount and "secret" in volume:
                    assert (
                        mount["subPath"]
                        in program.get("Secret", volume["secret"]["secretName"])["stringData"]
                    )


def test_no_variable_is_set_twice(program: Deployment) -> None:
    for workload in program.workloads:
        for container in workload.containers:
            names = [each["name"] for each in container.get("env", ())]
            names += program.secrets_of(workload, container["name"])
            assert len(names) == len(set(names)), f"{workload.daemon}/{container['name']}"


def known_hosts(name: str) -> set[str]:
    """Names outside of the cluster that a stack may know."""
    settings = stack(name)
    names = Names.of(settings)
    external = settings.external
    found = {*names.web, names.imap, names.smtp, names.sieve, names.turn, names.mx, names.helo}
    found |= {engine.host for engine in (external.database, external.redis) if engine}
    if external.s3:
        found.add(external.s3.endpoint.removeprefix("https://"))
    return found


URL = re.compile(
    r"^(?:[a-z]+://|turn:)?(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::(?P<port>\d+))?(?P<path>[/?].*)?$"
)
ADDRESSES = re.compile(
    r"(_HOST|_URI|_URL|_URLS|_SERVER|_BACKEND|_ENDPOINT|_DESTINATION|_BASEURI|_OFFICE|_DOMAINS?)$"
)
OURSELVES = {"127.0.0.1", "0.0.0.0", "none"}  # noqa: S104 (what Meet listens on in its pod)
NO_ADDRESSES = {"WEBMAIL_URL", "KOLAB_UNLIMITED_DOMAINS", "APP_SERVICES_ALLOWED_DOMAINS"}
"""Named or written like an address, and only a path, or names of mail domains, or names by which a daemon is called."""


@pytest.mark.parametrize("name", ["cluster", "external"])
def test_prometheus_calls_the_web_application_by_a_name_that_it_answers_to(
    name: str, program: Deployment
) -> None:
    (job,) = (job for job in prometheus.jobs(stack(name)) if job["job_name"] == "webapp")
    (target,) = job["static_configs"][0]["targets"]
    (workload,) = (each for each in program.workloads if each.daemon == "webapp")
    known = workload.env("webapp")["APP_SERVICES_ALLOWED_DOMAINS"].split(",")
    assert target.partition(":")[0] in known
    assert "webapp" in known


def test_every_address_in_a_variable_leads_somewhere(name: str, program: Deployment) -> None:
    services = {
        each["metadata"]["name"]: {port["port"] for port in each["spec"]["ports"]}
        for each in program.of_kind("Service")
        if each["spec"].get("type") != "LoadBalancer"
    }
    outside = known_hosts(name) | set(stack(name).domains)
    for workload in program.workloads:
        for container in workload.containers:
            for variable, value in workload.env(container["name"]).items():
                addressed = ADDRESSES.search(variable) or re.match(r"[a-z]+://|[a-z-]+:\d+$", value)
                if not addressed or variable in NO_ADDRESSES or value in ("", "true", "false"):
                    continue
                where = f"{workload.daemon}: {variable}={value}"
                leads = value
                if container["name"] == "proxy" and variable in backends(program):
                    # By a name that nginx alone knows, maybe.
                    leads = answering(program, backends(program)[variable]) or "none"
                found = URL.match(leads)
                assert found, where
                host, port = found["host"], found["port"]
                if host in services:
                    assert port is None or int(port) in services[host], where
                else:
                    assert host in outside | OURSELVES, where


def backends(program: Deployment) -> dict[str, str]:
    """What the proxy's image is told of each of its routes: variable -> host and port."""
    told = program.workload("proxy").env("proxy").items()
    return {key: value.removeprefix("http://") for key, value in told if key.endswith("_BACKEND")}


def answering(program: Deployment, backend: str) -> str | None:
    """Host and port that a backend leads to, also by a server or an upstream of the proxy's own; None if it refuses."""
    inner = program.file("proxy", "proxy", "/etc/nginx/conf.d/kolab.conf")
    if backend.startswith("127.0.0.1:"):
        server = inner[inner.index(f"listen {backend};") :].partition("\n}\n")[0]
        onward = set(re.findall(r"proxy_pass http://([^;/]+);", server))
        # Hooks of the application have places of their own, in its own server.
        assert len(onward) == (0 if "return 403;" in server else 1), server
        return next(iter(onward), None)
    upstream = re.search(rf"upstream {re.escape(backend)} {{\s*server ([^;]+);", inner)
    return upstream[1] if upstream else backend


def test_every_route_of_the_proxys_image_leads_to_the_daemon_that_it_is_called_after(
    name: str, program: Deployment
) -> None:
    running = {each.name for each in topology.daemons(stack(name))}
    known = {each.name for each in vars(topology).values() if isinstance(each, topology.Daemon)}
    for variable, backend in backends(program).items():
        called = variable.removesuffix("_BACKEND").lower()
        # Calendars, contacts, free and busy times, filters: whatever has no daemon of its name is Cyrus'.
        daemon = called if called in known else "imap"
        found = answering(program, backend)
        assert (found is not None) == (daemon in running), variable
        if found is not None:
            # nginx refuses to start when a name does not resolve.
            host, _, port = found.partition(":")
            assert host == daemon, variable
            assert int(port) in {each["port"] for each in program.service(host)["spec"]["ports"]}, variable


def test_every_daemon_that_the_proxy_may_reach_for_people_has_a_route(name: str, program: Deployment) -> None:
    found = {
        host.partition(":")[0] for each in backends(program).values() if (host := answering(program, each))
    }
    reached = {
        each.server.name
        for each in topology.connections(stack(name))
        if each.client == topology.PROXY and isinstance(each.server, topology.Daemon)
    }
    assert reached - found <= BESIDE_THE_IMAGE


BESIDE_THE_IMAGE = {"postfix", "prometheus", "alertmanager", "victorialogs"}
"""Submission is nginx' mail half, and pages of the monitoring are locations of our own."""


def test_every_place_that_the_proxy_passes_on_to_exists(program: Deployment) -> None:
    files = ("/etc/nginx/default.d/kolab.conf", "/etc/nginx/conf.d/kolab.conf")
    text = "".join(program.file("proxy", "proxy", file) for file in files)
    for host, port in re.findall(r"proxy_pass http://([a-z]+):(\d+)", text):
        assert int(port) in {each["port"] for each in program.service(host)["spec"]["ports"]}


def test_monitoring_is_reached_through_the_proxy_where_there_is_any() -> None:
    text = deployment("cluster").file("proxy", "proxy", "/etc/nginx/default.d/kolab.conf")
    assert [path for path in ("/prometheus", "/alertmanager", "/select") if f"^~ {path} " in text] == [
        "/prometheus",
        "/alertmanager",
        "/select",
    ]
