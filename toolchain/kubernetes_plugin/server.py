"""The gRPC face of the stand-in: decodes, asks check/diff/render/cluster, encodes, logs."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from typing import Any, NoReturn, Protocol

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

from .. import versions
from ..ensure import STAND_IN_NOTICE
from ..serving import engine_address, new_server, serve
from . import config as configuration
from . import render
from .check import Naming, Refused, check
from .diff import INTERNAL, Mutable, diff
from .normalise import sdk_names
from .wire import Object, decode, encode, has_secret, mark_secrets, plain

CLUSTER_SWITCH = "KOLAB_STANDIN_CLUSTER"
NO_CLUSTER = (
    "the stand-in kubernetes plugin does not touch clusters: install the genuine one with "
    f"`pulumi plugin install resource kubernetes {versions.KUBERNETES_PLUGIN}` where it can be downloaded, "
    "then run `python3 -m toolchain ensure --refresh`"
)


class Failure(Exception):
    """What a call answers instead of a result. `partial` is the state of an object that exists but is not ready."""

    def __init__(self, message: str, partial: tuple[str, Object] | None = None, reasons: list[str] | None = None):
        super().__init__(message)
        self.partial = partial
        self.reasons = reasons or []


class Log:
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
                request = engine_pb2.LogRequest(severity=severity, message=text, urn=self._urn, ephemeral=ephemeral)
                self._engine.Log(request)


class Mode(Protocol):
    """What happens to objects: they are rendered, or applied to a cluster. Live objects come back plain."""

    def preview(self, inputs: Object, state: Object | None, log: Log) -> Object: ...
    def create(self, inputs: Object, manager: str, timeout: float, log: Log) -> Object: ...
    def update(self, inputs: Object, state: Object, timeout: float, log: Log) -> Object: ...
    def read(self, id: str, state: Object, log: Log) -> Object | None: ...
    def delete(self, state: Object, timeout: float, log: Log) -> None: ...
    def cancel(self) -> None: ...


class RenderMode:
    """Objects become files; their state is what was written."""

    def __init__(self, config: configuration.Config) -> None:
        assert config.render_directory is not None
        self._folder = config.render_directory

    def preview(self, inputs: Object, state: Object | None, log: Log) -> Object:
        return inputs

    def create(self, inputs: Object, manager: str, timeout: float, log: Log) -> Object:
        if not (plain(inputs).get("metadata") or {}).get("name"):
            raise Failure("the object has no `.metadata.name`, so there is no name for its file")
        try:
            path = render.write(self._folder, plain(inputs))
        except render.RenderFailed as error:
            raise Failure(str(error)) from None
        if has_secret(inputs):
            log.warning(f"rendered file {path} contains a secret value in plaintext")
        log.status(f"rendered {path}")
        return inputs

    def update(self, inputs: Object, state: Object, timeout: float, log: Log) -> Object:
        return self.create(inputs, "", timeout, log)

    def read(self, id: str, state: Object, log: Log) -> Object | None:
        log.warning(
            "configured Kubernetes cluster is unreachable: unable to load Kubernetes client configuration from "
            "kubeconfig file. Make sure you have: \n\n the genuine kubernetes plugin; the stand-in renders files only"
        )
        raise Failure(
            "failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove "
            "this resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE "
            'environment variable set to "true"'
        )

    def delete(self, state: Object, timeout: float, log: Log) -> None:
        log.status(f"deleted {render.delete(self._folder, plain(state))}")

    def cancel(self) -> None:
        """Nothing here takes long."""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One configured provider; the engine starts a process for each."""

    def __init__(self, engine: engine_pb2_grpc.EngineStub | None) -> None:
        self._engine = engine
        self._config = configuration.Config()
        self._mode: Mode | None = None

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=versions.KUBERNETES_PLUGIN)

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        reasons = configuration.check_config(decode(request.news))
        failures = [provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in reasons.items()]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
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
        if self._config.render_directory is not None:
            self._mode = RenderMode(self._config)
        elif os.environ.get(CLUSTER_SWITCH) == "1":
            from .cluster import ClusterMode  # the client takes a second to import; rendering needs none of it

            self._mode = ClusterMode(self._config)
        else:
            _abort(context, NO_CLUSTER)
        Log(self._engine, "").warning(STAND_IN_NOTICE)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
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
            inputs = check(type_token, decode(request.news), olds, naming, self._config.default_namespace())
        except Refused as refusal:
            _abort(context, str(refusal))
        if self._config.render_directory is not None and has_secret(inputs):
            Log(self._engine, request.urn).warning("rendered YAML will contain a secret value in plaintext")
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
                path: provider_pb2.PropertyDiff(kind=kind, inputDiff=kind.startswith("DELETE"))
                for path, kind in found.kinds.items()
            },
        )

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        inputs, log = decode(request.properties), Log(self._engine, request.urn)
        with _failures(context):
            if request.preview:
                outputs = self._ready(context).preview(inputs, None, log)
                return provider_pb2.CreateResponse(properties=encode(_outputs(mark_secrets(outputs, inputs))))
            manager = _field_manager(inputs)
            live = self._ready(context).create(inputs, manager, request.timeout, log)
            return provider_pb2.CreateResponse(id=_id(live), properties=encode(_state(live, inputs, manager)))

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        olds, inputs, log = decode(request.olds), decode(request.news), Log(self._engine, request.urn)
        with _failures(context):
            if request.preview:
                outputs = self._ready(context).preview(inputs, olds, log)
                return provider_pb2.UpdateResponse(properties=encode(_outputs(mark_secrets(outputs, inputs))))
            live = self._ready(context).update(inputs, olds, request.timeout, log)
            manager = _field_manager(inputs, olds)
            return provider_pb2.UpdateResponse(properties=encode(_state(live, inputs, manager)))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        state, log = decode(request.properties), Log(self._engine, request.urn)
        with _failures(context):
            live = self._ready(context).read(request.id, state, log)
            raise NotImplementedError(live)

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        with _failures(context):
            self._ready(context).delete(decode(request.properties), request.timeout, Log(self._engine, request.urn))
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        _abort(context, f'unknown Invoke type "{request.tok}": the stand-in kubernetes plugin has no functions')

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        self.stop()
        return empty_pb2.Empty()

    def stop(self) -> None:
        """End what waits for an object to become ready."""
        if self._mode is not None:
            self._mode.cancel()

    def _ready(self, context: grpc.ServicerContext) -> Mode:
        if self._mode is None:
            _abort(context, "Configure has not been called")
        return self._mode


@contextlib.contextmanager
def _failures(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except Failure as failure:
        _abort(context, str(failure))


def _abort(context: grpc.ServicerContext, message: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("abort never returns")


def _field_manager(inputs: Object, state: Object | None = None) -> str:
    annotations = (plain(inputs).get("metadata") or {}).get("annotations") or {}
    kept = (state or {}).get("__fieldManager")
    return str(annotations.get("pulumi.com/patchFieldManager") or kept or f"pulumi-kubernetes-{secrets.token_hex(4)}")


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
    return _outputs({**mark_secrets(live, inputs), **internal})


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


