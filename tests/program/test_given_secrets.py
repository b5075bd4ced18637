"""A secret that somebody else gives gets another value: who restarts, that no data are touched, and what is said of it."""

from __future__ import annotations

import functools
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.guard import Guard
from components.kolab import Kolab
from model import rotation
from model.secrets import secrets
from model.settings import Settings
from ops.recorder import Registered, record
from ops.stacks import ROOT
from tests.support.deploy import Sentinels
from tests.support.stacks import changed, stack

pytestmark = [pytest.mark.thorough, pytest.mark.security]

_ALERTS = {
    "webhook": "secret",
    "heartbeat": "secret",
    "server": {"host": "smtp.example.com", "sender": "alerts@example.com", "username": "alerts"},
}
_ACME = {"issuer": "acme", "email": "hostmaster@example.com", "ownToken": True}

_APPLICATION = {"webapp-pods", "webapp-horizon-pods"}
_BACKUPS = {"imap-pods"}
RESTARTS: dict[str, dict[str, set[str]]] = {
    "alerts": {
        "cloudflareApiToken": set(),
        "acmeCloudflareToken": set(),
        "alertsWebhook": {"alertmanager-pods"},
        "alertsServerPassword": {"alertmanager-pods"},
        "alertsHeartbeat": {"alertmanager-pods"},
    },
    "external": {
        "databasePassword": {*_APPLICATION, "postfix-pods"},
        "roundcubeDatabasePassword": {*_APPLICATION, "roundcube-pods"},
        "redisPassword": {*_APPLICATION, "roundcube-pods", "postfix-pods"},
        "s3AccessKey": _APPLICATION,
        "s3SecretKey": _APPLICATION,
        "backupKey": _BACKUPS,
        "backupPassword": _BACKUPS,
        "roundTripPassword": {"round-trip-pods"},
        "reportsPassword": {"report-reader-pods"},
    },
    "full": {
        **{key: {*_BACKUPS, "versitygw-pods"} for key in ("backupKey", "backupAccessKey", "backupSecretKey")},
        "roundTripPassword": {"round-trip-pods"},
        "reportsPassword": {"report-reader-pods"},
    },
    "host-port": {"relayPassword": {"postfix-pods"}},
}
"""Stack -> secret that others give -> workloads that run for ever and restart when it changes."""
_CASES = [(name, key) for name, keys in RESTARTS.items() for key in keys]

_NAMED = {
    "alertmanager-pods": None,
    "imap-pods": "Cyrus restarts",
    "versitygw-pods": "the server of the files",
    "postfix-pods": "Postfix restarts",
    "round-trip-pods": None,
    "report-reader-pods": None,
    "webapp-pods": "web pages restart",
}
"""Workload -> what says that people notice. Nobody notices that Alertmanager comes back within seconds."""


class _Another(Sentinels):
    """The stack's secrets, one of which has another value."""

    def __init__(self, another: str | None) -> None:
        super().__init__()
        self._another = another

    def __call__(self, key: str) -> pulumi.Output[str]:
        found = super().__call__(key)
        return found.apply(lambda value: f"{value}0Another") if key == self._another else found


def _settings(name: str) -> Settings:
    return (
        changed("cluster", {"monitoring": {"alerts": _ALERTS}, "tls": _ACME})
        if name == "alerts"
        else stack(name)
    )


@functools.cache
def _resources(name: str, another: str | None = None) -> dict[str, Registered]:
    settings = _settings(name)

    def program() -> None:
        cluster = kubernetes.Provider("cluster", context=settings.kubernetes.context)
        Kolab(settings, _Another(another), Guard.of(settings), pulumi.ResourceOptions(providers=[cluster]))

    return {each.name: each for each in record(program)}


def _differing(name: str, key: str) -> list[Registered]:
    before, after = _resources(name), _resources(name, key)
    assert before.keys() == after.keys()
    return [each for each in after.values() if each.inputs != before[each.name].inputs]


def _kind(each: Registered) -> str:
    return each.type.rpartition(":")[2]


def test_every_secret_that_others_give_is_in_the_table() -> None:
    for name, keys in RESTARTS.items():
        settings = _settings(name)
        needed = {secret.key for secret in secrets(settings)}
        assert {key for key in needed if rotation.of(key, settings).kind == "given"} >= keys.keys()
    tried = {key for _, key in _CASES}
    assert tried >= {key for key, how in rotation.ROTATIONS.items() if how.kind == "given"}


@pytest.mark.rotates(*{key: None for _, key in _CASES})
@pytest.mark.parametrize(("name", "key"), _CASES)
def test_exactly_those_pods_restart_that_see_it(name: str, key: str) -> None:
    running = ("Deployment", "StatefulSet", "DaemonSet")
    assert {each.name for each in _differing(name, key) if _kind(each) in running} == RESTARTS[name][key]


@pytest.mark.parametrize(("name", "key"), _CASES)
def test_nothing_that_holds_data_is_touched(name: str, key: str) -> None:
    found = _differing(name, key)
    assert [each.name for each in found if each.protect] == []
    assert {_kind(each) for each in found} <= {*_RENEWED, "Deployment", "StatefulSet"}


_RENEWED = ("Secret", "Job", "CronJob", "Issuer")
"""What is made anew beside the old one, or asked for the next time that it runs."""


@pytest.mark.parametrize(("name", "key"), _CASES)
def test_each_changed_secret_is_a_new_object_of_its_content(name: str, key: str) -> None:
    """So that pods of before keep the old value until they end, and going back is one update."""
    before = _resources(name)
    for each in _differing(name, key):
        if _kind(each) == "Secret":
            assert _name(each) != _name(before[each.name])


def _name(each: Registered) -> Any:
    return each.inputs["metadata"]["name"]


@pytest.mark.parametrize(
    ("name", "key"), [each for each in _CASES if each[0] != "external" or "Pass" not in each[1]]
)
def test_what_restarts_is_said_before(name: str, key: str) -> None:
    said = rotation.of(key, _settings(name)).words
    for workload in RESTARTS[name][key]:
        word = _NAMED.get(workload)
        assert word is None or word in said


def test_the_page_says_in_which_order_and_that_nobody_is_asked() -> None:
    text = " ".join((ROOT / "docs/how-to/rotate-secrets.md").read_text().split())
    first, then, last = (
        text.index(words)
        for words in (
            "make the new value at the other end first",
            "then change it here",
            "then end the old one",
        )
    )
    assert first < then < last
    assert "asks no provider whether a value is right" in text


@pytest.mark.parametrize("key", [key for key, how in rotation.ROTATIONS.items() if how.kind == "given"])
def test_each_says_what_the_other_end_has_to_do_before_or_after(key: str) -> None:
    words = rotation.ROTATIONS[key].words
    assert "already" in words or "afterwards" in words
