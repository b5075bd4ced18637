"""Cluster mode: objects are created, applied, waited for, read and deleted. For test clusters only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from . import await_, ownership, words
from .api import Api, ApiError, NoSuchKind, Resource, Unreachable
from .config import Config
from .diff import INTERNAL, cut
from .mode import Call, Failure
from .normalise import json_names
from .waiting import Waiting, tidy
from .wire import Object, Secret, has_unknown, mark_secrets, plain

# A namespace or a CRD that is made at the same time may be a moment late.
RETRY_AFTER_SECONDS = (1, 2, 4, 8, 16, 32)
T = TypeVar("T")


class ClusterMode:
    """What happens to objects of one provider in its cluster."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._api = Api(config)
        self._waiting = Waiting(self._api)

    def preview(self, inputs: Object, state: Object | None, manager: str, call: Call) -> Object | None:
        """What a server-side dry run answers; None where it cannot be asked yet."""
        if has_unknown(inputs):
            return None
        try:
            resource, obj = self._prepared(plain(inputs))
            if state is None:
                return tidy(self._api.create(resource, obj, ownership.CREATE_MANAGER, dry_run=True))
            return tidy(self._dry_update(resource, obj, manager, call))
        except (NoSuchKind, Unreachable):
            return None
        except ApiError as error:
            may_not = state is not None and error.code == 403
            late = state is None and (error.code == 404 or error.reason == "AlreadyExists")
            if may_not or late:
                return None
            raise self._refused(words.explained(error, manager), state, call) from None

    def _dry_update(self, resource: Resource, obj: Object, manager: str, call: Call) -> Object:
        """What an update would come to, for all fields that it names. Those that it drops stay with their owner."""
        metadata = obj["metadata"]
        try:
            live = self._api.get(resource, metadata.get("namespace"), metadata["name"])
        except ApiError as error:
            if error.code != 404:
                raise
            raise Failure(f'update of resource "{call.urn}" failed: {error}') from None
        force = ownership.forced_in_preview(obj, live)
        return self._api.apply(resource, obj, manager, force=force, dry_run=True)

    def create(self, inputs: Object, manager: str, call: Call) -> Object:
        """Make the object and wait until it is ready."""
        wanted = plain(inputs)

        def attempt() -> tuple[Resource, Object]:
            resource, obj = self._prepared(wanted)
            if self._config.upsert:
                return resource, self._api.apply(resource, obj, manager, force=ownership.forced(wanted))
            return resource, self._api.create(resource, obj, ownership.CREATE_MANAGER)

        try:
            resource, live = self._retried(attempt, call)
            call.log.status("")
            return self._waiting.until_ready(
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
            text = words.explained(error, manager)
            advice = words.EXISTS if isinstance(error, ApiError) and error.reason == "AlreadyExists" else ""
            raise Failure(
                f'resource "{call.urn}" was not successfully created by the Kubernetes API server: {text}{advice}'
            ) from None
        except Unreachable as error:
            raise Failure(words.unreachable(error)) from None

    def update(self, inputs: Object, state: Object, manager: str, call: Call) -> Object:
        """Apply the object and wait until it is ready."""
        wanted = plain(inputs)
        try:
            resource, obj = self._prepared(wanted)
            try:
                ownership.take_over(self._api, resource, obj, manager)
            except ApiError as error:
                if error.code != 404:
                    raise
                raise Failure(f'update of resource "{call.urn}" failed: {error}') from None
            live = self._api.apply(resource, obj, manager, force=ownership.forced(wanted))
            call.log.status("")
            return self._waiting.until_ready(resource, live, wanted, call, "")
        except (ApiError, NoSuchKind, await_.BadCondition) as error:
            raise self._refused(words.explained(error, manager), state, call) from None
        except Unreachable as error:
            raise Failure(words.unreachable(error)) from None

    def read(self, id: str, state: Object, call: Call) -> tuple[Object, Object] | None:
        """The live object and the inputs it amounts to, or None when it is gone."""
        old_inputs: Object = state.get("__inputs") or {}
        known: Object = json_names(plain(old_inputs)) or _identity_of(id, call.urn)
        try:
            resource, obj = self._prepared(known)
            live = tidy(self._api.get(resource, obj["metadata"].get("namespace"), obj["metadata"]["name"]))
        except NoSuchKind:
            return None
        except ApiError as error:
            if error.code == 404:
                return None
            raise Failure(str(error)) from None
        except Unreachable as error:
            call.log.warning(words.unreachable(error))
            if self._config.delete_unreachable:
                return None
            if self._config.skip_update_unreachable and state:
                return {k: v for k, v in state.items() if k not in INTERNAL}, old_inputs
            raise Failure(words.UNREACHABLE_READ) from None
        inputs = mark_secrets(cut(live, known), json_names(old_inputs))
        if live.get("kind") == "Secret" and "data" in inputs:
            inputs = {**inputs, "data": Secret(plain(inputs["data"]))}
        readiness = await_.readiness_of(live, self._waiting.waits_for_consumer)
        verdict = readiness(live) if readiness else await_.READY
        if not verdict.ready:
            message = f"Resource '{live['metadata']['name']}' was created but failed to initialize"
            raise Failure(
                message, live=live, reasons=[verdict.reason, *self._waiting.pod_troubles(live)], inputs=inputs
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
            for _ in self._waiting.until(await_.seconds_for(obj, call.timeout)):
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
            call.log.warning(words.unreachable(error))
            if self._config.delete_unreachable:
                return
            raise Failure(
                words.UNREACHABLE_READ.replace(
                    "failed to read resource state due to", "configured Kubernetes"
                )
            ) from None
        finalizers = live["metadata"].get("finalizers")
        if finalizers and not self._waiting.cancelled.is_set():
            call.log.warning(f"finalizers might be preventing deletion ({', '.join(finalizers)})")
        raise Failure("timed out waiting for the condition", live=tidy(live))

    def cancel(self) -> None:
        """End every wait."""
        self._waiting.cancelled.set()

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
            if self._waiting.cancelled.wait(pause):
                break
        return attempt()

    def _refused(self, text: str, state: Object | None, call: Call) -> Failure:
        """A change that the API server does not accept. The object is what it was."""
        if state is None:
            return Failure(
                f'resource "{call.urn}" was not successfully created by the Kubernetes API server: {text}'
            )
        live = {key: value for key, value in state.items() if key not in INTERNAL}
        return Failure(
            f'the Kubernetes API server reported that "{words.id_of(live)}" failed to fully initialize or become live: {text}',
            live=live,
        )


def _identity_of(id: str, urn: str) -> Object:
    """What an import knows: the type from the URN, namespace and name from the id."""
    _, api_version, kind = urn.split("::")[2].rsplit("$", 1)[-1].split(":")
    namespace, _, name = id.rpartition("/")
    metadata = {"namespace": namespace, "name": name} if namespace else {"name": name}
    return {"apiVersion": api_version.removeprefix("core/"), "kind": kind, "metadata": metadata}
