"""Whether the cluster has the storage classes of the stack's volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from model.catalogue import cluster as rules
from model.findings import Finding
from model.settings import Settings


def volumes(settings: Settings) -> tuple[str, ...]:
    """The volumes of kolab:storage that a stack makes; what others run, or nobody, has none."""
    external, monitoring = settings.external, settings.monitoring
    made = {
        "mailboxes": True,
        "imap_state": True,
        "queue": True,
        "database": external.database is None,
        "dumps": True,
        "redis": external.redis is None,
        "files": settings.own_files,
        "metrics": monitoring.enabled and monitoring.reader is None,
        "logs": monitoring.enabled,
        "filters": True,
    }
    return tuple(name for name, there in made.items() if there)


def cluster_storage(settings: Settings, classes: Mapping[str, bool] | None) -> Iterator[Finding]:
    """Findings about storage classes: name -> whether it is the default. What could not be read is not judged."""
    if classes is None:
        return
    fields = type(settings.storage).model_fields
    chosen = {
        fields[name].alias or name: getattr(settings.storage, name).storage_class
        for name in volumes(settings)
    }
    for alias, given in chosen.items():
        if given is not None and given not in classes:
            known = ", ".join(sorted(classes)) or "(there is none)"
            yield rules.STORAGE_CLASS_UNKNOWN.found(alias=alias, chosen=given, classes=known)
    unnamed = [alias for alias, given in chosen.items() if given is None]
    if unnamed and not any(classes.values()):
        yield rules.STORAGE_CLASS_DEFAULT.found(volumes=", ".join(unnamed))
