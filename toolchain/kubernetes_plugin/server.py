"""The gRPC face of the stand-in: decodes, asks check/diff/render/cluster, encodes, logs."""

# ruff: noqa: N802 - the methods have the names of the protocol
from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

from .. import versions
from ..ensure import STAND_IN_NOTICE
from ..serving import engine_address, new_server, serve
from . import config as configuration
from . import render
from .check import Naming, Refused, check
from .diff import Mutable, diff
from .mode import Call, Failure, Mode
from .normalise import sdk_names
from .wire import Object, Secret, decode, encode, has_secret, mark_secrets, plain

CLUSTER_SWITCH = "KOLAB_STANDIN_CLUSTER"
NO_CLUSTER = (
    "the stand-in kubernetes plugin does not touch clusters: install the genuine one with "
    f"`pulumi plugin install resource kubernetes {versions.KUBERNETES_PLUGIN}` where it can be downloaded, "
    "then run `python3 -m toolchain ensure --refresh`"
)


class EngineLog:
    """Tells the engine; status lines vanish, diagnostics stay."""

    def __init__(self, engine: engine_pb2_grpc.EngineStub | None, urn: str) -> None:
        self._engine = engine
        self._urn = urn

    def status(self, text: str) -> None:
        """A line beside the resource while it is worked on; an empty one clears it."""
        self._send(engine_pb2.INFO, text, ephemeral=True)

    def warning(self, text: str) -> None:
        """A lasting diagnostic."""
        self._send(engine_pb2.WARNING, text, ephemeral=False)

    def _send(self, severity: Any, text: str, ephemeral: bool) -> None:
        if self._engine is not None:
            # A lost log line is no reason to fail what it is about.
            with contextlib.suppress(grpc.RpcError):
                request = engine_pb2.LogRequest(
                    severity=severity, message=text, urn=self._urn, ephemeral=ephemeral
                )
                self._engine.Log(request)


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One configured provider; the engine starts a process for each."""

    def __init__(self, engine: engine_pb2_grpc.EngineStub | None) -> None:
        self._engine = engine
        self._config = configuration.Config()
        self._default_namespace: str | None = None
        self._mode: Mode | None = None

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=versions.KUBERNETES_PLUGIN)

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        reasons = configuration.check_config(decode(request.news))
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in reasons.items()
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        try:
            changed, replaces = configuration.diff_config(decode(request.olds), decode(request.news))
        except configuration.BadKubeconfig as error:
            _abort(context, str(error))
        changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=changes, diffs=changed, replaces=replaces)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        settings = configuration.settings_of(decode(request.args), dict(request.variables))
        self._config = configuration.Config.of(settings)
        self._default_namespace = self._config.default_namespace()
        if self._config.render_directory is not None:
            self._mode = render.RenderMode(self._config.render_directory)
        elif os.environ.get(CLUSTER_SWITCH) == "1":
            # The client takes half a second to import, and rendering needs none of it.
            from .cluster import ClusterMode  # noqa: PLC0415

            self._mode = ClusterMode(self._config)
        else:
            _abort(context, NO_CLUSTER)
        EngineLog(self._engine, "").warning(STAND_IN_NOTICE)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        options = provider_pb2.CheckRequest.AutonamingOptions
        given = request.autonaming if request.HasField("autonaming") else None
        naming = Naming(
            resource=request.name or request.urn.rsplit("::", 1)[-1],
            seed=request.randomSeed,
            proposed=given.proposed_name if given and given.mode != options.DISABLE else None,
            disabled=bool(given and given.mode == options.DISABLE),
        )
        olds = decode(request.olds) if request.HasField("olds") and request.olds.fields else None
        type_token = request.type or request.urn.split("::")[2].rsplit("$", 1)[-1]
        try:
            inputs = check(type_token, decode(request.news), olds, naming, self._default_namespace)
        except Refused as refusal:
            _abort(context, str(refusal))
        if self._config.render_directory is not None and has_secret(inputs):
            EngineLog(self._engine, request.urn).warning(
                "rendered YAML will contain a secret value in plaintext"
            )
        return provider_pb2.CheckResponse(inputs=encode(inputs))

    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:
        mutable = Mutable(self._config.config_maps_mutable, self._config.secrets_mutable)
        found = diff(decode(request.olds), decode(request.news), mutable, list(request.ignoreChanges))
        answer = provider_pb2.DiffResponse
        return answer(
            changes=answer.DIFF_SOME if found.kinds else answer.DIFF_NONE,
            replaces=found.replaces,
            deleteBeforeReplace=found.delete_before_replace,
            hasDetailedDiff=True,
            detailedDiff={
                # A deletion has no place in the new inputs to point at.
                path: provider_pb2.PropertyDiff(
                    kind=provider_pb2.PropertyDiff.Kind.Value(kind), inputDiff=kind.startswith("DELETE")
                )
                for path, kind in found.kinds.items()
            },
        )

    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        inputs, call = decode(request.properties), self._call(request)
        manager = _field_manager(inputs)
        with _failures(context, inputs, manager):
            if request.preview:
                dry = self._ready(context).preview(inputs, None, manager, call)
                return provider_pb2.CreateResponse(properties=encode(_previewed(dry, inputs, manager)))
            live = self._ready(context).create(inputs, manager, call)
            return provider_pb2.CreateResponse(id=_id(live), properties=encode(_state(live, inputs, manager)))

    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        olds, inputs, call = decode(request.olds), decode(request.news), self._call(request)
        manager = _field_manager(inputs, olds)
        with _failures(context, inputs, manager):
            if request.preview:
                dry = self._ready(context).preview(inputs, olds, manager, call)
                return provider_pb2.UpdateResponse(properties=encode(_previewed(dry, inputs, manager)))
            live = self._ready(context).update(inputs, olds, manager, call)
            return provider_pb2.UpdateResponse(properties=encode(_state(live, inputs, manager)))

    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        state = decode(request.properties)
        manager = _field_manager(state.get("__inputs") or {}, state)
        with _failures(context, state.get("__inputs") or {}, manager):
            found = self._ready(context).read(request.id, state, self._call(request))
            if found is None:
                return provider_pb2.ReadResponse()
            live, inputs = found
            properties = encode(_state(live, inputs, manager))
            return provider_pb2.ReadResponse(id=_id(live), properties=properties, inputs=encode(inputs))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        state = decode(request.properties)
        with _failures(context, state.get("__inputs") or {}, _field_manager({}, state)):
            self._ready(context).delete(state, self._call(request))
        return empty_pb2.Empty()

    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        _abort(
            context, f'unknown Invoke type "{request.tok}": the stand-in kubernetes plugin has no functions'
        )

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        self.stop()
        return empty_pb2.Empty()

    def stop(self) -> None:
        """End what waits for an object to become ready."""
        if self._mode is not None:
            self._mode.cancel()

    def _call(self, request: Any) -> Call:
        return Call(request.urn, request.timeout, EngineLog(self._engine, request.urn))

    def _ready(self, context: grpc.ServicerContext) -> Mode:
        if self._mode is None:
            _abort(context, "Configure has not been called")
        return self._mode


@contextlib.contextmanager
def _failures(context: grpc.ServicerContext, inputs: Object, manager: str) -> Iterator[None]:
    """Turn a Failure into what the engine expects; an object that exists but is not ready goes into the state."""
    try:
        yield
    except Failure as failure:
        if failure.live is not None:
            detail = provider_pb2.ErrorResourceInitFailed(
                id=_id(failure.live),
                properties=encode(_state(failure.live, failure.inputs or inputs, manager)),
                reasons=failure.reasons,
                inputs=encode(failure.inputs or inputs),
            )
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failure))
            status.details.add().Pack(detail)
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        _abort(context, str(failure))


def _abort(context: grpc.ServicerContext, message: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("abort never returns")


def _field_manager(inputs: Object, state: Object | None = None) -> str:
    annotations = (plain(inputs).get("metadata") or {}).get("annotations") or {}
    kept = (state or {}).get("__fieldManager")
    return str(
        annotations.get("pulumi.com/patchFieldManager") or kept or f"pulumi-kubernetes-{secrets.token_hex(4)}"
    )


def _id(obj: Object) -> str:
    metadata = plain(obj)["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def _state(live: Object, inputs: Object, manager: str) -> Object:
    """What the engine stores: the live object, and what later calls need to know about it."""
    internal = {
        "__inputs": inputs,
        "__initialApiVersion": str(plain(inputs).get("apiVersion", "")),
        "__fieldManager": manager,
    }
    marked = mark_secrets(live, inputs)
    if live.get("kind") == "Secret" and "data" in live:
        marked["data"] = Secret(plain(live["data"]))  # also of one that is imported: no input says so
    return _outputs({**marked, **internal})


def _previewed(dry: Object | None, inputs: Object, manager: str) -> Object:
    """What a dry run found out, else just the inputs."""
    return _outputs(inputs) if dry is None else _state(dry, inputs, manager)


def _outputs(obj: Object) -> Object:
    """A CRD's schema has names that the SDKs cannot write; they read them in their own spelling."""
    return sdk_names(obj) if obj.get("kind") == "CustomResourceDefinition" else obj


def main(argv: list[str]) -> int:
    """Serve until the engine ends us."""
    address = engine_address(argv)
    engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None
    # A call lasts as long as its object takes to become ready: enough threads for all that run at once.
    server = new_server(workers=128)
    provider = Provider(engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    return serve(server, stop=provider.stop)
