"""Flags of VictoriaLogs."""

from __future__ import annotations

import pytest

from model.monitoring import victorialogs
from tests.monitoring.checkers import settings


@pytest.mark.parametrize(
    ("wanted", "kept"), [("7d", "168h"), ("1h", "24h"), ("2w", "336h"), ("1y", "8760h"), ("36h", "36h")]
)
def test_retention_is_given_in_a_unit_that_it_reads_and_never_below_a_day(wanted: str, kept: str) -> None:
    flags = victorialogs.flags(settings(monitoring={"logsRetention": wanted}))
    assert f"-retentionPeriod={kept}" in flags


def test_logs_never_fill_their_volume() -> None:
    flags = victorialogs.flags(settings(storage={"logs": {"size": "5Gi"}}))
    assert f"-retention.maxDiskSpaceUsageBytes={4 * 1024**3}" in flags
