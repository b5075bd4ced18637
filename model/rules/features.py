"""Parts of the stack that need or exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import parts as rules
from model.findings import Finding
from model.images import KOLAB, OTHERS, unpinned
from model.settings import Settings
from model.sizing import DEFAULTS, size_of
from model.topology import daemons
from model.types import bytes_of

_SWOOLE_LIMIT = 10 * 1024**2
"""package_max_length of the web application's server (upstream: src/config/octane.php)."""


def combinations(settings: Settings) -> Iterator[Finding]:
    """Features that cannot be had alone."""
    features = settings.features
    if features.office and not features.files:
        yield rules.FEATURE_OFFICE.found()
    if settings.external.s3 and not features.files:
        yield rules.FEATURE_S3.found()
    if settings.own_files and settings.files.engine == "minio":
        yield rules.FILES_UNMAINTAINED.found()


def message_size(settings: Settings) -> Iterator[Finding]:
    """Mail above the web application's request limit would be deferred for ever when it must pass the filter."""
    if settings.mail.content_filter and bytes_of(settings.mail.message_size_limit) > _SWOOLE_LIMIT:
        yield rules.CONTENT_FILTER_SIZE.found(size=settings.mail.message_size_limit)


def real_stack(settings: Settings) -> Iterator[Finding]:
    """A stack that is deployed says where, and what: a tag may mean another image after any restart."""
    kubernetes = settings.kubernetes
    if settings.example or kubernetes.render:
        return
    for key, value in (("context", kubernetes.context), ("clusterIdentifier", kubernetes.cluster_identifier)):
        if not value:
            yield rules.CLUSTER_UNNAMED.found(key=key)
    names = unpinned(settings) if settings.scope != "dns" else []
    if names:
        yield rules.IMAGE_LATEST.found(images=", ".join(names))


def known_names(settings: Settings) -> Iterator[Finding]:
    """Names that choose a daemon or an image must be ones that exist."""
    running = {each.name for daemon in daemons(settings) for each in (daemon, *daemon.sidecars)}
    for name in settings.resources:
        if name not in running:
            yield rules.UNKNOWN_DAEMON.found(name=name, names=", ".join(sorted(running)))
    for name in settings.images.digests:
        if name not in KOLAB and name not in OTHERS:
            yield rules.UNKNOWN_IMAGE.found(name=name, names=", ".join(sorted((*KOLAB, *OTHERS))))


def memory(settings: Settings) -> Iterator[Finding]:
    """Kubernetes refuses a container whose limit is below what it requests."""
    for name in settings.resources:
        if name in DEFAULTS:
            size = size_of(settings, name)
            if bytes_of(size.memory_limit) < bytes_of(size.memory):
                yield rules.LIMIT_BELOW_REQUEST.found(name=name, limit=size.memory_limit, request=size.memory)


RULES = (combinations, message_size, real_stack, known_names, memory)
