"""The stacks that the tests deploy: the shipped ones, and a few that between them use every switch."""

from __future__ import annotations

import copy
import functools
from typing import Any

import yaml

from model.settings import Settings
from model.stack_file import NAMESPACE, load
from ops.stacks import ROOT
from tests.support.deploy import Deployment, deploy

SHIPPED = ("single-node", "cluster", "local")

_EXTERNAL = {
    "database": {"host": "db.example.net", "cidr": "198.51.100.32/32"},
    "redis": {"host": "redis.example.net", "cidr": "198.51.100.33/32"},
    "s3": {"endpoint": "https://s3.example.net", "bucket": "kolab", "cidr": "198.51.100.34/32"},
}
_INGRESS = {
    "className": "nginx",
    "namespace": "ingress-nginx",
    "controllerCidr": "10.42.7.0/24",
    "addresses": ["192.0.2.20"],
}
GATEWAY = {
    "name": "public",
    "namespace": "gateways",
    "listeners": ["https"],
    "redirect": "http",
    "controllerNamespace": "ingress-nginx",
    "controllerCidr": "10.42.7.0/24",
    "addresses": ["192.0.2.20"],
}
_RELAY = {
    "mode": "relay",
    "host": "relay.example.net",
    "username": "kolab",
    "spfInclude": "spf.example.net",
}

_ROUND_TRIP = {"mailbox": "round-trip@example.org"}
_REPORTS = {"mailbox": "reports@example.org"}

_BACKUP = {
    "repository": {
        "kind": "s3",
        "endpoint": "https://s3.backup.example.net",
        "bucket": "backups",
        "networks": "198.51.100.35/32",
    }
}
_BACKUP_BY_REST = {
    "repository": {
        "kind": "rest",
        "endpoint": "https://backup.example.net:8000",
        "username": "kolab",
        "networks": "198.51.100.36/32",
    },
    "at": "23:15",
    "every": 6,
}

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "host-port": (
        "single-node",
        {
            "network": {"loadBalancer": "hostPort", "egress": _RELAY},
            "tls": {"issuer": "existing", "name": "public", "challenge": "http", "caa": "letsencrypt.org"},
        },
    ),
    "external": (
        "cluster",
        {
            "external": _EXTERNAL,
            "backup": _BACKUP_BY_REST,
            "monitoring": {
                "mode": "prometheus-operator",
                "operator": {"namespace": "monitoring", "labels": {"release": "prometheus"}},
                "alerts": {"email": None, "webhook": None, "heartbeat": None},
                "roundTrip": _ROUND_TRIP,
                "reports": _REPORTS,
            },
        },
    ),
    # Everything that can be switched off, behind an Ingress controller, on a node whose name is not known.
    "bare": (
        "single-node",
        {
            "features": dict.fromkeys(("meet", "turn", "office", "files", "activesync"), False),
            "monitoring": {"enabled": False},
            "images": {"pullSecret": "registry"},
            "network": {
                "loadBalancer": "hostPort",
                "ingress": _INGRESS,
                "egress": {"mode": "gateway", "addresses": ["192.0.2.10"]},
            },
        },
    ),
    # Everything that can be switched on, with certificates of somebody else.
    "full": (
        "cluster",
        {
            "mail": {
                "antivirus": True,
                "contentFilter": True,
                "messageSizeLimit": "10Mi",
                "outbound": {"dane": True, "exempt": ["example.com"]},
                "spam": {"quarantineAt": 15},
            },
            "network": {"ingress": _INGRESS},
            "tls": {"issuer": "secrets", "proxy": "our-web", "mx": "our-mx", "sieve": "our-sieve"},
            "tlsa": None,
            "backup": _BACKUP,
            "monitoring": {"roundTrip": _ROUND_TRIP, "reports": _REPORTS},
            "acknowledge": [
                {"rule": "data-delete", "subject": "versitygw-data", "reason": "moved to S3 last week"}
            ],
        },
    ),
    # Websites at a Gateway of somebody else, some of them with certificates of their own.
    "gateway": ("cluster", {"network": {"gateway": GATEWAY}}),
    # Files on their way from MinIO, and a database that has not moved yet.
    "moving": (
        "single-node",
        {"files": {"engine": "minio-to-versitygw"}, "mariadb": {"release": "10.5"}, "backup": _BACKUP},
    ),
}
"""Name -> the shipped stack that it changes, and what it changes. None removes a key."""


def raw(name: str) -> dict[str, Any]:
    """The keys of a stack, without their prefix."""
    base, changes = VARIANTS.get(name, (name, {}))
    found = _shipped(base)
    _merge(found, changes)
    return found


@functools.cache
def stack(name: str) -> Settings:
    """The settings of a stack, judged by every rule."""
    settings, _ = load(raw(name), need_secrets=False)
    return settings


def changed(name: str, changes: dict[str, Any]) -> Settings:
    """The settings of a stack with `changes` merged into its file."""
    values = raw(name)
    _merge(values, changes)
    settings, _ = load(values, need_secrets=False)
    return settings


@functools.cache
def deployment(name: str) -> Deployment:
    """What a stack would create."""
    return deploy(stack(name))


def _shipped(name: str) -> dict[str, Any]:
    file = "templates/local.yaml" if name == "local" else f"Pulumi.{name}.yaml"
    config = yaml.safe_load((ROOT / "stacks" / file).read_text())["config"]
    values = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in config.items()}
    if name == "local":
        # `make up` makes keys for it; any public halves do here.
        example = _shipped("single-node")
        selectors = {
            name: key | {"stage": "active"} for name, key in example["mail"]["dkim"]["selectors"].items()
        }
        _merge(
            values,
            {"passportPublicKey": example["passportPublicKey"], "mail": {"dkim": {"selectors": selectors}}},
        )
    return values


def _merge(values: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if value is None:
            values.pop(key, None)
        elif isinstance(value, dict) and isinstance(values.get(key), dict) and key not in _WHOLE:
            _merge(values[key], value)
        else:
            values[key] = copy.deepcopy(value)


_WHOLE = ("egress", "tls", "selectors")
"""Kinds of things: a new one replaces the old one."""
