"""Every text of a stack file has a kind, and none of the kinds has a place for what some other language reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from model import texts, urls
from model.kind import Kind
from model.settings import Settings
from model.stack_file import StackFileError, load
from tests.model.files import Raw, raw, refused
from tests.model.test_types import read
from tests.model.test_types import refused as words

pytestmark = pytest.mark.security


def bare_texts(model: type[BaseModel], at: str = "") -> Iterator[str]:
    """Places of text without a kind, in a section and in all below it."""
    for name, field in model.model_fields.items():
        yield from _bare(field.annotation, field.metadata, f"{at}.{field.alias or name}")


def _bare(kind: Any, metadata: Any, at: str) -> Iterator[str]:
    if get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        yield from _bare(kind, [*more, *metadata], at)
    elif kind is str:
        if not any(isinstance(each, Kind) or _has_pattern(each) for each in metadata):
            yield at
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from bare_texts(kind, at)
    elif get_origin(kind) in (Union, UnionType):
        for member in get_args(kind):
            yield from _bare(member, metadata if member is str else [], at)
    else:
        for member in get_args(kind):
            if member is not Ellipsis and not isinstance(member, str | int):
                yield from _bare(member, [], f"{at}[]")


def _has_pattern(each: Any) -> bool:
    found = each.metadata if isinstance(each, FieldInfo) else [each]
    return any(getattr(item, "pattern", None) for item in found)


def test_every_text_of_a_stack_file_has_a_kind() -> None:
    assert list(bare_texts(Settings)) == []


def test_a_text_without_a_kind_would_be_noticed() -> None:
    class Part(BaseModel):
        names: dict[str, tuple[str, ...]] = {}
        kind: Annotated[str, Kind("x", str)] = ""
        other: str | None = None

    assert list(bare_texts(Part)) == [".names[]", ".names[][]", ".other"]


KINDS = {
    name: kind
    for module in (texts, urls)
    for name, kind in vars(module).items()
    if get_origin(kind) is Annotated and name != "Reason"
}
GOOD = {
    "Label": "kolab",
    "ObjectName": "server1.example.org",
    "LabelKey": "app.kubernetes.io/name",
    "LabelValue": "kube-dns",
    "SeLinuxType": "spc_t",
    "OwnNamespace": "kolab",
    "ClusterDomain": "cluster.local",
    "Context": "arn:aws:eks:eu-central-1:123:cluster/prod",
    "Identifier": "prod-1",
    "Folder": "rendered/local/manifests",
    "DaemonName": "postfix-exporter",
    "PriorityClassName": "business-critical",
    "Registry": "registry.example.org:5000/kolab/images",
    "Tag": "2026.11_1",
    "Interface": "bond0.100",
    "Bucket": "kolab-files.prod",
    "Region": "eu-central-1",
    "ZoneId": "0123456789abcdef" * 2,
    "FolderName": "kolab-prod",
    "DailyTime": "01:30",
    "Username": "postmaster@mg.example.org",
    "PublicPem": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "DelegationSigner": f"20326 8 2 {'E06D' * 16}",
    "CaaIssuer": "letsencrypt.org; validationmethods=dns-01",
    "SecretKey": "databasePassword",
    "RuleId": "mx-moved",
    "Subject": "kolab:network.public.2001:db8::1",
    "HttpsUrl": "https://acme-v02.api.letsencrypt.org/acme/acct/1234567890",
    "Endpoint": "https://s3.example.net:9000",
    "PageUrl": "https://wiki.example.org/mail?page=alerts",
    "ReportTarget": "https://reports.example.org/caa",
    "Webhook": "http://alerts.example.org:8080/kolab",
}
HOSTILE = (
    "\n", "\r", "\x00", "\x1b[31m", "\u2028", "'", '"', "`id`", "$(id)", "${x}", "\\", ";x", "|x", "&x", "{{x}}", "#x",
    "%s", "<x>", " x", "\tx", "ü", "*",
)  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_what_is_meant_is_read(name: str) -> None:
    assert read(KINDS[name], GOOD[name]) == GOOD[name]


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
@pytest.mark.parametrize("name", KINDS)
def test_no_kind_takes_what_another_language_reads(name: str, hostile: str) -> None:
    good = GOOD[name].strip()
    for text in (f"{good}{hostile}", f"{hostile}{good}", f"{good[:3]}{hostile}{good[3:]}"):
        if (name == "PublicPem" and hostile in ("\n", "\r")) or (
            name == "PageUrl" and hostile in ("&x", "#x")
        ):
            # Part of the kind, and read as such everywhere.
            continue
        with pytest.raises(ValidationError):
            read(KINDS[name], text)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("ZoneId",)])
def test_no_kind_takes_nothing_or_text_without_end(name: str) -> None:
    for text in ("", "a" * 5000, GOOD[name] * 200):
        with pytest.raises(ValidationError):
            read(KINDS[name], text)


@pytest.mark.parametrize("name", KINDS)
def test_no_message_repeats_what_was_given(name: str) -> None:
    assert "hunter2" not in words(KINDS[name], "hunter2'\n")


@pytest.mark.parametrize(
    "namespace",
    ["default", "kube-system", "kube-public", "kube-node-lease", "kube-x", "a" * 59, "kol.ab", "Kolab"],
)
def test_a_namespace_is_the_stacks_own_and_leaves_room_for_its_neighbour(namespace: str) -> None:
    words(texts.OwnNamespace, namespace)


@pytest.mark.parametrize("namespace", ["a" * 58, "kubernetes", "defaults", "mail-1"])
def test_any_other_namespace_may_be_chosen(namespace: str) -> None:
    assert read(texts.OwnNamespace, namespace) == namespace


@pytest.mark.parametrize(
    "folder",
    ["/etc", "../x", "rendered/../../x", "..", ".", "./x", ".git", "rendered/.x", "~/x", "a//b", "a/", "model", "stacks/x"],
)  # fmt: skip
def test_a_folder_to_render_into_stays_inside_the_project_and_off_its_sources(folder: str) -> None:
    words(texts.Folder, folder)


@pytest.mark.parametrize(
    "url",
    [
        "rubbish", "file:///etc/passwd", "ftp://example.org", "javascript:x", "//example.org", "https://", "https:///x",
        "https://u:p@example.org", "https://example.org/?token=x", "https://example.org/#x", "https://example.org:0",
        "https://example.org:99999", "https://localhost", "https://127.0.0.1", "https://[::1]", "http://169.254.169.254/x",
        "https://[nonsense]", "https://ex ample.org", "HTTPS://example.org", "https://0.0.0.0", "https://-x.org",
        "https://hooks.slack.com/services/T0001/B0001/abcdefghij0123456789ABCD",
        "https://example.org/" + "a" * 500,
    ],
)  # fmt: skip
def test_a_webhook_is_a_url_without_secrets(url: str) -> None:
    words(urls.Webhook, url)


def test_a_webhook_with_a_token_says_where_it_belongs() -> None:
    said = words(urls.Webhook, "https://hooks.slack.com/services/T0001/B0001/abcdefghij0123456789ABCD")
    assert "write secret here" in said
    assert "kolab:alertsWebhook" in said


@pytest.mark.parametrize("url", ["http://s3.example.net", "https://s3.example.net/bucket", "s3.example.net"])
def test_the_endpoint_of_a_storage_service_is_its_address_over_tls(url: str) -> None:
    words(urls.Endpoint, url)


def test_a_reason_is_readable_text() -> None:
    assert read(texts.Reason, "die Kündigung\nist bestätigt") == "die Kündigung\nist bestätigt"
    for text in ("too short", "red \x1b[31m and so on", "a bell \x07 and so on", "x" * 1001):
        words(texts.Reason, text)


FIELDS: list[tuple[Raw, str]] = [
    ({"kubernetes/namespace": "kube-system"}, "kubernetes.namespace"),
    ({"kubernetes/render": "/etc"}, "kubernetes.render"),
    ({"kubernetes/clusterDomain": "cluster.local\nx"}, "kubernetes.clusterDomain"),
    ({"kubernetes/context": "prod\n--insecure"}, "kubernetes.context"),
    ({"network/metallb": {"interfaces": ["eth0", "eth0; x"]}}, "network.metallb.interfaces[1]"),
    ({"monitoring/seLinuxType": "spc_t\nx"}, "monitoring.seLinuxType"),
    ({"monitoring/seLinuxType": "unconfined"}, "monitoring.seLinuxType"),
    ({"network/cni": "Cilium"}, "network.cni"),
    ({"network/egress": {"mode": "relay", "host": "r.example.net", "username": "a:b"}}, "network.egress.username"),
    ({"network/egress": {"mode": "relay", "host": "r.example.net", "username": "a\nb"}}, "network.egress.username"),
    ({"tls/caa": 'x.org"\n'}, "tls.caa"),
    ({"tls/accountUri": "https://acme-v02.api.letsencrypt.org/a;b"}, "tls.accountUri"),
    ({"tls/server": "http://acme.example.org"}, "tls.server"),
    ({"mail/reports": {"tlsRpt": "#x@example.org"}}, "mail.reports.tlsRpt"),
    ({"mail/messageSizeLimit": 50}, "mail.messageSizeLimit"),
    ({"mail/messageSizeLimit": "9999999Ti"}, "mail.messageSizeLimit"),
    ({"mail/spam": {"quarantineAt": 0}}, "mail.spam.quarantineAt"),
    ({"mail/spam": {"quarantineAt": float("nan")}}, "mail.spam.quarantineAt"),
    ({"mail/spam": {"quarantineAt": "7; x"}}, "mail.spam.quarantineAt"),
    ({"mail/quarantineDays": 0}, "mail.quarantineDays"),
    ({"mail/quarantineDays": 91}, "mail.quarantineDays"),
    ({"mail/quarantineDays": 1.5}, "mail.quarantineDays"),
    ({"monitoring/alerts": {"email": "{{x}}@example.com"}}, "monitoring.alerts.email"),
    ({"monitoring/alerts": {"webhook": "file:///etc/passwd"}}, "monitoring.alerts.webhook"),
    ({"monitoring/retention": 15}, "monitoring.retention"),
    ({"storage/mailboxes": {"size": 500}}, "storage.mailboxes.size"),
    ({"storage/mailboxes": {"size": "5Gi", "storageClass": "fast\n"}}, "storage.mailboxes.storageClass"),
    ({"resources": {"imap": {"cpu": 2000}}}, "resources.imap.cpu"),
    ({"resources": {"imap": {"memory": 4}}}, "resources.imap.memory"),
    ({"images/registry": "https://quay.io/kolab"}, "images.registry"),
    ({"images/tag": "latest x"}, "images.tag"),
    ({"dns/zones": {"example.org": "x y"}}, "dns.zones.example.org"),
    ({"replicas": {"proxy": 5000}}, "replicas.proxy"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "at"), FIELDS, ids=[at for _, at in FIELDS])
def test_the_key_is_named_and_one_sentence_said(changes: Raw, at: str) -> None:
    assert f"kolab:{at}" in {finding.path for finding in refused(raw("cluster", changes))}
    with pytest.raises(StackFileError) as caught:
        load(raw("cluster", changes), need_secrets=False)
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", str(caught.value))


@pytest.mark.parametrize(
    "changes",
    [
        {"network/egress": {"mode": "nodes", "nodes": {"server1.example.org": ["198.51.100.11"], "w2": ["198.51.100.12"]}}},
        {"tls": {"issuer": "existing", "name": "letsencrypt.prod"}},
        {"tls": {"issuer": "secrets", "proxy": "web.example.org", "mx": "mx.example.org", "sieve": "s.example.org"}},
        {"images/pullSecret": "registry.example.org"},
        {"storage/mailboxes": {"size": "5Gi", "storageClass": "ceph.fast"}},
    ],
)  # fmt: skip
def test_names_of_objects_may_have_dots_as_the_api_allows(changes: Raw) -> None:
    load(raw("cluster", changes), need_secrets=False)


@pytest.mark.parametrize("word", ["true", "false", "null", "empty"])
@pytest.mark.parametrize("kind", [texts.Bucket, texts.Region])
def test_a_name_that_the_web_application_would_read_as_no_name_is_refused(kind: Any, word: str) -> None:
    assert "reads as no name" in words(kind, word)
    assert read(kind, f"{word}-1") == f"{word}-1"


@pytest.mark.parametrize("name", ["192.168.1.1", "1.2.3.4", "999.0.0.1"])
def test_a_bucket_that_reads_like_an_address_is_refused_as_s3_does(name: str) -> None:
    assert "no IPv4 address" in words(texts.Bucket, name)
    assert [read(texts.Bucket, each) for each in (f"{name}.a", f"v{name}", "192.168.1")]


@pytest.mark.parametrize("tag", [True, 1000.0, 2026.11, 20261101])
def test_a_tag_that_yaml_reads_as_something_else_is_asked_for_in_quotes(tag: object) -> None:
    (said,) = refused(raw("cluster", {"images/tag": tag}))
    assert (said.path, said.problem) == ("kolab:images.tag", "must be text; numbers and dates need quotes")
