"""What is learnt from a cluster: the real client, an API server that gives prepared answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.observe import observe
from components.observe_where import Where
from model.budget import Room
from model.rules.cluster import ClusterFacts
from model.rules.cluster_gateways import GatewayFacts, SeenGateway
from model.rules.cluster_operators import Taint
from model.rules.cluster_priorities import PriorityClass
from model.settings import ClusterDns
from tests.clusters.recorded import resources
from tests.model.files import settings
from tests.support.api_server import api_server, asked

Object = dict[str, Any]


def pod(name: str, address: str | None, *, own_network: bool = True, phase: str = "Running") -> Object:
    ports = [{"containerPort": 8053, "protocol": "UDP"}, {"containerPort": 9153, "protocol": "TCP"}]
    return {
        "metadata": {"name": name},
        "spec": {"hostNetwork": not own_network, "containers": [{"name": "c", "ports": ports}]},
        "status": {"podIP": address, "phase": phase},
    }


def service(address: str, port: int) -> Object:
    return {"spec": {"clusterIP": address, "ports": [{"port": port, "protocol": "UDP"}]}}


GATEWAY: Object = {
    "metadata": {"name": "public", "namespace": "gateways"},
    "spec": {"gatewayClassName": "eg", "listeners": [{"name": "web", "protocol": "HTTPS", "port": 443}]},
}
VERSION = {
    **dict.fromkeys(("buildDate", "compiler", "gitCommit", "gitTreeState", "goVersion", "platform"), "x"),
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.1+k3s1",
}
ANSWERS: dict[str, Any] = {
    "/version/": VERSION,
    "/api/v1/nodes": [
        {
            "metadata": {"name": "n1"},
            "spec": {"podCIDRs": ["10.42.0.0/24", "fd00:42::/64"]},
            "status": {
                "addresses": [
                    {"type": "Hostname", "address": "n1"},
                    {"type": "InternalIP", "address": "10.7.0.1"},
                    {"type": "ExternalIP", "address": "192.0.2.7"},
                ]
            },
        },
        {"metadata": {"name": "n2"}, "spec": {}},
    ],
    "/api/v1/pods": [
        pod("one", "10.42.0.5"),
        pod("on its node's network", "192.168.1.4", own_network=False),
        pod("ended", "10.42.0.6", phase="Succeeded"),
        pod("new", None, phase="Pending"),
    ],
    "/api/v1/namespaces/kube-system/pods": [pod("coredns-1", "10.42.0.9")],
    "/api/v1/namespaces/kube-system/services": [service("10.43.0.10", 53), service("None", 53), service("10.43.0.8", 80)],
    "/api/v1/namespaces/default/services/kubernetes": {"spec": {"clusterIP": "10.43.0.1", "ports": [{"port": 443}]}},
    "/apis/networking.k8s.io/v1/servicecidrs": [{"spec": {"cidrs": ["10.43.0.0/16"]}}],
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices": [
        {
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.7.0.1"]}, {"addresses": ["10.7.0.2"]}],
            "ports": [{"port": 6443}],
        }
    ],
    "/api/v1/namespaces/kube-system/configmaps/kube-proxy": {
        "data": {"config.conf": "mode: ipvs\nipvs: {strictARP: true}\n"}
    },
    "/api/v1/namespaces/kube-system/configmaps/cilium-config": 404,
    "/apis/apps/v1/namespaces/kube-system/daemonsets": [
        {
            "metadata": {"name": "node-local-dns"},
            "spec": {"selector": {}, "template": {"spec": {"containers": [{"name": "c"}]}}},
        }
    ],
}  # fmt: skip


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the API server answers; KUBECONFIG leads there."""
    with api_server(ANSWERS, tmp_path, monkeypatch) as found:
        yield found


def facts(dns: ClusterDns | None = None) -> ClusterFacts:
    given = settings("cluster")
    network = given.network.model_copy(update={"dns": dns or ClusterDns()})
    kubernetes = given.kubernetes.model_copy(update={"context": None})
    return observe(Where.of(given.model_copy(update={"network": network, "kubernetes": kubernetes})), print)


def test_operators_and_what_keeps_pods_off_nodes_are_read(answers: dict[str, Any]) -> None:
    crd = {
        "metadata": {"name": "issuers.cert-manager.io"},
        "spec": {"group": "g", "names": {"kind": "k", "plural": "p"}, "scope": "s", "versions": []},
    }
    answers["/apis/apiextensions.k8s.io/v1/customresourcedefinitions"] = [crd]
    solvers = [{"http01": {}}, {"dns01": {}, "selector": {"dnsZones": ["example.org"]}}]
    issuer = {"metadata": {"name": "public"}, "spec": {"acme": {"solvers": solvers}}}
    waiting = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    answers["/apis/cert-manager.io/v1/clusterissuers"] = [issuer]
    answers["/apis/cert-manager.io/v1/namespaces/kolab/issuers"] = [
        {"metadata": {"name": "own"}, "spec": {"ca": {}}} | waiting
    ]
    image = {"name": "controller", "image": "quay.io/metallb/controller:v0.13.12"}
    answers["/apis/apps/v1/namespaces/metallb-system/deployments"] = [
        {
            "metadata": {"name": "controller"},
            "spec": {"selector": {}, "template": {"spec": {"containers": [image]}}},
        }
    ]
    speaker = {"name": "speaker", "args": ["--port=7472", "--ignore-exclude-lb"]}
    answers["/apis/apps/v1/daemonsets"] = [
        {
            "metadata": {"name": "speaker", "namespace": "metallb-system"},
            "spec": {"selector": {}, "template": {"spec": {"containers": [speaker]}}},
        }
    ]
    taints = [
        {"key": "mail", "value": "yes", "effect": "NoSchedule"},
        {"key": "soft", "effect": "PreferNoSchedule"},
    ]
    answers["/api/v1/nodes"] = [{"metadata": {"name": "n1"}, "spec": {"taints": taints}}]
    found = facts().operators
    issuers = found.issuers or {}
    assert {*issuers} == {"ClusterIssuer/public", "Issuer/own"}
    assert [solver.http for solver in issuers["ClusterIssuer/public"].solvers] == [True, False]
    assert not issuers["Issuer/own"].ready
    assert found.metallb == "quay.io/metallb/controller:v0.13.12"
    assert found.daemon_sets == frozenset({"speaker"})
    assert found.announces_anywhere
    assert found.taints == {"n1": (Taint("mail", "yes", "NoSchedule"),)}


def test_a_cluster_without_cert_manager_has_no_issuers_to_ask_for(answers: dict[str, Any]) -> None:
    assert facts().operators.issuers is None
    assert not [each for each in asked() if "cert-manager" in each]


def test_the_network_of_a_cluster_is_read(answers: dict[str, Any]) -> None:
    network = facts().network
    assert network.node_networks == ("10.42.0.0/24", "fd00:42::/64")
    assert network.service_networks == ("10.43.0.0/16",)
    assert network.service == "10.43.0.1"
    assert set(network.api or ()) == {("10.7.0.1", 6443), ("10.7.0.2", 6443)}


def test_pods_that_live_on_their_nodes_network_or_have_ended_say_nothing_about_the_pods_network(
    answers: dict[str, Any],
) -> None:
    assert set(facts().network.pods or ()) == {"10.42.0.5"}


def test_the_clusters_dns_is_read_with_the_ports_of_its_pods(answers: dict[str, Any]) -> None:
    network = facts().network
    assert network.dns_ports == {"coredns-1": frozenset({8053})}
    assert set(network.dns_services or ()) == {"10.43.0.10"}
    assert network.node_local_dns is True


def test_dns_is_looked_for_where_the_stack_file_says_it_is(answers: dict[str, Any]) -> None:
    assert facts(ClusterDns(namespace="dns", labels={"app": "a", "tier": ("b", "c")})).network.dns_ports == {}
    assert "/api/v1/namespaces/dns/pods app in (a),tier in (b,c)" in asked()


def test_a_cluster_older_than_its_list_of_service_networks_has_none(answers: dict[str, Any]) -> None:
    answers["/apis/networking.k8s.io/v1/servicecidrs"] = 404
    assert facts().network.service_networks is None


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/pods", "pods"),
        ("/api/v1/namespaces/kube-system/pods", "dns_ports"),
        ("/api/v1/namespaces/kube-system/services", "dns_services"),
        ("/api/v1/namespaces/default/services/kubernetes", "service"),
        ("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", "api"),
        ("/apis/networking.k8s.io/v1/servicecidrs", "service_networks"),
    ],
)
def test_what_the_account_may_not_read_is_unknown_and_the_rest_is_read(
    answers: dict[str, Any], path: str, field: str
) -> None:
    whole = facts().network
    answers[path] = 403
    network = facts().network
    assert getattr(network, field) is None
    others = {"pods", "dns_ports", "service", "api"} - {field}
    assert {name: getattr(network, name) for name in others} == {
        name: getattr(whole, name) for name in others
    }


def test_ingress_classes_are_read_with_the_controllers_that_serve_them(answers: dict[str, Any]) -> None:
    classes = [
        {"metadata": {"name": "traefik"}, "spec": {"controller": "traefik.io/ingress-controller"}},
        {"metadata": {"name": "strange"}, "spec": {}},
    ]
    answers["/apis/networking.k8s.io/v1/ingressclasses"] = classes
    assert facts().ingress_classes == {"traefik": "traefik.io/ingress-controller", "strange": ""}


@pytest.mark.parametrize(
    ("annotations", "default"),
    [
        ({"storageclass.kubernetes.io/is-default-class": "true"}, True),
        ({"storageclass.beta.kubernetes.io/is-default-class": "true"}, True),
        ({"storageclass.kubernetes.io/is-default-class": "false"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_the_default_storage_class_is_known_by_either_annotation(
    answers: dict[str, Any], annotations: dict[str, str] | None, default: bool
) -> None:
    meta = {"name": "disks", "annotations": annotations}
    answers["/apis/storage.k8s.io/v1/storageclasses"] = [{"metadata": meta, "provisioner": "p"}]
    assert facts().storage_classes == {"disks": default}


def test_priority_classes_are_read_with_their_values(answers: dict[str, Any]) -> None:
    answers["/apis/scheduling.k8s.io/v1/priorityclasses"] = [
        {"metadata": {"name": "gold"}, "value": 5000},
        {"metadata": {"name": "all"}, "value": 7, "globalDefault": True},
    ]
    assert facts().priority_classes == {"gold": PriorityClass(5000), "all": PriorityClass(7, default=True)}


def test_priority_classes_that_may_not_be_read_are_not_judged(answers: dict[str, Any]) -> None:
    answers["/apis/scheduling.k8s.io/v1/priorityclasses"] = 403
    assert facts().priority_classes is None


def test_what_nodes_offer_is_read_of_those_that_take_pods(answers: dict[str, Any]) -> None:
    def node(name: str, **spec: Any) -> Object:
        allocatable = {"cpu": "3920m", "memory": "7937Mi"}
        return {"metadata": {"name": name}, "spec": spec, "status": {"allocatable": allocatable}}

    answers["/api/v1/nodes"] = [node("n1"), node("n2", unschedulable=True)]
    assert facts().rooms == {"n1": Room(3920, 7937 * 1024**2)}


def kept_by(kind: str, name: str, namespace: str, *ports: Object, **spec: Any) -> Object:
    """A pod of a workload on a node."""
    keeper = {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": True}
    labels = {"pod-template-hash": "5d8f"}
    return {
        "metadata": {"name": f"{name}-x", "namespace": namespace, "ownerReferences": [keeper], "labels": labels},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "ports": [*ports]}], **spec},
        "status": {"phase": "Running"},
    }  # fmt: skip


def test_ports_that_pods_hold_on_their_nodes_are_read_whoever_keeps_them(answers: dict[str, Any]) -> None:
    web, other = {"containerPort": 8443, "hostPort": 443}, {"containerPort": 53, "protocol": "UDP"}
    sidecar = {"name": "s", "restartPolicy": "Always", "ports": [{"containerPort": 1, "hostPort": 4190}]}
    ended = {**kept_by("Job", "j", "shop", web), "status": {"phase": "Succeeded"}}
    answers["/api/v1/pods"] = [
        kept_by("ReplicaSet", "traefik-5d8f", "traefik", web),
        kept_by("StatefulSet", "cache", "shop", other, hostNetwork=True),
        kept_by("DaemonSet", "quiet", "else", {"containerPort": 25}),
        kept_by("DaemonSet", "beside", "else", initContainers=[sidecar]),
        kept_by("DaemonSet", "waiting", "else", web, nodeName=None),
        kept_by("StatefulSet", "postfix", "kolab", {"containerPort": 25, "hostPort": 25}),
        kept_by("DaemonSet", "vector", "kolab-logs", {"containerPort": 26, "hostPort": 26}),
        ended,
    ]
    assert [(each.node, each.number, each.protocol, each.holder) for each in facts().held_ports or ()] == [
        ("n1", 53, "UDP", "shop/cache"),
        ("n1", 443, "TCP", "traefik/traefik"),
        ("n1", 4190, "TCP", "else/beside"),
    ]


def test_nodes_that_do_not_say_what_they_offer_are_not_counted(answers: dict[str, Any]) -> None:
    assert facts().rooms == {}


def test_the_version_and_the_addresses_of_nodes_are_read(answers: dict[str, Any]) -> None:
    found = facts()
    assert found.version == "v1.34.1+k3s1"
    assert found.network.node_addresses == {"10.7.0.1": "n1", "192.0.2.7": "n1"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"data": {"config.conf": "mode: ipvs\nipvs: {strictARP: true}\n"}}, (True, True)),
        ({"data": {"config.conf": "mode: ipvs\n"}}, (True, False)),
        ({"data": {"config.conf": "mode: ''\nipvs: {strictARP: false}\n"}}, (False, False)),
        ({"data": {"config.conf": "[unclosed"}}, (None, None)),
        ({"data": None}, (None, None)),
        (404, (None, None)),
        (403, (None, None)),
    ],
)
def test_kube_proxy_is_read_where_a_config_map_configures_it(
    answers: dict[str, Any], config: Any, expected: tuple[bool | None, bool | None]
) -> None:
    answers["/api/v1/namespaces/kube-system/configmaps/kube-proxy"] = config
    network = facts().network
    assert (network.ipvs, network.strict_arp) == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"data": {"policy-cidr-match-mode": "nodes"}}, True),
        ({"data": {"policy-cidr-match-mode": ""}}, False),
        ({"data": {}}, False),
        (404, None),
    ],
)
def test_what_a_network_means_to_cilium_is_read(
    answers: dict[str, Any], config: Any, expected: bool | None
) -> None:
    answers["/api/v1/namespaces/kube-system/configmaps/cilium-config"] = config
    assert facts().network.cidr_holds_nodes is expected


def test_an_answer_that_makes_no_sense_is_said_and_not_believed(
    answers: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    answers["/version/"] = {"gitVersion": 7}
    assert facts().version is None
    assert "its version numbers were not looked at" in capsys.readouterr().out


def test_pools_and_gateways_are_read_where_their_kinds_are_known(answers: dict[str, Any]) -> None:
    assert facts().operators.pools is None
    assert facts().gateways == GatewayFacts(kinds=frozenset())
    spec = {"group": "g", "names": {"kind": "k", "plural": "p"}, "scope": "s", "versions": []}
    names = ("ipaddresspools.metallb.io", "gatewayclasses.gateway.networking.k8s.io")
    answers["/apis/apiextensions.k8s.io/v1/customresourcedefinitions"] = [
        {"metadata": {"name": name}, "spec": spec} for name in names
    ]
    answers["/apis/metallb.io/v1beta1/ipaddresspools"] = [
        {"metadata": {"name": "public"}, "spec": {"addresses": ["192.0.2.16/28"]}}
    ]
    answers["/apis/gateway.networking.k8s.io/v1/gatewayclasses"] = [
        {
            "metadata": {"name": "eg"},
            "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
            "status": {"supportedFeatures": [{"name": "BackendTLSPolicy"}, "HTTPRoute"]},
        }
    ]
    answers["/apis/gateway.networking.k8s.io/v1"] = resources("gateways", "httproutes")
    answers["/apis/gateway.networking.k8s.io/v1/gateways"] = [GATEWAY]
    assert facts().operators.pools == {"public": ("192.0.2.16/28",)}
    assert facts().gateways == GatewayFacts(
        kinds=frozenset({"gateways", "httproutes"}),
        classes={"eg": "gateway.envoyproxy.io/gatewayclass-controller"},
        features={"eg": frozenset({"BackendTLSPolicy", "HTTPRoute"})},
        gateways={"gateways/public": SeenGateway.read(GATEWAY)},
    )


def test_pods_of_who_serves_the_websites_are_read_where_somebody_does(answers: dict[str, Any]) -> None:
    assert facts().controllers is None
    found = [
        pod("a", "10.42.7.3"),
        pod("b", "10.7.0.1", own_network=False),
        pod("another on this node's network", "10.7.0.1", own_network=False),
        pod("c", None, phase="Pending"),
        pod("d", "10.42.7.9", phase="Failed"),
        pod("svclb-traefik-4f1c-x", "10.42.8.2"),
    ]
    found[2]["spec"]["containers"][0]["ports"] = [{"containerPort": 443}]
    answers["/api/v1/namespaces/traefik/pods"] = found
    seen = observe(Where(context=None, controllers="traefik"), print)
    assert seen.controllers == {"10.42.7.3": frozenset({9153}), "10.7.0.1": frozenset({443, 9153})}
