"""Parts of the stack that need or exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from model.findings import Finding
from model.images import KOLAB, OTHERS
from model.settings import Settings
from model.sizing import DEFAULTS, size_of
from model.topology import daemons
from model.types import bytes_of

_SWOOLE_LIMIT = 10 * 1024**2
"""package_max_length of the web application's server (upstream: src/config/octane.php)."""

_BESIDE_POSTFIX = {"amavis", "postfix-exporter"}
"""Containers of its pod that have sizes of their own."""


def combinations(settings: Settings) -> Iterator[Finding]:
    """Features that cannot be had alone."""
    features = settings.features
    if features.office and not features.files:
        yield Finding(
            rule="feature-office",
            path="kolab:features.office",
            problem="needs features.files: Collabora opens what Chwala stores",
            fix="set features.files: true, or features.office: false",
        )
    if settings.external.s3 and not features.files:
        yield Finding(
            rule="feature-s3",
            path="kolab:external.s3",
            problem="is given although features.files is off",
            fix="remove it, or set features.files: true",
        )
    if settings.monitoring.enabled and not (
        settings.monitoring.alerts.email or settings.monitoring.alerts.webhook
    ):
        yield Finding(
            rule="alerts-nowhere",
            path="kolab:monitoring.alerts",
            severity="warning",
            problem="has no receiver: alerts would reach nobody",
            fix="set email (outside of this stack) or webhook",
        )


def message_size(settings: Settings) -> Iterator[Finding]:
    """Mail above the web application's request limit would be deferred for ever when it must pass the filter."""
    if settings.mail.content_filter and bytes_of(settings.mail.message_size_limit) > _SWOOLE_LIMIT:
        yield Finding(
            rule="content-filter-size",
            path="kolab:mail.messageSizeLimit",
            problem=f"is {settings.mail.message_size_limit}, but mail above 10Mi cannot pass the content filter and would wait in the queue until it bounces",
            fix="set it to 10Mi or less, or mail.contentFilter: false",
        )


def real_stack(settings: Settings) -> Iterator[Finding]:
    """A stack that is deployed says where, and does not follow a moving tag."""
    kubernetes = settings.kubernetes
    if settings.example or kubernetes.render:
        return
    for key, value in (("context", kubernetes.context), ("clusterIdentifier", kubernetes.cluster_identifier)):
        if not value:
            yield Finding(
                rule="cluster-unnamed",
                path=f"kolab:kubernetes.{key}",
                problem="is missing: the stack would follow whatever cluster the shell points at",
                fix="name the kubeconfig context and choose an identifier that stays",
            )
    unpinned = [name for name in KOLAB if name not in settings.images.digests]
    if settings.images.tag == "latest" and unpinned:
        yield Finding(
            rule="image-latest",
            path="kolab:images",
            severity="warning",
            problem=f"follows the tag latest for {', '.join(unpinned)}: pods on two nodes may differ",
            fix="list digests under images.digests, or acknowledge it",
        )


def known_names(settings: Settings) -> Iterator[Finding]:
    """Names that choose a daemon or an image must be ones that exist."""
    running = {daemon.name for daemon in daemons(settings)} | _BESIDE_POSTFIX
    for name in settings.resources:
        if name not in running:
            yield Finding(
                rule="unknown-daemon",
                path=f"kolab:resources.{name}",
                problem="names no daemon of this stack",
                fix=f"use one of {', '.join(sorted(running))}",
            )
    for name in settings.images.digests:
        if name not in KOLAB and name not in OTHERS:
            yield Finding(
                rule="unknown-image",
                path=f"kolab:images.digests.{name}",
                problem="names no image of this stack",
                fix=f"use one of {', '.join(sorted((*KOLAB, *OTHERS)))}",
            )


def memory(settings: Settings) -> Iterator[Finding]:
    """Kubernetes refuses a container whose limit is below what it requests."""
    for name in settings.resources:
        if name in DEFAULTS:
            size = size_of(settings, name)
            if bytes_of(size.memory_limit) < bytes_of(size.memory):
                yield Finding(
                    rule="limit-below-request",
                    path=f"kolab:resources.{name}.memoryLimit",
                    problem=f"is {size.memory_limit}, less than the {size.memory} that {name} requests",
                    fix="raise it, or lower memory",
                )


RULES = (combinations, message_size, real_stack, known_names, memory)
