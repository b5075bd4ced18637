"""Cluster mode: objects are created, applied, waited for, read and deleted. For test clusters only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from . import await_
from .api import Api, ApiError, NoSuchKind, Resource, Unreachable
from .config import Config
from .diff import INTERNAL, cut
from .mode import Call, Failure
from .normalise import json_names
from .wire import Object, Secret, has_unknown, mark_secrets, plain

CREATE_MANAGER = "pulumi-kubernetes"
POLL_SECONDS = 0.5
# A namespace or a CRD that is made at the same time may be a moment late.
RETRY_AFTER_SECONDS = (1, 2, 4, 8, 16, 32)
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_EXISTS = (
    "\n\nThe resource already exists in the cluster: import it, give the renamed resource an alias, "
    "or set upsertExistingObjects on the provider."
)
_UNREACHABLE_READ = (
    "failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove this "
    "resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment "
    'variable set to "true"'
)
T = TypeVar("T")


class ClusterMode:
    """What happens to objects of one provider in its cluster."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._api = Api(config)
        self._cancelled = threading.Event()

    def preview(self, inputs: Object, state: Object | None, manager: str, call: Call) -> Object | None:
        """What a server-side dry run answers; None where it cannot be asked yet."""
        if has_unknown(inputs):
            return None
        try:
            resource, obj = self._prepared(plain(inputs))
            if state is None:
                return _tidy(self._api.create(resource, obj, CREATE_MANAGER, dry_run=True))
            return _tidy(self._api.apply(resource, obj, manager, force=True, dry_run=True))
        except (NoSuchKind, Unreachable):
            return None
        except ApiError as error:
            if error.code == 404 or error.reason == "AlreadyExists":
                return None
            raise self._refused(str(error), state, call) from None

    def create(self, inputs: Object, manager: str, call: Call) -> Object:
        """Make the object and wait until it is ready."""
        wanted = plain(inputs)

        def attempt() -> tuple[Resource, Object]:
            resource, obj = self._prepared(wanted)
            if self._config.upsert:
                return resource, self._api.apply(resource, obj, manager, force=_forced(wanted))
            return resource, self._api.create(resource, obj, CREATE_MANAGER)

        try:
            resource, live = self._retried(attempt, call)
            call.log.status("")
            return self._awaited(
                resource, live, wanted, call, f'resource "{call.urn}" was successfully created, but '
            )
        except NoSuchKind as error:
            kind = f"{wanted.get('apiVersion')}/{wanted.get('kind')}"
            raise Failure(
                f'creation of resource "{call.urn}" with kind {kind} failed because the Kubernetes API server reported '
                "that the apiVersion for this resource does not exist. Verify that any required CRDs have been "
                f"created: {error}"
            ) from None
        except (ApiError, await_.BadCondition) as error:
            text = _explained(error, manager)
            advice = _EXISTS if isinstance(error, ApiError) and error.reason == "AlreadyExists" else ""
            raise Failure(
                f'resource "{call.urn}" was not successfully created by the Kubernetes API server: {text}{advice}'
            ) from None
        except Unreachable as error:
            raise Failure(_unreachable(error)) from None

    def update(self, inputs: Object, state: Object, manager: str, call: Call) -> Object:
        """Apply the object and wait until it is ready."""
        wanted = plain(inputs)
        try:
            resource, obj = self._prepared(wanted)
            try:
                self._take_over(resource, obj, manager)
            except ApiError as error:
                if error.code != 404:
                    raise
                raise Failure(f'update of resource "{call.urn}" failed: {error}') from None
            live = self._api.apply(resource, obj, manager, force=_forced(wanted))
            call.log.status("")
            return self._awaited(resource, live, wanted, call, "")
        except (ApiError, NoSuchKind, await_.BadCondition) as error:
            raise self._refused(_explained(error, manager), state, call) from None
        except Unreachable as error:
            raise Failure(_unreachable(error)) from None

    def read(self, id: str, state: Object, call: Call) -> tuple[Object, Object] | None:
        """The live object and the inputs it amounts to, or None when it is gone."""
        old_inputs: Object = state.get("__inputs") or {}
        known: Object = json_names(plain(old_inputs)) or _identity_of(id, call.urn)
        try:
            resource, obj = self._prepared(known)
            live = _tidy(self._api.get(resource, obj["metadata"].get("namespace"), obj["metadata"]["name"]))
        except NoSuchKind:
            return None
        except ApiError as error:
            if error.code == 404:
                return None
            raise Failure(str(error)) from None
        except Unreachable as error:
            call.log.warning(_unreachable(error))
            if self._config.delete_unreachable:
                return None
            if self._config.skip_update_unreachable and state:
                return {k: v for k, v in state.items() if k not in INTERNAL}, old_inputs
            raise Failure(_UNREACHABLE_READ) from None
        inputs = mark_secrets(cut(live, known), json_names(old_inputs))
        if live.get("kind") == "Secret" and "data" in inputs:
            inputs = {**inputs, "data": Secret(plain(inputs["data"]))}
        readiness = await_.readiness_of(live, self._waits_for_consumer)
        verdict = readiness(live) if readiness else await_.READY
        if not verdict.ready:
            message = f"Resource '{live['metadata']['name']}' was created but failed to initialize"
            raise Failure(
                message, live=live, reasons=[verdict.reason, *self._pod_troubles(live)], inputs=inputs
            )
        return live, inputs

    def delete(self, state: Object, call: Call) -> None:
        """Ask for the deletion and wait until the object is gone."""
        obj = plain(state)
        try:
            resource, obj = self._prepared(obj)
            metadata = obj["metadata"]
            policy = (metadata.get("annotations") or {}).get(
                "pulumi.com/deletionPropagationPolicy", "foreground"
            )
            live = self._api.get(resource, metadata.get("namespace"), metadata["name"])
            self._api.delete(resource, metadata.get("namespace"), metadata["name"], str(policy).capitalize())
            call.log.status("Resource scheduled for deletion")
            for _ in self._until(await_.seconds_for(obj, call.timeout)):
                now = self._api.get(resource, metadata.get("namespace"), metadata["name"])
                if now["metadata"].get("uid") != live["metadata"].get("uid"):
                    return  # another object has taken the name meanwhile
                live = now
        except NoSuchKind:
            return
        except ApiError as error:
            if error.code == 404:
                call.log.status("")
                return
            raise Failure(str(error)) from None
        except Unreachable as error:
            call.log.warning(_unreachable(error))
            if self._config.delete_unreachable:
                return
            raise Failure(
                _UNREACHABLE_READ.replace("failed to read resource state due to", "configured Kubernetes")
            ) from None
        finalizers = live["metadata"].get("finalizers")
        if finalizers and not self._cancelled.is_set():
            call.log.warning(f"finalizers might be preventing deletion ({', '.join(finalizers)})")
        raise Failure("timed out waiting for the condition", live=_tidy(live))

    def cancel(self) -> None:
        """End every wait."""
        self._cancelled.set()

    def _prepared(self, obj: Object) -> tuple[Resource, Object]:
        """Where the object belongs, and the object as that place wants it."""
        resource = self._api.resource(str(obj.get("apiVersion")), str(obj.get("kind")))
        body = {key: value for key, value in obj.items() if key not in INTERNAL and key != "status"}
        metadata = dict(body.get("metadata") or {})
        if not resource.namespaced:
            metadata.pop("namespace", None)  # Check gives every custom resource one: it cannot know
        return resource, {**body, "metadata": metadata}

    def _retried(self, attempt: Callable[[], T], call: Call) -> T:
        for number, pause in enumerate(RETRY_AFTER_SECONDS):
            try:
                return attempt()
            except (ApiError, NoSuchKind) as error:
                call.log.status(f"Retry #{number}; creation failed: {error}")
                if isinstance(error, ApiError) and error.code != 404:
                    raise
            if self._cancelled.wait(pause):
                break
        return attempt()

    def _take_over(self, resource: Resource, obj: Object, manager: str) -> None:
        """Make fields that Create or kubectl own those of the manager, so that apply may also remove them."""
        for last_try in (False, False, True):
            live = self._api.get(resource, obj["metadata"].get("namespace"), obj["metadata"]["name"])
            managed = taken_over(live["metadata"].get("managedFields") or [], manager, str(obj["apiVersion"]))
            if managed is None:
                return
            version = live["metadata"]["resourceVersion"]
            operations = [
                {"op": "replace", "path": "/metadata/managedFields", "value": managed},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            ]
            try:
                self._api.patch(resource, obj, operations)
                return
            except ApiError as error:
                if error.code != 409 or last_try:
                    raise

    def _awaited(self, resource: Resource, live: Object, wanted: Object, call: Call, prefix: str) -> Object:
        readiness = await_.readiness_of(wanted, self._waits_for_consumer)
        annotations = (wanted.get("metadata") or {}).get("annotations") or {}
        if readiness is None:
            if annotations.get(await_.SKIP) == "true":
                call.log.status("Skipping await logic")
            call.log.status("")
            return _tidy(live)
        metadata, told, verdict = live["metadata"], "", readiness(live)
        for _ in self._until(await_.seconds_for(wanted, call.timeout)):
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
                return _tidy(live)
            if verdict.failed:
                break
            if verdict.reason != told:
                told = verdict.reason
                call.log.status(told)
        if verdict.failed:
            what = f"Resource '{metadata['name']}' was created but failed to initialize"
        elif self._cancelled.is_set():
            what = f"Resource operation was cancelled for '{metadata['name']}'"
        else:
            what = f"'{metadata['name']}' timed out waiting to be Ready"
        subject = prefix + "the" if prefix else "the"
        target = "it" if prefix else f'"{_id(live)}"'
        message = f"{subject} Kubernetes API server reported that {target} failed to fully initialize or become live: {what}"
        raise Failure(message, live=_tidy(live), reasons=[verdict.reason, *self._pod_troubles(live)])

    def _until(self, seconds: float) -> Iterator[None]:
        """Go on, with pauses, until the time is up or the engine wants no more."""
        end = time.monotonic() + seconds
        pause = 0.05
        while True:
            yield
            if time.monotonic() >= end:
                return
            if self._cancelled.wait(min(pause, max(end - time.monotonic(), 0.01))):
                return
            pause = min(pause * 2, POLL_SECONDS)

    def _waits_for_consumer(self, claim: Object) -> bool:
        """Whether a claim's class binds only when a pod uses it. No class at all is never bound by itself."""
        name = (claim.get("spec") or {}).get("storageClassName")
        try:
            resource = self._api.resource("storage.k8s.io/v1", "StorageClass")
            classes = self._api.labelled(resource, None, {})
        except (ApiError, Unreachable):
            return False  # who may not see the classes waits for the claim itself
        for found in classes:
            metadata = found["metadata"]
            is_default = (metadata.get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
            if metadata["name"] == name or (name is None and is_default):
                return bool(found.get("volumeBindingMode") == "WaitForFirstConsumer")
        return False

    def _pod_troubles(self, live: Object) -> list[str]:
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

    def _refused(self, text: str, state: Object | None, call: Call) -> Failure:
        """A change that the API server does not accept. The object is what it was."""
        if state is None:
            return Failure(
                f'resource "{call.urn}" was not successfully created by the Kubernetes API server: {text}'
            )
        live = {key: value for key, value in state.items() if key not in INTERNAL}
        return Failure(
            f'the Kubernetes API server reported that "{_id(live)}" failed to fully initialize or become live: {text}',
            live=live,
        )


def taken_over(managed: list[Object], manager: str, api_version: str) -> list[Object] | None:
    """managedFields in which `manager` owns what `pulumi-kubernetes` and kubectl had written without apply.

    None when there is nothing to take over.
    """

    def foreign(entry: Object) -> bool:
        name = str(entry.get("manager", ""))
        ours = name == CREATE_MANAGER or name.startswith("kubectl")
        return ours and entry.get("operation") == "Update" and not entry.get("subresource")

    taken = [entry for entry in managed if foreign(entry)]
    if not taken:
        return None
    kept = [entry for entry in managed if not foreign(entry)]
    own = next((e for e in kept if e.get("manager") == manager and e.get("operation") == "Apply"), None)
    mine = {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": api_version,
        "fieldsType": "FieldsV1",
        **(own or {}),
        "fieldsV1": _union([e.get("fieldsV1") or {} for e in ([own] if own else []) + taken]),
    }
    return [entry for entry in kept if entry is not own] + [mine]


def _union(trees: list[Object]) -> Object:
    result: Object = {}
    for tree in trees:
        for key, value in tree.items():
            result[key] = _union([result.get(key) or {}, value])
    return result


def _tidy(live: Object) -> Object:
    """Without what the API server keeps for itself."""
    metadata = {key: value for key, value in (live.get("metadata") or {}).items() if key != "managedFields"}
    return {**live, "metadata": metadata}


def _forced(wanted: Object) -> bool:
    annotations = (wanted.get("metadata") or {}).get("annotations") or {}
    return bool(annotations.get("pulumi.com/patchForce") == "true")


def _explained(error: Exception, manager: str) -> str:
    if isinstance(error, ApiError) and error.code == 409 and error.reason == "Conflict":
        return (
            "server-side apply field conflict detected\n"
            f'The resource managed by field manager "{manager}" had an apply conflict: {error}'
        )
    return str(error)


def _unreachable(error: Unreachable) -> str:
    return f"configured Kubernetes cluster is unreachable: {error}"


def _id(obj: Object) -> str:
    metadata = obj["metadata"]
    return (
        f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])
    )


def _identity_of(id: str, urn: str) -> Object:
    """What an import knows: the type from the URN, namespace and name from the id."""
    _, api_version, kind = urn.split("::")[2].rsplit("$", 1)[-1].split(":")
    namespace, _, name = id.rpartition("/")
    metadata = {"namespace": namespace, "name": name} if namespace else {"name": name}
    return {"apiVersion": api_version.removeprefix("core/"), "kind": kind, "metadata": metadata}
