"""Stack files for tests: the shipped ones and a deployable one, with changes named by their path."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable
from typing import Any

import yaml

from model.findings import Finding
from model.images import KOLAB, OTHERS
from model.rules import RULES
from model.settings import Settings
from model.stack_file import StackFileError, load
from ops.stacks import ROOT
from tests.model import real_keys

Raw = dict[str, Any]


@functools.cache
def _shipped(name: str) -> Raw:
    config = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text())["config"]
    return {key.removeprefix("kolab:"): value for key, value in config.items()}


_PUBLIC = {
    service: f"11.0.0.{number}"
    for number, service in enumerate(_shipped("cluster")["network"]["addresses"], 10)
}


def raw(base: str = "cluster", changes: Raw | None = None) -> Raw:
    """A shipped stack file, or `real`: one that may be deployed. Paths of `changes` are dotted; None removes the key."""
    values = copy.deepcopy(_shipped("cluster" if base == "real" else base))
    if base == "real":
        _change(values, _REAL)
    _change(values, changes or {})
    return values


def _change(values: Raw, changes: Raw) -> None:
    for path, value in changes.items():
        *above, last = path.split("/")
        node = values
        for key in above:
            node = node.setdefault(key, {})
        if value is None:
            node.pop(last, None)
        else:
            node[last] = copy.deepcopy(value)


_REAL: Raw = {
    "example": None,
    **real_keys.CHANGES,
    "domain": "kolabtest.eu",
    "hostedDomains": None,
    "network/addresses": _PUBLIC,
    "network/public": None,
    "network/egress/nodes": {"worker1": ["11.0.1.1"], "worker2": ["11.0.1.2"]},
    "dns/zones": {"kolabtest.eu": "00112233445566778899aabbccddeeff"},
    "mail/postmaster": "jane@kolabtest.eu",
    "tls/email": "jane@kolabtest.eu",
    "tls/accountUri": "https://acme-v02.api.letsencrypt.org/acme/acct/77",
    "monitoring/alerts": {
        "webhook": "https://alerts.kolabtest.eu",
        "heartbeat": "https://alive.kolabtest.eu",
    },
    "backup": {
        "repository": {
            "kind": "s3",
            "endpoint": "https://s3.kolabtest.net",
            "bucket": "kolabtest",
            "networks": "11.0.3.0/28",
        }
    },
    "images/digests": dict.fromkeys((*KOLAB, *OTHERS), f"sha256:{'0' * 64}"),
}


def settings(base: str = "cluster", changes: Raw | None = None) -> Settings:
    """The settings of a file that is right in form; rules are not asked."""
    return Settings.model_validate(raw(base, changes))


def findings_of(found: Settings) -> list[Finding]:
    """What the rules say, those about mail aside: they have tests of their own."""
    return [finding for rule in RULES if rule.__module__ != "model.rules.mail" for finding in rule(found)]


def refused(values: Raw, secret_keys: tuple[str, ...] = (), **options: Any) -> tuple[Finding, ...]:
    """The errors for which the loader refuses a file, without a look at secrets unless asked for."""
    try:
        load(values, secret_keys, **{"need_secrets": False, **options})
    except StackFileError as error:
        return tuple(finding for finding in error.findings if finding.severity == "error")
    raise AssertionError("the file was accepted")


def places(found: Iterable[Finding]) -> set[tuple[str, str]]:
    """(rule, path) of findings."""
    return {(finding.rule, finding.path) for finding in found}
