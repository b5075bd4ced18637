"""A node: kubelet, containerd and kube-proxy in namespaces of their own, that can be powered off and booted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.lab import cgroups, image_store, network, node_config, paths
from tests.lab.controllers import policies
from tests.lab.errors import LabError
from tests.lab.pki import Pki
from tests.lab.processes import Daemon, in_namespace, run
from tests.lab.programs import program
from tests.lab.settings import Settings

_LOADING_SECONDS = 600


class Node:
    """One machine of the cluster."""

    def __init__(self, name: str, state: Path, settings: Settings, pki: Pki) -> None:
        self.name = name
        self.address = settings.node_address(name)
        self.disk = state / "nodes" / name
        self.daemon = Daemon(name, state)
        self._state, self._settings, self._pki = state, settings, pki

    def boot(self) -> None:
        """Switch it on, with whatever is on its disk, unless it is on.

        Ready is what the API server says of it: cluster.py waits.
        """
        if self.daemon.pid is not None:
            # New files would end kube-proxy, which watches them.
            return
        node_config.write(self.disk / "etc", self.name, self._settings, self._pki)
        self._volumes.mkdir(parents=True, exist_ok=True)
        run(in_namespace(network.namespace(self.name), ["nft", "-f", "-"]), text=self._masquerade())
        policies.load(self._state / "policies", self.name)
        network.link(self.name, up=True)
        isolate = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
        isolate += ["--propagation", "private", "bash", str(paths.SOURCES / "node.sh")]
        self.daemon.start(
            in_namespace(network.namespace(self.name), isolate),
            {
                "NAME": self.name,
                "ADDRESS": self.address,
                "DISK": str(self.disk),
                "PROGRAMS": str(program("kubelet").parent),
                "VOLUMES": str(self._volumes),
                "LOGS": str(self._state / "logs"),
                "GROUP": cgroups.name(self.name),
            },
        )

    def unpack(self, store: Path) -> None:
        """Give a new node its images."""
        image_store.give(store, self.disk / "var" / "lib" / "containerd")

    def power_off(self) -> None:
        """As if its plug was pulled: nothing is told to anybody, nothing is written to disk any more."""
        network.link(self.name, up=False)
        self.daemon.stop(kill=True)
        # Its kernel forgets all connections and rules; its interfaces of pods went with them.
        for command in (["nft", "flush", "ruleset"], ["conntrack", "--flush"]):
            run(in_namespace(network.namespace(self.name), command))
        cgroups.remove(self.name)

    def run(self, command: Sequence[str | Path], *, seconds: float = 120) -> str:
        """Output of a command on the node, in all its namespaces."""
        return run(self._enter(command), seconds=seconds)

    def task(self, container: str) -> int:
        """Number of the first process of a running container, as the node counts; `container` is its id."""
        for line in self.run(["ctr", "-n", "k8s.io", "tasks", "list"]).splitlines():
            fields = line.split()
            if fields[0] == container:
                return int(fields[1])
        raise LabError(f"container {container[:12]} does not run on {self.name}")

    def load_image(self, tar: Path) -> None:
        """Import an image; it stays on the disk."""
        self.run(["ctr", "-n", "k8s.io", "images", "import", tar.resolve()], seconds=_LOADING_SECONDS)

    @property
    def _volumes(self) -> Path:
        return self._state / "volumes"

    def _enter(self, command: Sequence[str | Path]) -> list[str]:
        pid = self.daemon.pid
        if pid is None:
            raise LabError(f"{self.name} is switched off")
        inner = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not inner:
            raise LabError(f"{self.name} is starting, or has just ended: {self.daemon.last_words()}")
        enter = ["nsenter", f"--target={inner[0]}", "--mount", "--uts", "--ipc", "--net", "--pid"]
        return [*enter, *(str(part) for part in command)]

    def _masquerade(self) -> str:
        """What pods send to places outside the cluster leaves with the node's own address.

        Answers to what came in to a load balancer's address belong to a connection that is not new, so that no rule
        of type nat sees them.
        """
        pods, settings = self._settings.node_pods(self.name), self._settings
        return f"""
            table ip lab
            delete table ip lab
            table ip lab {{
              chain leaving {{
                type nat hook postrouting priority srcnat
                ip saddr {pods} ip daddr != {{ {settings.pods}, {settings.services} }} snat to {self.address}
              }}
            }}"""
