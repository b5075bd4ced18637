"""Names made from content: they change with it, are known before anything is made, and tell nothing."""

from __future__ import annotations

import hashlib

import pulumi
import pytest

from components import content
from components.daemon import DaemonComponent
from model import topology
from tests.support.deploy import Deployment, recorded, site
from tests.support.stacks import deployment


class _Daemon(DaemonComponent):
    def __init__(self, value: str) -> None:
        super().__init__(topology.REDIS, "redis", site())
        self.config("settings", {"file": value})
        self.secret("credentials", {"PASSWORD": pulumi.Output.secret(value)})


def made(value: str, *, preview: bool = False) -> Deployment:
    return recorded(lambda: _Daemon(value), preview=preview)


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_a_changed_content_is_a_new_object(kind: str) -> None:
    assert made("one").names(kind) == made("one").names(kind)
    assert made("one").names(kind) != made("two").names(kind)


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_the_name_is_known_in_a_preview(kind: str) -> None:
    assert made("one", preview=True).names(kind) == made("one").names(kind)


def test_the_name_of_a_secret_is_no_hash_that_a_dictionary_could_be_tried_against() -> None:
    (name,) = made("hunter2").names("Secret")
    plain = content.config_name("redis-credentials", {"PASSWORD": "hunter2"})
    assert name != plain
    assert name.rpartition("-")[2] not in hashlib.sha256(b"hunter2").hexdigest()


def test_the_name_of_a_secret_is_shown_in_previews() -> None:
    (secret,) = (each for each in made("one").resources if each.type.endswith(":Secret"))
    assert {path.partition(".")[0] for path in secret.secrets} == {"stringData"}


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_content_never_changes_under_a_name(kind: str) -> None:
    for each in deployment("cluster").of_kind(kind):
        # cert-manager keeps the one that holds the key of the MX.
        if "tls.key" not in each.get("stringData", {}):
            assert each["immutable"] is True, each["metadata"]["name"]
