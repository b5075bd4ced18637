"""People get the requests that only they can fulfil."""

from __future__ import annotations

from model.identity import tickets
from model.settings import Settings
from tests.identity.stacks import stack


def ids(settings: Settings) -> set[str]:
    """Ids of all tickets."""
    return {ticket.id for ticket in tickets(settings)}


def test_humans_are_asked_for_what_no_provider_of_ours_can_do() -> None:
    manual = ids(stack(dns__ptr={"provider": "manual"}, mail__dmarc={"rua": ["dmarc@reports.example"]}))
    assert {"ptr 198.51.100.3", "ptr 198.51.100.9", "ptr 2001:db8:1::3"} <= manual
    assert {"delegation example.org", "ds example.org", "sheet xn--mnchen-3ya.example"} <= manual
    assert "record example.org._report._dmarc.reports.example TXT" in manual
    assert "hold" not in manual


def test_a_ticket_says_what_hold_keeps_back_and_what_owners_publish_later() -> None:
    found = {t.id: t for t in tickets(stack(mail__mx={"stage": "hold"}))}
    assert any(r.type == "MX" for r in found["hold"].records)
    assert any(r.type == "MX" for r in found["sheet-live xn--mnchen-3ya.example"].records)
    assert not any(r.type == "MX" for r in found["sheet xn--mnchen-3ya.example"].records)


def test_the_owner_of_a_network_is_told_the_cname_into_our_child_zone() -> None:
    ticket = next(t for t in tickets(stack()) if t.id == "rfc2317 198.51.100.3")
    assert [str(r) for r in ticket.records] == [
        "3.100.51.198.in-addr.arpa. 3600 IN CNAME 3.0-15.100.51.198.in-addr.arpa."
    ]
