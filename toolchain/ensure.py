"""Which `pulumi`, which language host, which kubernetes plugin: the order of choice."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import cache, obtain, stand_ins, versions
from .obtain import Say, Unavailable

LANGUAGE_HOST = "pulumi-language-python"
PLUGIN = "pulumi-resource-kubernetes"
STAND_IN_NOTICE = "using the stand-in kubernetes plugin: the genuine one cannot be downloaded here; never use it for a real stack"


class NotReady(Exception):
    """What is missing has to be obtained first, or cannot be; the text is a sentence for the operator."""


@dataclass(frozen=True)
class Toolchain:
    """What `toolchain run` puts on PATH. None for a plugin means: the stand-in takes its place."""

    pulumi: Path
    language_host: Path | None
    kubernetes_plugin: Path | None


def find() -> Toolchain:
    """What is there already: only looks, never waits for the network and never builds."""
    pulumi = _pulumi_on_path() or _cached_pulumi()
    if pulumi is None:
        raise NotReady("pulumi is not there yet: run `python3 -m toolchain ensure` (or `make up`)")
    return Toolchain(pulumi, _genuine_language_host(pulumi), _genuine_kubernetes_plugin())


def ensure(say: Say, *, tests: bool = False, refresh: bool = False) -> Toolchain:
    """Make everything available that is not. Idempotent; seconds when it is all there."""
    if refresh:
        cache.forget_failures()
    pulumi = _pulumi_on_path() or _cached_pulumi()
    if pulumi is None:
        with cache.lock():
            pulumi = _cached_pulumi() or _obtain_pulumi(say)
    if _genuine_kubernetes_plugin() is None and cache.failed_lately("kubernetes plugin") is None:
        with cache.lock():
            _obtain_kubernetes_plugin(pulumi, say)
    if tests:
        for tool in obtain.TEST_TOOLS:
            _ensure_test_tool(tool, say)
    found = find()
    put_stand_ins(found)
    if found.kubernetes_plugin is None:
        say(STAND_IN_NOTICE)
    return found


def ensure_test_tool(name: str, say: Say) -> Path:
    """Where one test tool is, built if it has to be. Raises NotReady, also for a name that no tool has."""
    for tool in obtain.TEST_TOOLS:
        if tool.name == name:
            _ensure_test_tool(tool, say)
            return _test_tool_directory(tool) / tool.name
    known = ", ".join(tool.name for tool in obtain.TEST_TOOLS)
    raise NotReady(f"there is no test tool {name}; known: {known}")


def put_stand_ins(found: Toolchain) -> None:
    """Put launchers where the choice needs them. PATH may have changed since `ensure`, so `run` does it as well."""
    stand_ins.write_launchers(language_host_beside=None if found.language_host else found.pulumi.parent)


def test_tool_directories() -> list[Path]:
    """The bin directories of the test tools that are built."""
    return [d for d in map(_test_tool_directory, obtain.TEST_TOOLS) if d.is_dir()]


def _obtain_pulumi(say: Say) -> Path:
    directory = _release_directory()
    reasons = []
    if (before := cache.failed_lately("pulumi")) is not None:
        reasons.append(f"{before} (tried less than a day ago; --refresh tries again)")
    else:
        try:
            with cache.new_directory(directory) as scratch:
                obtain.download(scratch, say)
            return directory / "bin" / "pulumi"
        except Unavailable as reason:
            cache.remember_failure("pulumi", str(reason))
            reasons.append(str(reason))
    try:
        with cache.new_directory(directory) as scratch:
            obtain.build(obtain.PULUMI, scratch, say)
        return directory / "bin" / "pulumi"
    except Unavailable as reason:
        reasons.append(str(reason))
    raise NotReady(
        f"pulumi {versions.PULUMI} or newer is neither on PATH nor to be had: {'; '.join(reasons)}. "
        "Install it, or Go 1.25 or newer so that it can be built, and run this again."
    )


def _obtain_kubernetes_plugin(pulumi: Path, say: Say) -> None:
    if _genuine_kubernetes_plugin() is not None:
        return
    try:
        obtain.install_kubernetes_plugin(pulumi, say)
    except Unavailable as reason:
        cache.remember_failure("kubernetes plugin", str(reason))


def _ensure_test_tool(tool: obtain.GoTool, say: Say) -> None:
    if (_test_tool_directory(tool) / tool.name).exists():
        return
    with cache.lock():
        directory = _test_tool_directory(tool)
        if (directory / tool.name).exists():
            return
        try:
            with cache.new_directory(directory.parent) as scratch:
                obtain.build(tool, scratch, say)
        except Unavailable as reason:
            raise NotReady(f"the test tool {tool.name} cannot be had: {reason}") from None


def _test_tool_directory(tool: obtain.GoTool) -> Path:
    return cache.root() / f"{tool.name}-{tool.fingerprint}" / "bin"


def _release_directory() -> Path:
    return cache.root() / versions.PULUMI


def _cached_pulumi() -> Path | None:
    pulumi = _release_directory() / "bin" / "pulumi"
    return pulumi if pulumi.exists() else None


def _pulumi_on_path() -> Path | None:
    found = _which("pulumi")
    if found is None:
        return None
    try:
        answer = subprocess.run([found, "version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found if answer.returncode == 0 and versions.suffices(answer.stdout) else None


def _genuine_language_host(pulumi: Path) -> Path | None:
    beside = pulumi.resolve().parent / LANGUAGE_HOST
    if os.access(beside, os.X_OK) and not stand_ins.is_launcher(beside):
        return beside
    return _which(LANGUAGE_HOST)


def _genuine_kubernetes_plugin() -> Path | None:
    installed = _pulumi_home() / "plugins" / f"resource-kubernetes-v{versions.KUBERNETES_PLUGIN}"
    # The CLI leaves `<dir>.partial` beside a plugin whose installation did not finish.
    whole = (
        os.access(installed / PLUGIN, os.X_OK)
        and not installed.with_name(installed.name + ".partial").exists()
    )
    return installed / PLUGIN if whole else _which(PLUGIN)


def _pulumi_home() -> Path:
    home = os.environ.get("PULUMI_HOME")
    # Inside `toolchain run` PULUMI_HOME may be our own: what lies there is no genuine plugin.
    if home and not Path(home).is_relative_to(cache.root()):
        return Path(home)
    return Path("~/.pulumi").expanduser()


def _which(name: str) -> Path | None:
    """Like shutil.which, without the directories that `toolchain run` itself puts on PATH."""
    entries = [p for p in os.get_exec_path() if p and not Path(p).is_relative_to(cache.root())]
    found = shutil.which(name, path=os.pathsep.join(entries))
    return Path(found) if found else None
