"""Certificates: every public name is in one, and the key that DNS names stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.stacks import changed, deploy, deployment, raw


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
        "mta-sts.example.com",
        "autoconfig.example.net",
        "autodiscover.example.org",
    ],
)
def test_the_proxys_certificate_has_each_name_that_clients_use(name: str) -> None:
    assert name in certificates("cluster")["proxy-certificate"]["dnsNames"]


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
    assert handed["type"] == "kubernetes.io/tls"
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
    (key,) = (each for each in stack.of_kind("Secret") if each.get("type") == "kubernetes.io/tls")
    (user,) = (each for each in stack.of_kind(kind) if each["metadata"]["name"].startswith(name))
    assert stack.registered(key).urn in stack.registered(user).dependencies


def test_certificates_of_somebody_else_are_only_mounted() -> None:
    stack = deployment("full")
    assert stack.of_kind("Certificate", "Issuer") == []
    mounted = {
        daemon: next(
            v["secret"]["secretName"]
            for v in stack.workload(daemon).pod["volumes"]
            if v["name"] == "certificate"
        )
        for daemon in ("proxy", "postfix", "imap")
    }
    assert mounted == {"proxy": "our-web", "postfix": "our-mx", "imap": "our-sieve"}
