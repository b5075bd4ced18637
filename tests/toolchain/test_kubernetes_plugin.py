"""The stand-in kubernetes plugin answers as the genuine one did when its answers were recorded.

Each case of provider_behaviour/*.json is one call (see about.json); it is made over gRPC, and what differs from
run to run is replaced on both sides. cli.json is replayed with the real engine in test_engine_behaviour.py.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import provider_pb2

from tests.toolchain.harness import Case, Plugin, diff_values, outcome, serving, struct, urn, values

RECORDED = Path(__file__).with_name("provider_behaviour")
SEEDS = {
    "check-autoname-other-seed": b"another",
    "check-autoname-kept-from-olds": b"third",
    "check-autoname-no-seed": b"",
}

# Cases that the stand-in answers differently, and why that is right. One that agrees must leave this table.
EXCEPTIONS = {
    "diff-unknown-whole-spec": "`spec: UPDATE` says what is known; the genuine one lists what was in it as deleted",
    "diff-job-template-replaceunready": "a log line about an annotation that this project does not use",
    "config-diff-kubeconfig-bad": "the parser's own words; that it is an error, and of what, is the same",
}


def cases(name: str) -> list[Any]:
    """The recorded cases of one file, as parameters named by case."""
    loaded: list[Case] = json.loads((RECORDED / f"{name}.json").read_text())
    return [pytest.param(case, id=case["id"]) for case in loaded]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with serving(tmp_path / "rendered") as found:
        yield found


def settings_in(note: str) -> dict[str, str]:
    """`provider config enableSecretMutable=true` as settings."""
    return dict(re.findall(r"(\w+)=(\w+)", note)) if note.startswith("provider config") else {}


def stable(value: Any, folder: Path) -> Any:
    """Without what differs from run to run: folders, made-up digits, times."""
    if isinstance(value, dict):
        # A note is the recorder's; of a log line the first line is the message, the rest is advice.
        value = {key: item for key, item in value.items() if key != "note"}
        value = {
            **value,
            **({"log": [_first_line(entry) for entry in value["log"]]} if "log" in value else {}),
        }
    text = json.dumps(value, sort_keys=True).replace(str(folder), "<render-dir>")
    text = re.sub(r"-[0-9a-f]{8}(?=[\".])", "-<digits>", text)
    return json.loads(re.sub(r', "at": [0-9.]+|"at": [0-9.]+, ', "", text))


def _first_line(entry: Case) -> Case:
    return {**entry, "text": entry["text"].split("\n")[0].rstrip()}


def agree(case: Case, answer: Any, recorded: Any, folder: Path) -> None:
    """Compare, minding the table of exceptions: it stays minimal because an agreeing case fails there."""
    same = stable(answer, folder) == stable(recorded, folder)
    if case["id"] in EXCEPTIONS:
        assert not same, f"{case['id']} agrees with the genuine plugin: take it out of EXCEPTIONS"
    else:
        assert stable(answer, folder) == stable(recorded, folder)


@pytest.mark.parametrize("case", cases("check"))
def test_check_answers_as_recorded(case: Case, plugin: Plugin) -> None:
    given = case["given"]
    plugin.configure(**settings_in(case.get("note", "")))
    options = provider_pb2.CheckRequest.AutonamingOptions
    autonaming = {
        "check-autoname-engine-config": options(proposed_name="proposed-name", mode=options.PROPOSE),
        "check-autoname-engine-disabled": options(mode=options.DISABLE),
    }.get(case["id"])
    seed = SEEDS.get(case["id"], b"seed")
    name = given.get("resourceName", "res")
    answer = outcome(
        lambda: plugin.check(
            case["type"], given["news"], given.get("olds"), name=name, seed=seed, autonaming=autonaming
        )
    )
    if plugin.engine.lines:
        answer["log"] = plugin.engine.lines
    agree(case, answer, case["result"], plugin.folder)


@pytest.mark.parametrize("case", cases("diff"))
def test_diff_answers_as_recorded(case: Case, plugin: Plugin) -> None:
    given = case["given"]
    plugin.configure(**settings_in(case.get("note", "")))
    olds = given.get("olds") or plugin.create(case["type"], given["oldInputs"])["outputs"]
    news = given.get("news") or given["newInputs"]
    answer = outcome(lambda: plugin.diff(case["type"], olds, news, given.get("ignoreChanges")))
    agree(case, answer, case["result"], plugin.folder)


@pytest.mark.parametrize("case", cases("config"))
def test_provider_settings_are_answered_as_recorded(case: Case, plugin: Plugin) -> None:
    given = case["given"]
    if case["call"] == "CheckConfig":
        request = provider_pb2.CheckRequest(urn=urn(case["type"], "k8s"), news=struct(given["news"]))
        found = plugin.stub.CheckConfig(request)
        failures = [{"property": f.property, "reason": f.reason} for f in found.failures]
        answer: Any = {"inputs": values(found.inputs), "failures": failures}
    elif case["call"] == "DiffConfig":
        request = provider_pb2.DiffRequest(olds=struct(given["olds"]), news=struct(given["news"]))
        answer = outcome(lambda: diff_values(plugin.stub.DiffConfig(request)))
    else:
        response = json_format.MessageToDict(plugin.configure())
        info = plugin.stub.GetPluginInfo(empty_pb2.Empty())
        answer = {
            "response": response,
            "folderExistsAfter": plugin.folder.exists(),
            "pluginVersion": info.version,
        }
    agree(case, answer, case["result"], plugin.folder)


CONFIGMAP = "kubernetes:core/v1:ConfigMap"
LATE = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "late", "namespace": "lab"},
    "data": {"a": "1"},
}
MAILBOX = {
    "apiVersion": "kolab.example/v1",
    "kind": "Mailbox",
    "metadata": {"name": "box", "namespace": "lab"},
}


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _create(case: Case, plugin: Plugin) -> Any:
    given = case["given"]
    inputs = given["program"] if given["inputsAfterCheck"] == "same as program" else given["inputsAfterCheck"]
    answer = plugin.create(case["type"], inputs, case["preview"])
    answer["filesWritten"] = plugin.files()
    return answer if case["preview"] else {**answer, "log": plugin.engine.lines}


def _file_modes(case: Case, plugin: Plugin) -> Any:
    def obj(kind: str, **metadata: str) -> Case:
        return {**({"apiVersion": "v1", "kind": kind} if kind else {}), "metadata": metadata}

    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "c"},
    }
    secrets = [obj("Secret", name=name, namespace="lab") for name in ("sec", "sec2")]
    configs = [obj("ConfigMap", name=name, namespace="lab") for name in ("cfg", "secretcm")]
    others = [obj("", name="cfg3-614742c2", namespace="lab"), obj("ConfigMap", name="cfg2")]
    for one in (crd, *secrets, *configs, *others):
        plugin.create(CONFIGMAP, one)
    return {
        "modes": {
            name: oct((plugin.folder / name).stat().st_mode & 0o777) for name in case["result"]["modes"]
        }
    }


def _relative_folder(case: Case, plugin: Plugin) -> Any:
    plugin.folder.mkdir()
    with contextlib.chdir(plugin.folder):
        plugin.configure(**case["given"]["config"])
        answer = plugin.create(case["type"], LATE)
    return {**answer, "log": plugin.engine.lines, "filesWritten": list(plugin.files())}


def _same_object_twice(case: Case, plugin: Plugin) -> Any:
    first = {**case["given"]["program"], "data": {"a": "first"}}
    plugin.create(case["type"], first)
    answer = plugin.create(case["type"], case["given"]["program"])
    (content,) = plugin.files().values()
    return {"error": None, "id": answer["id"], "file": content}


def _update(case: Case, plugin: Plugin) -> Any:
    plugin.create(case["type"], case["given"]["olds"]["__inputs"])
    plugin.engine.lines.clear()
    before = plugin.files()
    preview = case.get("preview", False)
    answer = plugin.update(case["type"], case["given"]["olds"], case["given"]["news"], preview)
    changed = {name: text for name, text in plugin.files().items() if before.get(name) != text}
    if preview:
        return {**answer, "filesChanged": list(changed)}
    return {**answer, "filesChanged": changed, "filesGone": [], "log": plugin.engine.lines}


def _delete(case: Case, plugin: Plugin) -> Any:
    olds = case["given"]["olds"]
    plugin.create(case["type"], olds["__inputs"])
    before = plugin.files()
    if case["id"] == "render-delete-file-already-gone":
        plugin.delete(case["type"], olds)
    plugin.engine.lines.clear()
    plugin.delete(case["type"], olds)
    gone = {"filesGone": sorted(before)} if case["id"] == "render-delete" else {}
    assert plugin.files() == {}
    return {"ok": True, "log": plugin.engine.lines, **gone}


def _delete_without_folder(case: Case, plugin: Plugin) -> Any:
    state = plugin.create(case["type"], MAILBOX)["outputs"]
    remove(plugin.folder)
    plugin.engine.lines.clear()
    plugin.delete(case["type"], state)
    return {"ok": True, "log": plugin.engine.lines, "folderExists": plugin.folder.exists()}


def _create_without_folder(case: Case, plugin: Plugin) -> Any:
    plugin.create("kubernetes:kolab.example/v1:Mailbox", MAILBOX)
    remove(plugin.folder)
    return {"error": None, "id": plugin.create(case["type"], LATE)["id"], "filesNow": list(plugin.files())}


def _folder_is_a_file(case: Case, plugin: Plugin) -> Any:
    plugin.folder.write_text("")
    configured = json_format.MessageToDict(plugin.configure())
    return {"configure": configured, "create": outcome(lambda: plugin.create(case["type"], LATE))}


def _default_namespace(case: Case, plugin: Plugin) -> Any:
    plugin.configure(**case["given"]["config"])
    checked = plugin.check(case["type"], case["given"]["program"])
    created = plugin.create(case["type"], checked["inputs"])

    def metadata(type_: str, api_version: str, kind: str, name: str) -> Any:
        return plugin.check(type_, {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}})[
            "inputs"
        ]["metadata"]

    rbac, crds = "rbac.authorization.k8s.io/v1", "apiextensions.k8s.io/v1"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "plain"}}
    return {
        "check": checked,
        "create": {**created, "log": plugin.engine.lines},
        "files": list(plugin.files()),
        "checkNamespaceObject": plugin.check("kubernetes:core/v1:Namespace", namespace),
        "checkCustomResourceMetadata": metadata(
            "kubernetes:kolab.example/v1:Mailbox", "kolab.example/v1", "Mailbox", "nsd"
        ),
        "checkClusterRoleMetadata": metadata(f"kubernetes:{rbac}:ClusterRole", rbac, "ClusterRole", "r"),
        "checkCrdMetadata": metadata(
            f"kubernetes:{crds}:CustomResourceDefinition",
            crds,
            "CustomResourceDefinition",
            "mailboxes.kolab.example",
        ),
    }


def _read(case: Case, plugin: Plugin) -> Any:
    request = provider_pb2.ReadRequest(id=case["given"]["id"], urn=urn(case["type"], "web"))
    return {**outcome(lambda: plugin.stub.Read(request)), "log": plugin.engine.lines}


ARRANGED: dict[str, Callable[[Case, Plugin], Any]] = {
    "render-file-modes": _file_modes,
    "render-create-same-object-twice": _same_object_twice,
    "render-update": _update,
    "render-update-preview": _update,
    "render-delete": _delete,
    "render-delete-file-already-gone": _delete,
    "render-delete-folder-deleted": _delete_without_folder,
    "render-create-folder-deleted": _create_without_folder,
    "render-folder-is-a-file": _folder_is_a_file,
    "render-default-namespace": _default_namespace,
    "render-read": _read,
    "render-relative-nested-folder": _relative_folder,
}


@pytest.mark.parametrize("case", cases("render"))
def test_rendering_answers_as_recorded(case: Case, plugin: Plugin) -> None:
    plugin.configure()
    answer = outcome(lambda: ARRANGED.get(case["id"], _create)(case, plugin))
    agree(case, answer, case["result"], plugin.folder)


def test_a_cluster_is_refused_unless_the_lab_allows_it(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KOLAB_STANDIN_CLUSTER", raising=False)
    request = provider_pb2.ConfigureRequest(args=struct({"kubeconfig": "{}"}))
    refused = outcome(lambda: plugin.stub.Configure(request))
    assert refused["error"]["message"].startswith("the stand-in kubernetes plugin does not touch clusters")


def test_no_call_before_configure_crashes_the_plugin(plugin: Plugin) -> None:
    refused = outcome(lambda: plugin.create(CONFIGMAP, LATE))
    assert refused["error"]["message"] == "Configure has not been called"


def test_every_exception_is_a_recorded_case() -> None:
    recorded = {case.id for name in ("check", "diff", "config", "render") for case in cases(name)}
    assert set(EXCEPTIONS) <= recorded
