"""DANE for what we send: keys that receivers publish are demanded, and what cannot be known makes mail wait."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from components import entry
from model import resolver, topology
from model.stack_file import StackFileError
from tests.components.test_postfix import STARTED, environment, image
from tests.support.deploy import Deployment, deploy
from tests.support.images import passwords
from tests.support.rendered import DNS_SERVICE, Neighbourhood
from tests.support.sandbox import Sandbox
from tests.support.signed_world import outcome
from tests.support.stacks import changed, deployment, stack

pytestmark = pytest.mark.security


@pytest.fixture(scope="module")
def sent() -> dict[str, Any]:
    """What became of one message to each receiver of the signed world."""
    return outcome()


def fate(sent: dict[str, Any], label: str) -> str:
    """Of the last attempt to deliver to a receiver's own server."""
    found = re.findall(rf"to=<reader@{label}\.example>, relay=(?!127\.).* status=(\w+ \(.*\))", sent["log"])
    assert found, sent["log"]
    return str(found[-1])


def dane(name: str = "single-node", **outbound: Any) -> Deployment:
    return deploy(changed(name, {"mail": {"outbound": {"dane": True, **outbound}}}))


@pytest.mark.thorough
def test_a_server_that_shows_its_published_key_gets_mail_and_is_verified(sent: dict[str, Any]) -> None:
    assert sent["took"]["right"] == ["right"]
    assert "Verified TLS connection established to mx.right.example" in sent["log"]


@pytest.mark.thorough
def test_a_server_that_shows_another_key_gets_nothing_and_mail_waits(sent: dict[str, Any]) -> None:
    assert (sent["took"]["wrong"], fate(sent, "wrong").startswith("deferred")) == ([], True)


@pytest.mark.thorough
def test_a_server_without_published_keys_gets_mail_over_whatever_tls_it_offers(sent: dict[str, Any]) -> None:
    assert sent["took"]["none"] == ["none"]
    assert "Untrusted TLS connection established to mx.none.example" in sent["log"]


@pytest.mark.thorough
def test_keys_that_nobody_signed_mean_nothing(sent: dict[str, Any]) -> None:
    assert sent["took"]["unsigned"] == ["unsigned"]


@pytest.mark.thorough
def test_a_zone_whose_signatures_are_wrong_is_not_believed_and_mail_waits(sent: dict[str, Any]) -> None:
    assert (sent["took"]["bogus"], fate(sent, "bogus").startswith("deferred")) == ([], True)
    assert "validation failure <bogus.example" in sent["resolver"]


@pytest.mark.thorough
def test_an_exempt_receiver_gets_mail_whatever_key_it_shows(sent: dict[str, Any]) -> None:
    assert sent["took"]["exempt"] == ["exempt"]


@pytest.mark.thorough
def test_mail_waits_while_the_resolver_is_silent_and_goes_on_when_it_is_back(sent: dict[str, Any]) -> None:
    assert (sent["waited"], sent["took"]["later"]) == (True, ["later"])


@pytest.mark.thorough
def test_short_names_of_services_are_found_through_the_resolver(sent: dict[str, Any]) -> None:
    assert sent["inside"] == ["10.43.0.77"]


def test_without_dane_nothing_runs_beside_postfix_and_the_clusters_dns_is_asked() -> None:
    pod = deployment("single-node").workload("postfix").pod
    assert "unbound" not in {each["name"] for each in pod["containers"]}
    assert not {"dnsPolicy", "dnsConfig"} & pod.keys()


def test_the_pod_asks_its_own_resolver_and_no_other() -> None:
    pod = dane().workload("postfix").pod
    assert (pod["dnsPolicy"], pod["dnsConfig"]["nameservers"]) == ("None", ["127.0.0.1"])
    assert {"name": "trust-ad"} in pod["dnsConfig"]["options"]


def test_the_resolver_answers_nobody_outside_of_the_pod() -> None:
    stack = dane()
    assert "interface: 127.0.0.1\n" in stack.file("postfix", "unbound", f"{resolver.PATH}/unbound.conf")
    for service in stack.of_kind("Service"):
        assert 53 not in {port["port"] for port in service["spec"]["ports"]}, service["metadata"]["name"]


def test_the_root_of_the_internet_is_believed_by_its_old_key_and_its_new_one() -> None:
    text = resolver.config(stack("single-node"))
    assert re.findall(r'trust-anchor: "\. DS (\d+) ', text) == ["20326", "38696"]


WORLD = "8.8.8.8"
OWN = "198.51.100.53"


def asked(deployed: Deployment, address: str) -> set[str]:
    """Daemons that may ask for names there."""
    around = Neighbourhood(deployed)
    return {each for each in around.homes if around.may(each, address, "UDP", 53)}


def test_postfix_alone_asks_the_world_for_names() -> None:
    deployed = dane()
    assert asked(deployed, WORLD) == {"postfix"}
    assert "postfix" in asked(deployed, DNS_SERVICE)


def test_resolvers_that_are_listed_are_asked_and_the_world_is_not() -> None:
    deployed = dane(resolvers=[OWN])
    assert (asked(deployed, WORLD), asked(deployed, OWN)) == (set(), {"postfix"})
    assert f'name: "."\nforward-addr: {OWN}\n' in deployed.file(
        "postfix", "unbound", f"{resolver.PATH}/unbound.conf"
    )


def test_names_of_external_engines_and_internal_domains_are_asked_of_the_clusters_dns() -> None:
    text = resolver.config(
        changed("external", {"mail": {"outbound": {"dane": True, "internalDomains": ["corp.example.net"]}}})
    )
    for name in ("cluster.local", "db.example.net", "redis.example.net", "corp.example.net"):
        assert f'domain-insecure: "{name}"\n' in text
        assert f'name: "{name}"\nforward-addr: 10.43.0.10\n' in text


def test_a_silent_address_of_node_local_dns_is_not_asked_unless_it_is_listed() -> None:
    assert resolver.cluster_resolvers(stack("single-node")) == ("10.43.0.10",)
    listed = changed("single-node", {"network": {"dns": {"addresses": ["169.254.20.10"]}}})
    assert resolver.cluster_resolvers(listed) == ("169.254.20.10",)


def start(sandbox: Sandbox, resolv_conf: str, **more: str) -> Any:
    """Runs the entry script of a pod with DANE."""
    deployed = dane()
    image(sandbox)
    sandbox.mount(entry.PATH, deployed.folder("postfix", "postfix", entry.PATH))
    sandbox.put("/etc/resolv.conf", resolv_conf)
    script = deployed.file("postfix", "postfix", f"{entry.PATH}/entry.sh")
    return sandbox.run(script, env=environment() | more)


def test_what_is_demanded_of_the_world_is_demanded_of_neither_amavis_nor_cyrus(sandbox: Sandbox) -> None:
    assert start(sandbox, "nameserver 127.0.0.1\n").returncode == 0
    assert any("smtp/unix/smtp_tls_security_level=dane" in call for call in sandbox.calls)
    assert not any("=dane" in call for call in sandbox.calls if call.startswith("postconf -e"))


@pytest.mark.parametrize(
    "text", ["nameserver 10.43.0.10\n", "nameserver 127.0.0.1\nnameserver 10.43.0.10\n", ""]
)
def test_postfix_does_not_start_where_somebody_else_answers_too(sandbox: Sandbox, text: str) -> None:
    done = start(sandbox, text)
    assert (done.returncode, STARTED in sandbox.calls) == (70, False)
    assert "with DANE this pod asks 127.0.0.1 alone" in done.stderr


def test_a_rehearsal_needs_no_resolver_beside_it(sandbox: Sandbox) -> None:
    passwords(sandbox)
    subprocess.run([sandbox.path("/usr/sbin/saslauthd")], check=True)
    assert start(sandbox, "nameserver 10.43.0.10\n", KOLAB_TASK="rehearse").returncode == 0


def test_nothing_of_the_resolver_is_written_or_let_out_of_its_container() -> None:
    context = dane().workload("postfix").container("unbound")["securityContext"]
    assert context["readOnlyRootFilesystem"]
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}


def test_dane_in_front_of_a_smarthost_is_refused() -> None:
    with pytest.raises(StackFileError, match="dane-relay"):
        dane("host-port")


def test_a_pod_without_the_sidecar_asks_the_clusters_dns() -> None:
    settings = changed("single-node", {"mail": {"outbound": {"dane": True}}})
    assert topology.resolver(stack("single-node"), topology.POSTFIX) is None
    assert topology.resolver(settings, topology.POSTFIX) is not None
    assert topology.resolver(settings, topology.IMAP) is None
