"""Which image each daemon runs: Kolab's own, and one pinned version per line of everybody else's."""

from __future__ import annotations

from model.settings import ImagesRegistry

KOLAB = [
    "proxy",
    "webapp",
    "roundcube",
    "imap",
    "postfix",
    "amavis",
    "mariadb",
    "redis",
    "collabora",
    "coturn",
    "meet",
]
"""Images that Kolab publishes (upstream: kolabctl pull)."""

OTHERS = {
    "minio": "quay.io/minio/minio:RELEASE.2025-06-13T11-33-47Z",
    "prometheus": "docker.io/prom/prometheus:v3.5.0",
    "alertmanager": "docker.io/prom/alertmanager:v0.28.1",
    "blackbox": "docker.io/prom/blackbox-exporter:v0.27.0",
    "victorialogs": "docker.io/victoriametrics/victoria-logs:v1.24.0-victorialogs",
    "vector": "docker.io/timberio/vector:0.48.0-debian",
    "restic": "docker.io/restic/restic:0.18.1",
    "postfix-exporter": "ghcr.io/hsn723/postfix_exporter:0.20.4",
}
"""Images of other projects, with their pinned versions."""


def reference(registry: ImagesRegistry, name: str) -> str:
    """The image of `name` as a pod names it: digest if one is given, else the pinned or configured tag.

    Raises KeyError for an image that the stack does not know.
    """
    if name in KOLAB:
        base, tag = f"{registry.registry}/{name}", registry.tag
    else:
        base, _, tag = OTHERS[name].rpartition(":")
        base = f"{registry.mirror}/{base}" if registry.mirror else base
    digest = registry.digests.get(name)
    return f"{base}@{digest}" if digest else f"{base}:{tag}"
