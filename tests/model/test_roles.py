"""Where mail to roles goes: people get what people write, and the reader of reports what programs write."""

from __future__ import annotations

from typing import Any

from model import roles
from tests.support.stacks import changed

_READER = {"reports": {"mailbox": "reports@example.org"}}
_PEOPLE = "jane@example.org"


def _of(**more: Any) -> dict[str, str]:
    return dict(roles.addresses(changed("single-node", {"mail": {"postmaster": _PEOPLE}, **more})))


def test_without_a_reader_all_of_it_goes_to_people() -> None:
    assert set(_of().values()) == {_PEOPLE}


def test_with_a_reader_reports_go_there_and_everything_else_to_people() -> None:
    found = _of(monitoring=_READER)
    read = {address for address, mailbox in found.items() if mailbox == "reports@example.org"}
    assert read == {"dmarc-reports@example.org", "tls-reports@example.org"}
    assert {mailbox for address, mailbox in found.items() if address not in read} == {_PEOPLE}


def test_addresses_of_reports_that_the_stack_file_names_are_read_too() -> None:
    mail = {
        "dmarc": {"rua": ["a@example.org", "b@elsewhere.example"]},
        "reports": {"tlsRpt": "t@example.org"},
    }
    found = _of(monitoring=_READER, mail={"postmaster": _PEOPLE, **mail})
    assert found["a@example.org"] == found["t@example.org"] == "reports@example.org"
    assert "b@elsewhere.example" not in found


def test_reports_about_single_messages_and_certificates_are_for_people() -> None:
    mail = {"dmarc": {"ruf": ["r@example.org"]}, "reports": {"caaIodef": "c@example.org"}}
    found = _of(monitoring=_READER, mail={"postmaster": _PEOPLE, **mail})
    assert found["r@example.org"] == found["c@example.org"] == _PEOPLE


def test_the_readers_own_address_leads_nowhere_else() -> None:
    mail = {"postmaster": _PEOPLE, "dmarc": {"rua": ["reports@example.org"]}}
    assert "reports@example.org" not in _of(monitoring=_READER, mail=mail)


def test_reports_are_read_where_no_person_is_named() -> None:
    found = roles.addresses(changed("single-node", {"mail": {"postmaster": None}, "monitoring": _READER}))
    assert set(found.values()) == {"reports@example.org"}
