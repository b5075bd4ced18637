"""What mox and Mail-in-a-Box would name is named by the doctor: the table of docs/how-to/ask-the-doctor.md, and much beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from model.monitoring import rules
from ops.doctor.checks import CHECKS
from ops.stacks import ROOT
from tests.support.faults import FAULTS

MOX = set(
    "DNSSEC IPRev MX TLS DANE SPF DKIM DMARC HostTLSRPT DomainTLSRPT MTASTS SRVConf Autoconf Autodiscover".split()  # noqa: SIM905 (read as one list)
)
"""Parts of its check of a domain (mox, webadmin/admin.go: CheckResult)."""
MAIL_IN_A_BOX = {
    "run_services_checks",
    "check_ufw",
    "check_ssh_password",
    "check_software_updates",
    "check_system_aliases",
    "check_free_disk_space",
    "check_free_memory",
    "check_backup",
    "run_network_checks",
    "check_primary_hostname_dns",
    "check_dns_zone",
    "check_dns_zone_suggestions",
    "check_dnssec",
    "check_mail_domain",
    "check_web_domain",
    "check_ssl_cert",
    "check_miab_version",
}
"""Functions that print errors or warnings (Mail-in-a-Box, management/status_checks.py)."""
OF_THE_NODES = {"check_free_memory", "check_software_updates", "check_ssh_password", "check_miab_version"}
"""What is not the stack's affair, and all that is not."""
_WORD = re.compile("`([A-Za-z_-]+)`")


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    about: str
    mox: frozenset[str]
    box: frozenset[str]
    here: frozenset[str]


def _page() -> tuple[list[Row], list[str]]:
    """The table, and the checks that neither of the others has."""
    text = (ROOT / "docs/how-to/ask-the-doctor.md").read_text("utf-8")
    _, _, text = text.partition("| Looked at by mox or Mail-in-a-Box |")
    table, _, beside = text.partition("Neither of them looks at these:")
    rows = []
    for line in table.splitlines()[2:]:
        if line.startswith("|"):
            about, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            rows.append(Row(about, *(frozenset(_WORD.findall(cell)) for cell in cells)))
    return rows, _WORD.findall(beside)


_ROWS, _BESIDE = _page()


def test_the_table_has_everything_that_they_look_at() -> None:
    assert {name for row in _ROWS for name in row.mox} == MOX
    assert {name for row in _ROWS for name in row.box} == MAIL_IN_A_BOX


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.about)
def test_what_they_would_name_is_named_by_checks_that_can_fail_or_by_alerts(row: Row) -> None:
    assert row.mox | row.box
    known = _can_fail() | {alert.name for alert in rules.every()}
    assert row.here - known == set()
    assert row.here or row.box == OF_THE_NODES, f"nothing here names: {row.about}"


def test_twenty_things_and_more_are_named_that_neither_of_them_looks_at() -> None:
    assert len(_BESIDE) == len(set(_BESIDE)) >= 20
    assert set(_BESIDE) - _can_fail() == set()
    assert not {name for row in _ROWS for name in row.here} & set(_BESIDE)


def test_every_check_of_the_doctor_is_on_one_side_of_the_comparison() -> None:
    assert {check.id for check in CHECKS} <= {name for row in _ROWS for name in row.here} | set(_BESIDE)


def _can_fail() -> set[str]:
    """Checks that an injected fault makes fail (test_doctor.py runs each)."""
    return {check.id for check in CHECKS} & {fault.check for fault in FAULTS}
