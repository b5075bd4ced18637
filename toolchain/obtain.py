"""Two ways to get a program: the official download, and a build from Go modules."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import versions

RELEASES = "https://get.pulumi.com/releases"
PLUGIN_RELEASES = "https://github.com/pulumi/pulumi-kubernetes/releases/download"
# A closed network must be noticed at once; one that is open answers well within this.
CONNECT_SECONDS = 4
READ_SECONDS = 60
GO_MODULES = Path(__file__).parent / "go"

Say = Callable[[str], None]


class Unavailable(Exception):
    """Something cannot be had this way; the text says why, in one sentence."""


@dataclass(frozen=True)
class GoTool:
    """A program built from a wrapper module in toolchain/go: its go.sum pins every byte that is compiled.

    Wrappers, because `go install package@version` refuses modules that carry `replace` lines.
    """

    name: str
    package: str
    takes: str
    ldflags: str = ""
    tags: str = ""

    @property
    def module(self) -> Path:
        """The wrapper module's directory."""
        return GO_MODULES / self.name

    @property
    def fingerprint(self) -> str:
        """Changes whenever the wrapper does, so that a new pin is built anew."""
        files = sorted(p for p in self.module.iterdir() if p.suffix in {".go", ".mod", ".sum"})
        content = [f"{self.ldflags}{self.tags}".encode(), *(p.read_bytes() for p in files)]
        return hashlib.sha256(b"".join(content)).hexdigest()[:12]


PULUMI = GoTool(
    name="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    takes="4 to 6 minutes on 2 cores",
    ldflags=f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={versions.PULUMI}",
)
PROMETHEUS_TAGS = "remove_all_sd enable_dns_sd enable_kubernetes_sd"
"""What Prometheus' programs are built with here: the ways to find targets that this project uses."""
TEST_TOOLS = (
    GoTool(
        name="kubeconform",
        package="github.com/yannh/kubeconform/cmd/kubeconform",
        takes="half a minute",
        ldflags="-X main.version=v0.8.0",
    ),
    GoTool(name="psa-check", package=".", takes="1 to 2 minutes on 2 cores"),
    GoTool(
        name="actionlint",
        package="github.com/rhysd/actionlint/cmd/actionlint",
        takes="half a minute",
        ldflags="-X github.com/rhysd/actionlint.version=v1.7.12",
    ),
    GoTool(
        name="promtool",
        package="github.com/prometheus/prometheus/cmd/promtool",
        takes="2 to 5 minutes on 2 cores",
        # The clouds that targets are found in are most of it.
        tags=PROMETHEUS_TAGS,
    ),
)


def build(tool: GoTool, target: Path, say: Say) -> None:
    """Build `tool` into `target`/bin. Go's clients are configured by the machine; no host is named here."""
    go = shutil.which("go")
    if go is None:
        raise Unavailable("Go is not installed")
    say(f"building {tool.name} from Go modules; takes {tool.takes}, once per user")
    command = [go, "build", "-mod=readonly", "-tags", tool.tags]
    command += ["-ldflags", f"-s -w {tool.ldflags}".strip()]
    command += ["-o", str(target / "bin" / tool.name), tool.package]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, cwd=tool.module, env={**os.environ, "CGO_ENABLED": "0"}, stdout=log, stderr=log
        )
        try:
            while _wait(process, seconds=20) is None:
                say(f"  still building {tool.name} ({_elapsed(started)})")
        except BaseException:
            process.terminate()
            raise
        if process.returncode != 0:
            log.seek(0)
            raise Unavailable(f"`go build` of {tool.name} failed: {' / '.join(log.read().splitlines()[-5:])}")
    say(f"  {tool.name} built in {_elapsed(started)}")


def download(target: Path, say: Say) -> None:
    """Put the official release (`pulumi` and its language hosts) into `target`/bin, checked by SHA-256."""
    with tempfile.TemporaryFile() as file:
        file.write(_archive(_cli(), say))
        file.seek(0)
        with tarfile.open(fileobj=file) as tar:
            tar.extractall(target, filter="data")
    (target / "pulumi").rename(target / "bin")


@dataclass(frozen=True)
class Archive:
    """One file of a release, and the release's own list of SHA-256."""

    name: str
    url: str
    sums: str
    megabytes: int


def archives() -> list[str]:
    """Names of what is published for this machine: the CLI with its language hosts, and the kubernetes plugin."""
    return [_cli().name, _plugin().name]


def keep(folder: Path, say: Say) -> None:
    """Put those archives into `folder` as they are, checked, for a machine that cannot fetch them."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in (_cli(), _plugin()):
        if not (folder / each.name).exists():
            begun = folder / f"{each.name}.part"
            begun.write_bytes(_archive(each, say))
            begun.rename(folder / each.name)


def _cli() -> Archive:
    name = f"pulumi-v{versions.PULUMI}-{_platform()}.tar.gz"
    sums = f"{RELEASES}/sdk/pulumi-{versions.PULUMI}-checksums.txt"
    return Archive(name, f"{RELEASES}/sdk/{name}", sums, 150)


def _plugin() -> Archive:
    """It comes from one place and its SHA-256 from another (upstream: .goreleaser.yml)."""
    version = versions.KUBERNETES_PLUGIN
    name = f"pulumi-resource-kubernetes-v{version}-{_go_platform()}.tar.gz"
    sums = f"{PLUGIN_RELEASES}/v{version}/pulumi-kubernetes_{version}_checksums.txt"
    return Archive(name, f"{RELEASES}/plugins/{name}", sums, 100)


def _archive(each: Archive, say: Say) -> bytes:
    wanted = _published(each.sums, each.name)
    say(f"downloading {each.name} (about {each.megabytes} MB)")
    content = fetch(each.url, READ_SECONDS)
    if hashlib.sha256(content).hexdigest() != wanted:
        raise Unavailable(f"{each.name} does not match its published SHA-256; it was thrown away")
    return content


def _published(url: str, archive: str) -> str:
    """The SHA-256 of an archive in a release's own list. Raises Unavailable when the list or the archive is missing."""
    lines = fetch(url, CONNECT_SECONDS).decode(errors="replace").splitlines()
    found = {name: digest for digest, name in (line.split()[:2] for line in lines if len(line.split()) > 1)}
    if not re.fullmatch(r"[0-9a-f]{64}", found.get(archive, "")):
        raise Unavailable(f"the release has no {archive} with a SHA-256 in {url}")
    return found[archive]


def fetch(url: str, seconds: float) -> bytes:
    """The bytes behind `url`, or Unavailable when nothing answers within `seconds`."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:
            content: bytes = response.read()
    except OSError as error:  # URLError, HTTPError, timeouts and TLS errors are all OSErrors
        raise Unavailable(f"{url} cannot be had: {getattr(error, 'reason', error)}") from None
    return content


def install_kubernetes_plugin(pulumi: Path, say: Say) -> None:
    """Let the CLI install the genuine kubernetes plugin where it always does: the user's own PULUMI_HOME.

    Its SHA-256 comes from another place: whoever can exchange one of the two is noticed by the CLI. Without the list
    nothing is installed.
    """
    version, plugin = versions.KUBERNETES_PLUGIN, _plugin()
    probe = urllib.request.Request(plugin.url, method="HEAD")
    try:
        with urllib.request.urlopen(probe, timeout=CONNECT_SECONDS):
            pass
    except OSError as error:
        raise Unavailable(f"{plugin.url} cannot be had: {getattr(error, 'reason', error)}") from None
    wanted = _published(plugin.sums, plugin.name)
    say(f"installing the kubernetes plugin {version} (about 100 MB)")
    command = [str(pulumi), "plugin", "install", "resource", "kubernetes", version, "--checksum", wanted]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable("`pulumi plugin install` did not finish within 10 minutes") from None
    if done.returncode != 0:
        raise Unavailable(f"`pulumi plugin install` failed: {done.stderr.strip()[-300:]}")


def _platform() -> str:
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    machine = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    if system is None or machine is None:
        raise Unavailable(f"there is no official release for {platform.system()} on {platform.machine()}")
    return f"{system}-{machine}"


def _go_platform() -> str:
    return _platform().replace("x64", "amd64")


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None


def _elapsed(started: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
