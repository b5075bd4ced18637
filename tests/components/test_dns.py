"""DNS records at Cloudflare: what is sent fits the published types, and an edit touches what it is meant to touch."""

from __future__ import annotations

import functools
import inspect
import subprocess
import sys
import typing
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.cloudflare_api import DnsRecordDataArgs
from components.dns import publish
from components.guard import Guard
from components.kolab import Kolab
from model import identity
from model.identity.logical import logical_name
from model.identity.shards import published
from model.settings import Settings
from ops.recorder import Registered, record
from tests.identity.stacks import selectors, stack
from tests.support.stacks import stack as shipped

DnsRecordArgs = sys.modules["pulumi_cloudflare.dns_record"].DnsRecordArgs

_CLOUDFLARE = {"example.org": "a" * 32, "example.net": "b" * 32}
_NULL_MX_HOST = "imap.example.org"


def full(**changes: Any) -> Settings:
    """The full stack, published at Cloudflare, reverse zones included."""
    reverse = {"0-15.100.51.198.in-addr.arpa": "c" * 32, "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": "d" * 32}
    given = {
        "dns__provider": "cloudflare",
        "dns__zones": _CLOUDFLARE,
        "dns__ptr": {"provider": "zones", "zones": reverse},
    }
    return stack(**given | changes)


def registered(settings: Settings, *, preview: bool = False) -> list[Registered]:
    """Every record that the program registers."""

    def program() -> None:
        publish(settings, pulumi.Output.secret("token"), Guard.of(settings), None)

    found = record(program, preview=preview)
    return [each for each in found if each.type == "cloudflare:index/dnsRecord:DnsRecord"]


@functools.cache
def everything() -> tuple[Registered, ...]:
    return tuple(registered(full()))


def of_type(kind: str) -> list[dict[str, Any]]:
    """Inputs of all records of a type; there is at least one."""
    found = [each.inputs for each in everything() if each.inputs["type"] == kind]
    assert found
    return found


def published_types(arguments: Any) -> dict[str, tuple[type, ...]]:
    """Wire name -> types that the SDK documents for it; (object,) where it takes anything."""
    parameters = inspect.signature(arguments.__init__).parameters.values()
    return {
        _camel(p.name): tuple(_scalars(p.annotation)) or (object,) for p in parameters if p.name != "__self__"
    }


def required(arguments: Any) -> set[str]:
    parameters = inspect.signature(arguments.__init__).parameters.values()
    return {_camel(p.name) for p in parameters if p.name != "__self__" and p.default is p.empty}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _scalars(annotation: Any) -> set[type]:
    if annotation in (str, float, bool):
        return {float, int} if annotation is float else {annotation}
    return {found for part in typing.get_args(annotation) for found in _scalars(part)}


def _misfits(inputs: dict[str, Any], arguments: Any) -> list[str]:
    known = published_types(arguments)
    return [
        key
        for key, value in inputs.items()
        if key not in known or not (type(value) in known[key] or known[key] == (object,))
    ]


def test_every_record_fits_the_published_arguments() -> None:
    for each in everything():
        assert required(DnsRecordArgs) <= set(each.inputs)
        plain = {key: value for key, value in each.inputs.items() if key != "data"}
        assert _misfits(plain, DnsRecordArgs) == []
        assert _misfits(each.inputs.get("data", {}), DnsRecordDataArgs) == []


def test_every_record_of_the_zones_is_registered_once() -> None:
    settings = full()
    planned = [
        (settings.dns.zone_ids[zone], each.name, each.type, each.ttl)
        for zone, records in identity.zones(settings).items()
        for each in records
    ]
    sent = [tuple(each.inputs[key] for key in ("zoneId", "name", "type", "ttl")) for each in everything()]
    assert sorted(sent) == sorted(planned)


def test_no_record_is_proxied() -> None:
    assert {each.inputs["proxied"] for each in everything()} == {False}


def test_text_is_sent_in_quoted_strings_of_at_most_255_bytes() -> None:
    for inputs in of_type("TXT"):
        content = inputs["content"]
        assert content.startswith('"')
        assert content.endswith('"')
        assert all(len(part.encode()) <= 255 for part in content[1:-1].split('" "'))
    assert any('" "' in inputs["content"] for inputs in of_type("TXT"))


def test_hashes_of_keys_are_upper_case_as_the_api_hands_them_back() -> None:
    for inputs in of_type("TLSA"):
        assert inputs["data"]["certificate"] == inputs["data"]["certificate"].upper()
        assert "content" not in inputs


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("SRV", {"priority", "weight", "port", "target"}),
        ("CAA", {"flags", "tag", "value"}),
        ("TLSA", {"usage", "selector", "matchingType", "certificate"}),
    ],
)
def test_structured_records_are_sent_in_their_parts_alone(kind: str, parts: set[str]) -> None:
    for inputs in of_type(kind):
        assert set(inputs["data"]) == parts
        assert "content" not in inputs


def test_the_priority_of_a_service_stands_in_both_places() -> None:
    for inputs in of_type("SRV"):
        assert inputs["priority"] == inputs["data"]["priority"]


def test_an_mx_has_its_priority_beside_the_host_without_a_final_dot() -> None:
    (found,) = [inputs for inputs in of_type("MX") if inputs["name"] == "example.org"]
    assert (found["priority"], found["content"]) == (10, "mx.example.org")


def test_a_host_that_takes_no_mail_has_the_root_as_its_mx() -> None:
    (found,) = [inputs for inputs in of_type("MX") if inputs["name"] == _NULL_MX_HOST]
    assert (found["priority"], found["content"]) == (0, ".")


def test_a_comment_says_why_and_fits_every_plan() -> None:
    comments = [each.inputs["comment"] for each in everything()]
    assert all(0 < len(comment) <= 100 for comment in comments)
    assert all(comment.endswith((".", "...")) for comment in comments)


def test_a_preview_registers_the_same_records() -> None:
    assert [each.urn for each in registered(full(), preview=True)] == [each.urn for each in everything()]


def test_mx_records_that_take_mail_are_guarded_and_no_other_record_is() -> None:
    guarded = {each.inputs["name"] for each in everything() if each.delete_hooks and each.protect}
    assert guarded == {"example.org", "example.net"}
    assert {each.inputs["type"] for each in everything() if each.delete_hooks or each.protect} == {"MX"}


def test_the_token_is_secret_and_only_the_provider_has_it() -> None:
    settings = full()

    def program() -> None:
        publish(settings, pulumi.Output.secret("token"), Guard.of(settings), None)

    holders = [each for each in record(program) if "token" in str(each.inputs.values())]
    assert [each.type for each in holders] == ["pulumi:providers:cloudflare"]
    assert holders[0].secrets == {"apiToken"}


def test_every_record_goes_through_the_provider_of_the_stack() -> None:
    assert all("pulumi:providers:cloudflare::dns" in each.provider for each in everything())


# What an edit of the stack file does to the records.

_KEPT: dict[str, dict[str, Any]] = {
    "a shorter ttl": {"dns__ttl": 300},
    "another preference": {"mail__mx__preference": 20},
    "another DMARC policy": {"mail__dmarc": {"policy": "reject"}},
    "another end of SPF": {"mail__spfAll": "-all"},
    "another MTA-STS stage": {"mail__mtaSts": {"stage": "testing"}},
    "a key that is active, then retired": {
        "mail__dkim__selectors": selectors(k0="revoked", k1="retired", k2="active", k3="staged")
    },
}


def _changed(changes: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Names of records that would be made, and of those that would be deleted."""
    before, after = _names(full()), _names(full(**changes))
    return after - before, before - after


def _names(settings: Settings) -> set[str]:
    return {logical_name(each) for records in identity.zones(settings).values() for each in records}


@pytest.mark.parametrize("change", _KEPT)
def test_a_change_of_a_value_is_an_update(change: str) -> None:
    assert _changed(_KEPT[change]) == (set(), set())


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"network__addresses__proxy": "192.0.2.77"}, {"a"}),
        ({"network__addresses__smtp": ["10.0.0.11", "2001:db8::77"]}, {"aaaa"}),
        ({"tls__accountUri": "https://acme-v02.api.letsencrypt.org/acme/acct/2"}, {"caa"}),
        ({"tlsa": {"current": "a" * 64, "next": "c" * 64}}, {"tlsa"}),
    ],
    ids=["A", "AAAA", "CAA", "TLSA"],
)
def test_where_a_name_may_have_several_the_new_one_stands_before_the_old_one_goes(
    changes: dict[str, Any], kinds: set[str]
) -> None:
    made, deleted = _changed(changes)
    assert made
    assert {name.split("-")[0] for name in made | deleted} == kinds


def test_records_are_called_after_type_and_owner() -> None:
    names = {each.name for each in everything()}
    assert {
        "dns-mx-example.org",
        "dns-txt-_dmarc.example.org-v-DMARC1",
        "dns-srv-_imaps._tcp.example.org",
    } <= names


# Order and size.


def test_the_policy_is_served_before_its_record_and_nothing_else_waits_for_it() -> None:
    settings = shipped("cluster")

    def program() -> None:
        secret = pulumi.Output.secret
        here = pulumi.ResourceOptions(providers=[kubernetes.Provider("cluster", context="x")])
        kolab = Kolab(settings, lambda key: secret(f"value of {key}"), Guard.of(settings), here)
        publish(settings, secret("token"), Guard.of(settings), kolab.proxy)

    found = record(program)
    servers = {each.urn for each in found if each.name.startswith("proxy") and each.object}
    assert {urn.split("::")[2].split(":")[-1] for urn in servers} >= {"Deployment", "ConfigMap"}
    waiting = [each for each in found if each.type.startswith("cloudflare:") and each.dependencies & servers]
    assert {each.inputs["name"].split(".")[0] for each in waiting} == {"_mta-sts"}
    assert len(waiting) == 3
    assert all(servers <= each.dependencies for each in waiting)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_every_zone_is_in_exactly_one_shard(count: int) -> None:
    zones = {f"zone{n}.example": "" for n in range(40)}
    domains = {"dns__zones": {"example.org": ""} | zones, "hostedDomains": [*zones], "dns__ptr": None}
    shards = [
        published(stack(scope="dns", dns__shard={"index": index, "count": count}, **domains))
        for index in range(count)
    ]
    assert sorted(zone for shard in shards for zone in shard) == sorted({"example.org", *zones})


def test_a_stack_of_the_cluster_alone_publishes_nothing() -> None:
    assert registered(full(scope="cluster")) == []


def test_a_stack_of_records_alone_publishes_what_the_whole_stack_would() -> None:
    assert [each.urn for each in registered(full(scope="dns"))] == [each.urn for each in everything()]


@pytest.mark.thorough
def test_importing_the_component_leaves_most_of_the_cloudflare_package_alone() -> None:
    code = (
        "import sys, components.dns; print(*[m for m in sys.modules if m.startswith('pulumi_cloudflare.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = {name.removeprefix("pulumi_cloudflare.") for name in done.stdout.split()}
    assert modules == {"_inputs", "_utilities", "dns_record", "outputs", "provider"}


_COMPARED = """
import importlib, inspect, sys
import components.cloudflare_api
for name in ("outputs", "_inputs"):
    part = sys.modules.pop(f"pulumi_cloudflare.{name}")
    whole = importlib.import_module(f"pulumi_cloudflare.{name}")
    ours = [each for each in vars(part) if each.startswith("DnsRecord")]
    assert ours == [each for each in vars(whole) if each.startswith(("DnsRecordData", "DnsRecordSettings"))], ours
    assert 0 < len(ours) < len(vars(part)) < len(vars(whole))
    for each in ours:
        assert vars(vars(part)[each]).keys() == vars(vars(whole)[each]).keys(), each
        same = inspect.get_annotations if issubclass(vars(part)[each], dict) else inspect.signature
        assert str(same(vars(part)[each])) == str(same(vars(whole)[each])), each
"""


@pytest.mark.thorough
def test_the_types_of_a_record_are_those_of_the_whole_package() -> None:
    done = subprocess.run([sys.executable, "-c", _COMPARED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
