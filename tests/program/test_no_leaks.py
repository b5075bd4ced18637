"""Secrets of every stack are in Secrets, and nowhere else."""

from __future__ import annotations

import string
from typing import Any

import pytest

from model.secrets import secrets
from ops.secrets import make
from tests.support.deploy import SALT, Deployment
from tests.support.stacks import stack

NEVER_SHOWN = {"contentSalt", "monitoringPassword"}
"""Only what is made of them reaches the cluster."""


def test_a_secret_is_seen_inside_secrets_alone(program: Deployment) -> None:
    for key, text in program.sentinels.items():
        holders = program.holders_of(text)
        assert {each.partition("/")[0] for each in holders} <= {"Secret"}, key
        assert bool(holders) is (key not in NEVER_SHOWN), key


def test_the_engine_is_told_that_they_are_secret(program: Deployment) -> None:
    for manifest in program.of_kind("Secret"):
        resource = program.registered(manifest)
        shown = {path.partition(".")[0] for path in resource.secrets}
        assert shown == {"stringData"}, resource.name


def test_nothing_else_is_secret_so_that_previews_show_it(program: Deployment) -> None:
    for resource in program.resources:
        if not resource.type.endswith(("core/v1:Secret", "providers:kubernetes")):
            assert not resource.secrets, resource.urn


def test_no_secret_is_asked_for_that_the_stack_file_need_not_have(name: str, program: Deployment) -> None:
    # It would be missing at the first `pulumi up`, after everything before it had been made.
    assert program.sentinels.keys() <= {each.key for each in secrets(stack(name))}


def test_no_name_gives_a_secret_away(program: Deployment) -> None:
    for each in program.objects:
        assert "Sentinel" not in str(each["metadata"])
        assert SALT not in str(each["metadata"])


@pytest.mark.parametrize(
    "secret",
    [each for each in secrets(stack("cluster")) if each.format in ("password", "hex", "desKey", "uuid")],
    ids=lambda secret: secret.key,
)
def test_a_generated_password_survives_sed_and_dsns(secret: Any) -> None:
    # Daemons paste them into sed commands, URLs, Perl strings and a login that splits at spaces.
    allowed = string.ascii_letters + string.digits + ("-" if secret.format == "uuid" else "")
    assert set(make(secret)) <= set(allowed)
