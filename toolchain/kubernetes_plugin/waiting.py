"""Waiting: until an object is ready, or gone, or nobody wants it any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from . import await_, words
from .api import Api, ApiError, Resource, Unreachable
from .mode import Call, Failure
from .wire import Object

POLL_SECONDS = 0.5
_DEFAULT_CLASS = tuple(f"storageclass.{each}kubernetes.io/is-default-class" for each in ("", "beta."))
"""Either makes a class the default (Kubernetes: pkg/apis/storage/util)."""


class Waiting:
    """The waits of one provider; all of them end when it is cancelled."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.cancelled = threading.Event()

    def until_ready(
        self, resource: Resource, live: Object, wanted: Object, call: Call, prefix: str
    ) -> Object:
        """The live object when it is ready. Raises Failure, which begins with `prefix`, when it will not be."""
        readiness = await_.readiness_of(wanted, self.waits_for_consumer)
        annotations = (wanted.get("metadata") or {}).get("annotations") or {}
        if readiness is None:
            if annotations.get(await_.SKIP) == "true":
                call.log.status("Skipping await logic")
            call.log.status("")
            return tidy(live)
        metadata, told, verdict = live["metadata"], "", readiness(live)
        for _ in self.until(await_.seconds_for(wanted, call.timeout)):
            try:
                live = self._api.get(resource, metadata.get("namespace"), metadata["name"])
            except Unreachable:
                continue  # an API server that restarts is no reason to give up early
            except ApiError as error:
                if error.code < 500:
                    raise
                continue
            verdict = readiness(live)
            if verdict.ready:
                call.log.status("")
                return tidy(live)
            if verdict.failed:
                break
            if verdict.reason != told:
                told = verdict.reason
                call.log.status(told)
        if verdict.failed:
            what = f"Resource '{metadata['name']}' was created but failed to initialize"
        elif self.cancelled.is_set():
            what = f"Resource operation was cancelled for '{metadata['name']}'"
        else:
            what = f"'{metadata['name']}' timed out waiting to be Ready"
        subject = prefix + "the" if prefix else "the"
        target = "it" if prefix else f'"{words.id_of(live)}"'
        message = f"{subject} Kubernetes API server reported that {target} failed to fully initialize or become live: {what}"
        raise Failure(message, live=tidy(live), reasons=[verdict.reason, *self.pod_troubles(live)])

    def until(self, seconds: float) -> Iterator[None]:
        """Go on, with pauses, until the time is up or the engine wants no more."""
        end = time.monotonic() + seconds
        pause = 0.05
        while True:
            yield
            if time.monotonic() >= end:
                return
            if self.cancelled.wait(min(pause, max(end - time.monotonic(), 0.01))):
                return
            pause = min(pause * 2, POLL_SECONDS)

    def waits_for_consumer(self, claim: Object) -> bool:
        """Whether a claim's class binds only when a pod uses it. No class at all is never bound by itself."""
        name = (claim.get("spec") or {}).get("storageClassName")
        try:
            resource = self._api.resource("storage.k8s.io/v1", "StorageClass")
            classes = self._api.labelled(resource, None, {})
        except (ApiError, Unreachable):
            return False  # who may not see the classes waits for the claim itself
        for found in classes:
            metadata = found["metadata"]
            annotations = metadata.get("annotations") or {}
            is_default = any(annotations.get(each) == "true" for each in _DEFAULT_CLASS)
            if metadata["name"] == name or (name is None and is_default):
                return bool(found.get("volumeBindingMode") == "WaitForFirstConsumer")
        return False

    def pod_troubles(self, live: Object) -> list[str]:
        """What the pods of a workload that is not ready complain about."""
        selector = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels")
        if live.get("kind") not in ("Deployment", "StatefulSet", "DaemonSet", "Job") or not selector:
            return []
        try:
            pods = self._api.labelled(
                self._api.resource("v1", "Pod"), live["metadata"].get("namespace"), selector
            )
        except (ApiError, Unreachable):
            return []
        return [trouble for trouble in map(await_.unready_containers, pods) if trouble]


def tidy(live: Object) -> Object:
    """Without what the API server keeps for itself."""
    metadata = {key: value for key, value in (live.get("metadata") or {}).items() if key != "managedFields"}
    return {**live, "metadata": metadata}
