"""The parts of the stand-ins that tests elsewhere rely on to be right."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

from tests.lab.images import resolver
from tests.lab.images.places import RECIPES


def program(path: str) -> ModuleType:
    location = RECIPES / path
    spec = importlib.util.spec_from_file_location(location.stem, location)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("203.0.113.9", {"X-Forwarded-For": "198.51.100.1"}, "203.0.113.9"),
        ("10.244.0.5", {"X-Forwarded-For": "203.0.113.9"}, "203.0.113.9"),
        ("10.244.0.5", {"X-Forwarded-For": "198.51.100.1, 203.0.113.9, 10.244.0.7"}, "203.0.113.9"),
        ("10.244.0.5", {"X-Client-IP": "198.51.100.1", "X-Forwarded-For": "203.0.113.9"}, "198.51.100.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_hop_unless_a_trusted_peer_claims_one(
    monkeypatch: pytest.MonkeyPatch, peer: str, headers: dict[str, str], expected: str
) -> None:
    monkeypatch.setitem(os.environ, "TRUSTED_PROXIES", "10.244.0.0/16")
    client = program("webapp/rootfs/opt/app-root/src/standin/client.py")
    assert client.address(peer, headers) == expected


def test_saslauthd_sends_user_realm_and_password_each_encoded() -> None:
    saslauthd = program("common/rootfs/usr/libexec/lab/saslauthd.py")
    request = {"user": "john", "realm": "kolab.example.org", "password": "a b", "service": "imap"}
    assert saslauthd.body(request) == "john kolab%2Eexample%2Eorg a%20b"


def test_postfix_policy_asks_about_a_submission_only_when_the_data_come() -> None:
    policy = program("postfix/rootfs/usr/libexec/lab/policy.py")
    request = {"sender": "a@example.org", "sasl_username": "b@example.org", "recipient": "c@example.org"}
    assert policy.fields("submission", request | {"protocol_state": "RCPT"}) is None
    asked = policy.fields("submission", request | {"protocol_state": "DATA"})
    assert asked == {"sender": "a@example.org", "recipients": "c@example.org", "user": "b@example.org"}


def test_the_resolver_answers_addresses_names_and_mail_exchangers_only() -> None:
    def ask(name: str, kind: int) -> bytes:
        query = b"\0\1\1\0\0\1\0\0\0\0\0\0" + resolver.encoded(name) + bytes([0, kind, 0, 1])
        return resolver.answer(query, "203.0.113.9")

    assert ask("example.net", resolver.A).endswith(bytes([203, 0, 113, 9]))
    assert resolver.encoded(resolver.CLIENT) in ask("9.113.0.203.in-addr.arpa", resolver.PTR)
    assert resolver.encoded("mx.example.net") in ask("example.net", resolver.MX)
    assert ask("example.net", 16)[7] == 0


def test_every_program_of_a_recipe_can_be_run() -> None:
    scripts = [path for path in RECIPES.rglob("*") if path.is_file() and path.read_bytes().startswith(b"#!")]
    assert [str(path.relative_to(RECIPES)) for path in scripts if not os.access(path, os.X_OK)] == []
    assert Path(RECIPES / "webapp/rootfs/init.sh") in scripts
