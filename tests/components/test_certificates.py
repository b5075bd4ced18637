"""Certificates: every public name is in one, and the key that DNS names stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.deploy import Deployment, deploy, way_in
from tests.support.stacks import changed, deployment, raw

SHOWING = ("proxy", "postfix", "imap")
"""Daemons that show a certificate."""


def shown_by(stack: Deployment, daemon: str) -> dict[str, Any]:
    """The Secret that holds it, as the daemon's pods mount it."""
    volumes = stack.workload(daemon).pod["volumes"]
    found: dict[str, Any] = next(each["secret"] for each in volumes if each["name"] == "certificate")
    return found


def certificates(name: str) -> dict[str, dict[str, Any]]:
    found = deployment(name).of_kind("Certificate")
    return {each["spec"]["secretName"]: each["spec"] for each in found}


def test_the_mx_certificate_begins_with_the_name_that_senders_check() -> None:
    names = next(spec["dnsNames"] for secret, spec in certificates("cluster").items() if "mx" in secret)
    assert names == ["mx.example.org", "mail.example.org"]


def test_sieve_clients_see_the_name_that_they_called() -> None:
    assert certificates("single-node")["sieve-certificate"]["dnsNames"] == ["sieve.example.org"]


@pytest.mark.parametrize(
    "name",
    [
        "example.org",
        "admin.example.org",
        "reseller.example.org",
        "imap.example.org",
        "smtp.example.org",
        "mta-sts.example.org",
        "autoconfig.example.org",
        "autodiscover.example.org",
    ],
)
def test_the_proxys_certificate_has_each_name_that_clients_use(name: str) -> None:
    assert name in certificates("cluster")["proxy-certificate"]["dnsNames"]


def test_each_hosted_domain_has_a_certificate_that_can_harm_nobody_else() -> None:
    found = certificates("cluster")
    for domain in ("example.net", "example.com"):
        names = [f"{label}.{domain}" for label in ("mta-sts", "autoconfig", "autodiscover")]
        assert found[f"tls.{domain}"]["dnsNames"] == names
        others = [spec["dnsNames"] for secret, spec in found.items() if secret != f"tls.{domain}"]
        assert not any(name.endswith(f".{domain}") for names in others for name in names)


def test_hosted_domains_are_certified_after_all_that_shows_a_certificate_of_ours_is_rehearsed_with_it() -> (
    None
):
    stack = deployment("cluster")
    rehearsed = {
        each.urn for each in stack.resources if each.name in {f"{one}-rehearsal-job" for one in SHOWING}
    }
    assert len(rehearsed) == len(SHOWING)
    hosted = [each for each in stack.resources if each.name.startswith("certificates-tls.")]
    assert len(hosted) == 2
    assert all(rehearsed <= each.dependencies for each in hosted)


def test_no_certificate_has_more_names_than_authorities_allow() -> None:
    hosted = [f"customer{number}.example" for number in range(120)]
    found = way_in(changed("cluster", {"hostedDomains": hosted, "scope": "cluster"})).of_kind("Certificate")
    own = way_in(changed("cluster", {"hostedDomains": [], "scope": "cluster"})).of_kind("Certificate")
    assert len(found) == len(own) + len(hosted)
    assert max(len(each["spec"]["dnsNames"]) for each in found) < 20


def test_the_proxy_starts_before_a_domain_has_its_certificate() -> None:
    (volume,) = (
        each for each in deployment("cluster").workload("proxy").pod["volumes"] if each["name"] == "domains"
    )
    projected = {each["secret"]["name"]: each["secret"] for each in volume["projected"]["sources"]}
    assert set(projected) == {"tls.example.net", "tls.example.com"}
    for each in projected.values():
        assert each["optional"] is True
        assert [item["key"] for item in each["items"]] == ["tls.crt", "tls.key"]


def test_certificates_from_elsewhere_may_be_given_for_each_hosted_domain() -> None:
    tls = {
        "issuer": "secrets",
        "proxy": "web",
        "mx": "mx",
        "sieve": "sieve",
        "domains": {"example.net": "theirs"},
    }
    program = deploy(changed("cluster", {"tls": tls, "tlsa": None}))
    (volume,) = (each for each in program.workload("proxy").pod["volumes"] if each["name"] == "domains")
    assert [each["secret"]["name"] for each in volume["projected"]["sources"]] == ["theirs"]


def test_an_ingress_controller_shows_each_domain_its_own_certificate() -> None:
    ingress = {
        "className": "nginx",
        "namespace": "ingress",
        "controllerCidr": "10.42.1.0/24",
        "addresses": ["192.0.2.99"],
    }
    network = {**raw("cluster")["network"], "ingress": ingress}
    (made,) = way_in(changed("cluster", {"network": network})).of_kind("Ingress")
    shown = {each["secretName"]: each["hosts"] for each in made["spec"]["tls"]}
    assert shown["tls.example.net"] == [
        "mta-sts.example.net",
        "autoconfig.example.net",
        "autodiscover.example.net",
    ]
    hosts = [host for found in shown.values() for host in found]
    assert sorted(hosts) == sorted({rule["host"] for rule in made["spec"]["rules"]})


def test_a_renewal_keeps_the_key_that_dns_may_name() -> None:
    for spec in certificates("cluster").values():
        assert spec["privateKey"]["rotationPolicy"] == "Never"


def test_the_stacks_own_authority_signs_what_nobody_else_does() -> None:
    # The template of `make up` names no issuer.
    issuers = {each["metadata"]["name"]: each["spec"] for each in deployment("local").of_kind("Issuer")}
    for secret in ("proxy-certificate", "mx-certificate", "sieve-certificate"):
        issuer = certificates("local")[secret]["issuerRef"]["name"]
        assert issuers[issuer] == {"ca": {"secretName": "kolab-authority"}}
    assert certificates("local")["kolab-authority"]["isCA"] is True


def test_the_token_for_the_zones_is_in_a_secret() -> None:
    (issuer,) = deployment("cluster").of_kind("Issuer")
    (solver,) = issuer["spec"]["acme"]["solvers"]
    reference = solver["dns01"]["cloudflare"]["apiTokenSecretRef"]
    token = deployment("cluster").get("Secret", reference["name"])["stringData"][reference["key"]]
    assert token == deployment("cluster").sentinels["cloudflareApiToken"]


def test_a_token_of_its_own_keeps_the_one_that_publishes_out_of_the_cluster() -> None:
    program = deploy(changed("cluster", {"tls": {**raw("cluster")["tls"], "ownToken": True}}))
    assert "cloudflareApiToken" not in program.sentinels
    holders = program.holders_of(program.sentinels["acmeCloudflareToken"])
    assert {each.partition("/")[0] for each in holders} == {"Secret"}


def test_an_issuer_that_is_there_already_is_used_as_it_is() -> None:
    assert deployment("single-node").of_kind("Issuer") == []
    assert certificates("single-node")["mx-certificate"]["issuerRef"] == {
        "name": "letsencrypt",
        "kind": "ClusterIssuer",
        "group": "cert-manager.io",
    }


def test_the_key_that_dane_names_is_handed_to_cert_manager() -> None:
    (secret,) = (each for each in certificates("cluster") if each.startswith("mx-certificate-"))
    handed = deployment("cluster").get("Secret", secret)
    assert handed["stringData"]["tls.key"] == deployment("cluster").sentinels["mxKey"]
    (volume,) = (
        each
        for each in deployment("cluster").workload("postfix").pod["volumes"]
        if each["name"] == "certificate"
    )
    assert volume["secret"]["secretName"] == secret


@pytest.mark.parametrize(("kind", "name"), [("Certificate", "mx-certificate-"), ("StatefulSet", "postfix")])
def test_whoever_needs_the_key_that_dane_names_comes_after_it(kind: str, name: str) -> None:
    # cert-manager makes a key of its own for a Certificate that finds none, and no TLSA record has its hash.
    stack = deployment("cluster")
    (key,) = (each for each in stack.of_kind("Secret") if "tls.key" in each.get("stringData", {}))
    (user,) = (each for each in stack.of_kind(kind) if each["metadata"]["name"].startswith(name))
    assert stack.registered(key).urn in stack.registered(user).dependencies


def test_certificates_of_somebody_else_are_only_mounted() -> None:
    stack = deployment("full")
    assert stack.of_kind("Certificate", "Issuer") == []
    mounted = {daemon: shown_by(stack, daemon)["secretName"] for daemon in SHOWING}
    assert mounted == {"proxy": "our-web", "postfix": "our-mx", "imap": "our-sieve"}


def test_a_key_that_waits_for_its_certificate_is_no_broken_certificate_to_the_api_server() -> None:
    """The API server wants a certificate in a kubernetes.io/tls Secret."""
    (secret,) = (each for each in certificates("cluster") if each.startswith("mx-certificate-"))
    made = deployment("cluster").get("Secret", secret)
    assert (made["type"], made["stringData"].keys()) == ("Opaque", {"tls.key"})


def test_nothing_that_shows_a_certificate_starts_while_its_secret_has_a_key_alone() -> None:
    volumes = [v for each in deployment("cluster").workloads for v in each.pod.get("volumes", ())]
    secrets = [each["secret"] for each in volumes if each["name"] == "certificate"]
    # Each daemon and its rehearsal.
    assert len(secrets) == 2 * len(SHOWING)
    for secret in secrets:
        assert "optional" not in secret
        assert [each["key"] for each in secret["items"]] == ["tls.crt", "tls.key"]
