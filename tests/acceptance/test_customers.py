"""A hundred customers with domains in zones of their own have certificates, from an authority that asks for proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from model.names import Names
from tests.acceptance.customers import NUMBER, Customers, customers
from tests.acceptance.report import Report
from tests.acceptance.stack import Stack
from tests.lab.cluster import Lab

pytestmark = [
    # Hundreds of names are proven, one by one.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("proxy"),
]


@pytest.fixture(scope="module", params=["dns01", "http01"])
def hosted(request: pytest.FixtureRequest, stack: Stack, own_lab: Lab, report: Report) -> Iterator[Customers]:
    """They come to a stack that runs; where port 80 proves names, they are there at its first deployment."""
    anew = request.param == "http01"
    with customers(stack, own_lab, by=request.param) as made:
        if anew:
            stack.remove()
            stack.forget()
        with report.timed(f"{NUMBER} customers have certificates ({request.param})"):
            stack.apply()
            made.issued()
        yield made
    if anew:
        stack.populate()


def _names(made: Customers, domain: str) -> tuple[str, ...]:
    return Names.of(made.stack.settings).domain_certificates[domain]


def test_every_customer_whose_names_lead_here_is_shown_their_own_certificate(hosted: Customers) -> None:
    hosts = [host for domain in hosted.careful for host in _names(hosted, domain)]
    assert len(hosts) == 3 * (NUMBER - 1)
    serials = hosted.shows(dict.fromkeys(hosts, ""), other=True)
    assert len({*serials.values()}) == NUMBER - 1


def test_the_customer_who_published_nothing_harms_nobody(hosted: Customers) -> None:
    assert f"tls.{hosted.silent}" not in hosted.ready()
    own = Names.of(hosted.stack.settings)
    shown = hosted.shown(
        own.website, own.imap, f"mta-sts.{hosted.careful[0]}", f"mta-sts.{hosted.careful[-1]}"
    )
    assert not [host for host, serial in shown.items() if serial.startswith("refused")]
    assert hosted.stack.unready() == []


@pytest.mark.parametrize("way", ["asked for", "lost"])
def test_a_renewal_restarts_nothing_and_the_new_certificate_is_shown(hosted: Customers, way: str) -> None:
    domain = hosted.careful[3] if way == "lost" else hosted.careful[4]
    before, running = hosted.shown(*(f"mta-sts.{each}" for each in hosted.careful)), _running(hosted.stack)
    if way == "lost":
        hosted.stack.kubectl("delete", "secret", f"tls.{domain}")
    else:
        hosted.renew(f"tls.{domain}")
    hosted.shows({host: before[host] for host in (f"mta-sts.{domain}",)}, other=True)
    del before[f"mta-sts.{domain}"]
    hosted.shows(before)
    assert _running(hosted.stack) == running


def _running(stack: Stack) -> set[str]:
    """Every container of pods that run for ever, by what changes when it is started again."""
    return {
        json.dumps([pod["metadata"]["uid"], each["name"], each["containerID"], each["restartCount"]])
        for pod in stack.pods()
        for each in _statuses(pod)
    }


def _statuses(pod: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pod["status"]["containerStatuses"]
    return found
