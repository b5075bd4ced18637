"""What is derived from a stack file: host names, sizes, images, and the list of secrets."""

from __future__ import annotations

import re

import pytest

from model import budget
from model.identity.hosts import hosts
from model.images import KOLAB, OTHERS, reference
from model.names import Names
from model.secrets import CATALOGUE, FORMATS, NAMES, is_secret_key, secrets
from model.settings import ImagesRegistry
from model.settings.dns import Hosts
from model.sizing import DEFAULTS, Size, size_of
from model.topology import daemons
from tests.model.files import Raw, raw, settings

DIGEST = f"sha256:{'0' * 64}"


def names(changes: Raw | None = None) -> Names:
    """The host names of the cluster example."""
    return Names.of(settings("cluster", changes))


# Host names.


def test_every_host_has_a_documented_default() -> None:
    found = names()
    assert (found.website, found.mx, found.helo) == ("example.org", "mx.example.org", "mail.example.org")
    assert (found.imap, found.smtp, found.sieve, found.turn) == tuple(
        f"{label}.example.org" for label in ("imap", "smtp", "sieve", "turn")
    )


@pytest.mark.parametrize("role", Hosts.model_fields)
def test_a_chosen_host_wins(role: str) -> None:
    assert getattr(names({f"hosts/{role}": "chosen.example.org"}), role) == "chosen.example.org"


@pytest.mark.parametrize("base", ["single-node", "cluster", "real"])
def test_every_name_that_has_an_address_is_one_of_all_names(base: str) -> None:
    found = settings(base, {"hosts/monitoring": "watch.example.org"})
    assert {host.name for host in hosts(found)} <= {*Names.of(found).every}


def test_admin_and_reseller_follow_the_website() -> None:
    found = names({"hosts/website": "kolab.example.org"})
    assert (found.admin, found.reseller) == ("admin.kolab.example.org", "reseller.kolab.example.org")


def test_a_domain_that_is_listed_twice_is_served_once() -> None:
    assert names({"hostedDomains": ["example.net", "example.org", "example.net"]}).domains == (
        "example.org",
        "example.net",
    )


def test_every_mail_domain_has_a_policy_host_with_a_hyphen() -> None:
    assert names().policy_hosts == ("mta-sts.example.org", "mta-sts.example.net", "mta-sts.example.com")


def test_the_certificate_covers_every_host_that_is_asked_over_tls() -> None:
    found = names()
    asked = {found.website, found.imap, found.smtp, *found.policy_hosts, *found.discovery}
    hosted = {name for names in found.domain_certificates.values() for name in names}
    assert asked == asked & {*found.proxy_certificate, *hosted}
    assert not hosted & set(found.proxy_certificate)


def test_a_host_of_ours_below_a_hosted_domain_stands_in_our_own_certificate() -> None:
    found = names({"hosts/website": "autoconfig.example.net"})
    assert "autoconfig.example.net" in found.proxy_certificate
    assert found.domain_certificates["example.net"] == ("mta-sts.example.net", "autodiscover.example.net")


def test_the_mx_certificate_has_the_mx_name_first() -> None:
    assert names().mx_certificate == ("mx.example.org", "mail.example.org")


def test_one_name_for_mx_and_helo_stands_once_in_the_certificate() -> None:
    assert names({"hosts": {"mx": "mail.example.org"}}).mx_certificate == ("mail.example.org",)


def test_the_proxy_answers_every_domain_and_no_host_twice() -> None:
    web = names().web
    assert {"example.org", "example.net", "example.com"} <= set(web)
    assert len(web) == len(set(web))


# Sizes.


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (None, DEFAULTS["imap"]),
        ({"cpu": "2"}, Size("2", "256Mi", "2Gi")),
        ({"memory": "4Gi"}, Size("250m", "4Gi", "4Gi")),
        ({"memoryLimit": "4Gi"}, Size("250m", "256Mi", "4Gi")),
        ({"memory": "4Gi", "memoryLimit": "8Gi"}, Size("250m", "4Gi", "8Gi")),
    ],
)
def test_a_given_size_replaces_what_it_names(given: Raw | None, size: Size) -> None:
    assert size_of(settings("cluster", {"resources": {"imap": given} if given else None}), "imap") == size


def test_amavis_grows_with_the_antivirus() -> None:
    assert size_of(settings("cluster", {"mail/antivirus": True}), "amavis") == DEFAULTS["amavis-antivirus"]


def test_redis_takes_all_clients_of_the_largest_stack() -> None:
    most = dict.fromkeys(("proxy", "webapp", "roundcube", "postfix"), 50)
    assert budget.redis_connections(settings("cluster", {"replicas": most})) <= budget.REDIS_CLIENTS


def test_every_daemon_has_a_size() -> None:
    assert {daemon.name for daemon in daemons(settings("cluster"))} <= set(DEFAULTS)


# Images.


@pytest.mark.parametrize("name", [*KOLAB, *OTHERS])
def test_a_digest_wins_over_the_tag(name: str) -> None:
    found = reference(ImagesRegistry.model_validate({"tag": "16", "digests": {name: DIGEST}}), name)
    assert found.endswith(f"@{DIGEST}")
    assert ":" not in found.removesuffix(f"@{DIGEST}").rpartition("/")[2]


def test_kolab_images_come_from_the_registry_with_its_tag() -> None:
    registry = ImagesRegistry.model_validate({"registry": "registry.example.org/kolab", "tag": "16"})
    assert reference(registry, "postfix") == "registry.example.org/kolab/postfix:16"


def test_a_mirror_stands_before_the_images_of_others_alone() -> None:
    registry = ImagesRegistry.model_validate({"mirror": "mirror.example.org"})
    assert reference(registry, "minio") == f"mirror.example.org/{OTHERS['minio']}"
    assert not reference(registry, "postfix").startswith("mirror")


@pytest.mark.parametrize("image", OTHERS.values())
def test_the_images_of_others_are_pinned(image: str) -> None:
    assert re.fullmatch(r"[a-z0-9.]+/[a-z0-9./_-]+:[A-Za-z0-9.-]*[0-9][A-Za-z0-9.-]*", image)


def test_an_unknown_image_is_an_error() -> None:
    with pytest.raises(KeyError):
        reference(ImagesRegistry(), "dovecot")


# Secrets.


def needed(changes: Raw | None = None) -> list[str]:
    """Keys of the secrets that the cluster example needs after a change."""
    return [secret.key for secret in secrets(settings("cluster", changes))]


@pytest.mark.parametrize(
    ("changes", "gone", "new"),
    [
        ({"features/meet": False}, {"meetServerToken", "meetWebhookToken", "turnSecret"}, set()),
        ({"features/files": False}, {"filesPassword"}, set()),
        (
            {"external/database": {"host": "db.example.net", "cidr": "10.0.0.0/8"}},
            {"databaseRootPassword", "legacyDatabasePassword"},
            set(),
        ),
        (
            {"external/s3": {"endpoint": "https://s3.example.net", "bucket": "kolab", "cidr": "10.0.0.0/8"}},
            {"filesPassword"},
            {"s3AccessKey", "s3SecretKey"},
        ),
        ({"files/engine": "minio"}, {"filesPassword"}, {"minioPassword"}),
        ({"files/engine": "minio-to-versitygw"}, set(), {"minioPassword"}),
        ({"files/engine": "versitygw-from-minio"}, set(), {"minioPassword"}),
        ({"monitoring": {"enabled": False}}, {"monitoringPassword"}, set()),
        ({"tlsa": None}, {"mxKey", "mxNextKey"}, set()),
        ({"tlsa/next": None}, {"mxNextKey"}, set()),
        ({"tls": None}, set(), set()),
        ({"tls": None, "dns/provider": "zonefile"}, {"cloudflareApiToken"}, set()),
        ({"tls/ownToken": True}, set(), {"acmeCloudflareToken"}),
        ({"tls/ownToken": True, "dns/provider": "zonefile"}, {"cloudflareApiToken"}, {"acmeCloudflareToken"}),
        ({"monitoring": {"alerts": {"webhook": "secret"}}}, set(), {"alertsWebhook"}),
        ({"monitoring": {"alerts": {"heartbeat": "secret"}}}, set(), {"alertsHeartbeat"}),
        ({"monitoring/roundTrip": {"mailbox": "round-trip@example.org"}}, set(), {"roundTripPassword"}),
        ({"monitoring/reports": {"mailbox": "reports@example.org"}}, set(), {"reportsPassword"}),
        (
            {
                "monitoring/alerts/server": {
                    "host": "smtp.example.com",
                    "sender": "a@example.com",
                    "username": "a",
                }
            },
            set(),
            {"alertsServerPassword"},
        ),
        ({"mail/dkim": None}, {"dkimKey-k202605", "dkimKey-k202611"}, set()),
        ({"network/egress": {"mode": "relay", "host": "relay.example.net"}}, set(), set()),
        (
            {"network/egress": {"mode": "relay", "host": "relay.example.net", "username": "kolab"}},
            set(),
            {"relayPassword"},
        ),
    ],
)
def test_a_stack_needs_the_secrets_of_its_parts(changes: Raw, gone: set[str], new: set[str]) -> None:
    assert (set(needed()) - set(needed(changes)), set(needed(changes)) - set(needed())) == (gone, new)


def test_a_stack_that_only_publishes_records_needs_one_secret() -> None:
    assert needed({"scope": "dns"}) == ["cloudflareApiToken"]


def test_the_salt_is_made_first_and_no_key_twice() -> None:
    assert needed()[0] == "contentSalt"
    assert len(needed()) == len(set(needed()))


def test_no_secret_is_named_like_a_setting() -> None:
    assert not NAMES & set(raw("cluster"))


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.secret.key)
def test_every_secret_says_what_it_is_for_and_when(entry: object) -> None:
    secret = entry.secret  # type: ignore[attr-defined]
    assert is_secret_key(secret.key)
    assert secret.format in FORMATS
    assert secret.why
    assert entry.when  # type: ignore[attr-defined]


def test_a_key_like_a_secret_is_not_one() -> None:
    assert not is_secret_key("databasePasswort")
    assert is_secret_key("dkimKey-anything")
