"""CPU and memory of each container: requests that a small organisation fits into, limits that stop a leak.

Memory limits come from what the daemons were seen to use (docs/reference/upstream.md) with room for load; CPU
has no limit, since a throttled mail daemon times out at its peers.
"""

from __future__ import annotations

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
    "seed": Size("100m", "256Mi", "768Mi"),
    "webapp": Size("250m", "512Mi", "1Gi"),
    "horizon": Size("100m", "256Mi", "768Mi"),
    "scheduler": Size("50m", "128Mi", "768Mi"),
    "imap": Size("250m", "256Mi", "2Gi"),
    "postfix": Size("100m", "256Mi", "1280Mi"),
    "amavis": Size("200m", "512Mi", "1Gi"),
    "amavis-antivirus": Size("300m", "2Gi", "3Gi"),
    "postfix-exporter": Size("10m", "32Mi", "64Mi"),
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
    # The index of a repository is held in memory: restic needs about 1 GiB for 1 TiB of mail.
    "backup-mail": Size("100m", "256Mi", "1Gi"),
    "backup-files": Size("100m", "256Mi", "1Gi"),
    "backup-database": Size("100m", "256Mi", "1Gi"),
    "restore-database": Size("100m", "256Mi", "1Gi"),
    "restore-mail": Size("100m", "256Mi", "1Gi"),
    "restore-files": Size("100m", "256Mi", "1Gi"),
}
"""Container -> size."""


def size_of(settings: Settings, name: str) -> Size:
    """The size of container `name`: the operator's under kolab:resources, else the default."""
    default = DEFAULTS["amavis-antivirus" if name == "amavis" and settings.mail.antivirus else name]
    given = settings.resources.get(name)
    if given is None:
        return default
    memory = given.memory or default.memory
    limit = given.memory_limit or (given.memory if given.memory else default.memory_limit)
    return Size(given.cpu or default.cpu, memory, limit)
