"""A preview with zone files says in mail terms what comes and goes."""

from __future__ import annotations

from model.identity.snapshot import snapshot
from ops.difference import difference
from tests.model.files import settings

HELD = settings("single-node")


def test_going_live_shows_the_mx_record_with_a_plus() -> None:
    live = settings("single-node", {"mail/mx": {"stage": "live"}})
    lines = difference(live, snapshot(HELD)).splitlines()
    assert any(line.strip().startswith("+ example.org") and "MX 10 mx.example.org." in line for line in lines)
    # SPF judges nobody while another server has the domain, and np= refuses nothing; both do once it is live.
    gone = [line for line in lines if line.strip().startswith("- ")]
    assert len(gone) == 2
    assert all("?all" in line or ("v=DMARC1" in line and "np=" not in line) for line in gone)
    back = difference(HELD, snapshot(live))
    assert "- example.org" in back
    assert "stops sending that mail here" in back


def test_a_new_domain_shows_its_records() -> None:
    more = settings(
        "single-node", {"hostedDomains": ["example.net"], "dns/zones": {"example.org": "", "example.net": ""}}
    )
    assert "+ example.net" in difference(more, snapshot(HELD))


def test_nothing_that_changes_is_one_line() -> None:
    assert difference(HELD, snapshot(HELD)) == "Records: no stage, key or policy of mail changes"


def test_before_the_first_deployment_there_is_nothing_to_compare() -> None:
    assert "none is deployed yet" in difference(HELD, None)
