"""A stand-in kubernetes plugin behind real gRPC, speaking JSON values."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any, cast

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import engine_pb2, provider_pb2, provider_pb2_grpc

from toolchain.ensure import STAND_IN_NOTICE
from toolchain.kubernetes_plugin import server

Case = dict[str, Any]


class RecordingEngine:
    """Stands where the engine's Log service is."""

    def __init__(self) -> None:
        self.lines: list[Case] = []

    def Log(self, request: engine_pb2.LogRequest) -> None:  # noqa: N802 - the name in the protocol
        severity = engine_pb2.LogSeverity.Name(request.severity).lower()
        if request.message != STAND_IN_NOTICE:
            self.lines.append({"severity": severity, "status": request.ephemeral, "text": request.message})


class Plugin:
    """A configured stand-in behind gRPC, speaking JSON values."""

    def __init__(
        self, stub: provider_pb2_grpc.ResourceProviderStub, engine: RecordingEngine, folder: Path
    ) -> None:
        self.stub, self.engine, self.folder = stub, engine, folder

    def configure(self, **settings: str) -> provider_pb2.ConfigureResponse:
        """Render mode into the test's folder, with further provider settings."""
        given = {"renderYamlToDirectory": str(self.folder), **settings}
        return self.stub.Configure(provider_pb2.ConfigureRequest(args=struct(given), acceptSecrets=True))

    def check(
        self,
        type_: str,
        news: Case,
        olds: Case | None = None,
        *,
        name: str = "res",
        seed: bytes = b"seed",
        autonaming: Any = None,
    ) -> Case:
        request = provider_pb2.CheckRequest(
            urn=urn(type_, name),
            news=struct(news),
            olds=struct(olds) if olds else None,
            randomSeed=seed,
            autonaming=autonaming,
        )
        answer = self.stub.Check(request)
        return {"inputs": values(answer.inputs), "failures": list(answer.failures)}

    def create(self, type_: str, inputs: Case, preview: bool = False) -> Case:
        request = provider_pb2.CreateRequest(
            urn=urn(type_, "res"), properties=struct(inputs), preview=preview
        )
        answer = self.stub.Create(request)
        return {"id": answer.id, "outputs": values(answer.properties)}

    def update(self, type_: str, olds: Case, news: Case, preview: bool = False) -> Case:
        request = provider_pb2.UpdateRequest(
            id="x", urn=urn(type_, "res"), olds=struct(olds), news=struct(news), preview=preview
        )
        return {"outputs": values(self.stub.Update(request).properties)}

    def delete(self, type_: str, olds: Case) -> None:
        self.stub.Delete(provider_pb2.DeleteRequest(id="x", urn=urn(type_, "res"), properties=struct(olds)))

    def diff(self, type_: str, olds: Case, news: Case, ignore: list[str] | None = None) -> Case:
        request = provider_pb2.DiffRequest(
            id="x", urn=urn(type_, "res"), olds=struct(olds), news=struct(news), ignoreChanges=ignore
        )
        return diff_values(self.stub.Diff(request))

    def files(self) -> dict[str, str]:
        """What lies in the folder, by name."""
        found = (p for p in self.folder.rglob("*") if p.is_file())
        return {str(p.relative_to(self.folder)): p.read_text() for p in found}


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Plugin]:
    """A plugin that is not configured yet."""
    engine = RecordingEngine()
    grpc_server = grpc.server(futures.ThreadPoolExecutor(16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(
        server.Provider(cast("Any", engine)), grpc_server
    )
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    grpc_server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Plugin(provider_pb2_grpc.ResourceProviderStub(channel), engine, folder)
    grpc_server.stop(grace=None)


def struct(value: Case) -> struct_pb2.Struct:
    return json_format.ParseDict(value, struct_pb2.Struct())


def values(message: struct_pb2.Struct) -> Case:
    result: Case = json_format.MessageToDict(message)
    return result


def diff_values(answer: provider_pb2.DiffResponse) -> Case:
    kinds = provider_pb2.PropertyDiff.Kind
    return {
        "changes": provider_pb2.DiffResponse.DiffChanges.Name(answer.changes).removeprefix("DIFF_").lower(),
        "diffs": list(answer.diffs),
        "replaces": list(answer.replaces),
        "stables": list(answer.stables),
        "deleteBeforeReplace": answer.deleteBeforeReplace,
        "hasDetailedDiff": answer.hasDetailedDiff,
        "detailedDiff": {
            path: {"kind": kinds.Name(d.kind), "inputDiff": d.inputDiff}
            for path, d in answer.detailedDiff.items()
        },
    }


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:dev::rec::{type_}::{name}"


def outcome(call: Callable[[], Any]) -> Any:
    """What a call answers, or the error it ends with."""
    try:
        return call()
    except grpc.RpcError as error:
        return {"error": {"code": error.code().name, "message": error.details()}}
