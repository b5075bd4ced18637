"""A cluster that the user already has, in the lab's place: what it cannot do, a test that wants it is skipped for."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, NoReturn

import dns.rdatatype
import dns.zone
import pytest

from model.metallb import holds
from tests.lab import programs
from tests.lab.errors import LabError
from tests.lab.processes import run

KUBECONFIG, ADDRESS, PODS, TAG = (
    f"KOLAB_ACCEPTANCE_{name}" for name in ("KUBECONFIG", "ADDRESS", "PODS", "TAG")
)
"""Variables: which cluster, the address that its load balancer shall give, the network of its pods where the nodes do
not tell it, and the tag of its images. The lab knows two tags: `lab`, and `lab-b` for Kolab's newer generation."""

ONLY_THE_LAB = {
    "node": "enters a node",
    "nodes": "enters the nodes",
    "apiserver": "stops the API server",
    "holder": "knows the neighbours of its router",
    "wait_policies": "reads the packet filters of the nodes",
    "wait_ready": "switches nodes off and on",
    "settings": "knows every address of the network",
    "issuer_certificate": "has a public certificate authority of its own",
    "also": "lends the client another address",
    "start": "has a server on the internet, or a client that outlasts a command",
    "command": "has a place on the internet where an operator sits",
    "address of dns": "has the world's DNS server",
    "vouch of dns": "has the world's DNS, and can sign it",
}
"""What tests may ask of the lab and not of a cluster, and why not."""

_ASK_DNS = ("records", "sign_in", "discover")
"""Commands of the client that ask the world's DNS, where somebody else has the names of the stack."""
_CRDS = {"ipaddresspools.metallb.io": "MetalLB", "certificates.cert-manager.io": "cert-manager"}
_OURS = (
    ("namespace", "kolab"),
    ("namespace", "kolab-logs"),
    ("clusterrole", "kolab-vector"),
    ("clusterrolebinding", "kolab-vector"),
    ("ipaddresspool.metallb.io", "kolab"),
    ("l2advertisement.metallb.io", "kolab"),
)
"""What the stack makes outside of namespaces of its own, and those: whoever has one of them has a stack already."""
_METALLB = "metallb-system"


class Refused(Exception):
    """The cluster is not touched; the text says why and what helps."""


def _skip(what: str) -> NoReturn:
    pytest.skip(f"only the lab {ONLY_THE_LAB[what]}")


@dataclass(frozen=True)
class Facts:
    """What a stack file has to say about the cluster."""

    context: str
    node: str
    address: str
    pods: str
    services: str
    tag: str


class Given:
    """As much of `Lab` as any cluster can be asked for."""

    def __init__(self, kubeconfig: Path, address: str, tag: str, pods: str = "") -> None:
        self.kubeconfig, self.address, self.tag, self.pods = kubeconfig, address, tag, pods
        self.internet = Internet(address)

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Given | None:
        """The cluster that is asked for, None for the lab. Refused before anything is touched."""
        path, address = variables.get(KUBECONFIG, ""), variables.get(ADDRESS, "")
        if not path:
            if address:
                raise Refused("ADDRESS is about a cluster of yours: give KUBECONFIG=/path as well.")
            return None
        kubeconfig = Path(path).expanduser().absolute()
        if not kubeconfig.is_file():
            raise Refused(f"KUBECONFIG={path} is no file: give the path of your cluster's kubeconfig.")
        try:
            IPv4Address(address)
        except AddressValueError:
            wrong = f"ADDRESS={address} is no IPv4 address" if address else "ADDRESS is missing"
            raise Refused(
                f"{wrong}: give a free one of the cluster's network that this machine reaches."
            ) from None
        pods = variables.get(PODS, "")
        try:
            if pods:
                IPv4Network(pods)
        except ValueError:
            raise Refused(f"PODS={pods} is no IPv4 network: give one as 10.42.0.0/16.") from None
        return cls(kubeconfig, address, variables.get(TAG) or "lab", pods)

    def kubectl(self, *arguments: str, text: str | None = None, seconds: float = 120) -> str:
        """Output of kubectl; LabError with its words when it fails."""
        line = [_program(), f"--kubeconfig={self.kubeconfig}", *arguments]
        return run(line, text=text, seconds=seconds, env=os.environ)

    def get(self, *arguments: str) -> Any:
        """What `kubectl get` finds, as JSON."""
        return json.loads(self.kubectl("get", "-o", "json", *arguments))

    def set_egress(self, addresses: Mapping[str, str]) -> None:
        """Mail leaves as the cluster lets it: nothing is changed."""

    def check(self) -> Facts:
        """What a stack file has to say. Refused unless a stack can be made and removed without touching another's."""
        try:
            self.kubectl("version", "--request-timeout=10s")
        except LabError as error:
            raise Refused(f"The cluster of {self.kubeconfig} does not answer, check it: {error}") from None
        for crd, name in _CRDS.items():
            if not self._has("crd", crd):
                raise Refused(f"The cluster has no {name}: install it (docs/how-to/prepare-a-cluster.md).")
        if not self._has("namespace", _METALLB):
            raise Refused(f"MetalLB does not run in the namespace {_METALLB}: install it there.")
        for kind, name in _OURS:
            if self._has(kind, name, "-n", _METALLB):
                raise Refused(f"The cluster has a {kind} {name} already: give one without a stack.")
        for pool in self.get("ipaddresspools.metallb.io", "-A")["items"]:
            if any(holds(each, self.address) for each in pool["spec"].get("addresses", ())):
                raise Refused(
                    f"MetalLB's pool {pool['metadata']['name']} has {self.address} already: give one outside of it."
                )
        return self.facts()

    def facts(self) -> Facts:
        """Read from the cluster."""
        nodes = self.get("nodes")["items"]
        open_nodes = [node for node in nodes if not _closed(node)]
        if not open_nodes:
            raise Refused("The cluster has no node that takes pods: remove a taint, or uncordon one.")
        # Calico and Cilium have an address plan of their own, which nodes do not tell, or not rightly.
        cidrs = [self.pods] if self.pods else [node["spec"].get("podCIDR") for node in nodes]
        if not all(cidrs):
            raise Refused("A node has no spec.podCIDR: say where pods are, PODS=10.42.0.0/16.")
        return Facts(
            context=self.kubectl("config", "current-context").strip(),
            node=open_nodes[0]["metadata"]["name"],
            address=self.address,
            pods=str(around(cidrs)),
            services=self._services(),
            tag=self.tag,
        )

    def version(self) -> str:
        """Of Kubernetes."""
        found: str = json.loads(self.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
        return found

    def _services(self) -> str:
        """The network of Services. Clusters older than 1.33 do not say its size: /16 as kind and k3s have it."""
        if self._has("servicecidr", "kubernetes"):
            cidrs = self.get("servicecidr", "kubernetes")["spec"]["cidrs"]
            return next(cidr for cidr in cidrs if ":" not in cidr)
        address = self.get("service", "kubernetes", "-n", "default")["spec"]["clusterIP"]
        return str(IPv4Network(f"{address}/16", strict=False))

    def _has(self, kind: str, *arguments: str) -> bool:
        try:
            return bool(self.kubectl("get", kind, *arguments, "--ignore-not-found", "-o", "name").strip())
        except LabError as error:
            if "doesn't have a resource type" in str(error):
                return False
            raise Refused(f"The cluster does not let itself be looked at: {error}") from None

    def __getattr__(self, name: str) -> NoReturn:
        if name in ONLY_THE_LAB:
            _skip(name)
        raise AttributeError(name)


class Internet:
    """A client on this machine. The stack's names lead it to the address that the stack's own zones give them."""

    def __init__(self, address: str) -> None:
        self.dns = Zones()
        self._towards = address

    @property
    def address(self) -> str:
        """With which the cluster sees this machine, unless there is NAT between them."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            # Nothing is sent.
            asking.connect((self._towards, 9))
            found: str = asking.getsockname()[0]
            return found

    def run(self, command: Sequence[str | Path], *, text: str | None = None, seconds: float = 120) -> str:
        """Output of a command that has to succeed."""
        done = self._run(command, text, seconds)
        if done.returncode:
            words = (done.stderr.strip() or done.stdout.strip())[-500:]
            raise LabError(f"`{' '.join(map(str, command))[:200]}` ended with {done.returncode}: {words}")
        return done.stdout

    def ask(self, command: Sequence[str | Path], *, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """A command that may fail: exit code, output and errors."""
        return self._run(command, None, seconds)

    def resolve(self, name: str, kind: str = "A") -> list[str]:
        """What the stack's zones say, as zone files write it; empty when there is nothing."""
        return self.dns.find(name, kind)

    def _run(
        self, command: Sequence[str | Path], text: str | None, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        if asked := next((each for each in _ASK_DNS if each in command), None):
            pytest.skip(f"only the lab has the world's DNS, which `{asked}` asks")
        with tempfile.NamedTemporaryFile("w", prefix="hosts-") as hosts:
            hosts.write("127.0.0.1 localhost\n")
            hosts.writelines(f"{address} {name}\n" for name, address in self.dns.hosts().items())
            hosts.flush()
            return subprocess.run(
                command_line(hosts.name, command),
                input=text,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )

    def __getattr__(self, name: str) -> NoReturn:
        if name in ("also", "start", "command"):
            _skip(name)
        raise AttributeError(name)


class Zones:
    """The zones that the stack publishes. Nobody serves them: the client's own list of hosts is made of them."""

    def __init__(self) -> None:
        self._zones: dict[str, dns.zone.Zone] = {}

    def load(self, zones: Mapping[str, str]) -> None:
        """Add zones, or replace those of the same name: name -> zone file."""
        for name, text in zones.items():
            self._zones[name] = dns.zone.from_text(text, origin=name, relativize=False, check_origin=False)

    def hosts(self) -> dict[str, str]:
        """Name -> its address."""
        return {
            str(name).rstrip("."): data.to_text()
            for zone in self._zones.values()
            for name, _, data in zone.iterate_rdatas(dns.rdatatype.A)
        }

    def find(self, name: str, kind: str) -> list[str]:
        """Data of a name's records of one kind."""
        wanted = f"{name.rstrip('.').lower()}."
        return [
            data.to_text()
            for zone in self._zones.values()
            for owner, _, data in zone.iterate_rdatas(kind)
            if str(owner).lower() == wanted
        ]

    def __getattr__(self, name: str) -> NoReturn:
        """Nobody serves them."""
        if name in ("address", "vouch"):
            _skip(f"{name} of dns")
        raise AttributeError(name)


def command_line(hosts: str, command: Sequence[str | Path]) -> list[str]:
    """A command that finds these hosts in its /etc/hosts, and nobody else does; root is not needed."""
    isolate = [
        "unshare",
        *(["--map-root-user"] if os.geteuid() else []),
        "--mount",
        "--propagation",
        "private",
    ]
    bind = 'mount --bind "$0" /etc/hosts && exec "$@"'
    return [*isolate, "sh", "-c", bind, hosts, *map(str, command)]


def around(networks: Sequence[str]) -> IPv4Network:
    """The smallest network that holds them all."""
    found = [IPv4Network(each) for each in networks]
    whole = found[0]
    while not all(each.subnet_of(whole) for each in found):
        whole = whole.supernet()
    return whole


def _closed(node: Mapping[str, Any]) -> bool:
    taints = node["spec"].get("taints", ())
    return any(taint["effect"] in ("NoSchedule", "NoExecute") for taint in taints)


def _program() -> str:
    return shutil.which("kubectl") or str(programs.program("kubectl"))
