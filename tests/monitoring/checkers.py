"""Settings that every test here starts from, and the daemons' own checkers where they are installed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from model.settings import Settings
from tests.support.tools import tool

MONITORING: dict[str, Any] = {
    "alerts": {"email": "ops@example.com", "webhook": "https://alerts.example.com/hook"},
    "roundTrip": {"mailbox": "round-trip@example.org"},
    "reports": {"mailbox": "reports@example.org"},
}
PACKAGES = {
    "amtool": "prometheus-alertmanager",
    "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
}


def settings(**changed: Any) -> Settings:
    """A cluster that uses all of the monitoring."""
    stack: dict[str, Any] = {
        "mode": "cluster",
        "domain": "example.org",
        "hostedDomains": ["example.net"],
        "mail": {"mx": {"stage": "live"}, "mtaSts": {"stage": "enforce"}},
        "monitoring": MONITORING,
        "backup": {
            "repository": {
                "kind": "s3",
                "endpoint": "https://s3.example.net",
                "bucket": "backups",
                "networks": "198.51.100.35/32",
            }
        },
        "network": {"egress": {"mode": "nodes", "nodes": {"n1": ["198.51.100.11"]}}},
    }
    return Settings.model_validate(stack | changed)


def program(name: str) -> str:
    """Path of a program: Prometheus' own of the release that a stack runs, or Debian's. Skips the test where it is missing."""
    found = tool(name)
    if found is None:
        package = PACKAGES.get(name)
        remedy = f"apt-get install {package}" if package else "python3 -m toolchain ensure --tests"
        pytest.skip(f"{name} is not there: {remedy}")
    return found


def attempt(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A checker's verdict, good or bad."""
    command = [program(name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def run(name: str, *arguments: str | Path) -> str:
    """What a checker prints; a bad verdict fails the test and is shown."""
    done = attempt(name, *arguments)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout
