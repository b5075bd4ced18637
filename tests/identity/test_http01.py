"""With HTTP-01 a certificate holds names that lead to the proxy alone: one that does not would keep it from all others."""

from __future__ import annotations

from typing import Any

from model.identity.http01 import certified, elsewhere
from model.names import Names
from model.settings import Settings
from tests.model.files import settings

HTTP = {"issuer": "existing", "name": "public", "challenge": "http"}


def _stack(mode: str = "single-node", **changes: Any) -> Settings:
    made = {key.replace("__", "/"): value for key, value in changes.items()}
    return settings(mode, {"tls": HTTP, "mail/mx": {"stage": "live"}, **made})


def test_without_it_every_name_is_in_a_certificate() -> None:
    stack = settings("single-node", {"tls": {**HTTP, "challenge": "dns"}})
    names, found = Names.of(stack), certified(stack)
    assert (found.proxy, found.mx) == (names.proxy_certificate, names.mx_certificate)
    assert found.domains == names.domain_certificates


def test_names_that_are_not_published_yet_wait() -> None:
    held = certified(_stack(mail__mx={"stage": "hold"}))
    assert "example.org" in held.proxy
    assert not [name for name in held.proxy if name.startswith(("mta-sts.", "autoconfig.", "autodiscover."))]
    assert held.domains == {}
    live = certified(_stack())
    assert {*live.proxy} - {*held.proxy} == {
        f"{label}.example.org" for label in ("mta-sts", "autoconfig", "autodiscover")
    }


def test_a_name_of_helo_with_the_addresses_of_nodes_is_left_out() -> None:
    assert certified(_stack()).mx == ("mx.example.org",)


def test_in_cluster_mode_mail_servers_have_addresses_of_their_own() -> None:
    stack = _stack("cluster")
    assert elsewhere(stack, ("example.org", "imap.example.org", "mx.example.org", "sieve.example.org")) == [
        "mx.example.org",
        "sieve.example.org",
    ]
