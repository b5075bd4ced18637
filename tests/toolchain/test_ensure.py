"""Which pulumi and which plugins are chosen, and what is said when one cannot be had. Nothing is fetched or built."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from toolchain import cache, ensure, env, obtain, stand_ins, versions
from toolchain.ensure import NotReady, Toolchain

CHECKOUT = Path(__file__).parents[2]


class Machine:
    """A machine with nothing on it, whose network and Go are what a test says."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir()
        self.said: list[str] = []
        self.tried: list[str] = []
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("HOME", str(root))
        monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        monkeypatch.setenv("PATH", f"{self.bin}:/usr/bin:/bin")
        for name in ("PULUMI_HOME", "KOLAB_PYTHON", "KOLAB_CHECKOUT"):
            monkeypatch.delenv(name, raising=False)
        self.closed_network()
        self.go()

    def program(self, name: str, prints: str = "", folder: Path | None = None) -> Path:
        """An executable that prints a line."""
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho {prints}\n")
        path.chmod(0o755)
        return path

    def closed_network(self) -> None:
        """Nothing can be downloaded."""

        def refuse(what: str) -> Callable[..., None]:
            def call(*_: object) -> None:
                self.tried.append(what)
                raise obtain.Unavailable(f"{what}: no route to host")

            return call

        self._monkeypatch.setattr(obtain, "download", refuse("download"))
        self._monkeypatch.setattr(obtain, "install_kubernetes_plugin", refuse("plugin"))

    def open_network(self) -> None:
        """Everything can be downloaded."""

        def download(target: Path, say: obtain.Say) -> None:
            self.tried.append("download")
            self.program("pulumi", versions.PULUMI, target / "bin")
            self.program("pulumi-language-python", "", target / "bin")

        def plugin(pulumi: Path, say: obtain.Say) -> None:
            self.tried.append("plugin")
            self.kubernetes_plugin()

        self._monkeypatch.setattr(obtain, "download", download)
        self._monkeypatch.setattr(obtain, "install_kubernetes_plugin", plugin)

    def go(self, takes: float = 0, fails: bool = False) -> None:
        """Go is installed; a build takes that long."""

        def build(tool: obtain.GoTool, target: Path, say: obtain.Say) -> None:
            self.tried.append(tool.name)
            self.program(tool.name, versions.PULUMI, target / "bin")
            time.sleep(takes)
            if fails:
                raise obtain.Unavailable("Go is not installed")

        self._monkeypatch.setattr(obtain, "build", build)

    def kubernetes_plugin(self) -> Path:
        """The genuine plugin, installed where the CLI installs it."""
        folder = self.root / ".pulumi" / "plugins" / f"resource-kubernetes-v{versions.KUBERNETES_PLUGIN}"
        return self.program("pulumi-resource-kubernetes", folder=folder)

    def ensure(self, **options: bool) -> Toolchain:
        return ensure.ensure(self.said.append, **options)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_pulumi_on_path_that_is_new_enough_is_used(machine: Machine) -> None:
    found = machine.program("pulumi", f"v{versions.PULUMI}")
    assert machine.ensure().pulumi == found
    assert machine.tried == ["plugin"]


@pytest.mark.parametrize("version", ["v3.258.9", "v2.0.0", "v4.0.0", "nonsense"])
def test_a_pulumi_on_path_of_another_version_is_not_used(machine: Machine, version: str) -> None:
    machine.program("pulumi", version)
    assert machine.ensure().pulumi.is_relative_to(cache.root())


def test_the_official_download_is_preferred_to_a_build(machine: Machine) -> None:
    machine.open_network()
    found = machine.ensure()
    assert machine.tried == ["download", "plugin"]
    assert found.language_host == found.pulumi.with_name("pulumi-language-python")


def test_pulumi_is_built_where_it_cannot_be_downloaded(machine: Machine) -> None:
    machine.ensure()
    assert machine.tried == ["download", "pulumi", "plugin"]


def test_without_download_and_go_one_sentence_names_both_ways_out(machine: Machine) -> None:
    machine.go(fails=True)
    with pytest.raises(NotReady, match=r"no route to host; Go is not installed\. Install it, or Go"):
        machine.ensure()


def test_a_second_run_obtains_nothing(machine: Machine) -> None:
    machine.ensure()
    machine.tried.clear()
    machine.ensure()
    assert machine.tried == []


def test_a_download_that_failed_is_tried_again_after_a_day(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.ensure()
    machine.tried.clear()
    tomorrow = time.time() + 25 * 3600
    monkeypatch.setattr(time, "time", lambda: tomorrow)
    machine.ensure()
    assert machine.tried == ["plugin"]


def test_refresh_tries_again_at_once(machine: Machine) -> None:
    machine.ensure()
    machine.tried.clear()
    machine.ensure(refresh=True)
    assert machine.tried == ["plugin"]


def test_a_build_that_fails_leaves_nothing_half_made(machine: Machine) -> None:
    machine.go(fails=True)
    with pytest.raises(NotReady):
        machine.ensure()
    assert sorted(p.name for p in cache.root().iterdir()) == [".lock", "tried.json"]


def test_two_runs_at_once_build_once(machine: Machine) -> None:
    machine.go(takes=0.3)
    runs = [threading.Thread(target=machine.ensure) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert machine.tried.count("pulumi") == 1


def test_test_tools_are_built_only_on_request(machine: Machine) -> None:
    machine.ensure()
    assert ensure.test_tool_directories() == []
    machine.ensure(tests=True)
    assert machine.tried[-4:] == ["kubeconform", "psa-check", "actionlint", "promtool"]


def test_one_test_tool_is_had_without_pulumi(machine: Machine) -> None:
    path = ensure.ensure_test_tool("actionlint", machine.said.append)
    assert path.name == "actionlint"
    assert machine.tried == ["actionlint"]


def test_a_test_tool_that_nobody_knows_is_a_sentence(machine: Machine) -> None:
    with pytest.raises(NotReady, match="there is no test tool nope; known: kubeconform"):
        ensure.ensure_test_tool("nope", machine.said.append)


def test_a_changed_wrapper_module_is_built_anew(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.ensure(tests=True)
    machine.tried.clear()
    monkeypatch.setattr(obtain.GoTool, "fingerprint", "another")
    machine.ensure(tests=True)
    assert machine.tried == ["kubeconform", "psa-check", "actionlint", "promtool"]


def test_the_stand_in_plugin_is_announced_in_one_line(machine: Machine) -> None:
    machine.ensure()
    assert machine.said == [ensure.STAND_IN_NOTICE]


def test_the_genuine_plugin_is_preferred(machine: Machine) -> None:
    plugin = machine.kubernetes_plugin()
    assert machine.ensure().kubernetes_plugin == plugin
    assert machine.said == []


def test_a_plugin_whose_installation_broke_off_does_not_count(machine: Machine) -> None:
    folder = machine.kubernetes_plugin().parent
    folder.with_name(folder.name + ".partial").touch()
    assert machine.ensure().kubernetes_plugin is None


def test_the_stand_in_never_lies_in_the_users_own_pulumi_home(machine: Machine) -> None:
    machine.ensure()
    assert not (machine.root / ".pulumi").exists()
    assert Path(env.environment()["PULUMI_HOME"]).is_relative_to(cache.root())


def test_runs_with_stand_ins_leave_no_logs_and_those_of_before_go(machine: Machine) -> None:
    logs = stand_ins.home() / "logs"
    logs.mkdir(parents=True)
    (logs / "pulumi-20261126T000000-1-up.log").touch()
    machine.ensure()
    assert logs.is_file()


def test_the_users_own_logs_stay_when_the_genuine_plugin_is_there(machine: Machine) -> None:
    kept = machine.root / ".pulumi" / "logs" / "pulumi-20261126T000000-1-up.log"
    kept.parent.mkdir(parents=True)
    kept.touch()
    machine.kubernetes_plugin()
    machine.ensure()
    assert kept.exists()


def test_with_the_genuine_plugin_the_users_own_pulumi_home_is_used(machine: Machine) -> None:
    machine.kubernetes_plugin()
    machine.ensure()
    assert "PULUMI_HOME" not in env.environment()


def test_a_stand_in_is_not_taken_for_the_genuine_plugin_inside_a_run(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.ensure()
    for name, value in env.environment().items():
        monkeypatch.setenv(name, value)
    found = ensure.find()
    assert (found.language_host, found.kubernetes_plugin) == (None, None)


def test_a_language_host_is_found_for_a_pulumi_that_came_onto_path_later(machine: Machine) -> None:
    machine.ensure()
    machine.program("pulumi", versions.PULUMI)
    path = env.environment()["PATH"]
    host = shutil.which("pulumi-language-python", path=path)
    assert host is not None
    assert stand_ins.is_launcher(Path(host))


def test_a_genuine_language_host_on_path_runs_although_a_launcher_lies_beside_pulumi(
    machine: Machine,
) -> None:
    machine.ensure()
    genuine = machine.program("pulumi-language-python")
    found, path = ensure.find(), env.environment()["PATH"]
    chosen = shutil.which("pulumi-language-python", path=path)
    assert chosen is not None
    assert (found.language_host, Path(chosen).resolve()) == (genuine, genuine.resolve())
    assert shutil.which("pulumi", path=path) == str(found.pulumi)


def test_a_genuine_plugin_runs_although_this_environment_was_made_without_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.ensure()
    for name, value in env.environment().items():
        monkeypatch.setenv(name, value)
    machine.program("pulumi-resource-kubernetes")
    found = env.environment()
    assert "PULUMI_HOME" not in found
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" not in found


def test_the_environment_asks_for_ensure_when_there_is_no_pulumi(machine: Machine) -> None:
    with pytest.raises(NotReady, match="python3 -m toolchain ensure"):
        env.environment()


def test_ambient_plugins_are_not_ignored(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_IGNORE_AMBIENT_PLUGINS", "true")
    machine.ensure()
    assert "PULUMI_IGNORE_AMBIENT_PLUGINS" not in env.environment()


def test_a_launcher_serves_every_checkout(machine: Machine) -> None:
    machine.ensure()
    scripts = [p.read_text() for p in cache.root().rglob("pulumi-*") if stand_ins.is_launcher(p)]
    assert len(scripts) == 2
    assert not any(str(CHECKOUT) in text or sys.executable in text for text in scripts)


def test_a_launcher_outside_of_a_run_says_how_to_start(machine: Machine) -> None:
    machine.ensure()
    launcher = next(cache.root().rglob("pulumi-resource-kubernetes"))
    run = subprocess.run([launcher], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "python3 -m toolchain run -- pulumi" in run.stderr


def command_line(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "toolchain", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_run_finds_pulumi_and_keeps_its_output_pure(machine: Machine) -> None:
    machine.ensure()
    run = command_line("run", "--", "pulumi", "version")
    assert (run.stdout, run.stderr, run.returncode) == (f"{versions.PULUMI}\n", "", 0)


def test_run_without_pulumi_ends_with_one_sentence(machine: Machine) -> None:
    run = command_line("run", "--", "pulumi", "version")
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1


def release(monkeypatch: pytest.MonkeyPatch, published: str | None = None) -> None:
    """The download server has one archive, and says what its SHA-256 is."""
    archive = f"pulumi-v{versions.PULUMI}-{obtain._platform()}.tar.gz"
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        entry = tarfile.TarInfo("pulumi/pulumi")
        entry.mode = 0o755
        tar.addfile(entry)
    digest = published or hashlib.sha256(content.getvalue()).hexdigest()

    def fetch(url: str, seconds: float) -> bytes:
        return f"{digest}  {archive}\n".encode() if url.endswith("checksums.txt") else content.getvalue()

    monkeypatch.setattr(obtain, "fetch", fetch)


def test_a_download_is_unpacked_into_bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release(monkeypatch)
    obtain.download(tmp_path, print)
    assert os.access(tmp_path / "bin" / "pulumi", os.X_OK)


def test_a_download_that_does_not_match_its_checksum_is_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(monkeypatch, published="0" * 64)
    with pytest.raises(obtain.Unavailable, match="does not match its published SHA-256"):
        obtain.download(tmp_path, print)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("published", ["", "0" * 40, "not-a-digest"])
def test_a_list_without_a_sha256_of_the_download_is_one_sentence(
    published: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(monkeypatch, published=published or " ")
    with pytest.raises(obtain.Unavailable, match="with a SHA-256 in"):
        obtain.download(tmp_path, print)
    assert list(tmp_path.iterdir()) == []


def plugin_server(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    """The plugin can be had; this is what its release's list says."""

    def fetch(url: str, seconds: float) -> bytes:
        assert url.endswith(
            f"/v{versions.KUBERNETES_PLUGIN}/pulumi-kubernetes_{versions.KUBERNETES_PLUGIN}_checksums.txt"
        )
        return listed.encode()

    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(obtain, "fetch", fetch)


def test_the_kubernetes_plugin_is_installed_with_the_checksum_of_its_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = f"pulumi-resource-kubernetes-v{versions.KUBERNETES_PLUGIN}-{obtain._go_platform()}.tar.gz"
    plugin_server(monkeypatch, f"{'a' * 64}  another.tar.gz\n{'b' * 64}  {archive}\n")
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    pulumi.chmod(0o755)
    obtain.install_kubernetes_plugin(pulumi, print)
    asked = (tmp_path / "asked").read_text().split()
    assert asked == [
        "plugin",
        "install",
        "resource",
        "kubernetes",
        versions.KUBERNETES_PLUGIN,
        "--checksum",
        "b" * 64,
    ]


def test_without_its_checksum_the_kubernetes_plugin_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_server(monkeypatch, f"{'a' * 64}  another.tar.gz\n")
    with pytest.raises(obtain.Unavailable, match="with a SHA-256 in"):
        obtain.install_kubernetes_plugin(tmp_path / "pulumi", print)


def test_a_closed_network_is_one_sentence() -> None:
    with pytest.raises(obtain.Unavailable, match="cannot be had"):
        obtain.fetch("http://127.0.0.1:1/x", seconds=1)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("Pulumi.yaml", f'requiredPulumiVersion: ">={versions.PULUMI}"'),
        ("requirements.txt", f"pulumi=={versions.PULUMI} "),
        ("requirements.txt", f"pulumi-kubernetes=={versions.KUBERNETES_PLUGIN} "),
        ("toolchain/go/pulumi/go.mod", f"github.com/pulumi/pulumi/pkg/v3 v{versions.PULUMI}"),
    ],
)
def test_the_pins_of_the_toolchain_are_those_of_the_project(file: str, line: str) -> None:
    assert line in (CHECKOUT / file).read_text()
