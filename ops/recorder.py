"""Runs the program without an engine and keeps what it registers: for rendering, and for the tests.

pulumi's own mocks forgive much that the real engine does not; what they forgive is refused here: two resources
with one URN, an invoke that nobody expects, an Output printed as text.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pulumi
from pulumi.runtime import mocks, resource, rpc, settings, stack
from pulumi.runtime.proto import resource_pb2, source_pb2


@dataclass(frozen=True)
class Registered:
    """One registered resource. `inputs` are plain values; `secrets` are the paths of those that were secret."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    secrets: frozenset[str]
    protect: bool
    custom: bool
    provider: str
    dependencies: frozenset[str]
    delete_hooks: tuple[str, ...]

    @property
    def object(self) -> dict[str, Any] | None:
        """The Kubernetes object, if this is one."""
        return self.inputs if self.type.startswith("kubernetes:") and "kind" in self.inputs else None


@dataclass
class _Callbacks:
    """Stands where pulumi serves hooks to the engine: keeps them by name, so that tests can call them."""

    hooks: dict[str, pulumi.ResourceHook] = field(default_factory=dict)

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        self.hooks[hook.name] = hook

    async def shutdown(self) -> None:
        """Nothing was started."""


@dataclass
class Recorder(mocks.Mocks):
    """Remembers every registration."""

    preview: bool = False
    resources: list[Registered] = field(default_factory=list)
    callbacks: _Callbacks = field(default_factory=_Callbacks)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(f"the mock of {args.name} is asked")

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        raise AssertionError(f"the program calls {args.token}, which needs an engine")


class _Monitor(mocks.MockMonitor):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder
        self._seen: set[str] = set()

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 (gRPC name)
        raise AssertionError(f"the program reads {request.type} {request.id}, which needs an engine")

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (gRPC name)
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self._seen:
            raise AssertionError(f"two resources have the URN {urn}")
        self._seen.add(urn)
        # Not what the class above does: it unpacks and packs all inputs for mocks that would only hand them back.
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
        plain, secrets = _reveal(inputs)
        self._recorder.resources.append(
            Registered(
                urn=urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                inputs=plain,
                secrets=frozenset(secrets),
                protect=request.protect,
                custom=request.custom,
                provider=request.provider,
                dependencies=frozenset(request.dependencies),
                delete_hooks=tuple(request.hooks.before_delete) if request.HasField("hooks") else (),
            )
        )
        if self._recorder.preview:
            # Nothing is known: more than a real preview hides, so whoever can live with this can live with that.
            return resource_pb2.RegisterResourceResponse(urn=urn)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=f"{request.name}-id", object=request.object)


def _reveal(inputs: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Plain values, whole numbers as integers, and the paths of what was secret."""
    secrets: list[str] = []

    def walk(value: Any, path: str) -> Any:
        if rpc.is_rpc_secret(value):
            secrets.append(path)
            return walk(rpc.unwrap_rpc_secret(value), path)
        if isinstance(value, dict):
            return {key: walk(child, f"{path}.{key}" if path else key) for key, child in value.items()}
        if isinstance(value, list):
            return [walk(child, f"{path}[{index}]") for index, child in enumerate(value)]
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value

    return walk(inputs, ""), secrets


class _Here(ThreadPoolExecutor):
    """Runs what pulumi hands to a thread, since a real monitor may take its time, at once: ours never waits."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:
            done.set_exception(error)
        return done


def record(program: Callable[[], None], *, preview: bool = False) -> list[Registered]:
    """Runs `program` and returns what it registered, in order, after everything has been drained.

    In a `preview` every output of every resource is unknown. Raises whatever the program raises, also inside `apply`.
    """
    os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"
    recorder = Recorder(preview)
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Here())
    # The first failure is raised below. Those that follow from it would be printed by the garbage collector, later,
    # in the middle of something else.
    loop.set_exception_handler(lambda *_: None)
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(
            recorder, project="kolab", stack="recorded", preview=preview, monitor=_Monitor(recorder)
        )
        settings.SETTINGS.callbacks = recorder.callbacks
        # What a run that failed left behind belongs to a loop that is gone.
        settings.SETTINGS.rpc_manager.clear()
        settings.SETTINGS.outputs.clear()
        # Where in the program each resource is made, which takes long to find out, only an engine would show.
        with mock.patch.object(resource, "_get_stack_trace", source_pb2.StackTrace):
            loop.run_until_complete(stack.run_pulumi_func(program))
    finally:
        loop.close()
        asyncio.set_event_loop(asyncio.new_event_loop())
    return recorder.resources


def objects(resources: list[Registered]) -> Iterator[dict[str, Any]]:
    """The Kubernetes objects among `resources`."""
    return (found for resource in resources if (found := resource.object) is not None)
