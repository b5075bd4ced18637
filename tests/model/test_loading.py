"""From the keys of a stack file to settings, or to all that is wrong with them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from model.findings import Finding, report
from model.secrets import secrets
from model.shape import path
from model.stack_file import StackFileError, load
from tests.model.files import Raw, places, raw, refused, settings

SENTINEL = "S3cretSentinelValue"


def message(values: Raw, secret_keys: tuple[str, ...] = (), **options: Any) -> str:
    """What the operator reads when the file is refused."""
    with pytest.raises(StackFileError) as caught:
        load(values, secret_keys, **{"need_secrets": False, **options})
    return str(caught.value)


# The three refusals that a reviewer tries first.


def test_a_missing_smtp_address_in_cluster_mode_is_one_sentence() -> None:
    assert message(raw("cluster", {"network/addresses/smtp": None})) == (
        "error in the stack file: kolab:network.addresses.smtp: is missing in cluster mode. Fix: choose an address"
        " for it that no machine and no other pool of MetalLB has, e.g. smtp: 203.0.113.10. [address-missing]"
    )


def test_one_address_for_two_daemons_is_one_sentence() -> None:
    said = message(raw("cluster", {"network/addresses/smtp": "10.20.0.10"}))
    assert said.startswith(
        "error in the stack file: kolab:network.addresses.smtp: is 10.20.0.10, which proxy has already."
    )
    assert "\n" not in said


def test_a_misspelt_mode_is_one_sentence() -> None:
    assert message(raw("cluster", {"mode": "custer"})) == (
        "error in the stack file: kolab:mode: must be 'single-node' or 'cluster'. Fix: did you mean cluster? [value]"
    )


# Everything at once.


def test_a_typing_error_does_not_hide_what_contradicts_another_key() -> None:
    found = places(refused(raw("cluster", {"dns/ttl": "soon", "replicas/postfix": 3, "nonsense": 1})))
    assert found == {
        ("value", "kolab:dns.ttl"),
        ("egress-too-few-nodes", "kolab:replicas.postfix"),
        ("unknown-key", "kolab:nonsense"),
    }


def test_every_faulty_element_of_a_list_is_named_by_its_own_place() -> None:
    found = places(refused(raw("cluster", {"hostedDomains": ["-", "example.net", "_"]})))
    assert found == {("value", "kolab:hostedDomains[0]"), ("value", "kolab:hostedDomains[2]")}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"network/egress/mode": "nods"}, {("value", "kolab:network.egress.mode")}),
        ({"network/egress/nodes": {"worker1": ["x"]}}, {("value", "kolab:network.egress.nodes.worker1[0]")}),
        ({"network/addresses": "x"}, {("value", "kolab:network.addresses")}),
        ({"network": "x"}, {("value", "kolab:network")}),
        ({"network/addresses": None, "network/adresses": {}}, {("unknown-key", "kolab:network.adresses")}),
        ({"network": None, "netwrok": {}}, {("unknown-key", "kolab:netwrok")}),
        ({"network/addresses/smtp": "x"}, {("value", "kolab:network.addresses.smtp[0]")}),
    ],
)
def test_a_value_that_cannot_be_read_is_not_called_missing_as_well(
    changes: Raw, expected: set[tuple[str, str]]
) -> None:
    assert places(refused(raw("cluster", changes))) == expected


def test_what_a_section_lacks_is_told_once_and_its_rest_judged() -> None:
    found = places(refused(raw("cluster", {"tls": {"issuer": "acme"}, "replicas/postfix": 3})))
    assert {("missing", "kolab:tls.email"), ("egress-too-few-nodes", "kolab:replicas.postfix")} <= found


def test_without_a_mode_only_the_form_is_judged() -> None:
    found = places(refused(raw("cluster", {"mode": None, "network/addresses/smtp": None, "dns/ttl": 1})))
    assert found == {("missing", "kolab:mode"), ("value", "kolab:dns.ttl")}


def test_an_empty_file_lacks_mode_and_domain() -> None:
    assert places(refused({})) == {("missing", "kolab:mode"), ("missing", "kolab:domain")}


# What each kind of fault is called.


@pytest.mark.parametrize(
    ("changes", "path", "problem", "fix"),
    [
        ({"example": "maybe"}, "example", "must be true or false", "Marks a stack"),
        ({"dns/ttl": 1.5}, "dns.ttl", "must be a whole number", "Seconds that resolvers"),
        ({"dns/ttl": 5}, "dns.ttl", "must be greater than or equal to 60", "Seconds that resolvers"),
        ({"domain": 5}, "domain", "must be text; numbers and dates need quotes", "Primary mail domain"),
        ({"domain": ["example.org"]}, "domain", "must be one value, not a list", "Primary mail domain"),
        ({"hosts": {"mx": {"a": 1}}}, "hosts.mx", "must be one value, not a group of keys", "Name in the MX"),
        ({"mail/postmaster": [1]}, "mail.postmaster", "must be one value, not a list", "Existing mailbox"),
        ({"dns/ttl": [60]}, "dns.ttl", "must be one value, not a list", "Seconds"),
        ({"domain": "org"}, "domain", "must be a full host name with at least one dot", "Primary mail domain"),
        ({"hostedDomains": "example.net"}, "hostedDomains", "must be a list", "Further mail domains"),
        ({"storage": []}, "storage", "must be a group of keys", "Volumes"),
        ({"network/public/x": "192.0.2.9"}, "network.public.x", "must be an IP address", "Address on the load balancer"),
        ({"network/podCidr": "10.42.0.1/16"}, "network.podCidr", "must be a network", "Addresses of pods"),
        ({"network/egress/nodes": {}}, "network.egress.nodes", "must not be empty", "Node name"),
        ({"network/egress/mode": None}, "network.egress.mode", "is missing", "add mode:"),
        ({"network/egress": {"mode": "relay"}}, "network.egress.host", "is missing", "Name of the smarthost"),
        ({"network/egress/mode": "gatway"}, "network.egress.mode", "must be 'nodes', 'gateway' or 'relay'", "gateway?"),
        ({"mail/spfAll": "?all"}, "mail.spfAll", "must be '~all' or '-all'", "~all?"),
        ({"mail/spfAll": "x"}, "mail.spfAll", "must be '~all' or '-all'", "write one of them"),
        ({"mail/dkim/selectors/K_1": {}}, "mail.dkim.selectors.K_1", "must match ^[a-z0-9]", "Selector -> key"),
        ({"acknowledge": [{"rule": "x", "reason": "y"}]}, "acknowledge[0].reason", "must have at least 10", "Why"),
        ({"meet/workers": 65}, "meet.workers", "must be less than or equal to 64", "Media workers"),
    ],
)  # fmt: skip
def test_a_fault_is_named_in_words_of_the_stack_file(changes: Raw, path: str, problem: str, fix: str) -> None:
    found = {finding.path: finding for finding in refused(raw("cluster", changes))}[f"kolab:{path}"]
    assert found.problem.startswith(problem)
    assert fix in found.fix


@pytest.mark.parametrize(
    ("changes", "path", "meant"),
    [
        ({"hostedDomain": []}, "hostedDomain", "hostedDomains"),
        ({"hosted_domains": []}, "hosted_domains", "hostedDomains"),
        ({"databasPassword": ""}, "databasPassword", "databasePassword"),
        ({"network/load_balancer": "metallb"}, "network.load_balancer", "loadBalancer"),
        ({"network/egress/node": {}}, "network.egress.node", "nodes"),
        ({"storage/mailboxes/sise": "5Gi"}, "storage.mailboxes.sise", "size"),
        ({"mail/dkim/selectors/k202611/stages": "x"}, "mail.dkim.selectors.k202611.stages", "stage"),
        ({"resources/imap": {"ram": "1Gi", "memry": "1Gi"}}, "resources.imap.memry", "memory"),
    ],
)  # fmt: skip
def test_a_misspelt_key_brings_up_the_near_one(changes: Raw, path: str, meant: str) -> None:
    found = {finding.path: finding for finding in refused(raw("cluster", changes))}[f"kolab:{path}"]
    assert (found.rule, found.fix) == ("unknown-key", f"did you mean {meant}?")


def test_a_key_like_no_other_brings_up_all_that_there_are() -> None:
    (found,) = refused(raw("cluster", {"tlsa/zzz": 1}))
    assert found.fix == "remove it; known keys: current, next"


def test_a_key_that_cannot_be_printed_does_not_break_the_line() -> None:
    (found,) = refused(raw("cluster", {"tlsa/a\n\x1b[31m": 1}))
    assert found.path == r"kolab:tlsa.a\n\x1b[31m"


# What the engine hands over.


def test_objects_may_come_as_json_text() -> None:
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in raw().items()}
    assert load(values, need_secrets=False) == load(raw(), need_secrets=False)


@pytest.mark.parametrize("text", ["{", "[1,", "truth", "{'a': 1}"])
def test_text_that_is_no_json_stays_text(text: str) -> None:
    assert places(refused(raw("cluster", {"storage": text}))) == {("value", "kolab:storage")}


# Secrets.


def test_a_secret_inside_an_object_is_refused() -> None:
    found = places(refused(raw("cluster", {"mail/dkim/key": {"secure": "v1:x"}}), ("mail",)))
    assert found == {("secret-inside", "kolab:mail")}


@pytest.mark.parametrize("key", ["databasePassword", "dkimKey-k1", "cloudflareApiToken", "relayPassword"])
def test_a_secret_in_plain_text_is_refused_and_not_repeated(key: str) -> None:
    values = raw("cluster", {key: SENTINEL})
    assert places(refused(values)) == {("plain-secret", f"kolab:{key}")}
    assert SENTINEL not in message(values)


def test_an_encrypted_secret_is_accepted_even_if_this_stack_has_no_use_for_it() -> None:
    load(raw("cluster", {"relayPassword": "v1:x"}), ("relayPassword",), need_secrets=False)


def test_missing_secrets_are_told_in_one_line_and_those_of_others_one_by_one() -> None:
    found = [f for f in refused(raw("cluster"), need_secrets=True) if f.rule == "missing-secret"]
    assert [f.path for f in found] == ["kolab:contentSalt", "kolab:cloudflareApiToken"]
    assert "databasePassword" in found[0].problem
    assert "./kolab secrets" in found[0].fix
    assert found[1].fix == "./kolab pulumi config set --secret kolab:cloudflareApiToken"


def test_a_missing_half_of_a_pair_is_not_promised_by_a_command_that_will_not_make_it() -> None:
    found = [f for f in refused(raw("real"), need_secrets=True) if f.path == "kolab:dkimKey-k202611"]
    (finding,) = found
    assert "kolab:mail.dkim.selectors.k202611.publicKey already" in finding.problem
    assert "remove kolab:mail.dkim.selectors.k202611 and run" in finding.fix


def test_nothing_is_missing_when_every_secret_is_there() -> None:
    keys = tuple(secret.key for secret in secrets(settings("cluster")))
    loaded, _ = load({**raw("cluster"), **dict.fromkeys(keys, "v1:x")}, keys)
    assert loaded == settings("cluster")


JUNK: dict[str, object] = {
    "text": f"{SENTINEL} {SENTINEL}",
    "list": [f"{SENTINEL} !"],
    "object": {"x": f"{SENTINEL} !"},
    "key": {f"{SENTINEL} !": SENTINEL},
}


@pytest.mark.parametrize(
    "junk", [value for name, value in JUNK.items() if name != "key"], ids=["text", "list", "object"]
)
@pytest.mark.parametrize("place", [
    "mode", "domain", "hostedDomains", "example", "kubernetes/namespace", "network/loadBalancer", "network/addresses",
    "network/addresses/smtp", "network/addresses/proxy", "network/public/10.20.0.10", "network/egress",
    "network/egress/mode", "network/egress/nodes", "network/podCidr", "hosts/mx", "dns/ttl", "dns/provider", "dns/ptr",
    "dns/ptr/provider", "mail/mx/stage", "mail/dkim/selectors/k202605/publicKey", "mail/dkim/selectors/k202605/since",
    "mail/postmaster", "mail/messageSizeLimit", "mail/spfAll", "tls", "tls/issuer", "tls/email", "tlsa/current",
    "storage/mailboxes/size", "images/digests/imap", "features/meet", "replicas/proxy", "meet/workers",
    "resources/imap/cpu", "monitoring/retention", "acknowledge", "unknown", "network/unknown",
])  # fmt: skip
def test_a_value_that_is_refused_is_never_printed(place: str, junk: object) -> None:
    # Without a mode, the rules are not asked, and a test takes no time.
    said = message(raw("cluster", {"mode": None, place: junk}))
    assert path(tuple(place.split("/"))) in said
    assert SENTINEL not in said
    assert "input_value" not in said


# The text.


def test_many_findings_are_listed_one_a_line_by_key() -> None:
    lines = message(raw("cluster", {"dns/ttl": 1, "mail/spfAll": "x", "aaa": 1})).splitlines()
    assert lines[0] == "the stack file has 3 findings:"
    assert [re.sub(r": .*", "", line.removeprefix("  error: ")) for line in lines[1:]] == [
        "kolab:aaa",
        "kolab:dns.ttl",
        "kolab:mail.spfAll",
    ]


def test_warnings_do_not_stand_between_errors() -> None:
    values = raw("cluster", {"storage": {"protect": False}, "example": False})
    assert "warning" not in message(values)


def test_warnings_about_a_good_file_are_handed_over() -> None:
    _, warnings = load(raw("real", {"storage/protect": False}), need_secrets=False)
    assert ("storage-unprotected", "kolab:storage.protect") in places(warnings)


def test_a_report_has_errors_before_warnings() -> None:
    def one(severity: Any, path: str) -> Finding:
        return Finding(rule="r", path=path, problem="is", fix="do", severity=severity)

    lines = report([one("warning", "kolab:a"), one("error", "kolab:b"), one("error", "kolab:a")]).splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["error:", "kolab:a:"],
        ["error:", "kolab:b:"],
        ["warning:", "kolab:a:"],
    ]


# A value where a group of keys belongs.


@pytest.mark.parametrize(
    ("place", "given", "example"),
    [
        ("tls", "letsencrypt", "{issuer: existing, name: letsencrypt, kind: ClusterIssuer}"),
        ("network/egress", "192.0.2.4", "{mode: nodes, nodes: {server1: [203.0.113.10]}}"),
        ("mail/mx", "live", "{stage: hold}"),
        ("storage/mailboxes", "50Gi", "{size: <value>}"),
        ("external/s3", "yes", "{endpoint: <value>, bucket: <value>, cidr: <value>}"),
        ("resources/imap", 3, "{cpu: <value>}"),
    ],
)
def test_a_value_in_place_of_a_group_is_met_with_an_example(place: str, given: object, example: str) -> None:
    found = [f for f in refused(raw("cluster", {place: given})) if f.rule == "value"]
    assert [f.path for f in found] == [f"kolab:{place.replace('/', '.')}"]
    assert f"write {example}" in found[0].fix
    assert "\n" not in str(found[0])


def test_what_is_missing_is_said_once() -> None:
    assert [f.path for f in refused({})] == ["kolab:mode", "kolab:domain"]
