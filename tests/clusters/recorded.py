"""Recorded clusters as answers of an API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "recorded"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
Object = dict[str, Any]
_NOT_THERE = 404
_VERSION = dict.fromkeys(("buildDate", "compiler", "gitCommit", "gitTreeState", "goVersion", "platform"), "x")


def read(name: str) -> dict[str, Any]:
    """A recorded cluster as its file says it."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return found


def answers(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Path -> answer."""
    return dict(_answers(seen))


def _answers(seen: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    major, minor = seen["version"].removeprefix("v").split(".")[:2]
    yield "/version/", {**_VERSION, "major": major, "minor": minor, "gitVersion": seen["version"]}
    yield "/api/v1/nodes", [_node(each) for each in seen["nodes"]]
    others = [_other(node, **asked) for node, asked in seen.get("requested", {}).items()]
    held = [
        _on_node(home, node["name"], *ports)
        for home, ports in seen.get("daemonSets", {}).items()
        for node in seen["nodes"]
        if ports
    ]
    pods = [_pod(f"pod-{address}", address) for address in seen.get("pods", ())]
    yield "/api/v1/pods", [*pods, *others, *held]
    for home, found in seen.get("podsOf", {}).items():
        yield f"/api/v1/namespaces/{home}/pods", [_pod(f"pod-{at}", at, ports) for at, ports in found.items()]
    dns = seen["dns"]
    home = dns.get("namespace", "kube-system")
    yield f"/api/v1/namespaces/{home}/pods", [_pod(f"dns-{n}", None, dns["ports"]) for n in range(2)]
    yield f"/api/v1/namespaces/{home}/services", [_service(dns["service"], 53)]
    yield "/api/v1/namespaces/default/services/kubernetes", _service(seen["service"], 443)
    cidrs = seen.get("serviceCidrs")
    yield (
        "/apis/networking.k8s.io/v1/servicecidrs",
        _NOT_THERE if cidrs is None else [{"spec": {"cidrs": cidrs}}],
    )
    yield "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", [_slice(seen["api"])]
    for name, key in (("kube-proxy", "kubeProxy"), ("cilium-config", "cilium")):
        data = seen.get(key)
        path = f"/api/v1/namespaces/kube-system/configmaps/{name}"
        yield path, _NOT_THERE if data is None else {"data": data}
    daemon_sets = [_daemon_set(each) for each in seen.get("daemonSets", {})]
    yield "/apis/apps/v1/daemonsets", daemon_sets
    system = [each for each in daemon_sets if each["metadata"]["namespace"] == "kube-system"]
    yield "/apis/apps/v1/namespaces/kube-system/daemonsets", system
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    yield crds, [_crd(each) for each in seen.get("crds", ())]
    yield from _admission(seen)
    yield from _operators(seen)


def _admission(seen: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    shown = {"mutating": [], "validating": []} | seen.get("webhooks", {})
    for kind, found in shown.items():
        yield (
            f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations",
            [{"metadata": {"name": each["name"]}, "webhooks": each["webhooks"]} for each in found],
        )
        for each in found:
            for hook in each["webhooks"]:
                home = hook["clientConfig"]["service"]["namespace"]
                ready = {"addresses": ["10.0.0.9"], "conditions": {"ready": each.get("ready", True)}}
                yield f"/apis/discovery.k8s.io/v1/namespaces/{home}/endpointslices", [{"endpoints": [ready]}]


def _operators(seen: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "metallb" in seen:
        template = {"spec": {"containers": [{"name": "controller", "image": seen["metallb"]["image"]}]}}
        controller = {"metadata": {"name": "controller"}, "spec": {"selector": {}, "template": template}}
        yield "/apis/apps/v1/namespaces/metallb-system/deployments", [controller]
        pools = seen["metallb"].get("pools", {})
        yield (
            "/apis/metallb.io/v1beta1/ipaddresspools",
            [_named(name, {"addresses": ranges}) for name, ranges in pools.items()],
        )
    yield (
        "/apis/monitoring.coreos.com/v1/prometheuses",
        [
            {"metadata": dict(zip(("namespace", "name"), at.split("/"), strict=True)), "spec": spec}
            for at, spec in seen.get("prometheuses", {}).items()
        ],
    )
    issuers = [_named(*each) for each in seen.get("issuers", {}).items()]
    yield "/apis/cert-manager.io/v1/clusterissuers", issuers
    default = "storageclass.kubernetes.io/is-default-class"
    classes = [
        {"metadata": {"name": name, "annotations": {default: str(is_default).lower()}}, "provisioner": "p"}
        for name, is_default in seen.get("storageClasses", {}).items()
    ]
    yield "/apis/storage.k8s.io/v1/storageclasses", classes
    ingress = [_named(name, {"controller": by}) for name, by in seen.get("ingressClasses", {}).items()]
    yield "/apis/networking.k8s.io/v1/ingressclasses", ingress
    yield from _gateways(seen)


def _gateways(seen: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    classes = [_named(name, {"controllerName": by}) for name, by in seen.get("gatewayClasses", {}).items()]
    supported = [{"name": each} for each in seen.get("gatewayFeatures", ())]
    api = "/apis/gateway.networking.k8s.io/v1"
    yield f"{api}/gatewayclasses", [each | {"status": {"supportedFeatures": supported}} for each in classes]
    yield api, resources(*seen.get("gatewayKinds", ("gatewayclasses", "gateways", "httproutes")))
    found = seen.get("gateways", {}).items()
    yield (
        f"{api}/gateways",
        [
            {"metadata": dict(zip(("namespace", "name"), at.split("/"), strict=True)), **each}
            for at, each in found
        ],
    )


def resources(*names: str) -> Object:
    """The kinds of a group of the API, by the names of their addresses."""
    found = [
        {"name": name, "kind": "k", "namespaced": True, "singularName": "", "verbs": ["get"]}
        for name in names
    ]
    return {"kind": "APIResourceList", "groupVersion": "g/v1", "resources": found}


def _named(name: str, spec: Object) -> Object:
    return {"metadata": {"name": name}, "spec": spec}


def _node(shown: Mapping[str, Any]) -> Object:
    spec = {"taints": shown.get("taints", [])} | (
        {"podCIDRs": shown["podCidrs"]} if "podCidrs" in shown else {}
    )
    addresses = [{"type": "InternalIP", "address": each} for each in shown["addresses"]]
    metadata = {"name": shown["name"], "labels": shown.get("labels", {})}
    status = {"addresses": addresses} | (
        {"allocatable": shown["allocatable"]} if "allocatable" in shown else {}
    )
    return {"metadata": metadata, "spec": spec, "status": status}


def _other(node: str, cpu: str, memory: str) -> Object:
    """What other workloads request on a node, as one pod."""
    asked = {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}}
    spec = {"nodeName": node, "containers": [asked]}
    return {
        "metadata": {"name": f"on-{node}", "namespace": "shop"},
        "spec": spec,
        "status": {"phase": "Running"},
    }


def _pod(name: str, address: str | None, ports: Mapping[str, int] | None = None) -> Object:
    given = [
        {"containerPort": number, "protocol": "UDP" if of.startswith("dns") else "TCP"}
        for of, number in (ports or {}).items()
    ]
    spec = {"containers": [{"name": "c", "ports": given}]}
    return {"metadata": {"name": name}, "spec": spec, "status": {"podIP": address, "phase": "Running"}}


def _service(address: str, port: int) -> Object:
    return {"spec": {"clusterIP": address, "ports": [{"port": port, "protocol": "UDP"}]}}


def _slice(servers: list[str]) -> Object:
    ports = {int(each.rpartition(":")[2]) for each in servers}
    return {
        "addressType": "IPv4",
        "endpoints": [{"addresses": [each.rpartition(":")[0]]} for each in servers],
        "ports": [{"port": port} for port in sorted(ports)],
    }


def _on_node(daemon_set: str, node: str, *ports: int) -> Object:
    """The pod of a DaemonSet with ports of its node."""
    namespace, _, name = daemon_set.partition("/")
    given = [{"containerPort": port, "hostPort": port, "protocol": "TCP"} for port in ports]
    keeper = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": name, "uid": "u", "controller": True}
    meta = {"name": f"{name}-{node}", "namespace": namespace, "ownerReferences": [keeper]}
    spec = {"nodeName": node, "containers": [{"name": "c", "ports": given}]}
    return {"metadata": meta, "spec": spec, "status": {"phase": "Running"}}


def _daemon_set(name: str) -> Object:
    namespace, _, own = name.partition("/")
    spec = {"selector": {}, "template": {"spec": {"containers": [{"name": "c"}]}}}
    return {"metadata": {"name": own, "namespace": namespace}, "spec": spec}


def _crd(name: str) -> Object:
    spec = {"group": "g", "names": {"kind": "k", "plural": "p"}, "scope": "s", "versions": []}
    return {"metadata": {"name": name}, "spec": spec}
