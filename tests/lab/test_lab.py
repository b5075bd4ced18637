"""The lab does what real clusters do, where our tests depend on it. Uses the lab that is up, or one of its own."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest
from cryptography import x509

from tests.lab import programs
from tests.lab.cluster import Lab
from tests.lab.errors import LabError
from tests.lab.progress import wait_until
from tests.lab.use import CLUSTER, LOCAL, Apply, in_pod, reaches, seen_by
from tests.lab.workloads import claim, echo, load_balancer, network_policy, service

pytestmark = pytest.mark.acceptance

_ASK = """
import sys, dns.flags, dns.message, dns.query, dns.rcode
query = dns.message.make_query(sys.argv[2], "SOA", want_dnssec=True)
answer = dns.query.udp_with_fallback(query, sys.argv[1], timeout=5)[0]
print("signed, " * bool(answer.flags & dns.flags.AD) + dns.rcode.to_text(answer.rcode()))
"""


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_the_clients_address_survives_the_policy_local_and_not_cluster(
    lab: Lab, apply: Apply, protocol: str
) -> None:
    apply(
        echo("echo", node="n1"),
        load_balancer("local", "echo", "Local", LOCAL),
        load_balancer("cluster", "echo", "Cluster", CLUSTER),
    )
    assert seen_by(lab, LOCAL, protocol) == lab.internet.address
    assert seen_by(lab, CLUSTER, protocol) != lab.internet.address


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_it_is_known_which_node_holds_an_address(lab: Lab, apply: Apply, node: str) -> None:
    """With the policy Local, only the node of the pod may."""
    apply(echo("echo", node=node), load_balancer("local", "echo", "Local", LOCAL))
    seen_by(lab, LOCAL)
    assert lab.holder(LOCAL) == node


def test_pods_have_names_of_the_cluster_and_of_the_internet(lab: Lab, apply: Apply) -> None:
    apply(echo("echo"), service("named", "echo"))
    zone = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 1\n@ NS ns\nns A 203.0.113.53\n@ MX 10 mx\nmx A 203.0.113.9\n"
    lab.internet.dns.load({"example.com": zone})
    assert lab.internet.resolve("example.com", "MX") == ["10 mx.example.com."]
    assert lab.internet.resolve("nobody.example", "A") == []
    assert lab.internet.run(["getent", "ahostsv4", "mx.example.com"]).startswith("203.0.113.9 ")
    assert "203.0.113.9" in in_pod(lab, "echo", "nslookup", "mx.example.com")
    assert reaches(lab, "echo", "named.default.svc.cluster.local:80")


def test_a_zone_with_an_error_is_refused_by_name(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"broken\.example"):
        lab.internet.dns.load({"broken.example": "@ MX nonsense\n"})


@pytest.mark.parametrize(
    ("forged", "said"), [((), "signed, NOERROR"), (("example.com",), "SERVFAIL")], ids=["holds", "forged"]
)
def test_signatures_of_a_zone_that_is_vouched_for_are_checked(
    lab: Lab, forged: tuple[str, ...], said: str
) -> None:
    zone = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 1\n@ NS ns\nns A 203.0.113.53\n"
    served = lab.internet.dns
    served.load({"example.com": zone, "example.net": zone})
    served.vouch({"example.com"}, forged=forged)
    try:
        assert lab.internet.run([sys.executable, "-c", _ASK, served.resolver, "example.com"]).strip() == said
        unsigned = lab.internet.run([sys.executable, "-c", _ASK, served.resolver, "example.net"])
        assert unsigned.strip() == "NOERROR"
    finally:
        served.vouch(())


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_the_internet_sees_a_nodes_configured_address(lab: Lab, apply: Apply, node: str) -> None:
    apply(echo("sender", node=node))
    server = lab.internet.start([programs.program("echo"), "serve", "8025", "8025/udp"])
    try:
        for protocol in ("tcp", "udp"):
            wait_until(
                "the server answers",
                lambda p=protocol: reaches(lab, "sender", f"{lab.internet.address}:8025", p),
            )
            answer = in_pod(lab, "sender", "/echo", "ask", protocol, f"{lab.internet.address}:8025")
            assert f"client={lab.settings.egress[node]}" in answer
    finally:
        server.terminate()
        server.wait()


def test_a_node_without_egress_reaches_dns_only(lab: Lab, apply: Apply) -> None:
    apply(echo("sender", node="n1"))
    server = lab.internet.start([programs.program("echo"), "serve", "8025"])
    there = f"{lab.internet.address}:8025"
    try:
        wait_until("the server answers", lambda: reaches(lab, "sender", there))
        # As with a cloud's addresses, what comes in to a node's own one arrives at the node: nobody listens.
        ask: list[str | Path] = [programs.program("echo"), "ask", "tcp", f"{lab.settings.egress['n1']}:25"]
        assert "connection refused" in lab.internet.ask(ask).stderr
        lab.set_egress({"n2": lab.settings.egress["n2"]})
        assert not reaches(lab, "sender", there)
        assert "ns.invalid" in in_pod(lab, "sender", "nslookup", "-type=soa", ".", lab.settings.internet_dns)
    finally:
        lab.set_egress(lab.settings.egress)
        server.terminate()
        server.wait()


@pytest.mark.parametrize("mode", ["ReadWriteOnce", "ReadWriteOncePod"])
@pytest.mark.parametrize("storage_class", [None, "movable"])
def test_a_volume_survives_its_pod(lab: Lab, apply: Apply, storage_class: str | None, mode: str) -> None:
    apply(claim("data", storage_class, [mode]), echo("keeper", claim="data", security={"fsGroup": 1234}))
    in_pod(lab, "keeper", "sh", "-c", "echo kept > /data/file")
    lab.kubectl("rollout", "restart", "deployment/keeper")
    lab.kubectl("rollout", "status", "deployment/keeper", "--timeout=90s")
    assert in_pod(lab, "keeper", "cat", "/data/file") == "kept"
    group = in_pod(lab, "keeper", "stat", "-c", "%g", "/data")
    assert group == ("1234" if storage_class == "movable" else "0")


def test_a_local_volume_binds_its_pod_to_the_node_and_a_movable_one_does_not(lab: Lab, apply: Apply) -> None:
    apply(claim("bound"), claim("free", "movable"))
    apply(echo("stays", claim="bound", node="n1"), echo("goes", claim="free", node="n1"))
    in_pod(lab, "goes", "sh", "-c", "echo kept > /data/file")
    for name in ("stays", "goes"):
        move = {"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": "n2"}}}}}
        lab.kubectl("patch", "deployment", name, "-p", json.dumps(move))
    lab.kubectl("rollout", "status", "deployment/goes", "--timeout=90s")
    assert in_pod(lab, "goes", "cat", "/data/file") == "kept"
    wait_until(
        "the other cannot be scheduled",
        lambda: "Unschedulable" in lab.kubectl("get", "pods", "-l", "app=stays", "-o", "jsonpath={..reason}"),
    )


def test_a_volume_is_deleted_with_its_claim(lab: Lab, apply: Apply) -> None:
    apply(claim("gone", "movable"), echo("user", claim="gone"))
    volume = lab.get("pvc", "gone")["spec"]["volumeName"]
    assert (lab.state / "volumes" / volume).is_dir()
    lab.kubectl("delete", "deployment/user", "pvc/gone")
    wait_until("its data is gone", lambda: not (lab.state / "volumes" / volume).exists())


def test_a_node_that_is_on_is_not_disturbed_by_switching_it_on(lab: Lab) -> None:
    node = lab.node("n1")
    written = lambda: {path: path.stat().st_mtime_ns for path in (node.disk / "etc").iterdir()}  # noqa: E731
    before = written()
    node.boot()
    assert written() == before


def test_a_network_policy_blocks_what_it_does_not_allow(lab: Lab, apply: Apply) -> None:
    labels = {"kubernetes.io/metadata.name": "elsewhere"}
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}})
    apply(
        echo("server", node="n1", ports={"http": 8080, "other": 8081}),
        service("server", "server"),
        echo("friend", node="n1", labels={"role": "friend"}),
        echo("remote", node="n2", labels={"role": "friend"}),
        echo("stranger", node="n1"),
        echo("foreign", namespace="elsewhere", node="n2"),
    )
    pods = {
        p["metadata"]["labels"]["app"]: p["status"]["podIP"]
        for p in lab.get("pods", "-A", "-l", "app")["items"]
    }
    assert reaches(lab, "stranger", "server:80")
    rule = {"from": [{"podSelector": {"matchLabels": {"role": "friend"}}}], "ports": [{"port": "http"}]}
    apply(network_policy("server", podSelector={"matchLabels": {"app": "server"}}, ingress=[rule]))
    wait_until("the stranger is shut out", lambda: not reaches(lab, "stranger", "server:80"))
    lab.wait_policies()
    assert reaches(lab, "friend", "server:80")
    assert reaches(lab, "remote", "server:80")
    assert not reaches(lab, "friend", f"{pods['server']}:8081")
    assert not reaches(lab, "remote", f"{pods['server']}:8080", "udp")
    assert not reaches(lab, "foreign", f"{pods['server']}:8080", namespace="elsewhere")

    everything = network_policy(
        "nothing-out", podSelector={"matchLabels": {"app": "friend"}}, policyTypes=["Egress"]
    )
    apply(everything)
    wait_until("the friend cannot get out", lambda: not reaches(lab, "friend", f"{pods['server']}:8080"))
    assert not reaches(lab, "friend", "remote.default:80")
    assert reaches(lab, "remote", f"{pods['friend']}:8080"), "answers are not new connections"

    only = {"to": [{"namespaceSelector": {"matchLabels": labels}}]}
    apply(
        network_policy(
            "elsewhere-only",
            podSelector={"matchLabels": {"app": "remote"}},
            egress=[only],
            policyTypes=["Egress"],
        )
    )
    wait_until("the remote one is bound", lambda: not reaches(lab, "remote", f"{pods['stranger']}:8080"))
    assert reaches(lab, "remote", f"{pods['foreign']}:8080")
    # The kubelet's probes come from the node and pass all the time.
    assert (
        lab.get("pods", "-l", "app=server")["items"][0]["status"]["containerStatuses"][0]["restartCount"] == 0
    )


def test_a_network_policy_sees_the_internets_client(lab: Lab, apply: Apply) -> None:
    apply(echo("echo", node="n1"), load_balancer("local", "echo", "Local", LOCAL))
    assert seen_by(lab, LOCAL) == lab.internet.address
    block = {"cidr": "0.0.0.0/0", "except": [f"{lab.internet.address}/32"]}
    apply(network_policy("not-him", ingress=[{"from": [{"ipBlock": block}]}]))
    ask: list[str | Path] = [programs.program("echo"), "ask", "tcp", f"{LOCAL}:80"]
    wait_until("the client is shut out", lambda: lab.internet.ask(ask).returncode != 0)


CERTIFICATE = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "Certificate",
    "metadata": {"name": "mail", "namespace": "default"},
    "spec": {
        "secretName": "mail-tls",
        "dnsNames": ["mail.example.org"],
        "issuerRef": {"kind": "ClusterIssuer", "name": "public"},
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
    },
}
ISSUER = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "ClusterIssuer",
    "metadata": {"name": "public"},
    "spec": {
        "acme": {
            "server": "https://acme.example/directory",
            "privateKeySecretRef": {"name": "account"},
            "solvers": [{"http01": {"ingress": {}}}],
        }
    },
}


def test_a_certificate_becomes_a_secret_and_its_key_is_kept(lab: Lab, apply: Apply) -> None:
    apply(ISSUER, CERTIFICATE)
    lab.kubectl("wait", "--for=condition=Ready", "certificate/mail", "--timeout=60s")
    first = lab.get("secret", "mail-tls")
    assert first["type"] == "kubernetes.io/tls"
    more = {"spec": {"dnsNames": ["mail.example.org", "smtp.example.org"]}}
    lab.kubectl("patch", "certificate", "mail", "--type=merge", "-p", json.dumps(more))
    wait_until(
        "it is issued again",
        lambda: lab.get("secret", "mail-tls")["data"]["tls.crt"] != first["data"]["tls.crt"],
    )
    second = lab.get("secret", "mail-tls")
    assert second["data"]["tls.key"] == first["data"]["tls.key"]
    authority = x509.load_pem_x509_certificate(lab.issuer_certificate.read_bytes())
    issued = x509.load_pem_x509_certificate(base64.b64decode(second["data"]["tls.crt"]))
    issued.verify_directly_issued_by(authority)
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mail.example.org", "smtp.example.org"]
