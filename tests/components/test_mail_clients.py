"""What the programs of the monitoring that have an account here have in common."""

from __future__ import annotations

import pytest

from tests.support.deploy import deploy
from tests.support.mail_client import command
from tests.support.stacks import changed

_SETTING = {"round-trip": "roundTrip", "report-reader": "reports"}


@pytest.mark.parametrize("daemon", _SETTING)
@pytest.mark.parametrize(("issuer", "any_certificate"), [("acme", False), ("selfSigned", True)])
def test_certificates_are_looked_at_where_the_world_vouches_for_them(
    daemon: str, issuer: str, any_certificate: bool
) -> None:
    tls = {"issuer": issuer} | ({"email": "joe@example.org"} if issuer == "acme" else {})
    told = {"monitoring": {_SETTING[daemon]: {"mailbox": "someone@example.org"}}}
    settings = changed("single-node", {**told, "tls": tls, "mail": {"mtaSts": {"stage": "none"}}})
    assert ("--any-certificate" in command(deploy(settings), daemon)) is any_certificate


@pytest.mark.parametrize("daemon", _SETTING)
def test_what_they_share_lies_beside_each_of_them(daemon: str) -> None:
    deployed = deploy(
        changed("single-node", {"monitoring": {_SETTING[daemon]: {"mailbox": "someone@example.org"}}})
    )
    (entry,) = (
        each["configMap"]["name"] for each in deployed.workload(daemon).pod["volumes"] if "configMap" in each
    )
    assert "mail_client.py" in deployed.get("ConfigMap", entry)["data"]
