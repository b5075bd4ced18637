"""The programs of the cluster: built once per user from Go modules that go.sum pins byte for byte.

Wrapper modules in go/, because `go install package@version` refuses modules that carry `replace` lines. Debian has
the rest (etcd, containerd, CNI plugins): PACKAGES.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import paths
from tests.lab.errors import LabError
from tests.lab.progress import Say
from toolchain import obtain
from toolchain.cache import new_directory

METALLB = "v0.15.2"
COREDNS = "v1.13.1"

VARIABLE = "KOLAB_LAB_KUBERNETES"
"""Environment variable that chooses the Kubernetes of the lab."""


@dataclass(frozen=True)
class Kubernetes:
    """A version of Kubernetes that is supported."""

    version: str
    pins: str
    """The file in go/kubernetes that pins its modules; its sums lie beside it."""

    @property
    def minor(self) -> str:
        """Such as v1.34."""
        return self.version.rpartition(".")[0]


# Of each minor version, one that the staging modules of its programs are there for.
OLDEST = Kubernetes("v1.32.5", "oldest.mod")
NEWEST = Kubernetes("v1.35.4", "go.mod")
SUPPORTED = (OLDEST, Kubernetes("v1.33.13", "v1.33.mod"), Kubernetes("v1.34.2", "v1.34.mod"), NEWEST)
_CHOICES = {"newest": NEWEST, "oldest": OLDEST}


def kubernetes(variables: Mapping[str, str] = os.environ) -> Kubernetes:
    """The Kubernetes that is asked for, the newest unless the variable says otherwise. LabError for another word."""
    asked = variables.get(VARIABLE) or "newest"
    if asked not in _CHOICES:
        raise LabError(f"{VARIABLE}={asked} is no Kubernetes of the lab: say {' or '.join(_CHOICES)}")
    return _CHOICES[asked]


# command -> Debian package
PACKAGES = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "nft": "nftables",
    "iptables": "iptables",
    "ipset": "ipset",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "sysctl": "procps",
    "named": "bind9",
    "/bin/busybox": "busybox-static",
}


@dataclass(frozen=True)
class Module:
    """A wrapper module in go/: what is built from it, and which files of which dependency come along."""

    name: str
    takes: str
    # program -> package
    programs: dict[str, str] = field(default_factory=dict)
    # module path -> {file or directory in it: name in share/}
    share: dict[str, dict[str, str]] = field(default_factory=dict)
    ldflags: str = ""
    tags: str = ""
    in_lab: bool = True
    """Whether every lab needs it."""
    pins: str = "go.mod"
    """The file that pins what it is built from."""
    folder: str = ""
    """In go/, or elsewhere by a whole path, where it is not called as the module is."""

    @property
    def source(self) -> Path:
        """The wrapper's directory."""
        return paths.SOURCES / "go" / (self.folder or self.name)

    @property
    def home(self) -> Path:
        """Where its programs lie; another pin or another source is another directory."""
        pins = {self.pins, str(Path(self.pins).with_suffix(".sum"))}
        files = sorted(p for p in self.source.rglob("*") if p.suffix == ".go" or p.name in pins)
        digest = hashlib.sha256(b"".join(p.read_bytes() for p in files))
        digest.update(repr((self.programs, self.share, self.ldflags)).encode())
        digest.update(self.tags.encode())
        return paths.cache() / "programs" / f"{self.name}-{digest.hexdigest()[:12]}"


_VERSION = "k8s.io/component-base/version"
_CLIENT_VERSION = "k8s.io/client-go/pkg/version"
_API_SERVER = "kube-apiserver"
_KUBERNETES = (
    _API_SERVER,
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)
_PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator"

_OTHERS = (
    Module(
        "metallb",
        takes="2 minutes on 2 cores",
        programs={
            "metallb-controller": "go.universe.tf/metallb/controller",
            "metallb-speaker": "go.universe.tf/metallb/speaker",
        },
        share={"go.universe.tf/metallb": {"config/manifests/metallb-native.yaml": "metallb.yaml"}},
    ),
    Module("coredns", takes="1 to 3 minutes on 2 cores", programs={"coredns": "."}),
    Module(
        "cert-manager",
        takes="seconds",
        share={"github.com/cert-manager/cert-manager": {"deploy/crds": "cert-manager-crds"}},
    ),
    Module(
        "prometheus-operator",
        takes="seconds",
        share={_PROMETHEUS_OPERATOR: {"example/prometheus-operator-crd": "prometheus-operator-crds"}},
        in_lab=False,
    ),
    Module(
        # Of its own: what only judges manifests wants the kinds above, and builds nothing.
        "operator",
        takes="4 to 8 minutes on 2 cores",
        programs={
            "prometheus-operator": f"{_PROMETHEUS_OPERATOR}/cmd/operator",
            "prometheus-config-reloader": f"{_PROMETHEUS_OPERATOR}/cmd/prometheus-config-reloader",
        },
        share={
            _PROMETHEUS_OPERATOR: {
                "example/rbac/prometheus-operator": "prometheus-operator",
                "example/rbac/prometheus": "prometheus",
            }
        },
        in_lab=False,
    ),
    Module(
        "gateway-api",
        takes="seconds",
        share={"sigs.k8s.io/gateway-api": {"config/crd/standard": "gateway-api-crds"}},
        in_lab=False,
    ),
    Module(
        "restic",
        takes="3 minutes on 2 cores",
        programs={
            "restic": "github.com/restic/restic/cmd/restic",
            "rest-server": "github.com/restic/rest-server/cmd/rest-server",
        },
    ),
    Module(
        "versitygw",
        takes="2 to 4 minutes on 2 cores",
        programs={"versitygw": "github.com/versity/versitygw/cmd/versitygw"},
        in_lab=False,
    ),
    Module("rclone", takes="2 to 4 minutes on 2 cores", programs={"rclone": "."}, in_lab=False),
    Module(
        "alertmanager",
        takes="a minute on 2 cores",
        programs={"alertmanager": "github.com/prometheus/alertmanager/cmd/alertmanager"},
        # Its image is built with it.
        in_lab=False,
    ),
    Module(
        "prometheus",
        takes="5 to 8 minutes on 2 cores",
        programs={"prometheus": "github.com/prometheus/prometheus/cmd/prometheus"},
        tags=obtain.PROMETHEUS_TAGS,
        in_lab=False,
        # One pin for both.
        folder=str(obtain.GO_MODULES / "promtool"),
    ),
    Module(
        "blackbox",
        takes="a minute on 2 cores",
        programs={"blackbox_exporter": "github.com/prometheus/blackbox_exporter"},
        in_lab=False,
    ),
    Module(
        "victorialogs",
        takes="a minute on 2 cores",
        programs={"victoria-logs": "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"},
        in_lab=False,
    ),
    Module(
        "acme",
        takes="5 to 8 minutes on 2 cores",
        programs={
            "pebble": "github.com/letsencrypt/pebble/v2/cmd/pebble",
            "cert-manager": "./controller",
            "acmesolver": "./acmesolver",
        },
        in_lab=False,
    ),
    Module(
        "traefik",
        takes="15 to 30 minutes on 2 cores",
        programs={"traefik": "github.com/traefik/traefik/v3/cmd/traefik"},
        share={
            "github.com/traefik/traefik/v3": {
                "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml": "traefik-crds.yml"
            },
        },
        in_lab=False,
    ),
    Module(
        "registry",
        takes="2 to 4 minutes on 2 cores",
        programs={"registry": "github.com/distribution/distribution/v3/cmd/registry"},
        in_lab=False,
    ),
    Module("tools", takes="seconds", programs={"pause": "./pause", "echo": "./echo"}),
)


def modules() -> dict[str, Module]:
    """Every module by its name, with the Kubernetes that is chosen. LabError when the choice is none."""
    return {module.name: module for module in (_kubernetes(kubernetes()), *_OTHERS)}


def api_server(of: Kubernetes) -> Path:
    """Path of the API server of a supported version, once `build_api_server` has built it."""
    return _with_api_server(of).home / "bin" / _API_SERVER


def build_api_server(say: Say, of: Kubernetes) -> None:
    """Build the API server of a supported version when it is not there."""
    _ensure(_with_api_server(of), say)


def _with_api_server(of: Kubernetes) -> Module:
    """The lab's own programs where it runs that version, and else the API server alone."""
    if of == kubernetes():
        return _kubernetes(of)
    return Module(
        f"api-server-{of.minor}",
        takes="3 to 5 minutes on 2 cores",
        programs={_API_SERVER: f"k8s.io/kubernetes/cmd/{_API_SERVER}"},
        ldflags=_says(of),
        pins=of.pins,
        folder="kubernetes",
    )


def _kubernetes(chosen: Kubernetes) -> Module:
    return Module(
        "kubernetes",
        takes="5 to 8 minutes on 2 cores",
        programs={name: f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES} | {"movable": "./movable"},
        ldflags=_says(chosen),
        pins=chosen.pins,
    )


def _says(chosen: Kubernetes) -> str:
    """Flags with which programs know their version."""
    major, minor, _ = chosen.version.removeprefix("v").split(".")
    return " ".join(
        f"-X {package}.gitVersion={chosen.version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
        for package in (_VERSION, _CLIENT_VERSION)
    )


def program(name: str) -> Path:
    """Path of a built program."""
    for module in modules().values():
        if name in module.programs:
            return module.home / "bin" / name
    raise KeyError(name)


def shared(name: str) -> Path:
    """Path of a file that came with a module."""
    for module in modules().values():
        if any(name in files.values() for files in module.share.values()):
            return module.home / "share" / name
    raise KeyError(name)


def require_packages() -> None:
    """Refuse in one sentence when a Debian package is missing."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    missing = {package for command, package in PACKAGES.items() if shutil.which(command, path=search) is None}
    if missing:
        raise LabError(
            f"missing on this machine: apt-get install -y --no-install-recommends {' '.join(sorted(missing))}"
        )


def build(say: Say, *names: str) -> None:
    """Build what is not there, of the modules called so or of all that a lab needs. Seconds when all is."""
    for module in [modules()[name] for name in names] or [each for each in modules().values() if each.in_lab]:
        _ensure(module, say)


def _ensure(module: Module, say: Say) -> None:
    if not module.home.is_dir():
        _build(module, say)


def _build(module: Module, say: Say) -> None:
    if shutil.which("go") is None:
        raise LabError(
            "Go 1.25 or newer is needed to build the lab's programs (Debian: golang-go of backports)"
        )
    say(f"building {module.name} from Go modules; takes {module.takes}, once per user")
    with new_directory(module.home) as scratch:
        if module.programs:
            (scratch / "bin").mkdir()
            _compile(module, scratch / "bin")
        for path, files in module.share.items():
            (scratch / "share").mkdir(exist_ok=True)
            origin = _unpacked(module, path)
            for inside, name in files.items():
                copy = shutil.copytree if (origin / inside).is_dir() else shutil.copyfile
                copy(origin / inside, scratch / "share" / name)


def _compile(module: Module, target: Path) -> None:
    # All at once: one program is linked while another is still compiled.
    with tempfile.TemporaryDirectory(dir=target) as built:
        _go_build(module, Path(built))
        for name, package in module.programs.items():
            (Path(built) / _called(module, package)).rename(target / name)


def _called(module: Module, package: str) -> str:
    """What `go build` names the program of a package."""
    return module.name if package == "." else package.rpartition("/")[2]


def _go_build(module: Module, target: Path) -> None:
    command = ["go", "build", "-mod=readonly", f"-modfile={module.pins}"]
    command += ["-ldflags", f"-s -w {module.ldflags}".strip(), "-tags", module.tags]
    command += ["-o", f"{target}/", *module.programs.values()]
    process = subprocess.Popen(
        command,
        cwd=module.source,
        # Static: they run in images that hold nothing else.
        env={**os.environ, "CGO_ENABLED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.returncode != 0:
        reason = " / ".join(output.splitlines()[-5:])
        raise LabError(f"`go build` of {module.name} failed: {reason}")


def _unpacked(module: Module, path: str) -> Path:
    """Directory of a dependency's files in Go's module cache, checked against the wrapper's go.sum."""
    version = subprocess.run(
        ["go", "list", f"-modfile={module.pins}", "-m", "-f", "{{.Version}}", path],
        cwd=module.source,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    done = subprocess.run(
        ["go", "mod", "download", f"-modfile={module.pins}", "-json", f"{path}@{version}"],
        cwd=module.source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise LabError(
            f"{path} {version} cannot be had: {done.stderr.strip()[-300:] or done.stdout.strip()[-300:]}"
        )
    return Path(json.loads(done.stdout)["Dir"])
