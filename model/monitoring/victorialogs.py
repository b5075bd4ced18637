"""Flags of VictoriaLogs. It has no configuration file.

Its web interface lives at /select/vmui/ by itself, so no path prefix is set. The proxy must forward /select and
nothing else: /insert and /internal take data without asking who sends it.
Source: https://docs.victoriametrics.com/victorialogs/#list-of-command-line-flags
"""

from __future__ import annotations

from model.monitoring.prometheus import room
from model.settings import Settings
from model.topology import LOGS

DATA = "/data"
INSERT_PATH = "/insert/jsonline"
HEALTH_PATH = "/health"

_HOURS = {"s": 1 / 3600, "m": 1 / 60, "h": 1, "d": 24, "w": 24 * 7, "y": 24 * 365}


def flags(settings: Settings) -> tuple[str, ...]:
    """Command line of VictoriaLogs."""
    return (
        f"-httpListenAddr=:{LOGS.port('http').number}",
        f"-storageDataPath={DATA}",
        f"-retentionPeriod={_retention(settings.monitoring.logs_retention)}",
        # The oldest day goes before the volume is full.
        f"-retention.maxDiskSpaceUsageBytes={room(settings.storage.logs)}",
        "-loggerFormat=json",
    )


def _retention(duration: str) -> str:
    """`duration` in hours; VictoriaLogs keeps whole days and refuses to start below one."""
    hours = int(duration[:-1]) * _HOURS[duration[-1]]
    return f"{max(24, round(hours))}h"
