"""CPU and memory of each container, for ten people, a hundred or a thousand: requests that they fit into, limits that stop
a leak.

Memory limits come from what the daemons were seen to use (docs/reference/upstream.md) with room for load; CPU
has no limit, since a throttled mail daemon times out at its peers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model.settings import Settings


@dataclass(frozen=True)
class Size:
    """Requested CPU, requested memory, limit of memory (Kubernetes quantities)."""

    cpu: str
    memory: str
    memory_limit: str


DEFAULTS = {
    "mariadb": Size("250m", "512Mi", "1Gi"),
    "redis": Size("100m", "128Mi", "512Mi"),
    "minio": Size("100m", "256Mi", "512Mi"),
    "versitygw": Size("100m", "128Mi", "512Mi"),
    "move-files": Size("100m", "128Mi", "512Mi"),
    "seed": Size("100m", "256Mi", "768Mi"),
    "webapp": Size("250m", "512Mi", "1Gi"),
    "horizon": Size("100m", "256Mi", "768Mi"),
    "scheduler": Size("50m", "128Mi", "768Mi"),
    "imap": Size("250m", "256Mi", "2Gi"),
    "postfix": Size("100m", "256Mi", "1280Mi"),
    "amavis": Size("200m", "512Mi", "1Gi"),
    "amavis-antivirus": Size("300m", "2Gi", "3Gi"),
    "postfix-exporter": Size("10m", "32Mi", "64Mi"),
    "unbound": Size("20m", "64Mi", "192Mi"),
    "roundcube": Size("200m", "256Mi", "1Gi"),
    "roundcube-migrate": Size("100m", "128Mi", "512Mi"),
    "collabora": Size("250m", "512Mi", "2Gi"),
    "meet": Size("250m", "256Mi", "1Gi"),
    "coturn": Size("50m", "64Mi", "256Mi"),
    "proxy": Size("100m", "64Mi", "256Mi"),
    "prometheus": Size("100m", "256Mi", "1Gi"),
    "alertmanager": Size("10m", "32Mi", "128Mi"),
    "victorialogs": Size("50m", "128Mi", "512Mi"),
    "vector": Size("50m", "128Mi", "256Mi"),
    "blackbox": Size("10m", "32Mi", "64Mi"),
    "round-trip": Size("10m", "32Mi", "64Mi"),
    # A message that is made to take memory gets 192 MiB of address space (report.py).
    "report-reader": Size("10m", "32Mi", "256Mi"),
    "before-migration": Size("100m", "128Mi", "512Mi"),
    "restore-dump": Size("100m", "128Mi", "512Mi"),
    "rehearsal": Size("10m", "64Mi", "1Gi"),
    # The index of a repository is held in memory: restic needs about 1 GiB for 1 TiB of mail.
    "backup-mail": Size("100m", "256Mi", "1Gi"),
    "backup-files": Size("100m", "256Mi", "1Gi"),
    "backup-objects": Size("100m", "256Mi", "1Gi"),
    "backup-database": Size("100m", "256Mi", "1Gi"),
    "keep-dump": Size("100m", "256Mi", "1Gi"),
    "restore-database": Size("100m", "256Mi", "1Gi"),
    "restore-mail": Size("100m", "256Mi", "1Gi"),
    "restore-files": Size("100m", "256Mi", "1Gi"),
    "drill-database": Size("100m", "256Mi", "1Gi"),
    "drill-mail": Size("100m", "256Mi", "1Gi"),
}
"""Container -> size, for ten people."""


@dataclass(frozen=True)
class Profile:
    """An organisation of some size."""

    people: int
    sizes: Mapping[str, Size]
    """Container -> size, where it differs from that for ten people."""


PROFILES: Mapping[str, Profile] = {
    "small": Profile(10, {}),
    "medium": Profile(
        100,
        {
            "mariadb": Size("500m", "1Gi", "2Gi"),
            "minio": Size("200m", "512Mi", "1Gi"),
            "versitygw": Size("200m", "256Mi", "1Gi"),
            "webapp": Size("500m", "512Mi", "1Gi"),
            "imap": Size("500m", "1536Mi", "3Gi"),
            "amavis": Size("500m", "768Mi", "1Gi"),
            "roundcube": Size("500m", "512Mi", "2Gi"),
            "collabora": Size("500m", "1Gi", "4Gi"),
            "meet": Size("500m", "512Mi", "1Gi"),
            "proxy": Size("200m", "128Mi", "256Mi"),
            "victorialogs": Size("100m", "256Mi", "1Gi"),
        },
    ),
    "large": Profile(
        1000,
        {
            "mariadb": Size("1", "3Gi", "4Gi"),
            "redis": Size("200m", "256Mi", "1Gi"),
            "minio": Size("500m", "1Gi", "2Gi"),
            "versitygw": Size("500m", "512Mi", "2Gi"),
            "webapp": Size("1", "768Mi", "1536Mi"),
            "horizon": Size("200m", "256Mi", "1Gi"),
            "imap": Size("2", "13Gi", "16Gi"),
            "postfix": Size("500m", "512Mi", "1280Mi"),
            "amavis": Size("1", "768Mi", "1Gi"),
            "roundcube": Size("1", "1Gi", "4Gi"),
            "collabora": Size("2", "2Gi", "8Gi"),
            "meet": Size("1", "512Mi", "2Gi"),
            "coturn": Size("200m", "128Mi", "512Mi"),
            "proxy": Size("500m", "384Mi", "768Mi"),
            "prometheus": Size("200m", "512Mi", "2Gi"),
            "victorialogs": Size("200m", "512Mi", "2Gi"),
        },
    ),
}
"""kolab:size -> organisation. What sessions of IMAP and of the proxy take, and Postfix and MariaDB with all connections,
was measured (model/budget.py); the rest is reckoned from what the daemons take for a few people."""


def size_of(settings: Settings, name: str) -> Size:
    """The size of container `name`: the operator's under kolab:resources, else that for kolab:size."""
    sizes = {**DEFAULTS, **PROFILES[settings.size].sizes}
    default = sizes["amavis-antivirus" if name == "amavis" and settings.mail.antivirus else name]
    given = settings.resources.get(name)
    if given is None:
        return default
    memory = given.memory or default.memory
    limit = given.memory_limit or (given.memory if given.memory else default.memory_limit)
    return Size(given.cpu or default.cpu, memory, limit)
