"""Which image each daemon runs: Kolab's own, and one pinned version per line of everybody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from model import topology
from model.settings import ImagesRegistry, Settings

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
    "mariadb-11-8": "docker.io/library/mariadb:11.8.9",
    "minio": "quay.io/minio/minio:RELEASE.2025-06-13T11-33-47Z",
    "versitygw": "ghcr.io/versity/versitygw:v1.8.0",
    "rclone": "docker.io/rclone/rclone:1.76.0",
    "prometheus": "docker.io/prom/prometheus:v3.13.5",
    "alertmanager": "docker.io/prom/alertmanager:v0.28.1",
    "blackbox": "docker.io/prom/blackbox-exporter:v0.28.0",
    "victorialogs": "docker.io/victoriametrics/victoria-logs:v1.52.0",
    "vector": "docker.io/timberio/vector:0.48.0-debian",
    "restic": "docker.io/restic/restic:0.18.1",
    "unbound": "docker.io/crazymax/unbound:1.24.2",
    "postfix-exporter": "ghcr.io/hsn723/postfix_exporter:0.20.4",
}
"""Images of other projects, with their pinned versions."""

_NAMED_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "horizon": ("webapp",),
    "scheduler": ("webapp",),
    "seed": ("webapp",),
    "roundcube-migrate": ("roundcube",),
    # Its policies bring Python, which is all that these need.
    "round-trip": ("postfix",),
    "report-reader": ("postfix",),
    "backup-mail": ("restic",),
    "move-files": ("rclone",),
    "backup-files": ("restic",),
    "backup-objects": ("restic",),
    "backup-database": ("mariadb", "restic"),
    "before-migration": ("mariadb",),
    "keep-dump": ("restic",),
    "restore-dump": ("mariadb",),
    "restore-database": ("mariadb", "restic"),
    "restore-mail": ("imap", "restic"),
    "restore-files": ("restic",),
    "drill-database": ("mariadb", "restic"),
    "drill-mail": ("imap", "restic"),
}
"""What runs -> its images, where these do not have its name."""

REHEARSED = ("imap", "postfix", "amavis", "webapp", "roundcube", "collabora", "proxy")
"""Images that are adjusted at their start, and so tried before their pods get them."""


def database(settings: Settings) -> str:
    """The image of MariaDB, and of its clients: Kolab's own, or one of each release, so that a digest never means another."""
    release = settings.database_release
    return f"mariadb-{release.replace('.', '-')}" if release not in ("", "10.5") else "mariadb"


def used(settings: Settings) -> dict[str, list[str]]:
    """The images that a stack runs, each with what runs it."""
    found: dict[str, list[str]] = {}
    for name in _running(settings):
        # Comes after all whose images it tries (model/topology/daemons.py).
        tried = [image for image in REHEARSED if image in found]
        images = tried if name == topology.REHEARSAL.name else _NAMED_OTHERWISE.get(name, (name,))
        for image in images:
            called = database(settings) if image == "mariadb" else image
            found.setdefault(called, []).append(name)
    return found


def unpinned(settings: Settings) -> list[str]:
    """The images that a stack runs by a tag, which may mean another image after any restart."""
    return [name for name in used(settings) if name not in settings.images.digests]


def _running(settings: Settings) -> Iterator[str]:
    for daemon in topology.daemons(settings):
        yield daemon.name
        for sidecar in topology.sidecars(settings, daemon):
            yield sidecar.name


def reference(registry: ImagesRegistry, name: str) -> str:
    """The image of `name` as a pod names it: digest if one is given, else the pinned or configured tag.

    Raises KeyError for an image that the stack does not know.
    """
    digest = registry.digests.get(name)
    tagged = by_tag(registry, name)
    return f"{tagged.rpartition(':')[0]}@{digest}" if digest else tagged


def tag_of(reference: str) -> str:
    """The tag of any image's reference, which may name a port of its registry and a digest besides; empty for none."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2]


def by_tag(registry: ImagesRegistry, name: str) -> str:
    """The image of `name` as one asks its registry for a digest. Raises KeyError as above."""
    if name in KOLAB:
        return f"{registry.registry}/{name}:{registry.tag}"
    return f"{registry.mirror}/{OTHERS[name]}" if registry.mirror else OTHERS[name]
