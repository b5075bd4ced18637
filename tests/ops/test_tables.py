"""The tables that `up` ends with."""

from __future__ import annotations

import pytest

from ops import tables
from tests.model.files import settings


def test_every_public_port_has_a_row() -> None:
    rows = tables.addresses(settings("cluster"))
    assert ("192.0.2.11", "25/tcp", "postfix", "10.20.0.11") in rows
    assert ("192.0.2.12", "3478/udp", "coturn", "10.20.0.12") in rows


def test_two_addresses_of_one_daemon_have_a_row_each() -> None:
    both = ["10.20.0.11", "2001:db8::11"]
    rows = tables.addresses(settings("cluster", {"network/addresses/smtp": both}))
    assert [row[0] for row in rows if row[1] == "25/tcp"] == ["192.0.2.11", "2001:db8::11"]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert tables.table(("A", "LONG"), [("xyz", "1"), ("x", "22")]) == "A    LONG\nxyz  1\nx    22"


def test_a_table_without_rows_is_its_head() -> None:
    assert tables.table(("A", "B"), []) == "A  B"


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(settings("single-node"), "x")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["ADDRESS", "PORT", "DAEMON", "INSIDE"]
    assert ["192.0.2.10", "443/tcp", "proxy", "192.0.2.10"] in [line.split() for line in printed]
