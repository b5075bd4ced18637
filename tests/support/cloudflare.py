"""A resource plugin `cloudflare` for tests: DNS records in a file instead of at the provider.

It takes what the published schema takes, refuses what the API refuses (a second record of the same content, anything
beside an alias), and replaces a record when the schema says so. Found on PATH, for one command of one test: never
installed where a real stack would find it.

    pulumi-resource-cloudflare [--flags] ENGINE        started by the CLI; the world lies in $KOLAB_TEST_CLOUDFLARE
"""

# ruff: noqa: N802 - the methods have the names of the protocol
from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

CHECKOUT = Path(__file__).resolve().parents[2]
WORLD = "KOLAB_TEST_CLOUDFLARE"
STOP = "KOLAB_TEST_CLOUDFLARE_STOP"
"""How many changes succeed before the provider fails, if it does."""
PLUGIN = "pulumi-resource-cloudflare"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
VERSION = "6.23.1"
DELAY = "KOLAB_TEST_CLOUDFLARE_DELAY"
"""Seconds that each change takes."""
TOKEN = "KOLAB_TEST_CLOUDFLARE_TOKEN"
"""The one token that is let in; any, where it is not set."""

Record = dict[str, Any]


def install(folder: Path) -> Path:
    """Writes the launcher; `folder` belongs on the PATH of the command that shall find it."""
    folder.mkdir(parents=True, exist_ok=True)
    launcher = folder / PLUGIN
    code = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from tests.support.cloudflare import main; sys.exit(main())"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -P -c {json.dumps(code)} "$@"\n')
    launcher.chmod(0o755)
    return folder


def world(path: Path) -> list[Record]:
    """What the provider holds now."""
    return list(_replay(path).values())


def rows(path: Path) -> list[Record]:
    """The same, each with its id, as the API of the provider shows it."""
    return [{**record, "id": identifier} for identifier, record in _replay(path).items()]


def fill(path: Path, records: Iterable[Record]) -> None:
    """What somebody has entered there before."""
    lines = [json.dumps({"id": f"{n:032x}", "record": record}) for n, record in enumerate(records)]
    path.write_text("".join(f"{line}\n" for line in lines))


def _replay(path: Path) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        entry = json.loads(line)
        found.pop(entry["id"], None)
        if entry["record"] is not None:
            found[entry["id"]] = entry["record"]
    return found


class Zones:
    """The records, kept as a list of changes: a file that is only appended to stays quick with thousands."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._records = _replay(path)
        self._left = int(os.environ[STOP]) if os.environ.get(STOP) else None

    def get(self, identifier: str) -> Record | None:
        return self._records.get(identifier)

    def put(self, record: Record, identifier: str | None = None) -> str:
        """Stores a record, under a new id unless one is given. Raises ValueError with the API's words."""
        with self._lock:
            self._spend()
            others = {key: value for key, value in self._records.items() if key != identifier}
            problem = _problem(record, others)
            if problem:
                raise ValueError(problem)
            identifier = (
                identifier or f"{len(self._path.read_text().splitlines()) if self._path.exists() else 0:032x}"
            )
            self._write(identifier, record)
            return identifier

    def drop(self, identifier: str) -> None:
        with self._lock:
            self._spend()
            if identifier not in self._records:
                raise ValueError("81044: Record does not exist.")
            self._write(identifier, None)

    def _spend(self) -> None:
        time.sleep(float(os.environ.get(DELAY, "0")))
        if self._left == 0:
            raise ValueError("10013: An unknown error has occurred.")
        self._left = None if self._left is None else self._left - 1

    def _write(self, identifier: str, record: Record | None) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps({"id": identifier, "record": record}) + "\n")
        if record is None:
            del self._records[identifier]
        else:
            self._records[identifier] = record


def _problem(record: Record, others: dict[str, Record]) -> str | None:
    if not 60 <= record["ttl"] <= 86400 and record["ttl"] != 1:
        return "9021: Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic."
    if record["type"] in ("MX", "SRV") and "priority" not in record:
        return "9000: DNS record is missing its priority."
    same = [r for r in others.values() if (r["zoneId"], r["name"]) == (record["zoneId"], record["name"])]
    if any(_identity(r) == _identity(record) for r in same):
        return "81058: An identical record already exists."
    if same and "CNAME" in {record["type"], *(r["type"] for r in same)}:
        return "81053: An A, AAAA, or CNAME record with that host already exists."
    return None


def _identity(record: Record) -> str:
    return json.dumps([record["type"], record.get("content"), record.get("data")], sort_keys=True)


def main() -> int:
    """Serves the engine until it ends us."""
    from toolchain.serving import new_server, serve  # noqa: PLC0415

    server = new_server(workers=32)
    _register(server, Zones(Path(os.environ[WORLD])))
    return serve(server, stop=lambda: None)


def _register(server: Any, zones: Zones) -> None:
    """Adds the provider. What it needs takes a second to import, and `world` and `install` need none of it."""
    from google.protobuf import empty_pb2  # noqa: PLC0415
    from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc  # noqa: PLC0415

    from components.cloudflare_api import DnsRecordDataArgs  # noqa: PLC0415
    from toolchain.kubernetes_plugin.wire import decode, encode, plain  # noqa: PLC0415

    arguments = sys.modules["pulumi_cloudflare.dns_record"].DnsRecordArgs
    del DnsRecordDataArgs
    known = {_camel(name) for name in vars(arguments) if not name.startswith("_")}

    class Provider(provider_pb2_grpc.ResourceProviderServicer):
        def GetPluginInfo(self, request: Any, context: Any) -> Any:
            return plugin_pb2.PluginInfo(version=VERSION)

        def CheckConfig(self, request: Any, context: Any) -> Any:
            return provider_pb2.CheckResponse(inputs=request.news)

        def DiffConfig(self, request: Any, context: Any) -> Any:
            changed = plain(decode(request.old_inputs)) != plain(decode(request.news))
            answer = provider_pb2.DiffResponse
            return answer(changes=answer.DIFF_SOME if changed else answer.DIFF_NONE)

        def Configure(self, request: Any, context: Any) -> Any:
            # What the stack file does not give, the provider takes from its environment.
            shown = plain(decode(request.args)).get("apiToken") or os.environ.get("CLOUDFLARE_API_TOKEN")
            if not shown or shown != os.environ.get(TOKEN, shown):
                _abort(context, "10000: Authentication error")
            return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

        def Check(self, request: Any, context: Any) -> Any:
            inputs = plain(decode(request.news))
            failures = [
                provider_pb2.CheckFailure(property=key, reason="is no argument of a DnsRecord")
                for key in sorted(set(inputs) - known)
            ] + [
                provider_pb2.CheckFailure(property=key, reason="is missing")
                for key in ("name", "ttl", "type", "zoneId")
                if key not in inputs
            ]
            return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

        def Diff(self, request: Any, context: Any) -> Any:
            olds, news = plain(decode(request.old_inputs)), plain(decode(request.news))
            changed = sorted(key for key in {*olds, *news} if olds.get(key) != news.get(key))
            answer = provider_pb2.DiffResponse
            return answer(
                changes=answer.DIFF_SOME if changed else answer.DIFF_NONE,
                diffs=changed,
                replaces=[key for key in changed if key == "zoneId"],
            )

        def Create(self, request: Any, context: Any) -> Any:
            inputs = plain(decode(request.properties))
            if request.preview:
                return provider_pb2.CreateResponse(properties=request.properties)
            try:
                identifier = zones.put(inputs)
            except ValueError as error:
                _abort(context, str(error))
            return provider_pb2.CreateResponse(id=identifier, properties=request.properties)

        def Update(self, request: Any, context: Any) -> Any:
            if not request.preview:
                try:
                    zones.put(plain(decode(request.news)), request.id)
                except ValueError as error:
                    _abort(context, str(error))
            return provider_pb2.UpdateResponse(properties=request.news)

        def Delete(self, request: Any, context: Any) -> Any:
            try:
                zones.drop(request.id)
            except ValueError as error:
                _abort(context, str(error))
            return empty_pb2.Empty()

        def Read(self, request: Any, context: Any) -> Any:
            # An import names the zone too: <zone_id>/<dns_record_id>.
            zone, _, identifier = request.id.rpartition("/")
            found = zones.get(identifier)
            if found is None or zone not in ("", found["zoneId"]):
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(id=identifier, properties=encode(found), inputs=encode(found))

        def Cancel(self, request: Any, context: Any) -> Any:
            return empty_pb2.Empty()

    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _abort(context: Any, message: str) -> NoReturn:
    import grpc  # noqa: PLC0415

    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("abort never returns")
