"""The lab: real nodes, a control plane, a router and an internet with one client. README.md shows its use."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.lab import (
    addons,
    cgroups,
    image_store,
    logs,
    machine,
    network,
    own_images,
    paths,
    processes,
    programs,
)
from tests.lab.control_plane import ApiServer, ControlPlane
from tests.lab.controllers import policies
from tests.lab.errors import LabError
from tests.lab.internet import Internet
from tests.lab.interrupts import end_on_signals, uninterrupted
from tests.lab.machine import Mark
from tests.lab.node import Node
from tests.lab.pki import Pki
from tests.lab.processes import Daemon, run
from tests.lab.progress import Clock, Say, wait_until
from tests.lab.settings import Settings

READY_SECONDS = 180
FAILURE_LOGS = paths.CHECKOUT / "reports" / paths.LAB


class Lab:
    """One per machine. An object of this class may be made at any time; `up` brings it to life.

    `images`: tars that every node has from the beginning. They are unpacked once and kept, until others are wanted.
    """

    def __init__(
        self, settings: Settings | None = None, say: Say | None = None, images: Sequence[Path] = ()
    ) -> None:
        self.settings = settings or Settings()
        self.images = list(images)
        self.say = say or Clock().say
        self.state = paths.state()
        self._pki = Pki(self.state / "pki")
        self.control_plane = ControlPlane(self.state, self.settings, self._pki)
        self.internet = Internet(self.state, self.settings)
        self.controllers = Daemon("controllers", self.state)
        self.nodes = [Node(name, self.state, self.settings, self._pki) for name in self.settings.node_names]

    @staticmethod
    def running(say: Say | None = None) -> Lab | None:
        """The lab of this machine, if there is one that came up. LabError when it runs another Kubernetes."""
        mark = Mark.read()
        if mark is None or not mark.complete or mark.state != str(paths.state()):
            return None
        if other := _other_kubernetes(mark):
            raise LabError(f"a lab is up on this machine, but {other}: remove it first, `make lab-down`")
        return Lab(Settings.load(mark.settings), say)

    @property
    def kubeconfig(self) -> Path:
        """Of an administrator."""
        return self._pki.kubeconfig("admin")

    @property
    def issuer_certificate(self) -> Path:
        """The CA that answers for every issuer that the lab stands in for, as a public one would be trusted."""
        return self._pki.certificate("issuer")

    @property
    def apiserver(self) -> ApiServer:
        """To stop and start it."""
        return self.control_plane.apiserver

    @property
    def daemons(self) -> list[Daemon]:
        """Everything that has to run while the lab is up."""
        nodes = [node.daemon for node in self.nodes]
        return [*self.control_plane.daemons, self.controllers, self.internet.dns.daemon, *nodes]

    def node(self, name: str) -> Node:
        """n1, n2, ..."""
        return next(node for node in self.nodes if node.name == name)

    def up(self) -> Lab:
        """From nothing to a cluster that gives addresses to Services; at once when it is there already."""
        machine.require_root()
        self.build()
        with machine.lock():
            mark = Mark.read()
            if mark and mark.complete:
                self._refuse_other(mark)
                self.say("the lab is up already")
                self._load_missing(mark)
                return self
            # What an interrupted `up` has left, if anything.
            self._remove()
            try:
                self._make()
            except BaseException as error:
                self._give_up(error)
                raise
        return self

    def build(self) -> None:
        """Programs and images: all that wants other machines, and takes minutes the first time."""
        programs.require_packages()
        programs.build(self.say)
        own_images.tars()

    def unpack(self) -> Path:
        """What each new node's disk begins with."""
        return image_store.prepare([*own_images.tars(), *self.images], self.say)

    def down(self) -> None:
        """Remove the lab of this machine and everything that it made."""
        machine.require_root()
        with machine.lock():
            self._remove()

    def kubectl(self, *arguments: str, text: str | None = None, seconds: float = 120) -> str:
        """Output of kubectl as administrator; LabError with its words when it fails."""
        options = [f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.state / 'kubectl'}"]
        return run([programs.program("kubectl"), *options, *arguments], text=text, seconds=seconds)

    def get(self, *arguments: str) -> Any:
        """What `kubectl get` finds, as JSON."""
        return json.loads(self.kubectl("get", "-o", "json", *arguments))

    def load_image(self, tar: Path) -> None:
        """Bring an image to every node that is switched on."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: node.load_image(tar), [n for n in self.nodes if n.daemon.pid]))

    def set_egress(self, addresses: Mapping[str, str]) -> None:
        """node -> what the internet sees of it, from now on; nodes that are left out cannot reach it.

        `set_egress(lab.settings.egress)` brings back what was configured.
        """
        network.set_egress(
            self.settings,
            {
                self.node(name).address: public
                for name, public in addresses.items()
                if name in self.settings.node_names
            },
        )

    def holder(self, address: str) -> str:
        """The node that what comes from the internet for an address is sent to; empty when nobody is known."""
        return network.holder(self.settings, address)

    def wait_ready(self, name: str, *, ready: bool = True, seconds: float = READY_SECONDS) -> None:
        """Until the API server says of a node that it is ready, or that it is not."""
        wanted = "True" if ready else "False Unknown"
        path = '{.status.conditions[?(@.type=="Ready")].status}'

        def condition() -> bool:
            if ready:
                self.node(name).daemon.check()
            status = self.kubectl("get", "node", name, "-o", f"jsonpath={path}")
            return bool(status) and status in wanted

        wait_until(f"{name} is {'ready' if ready else 'noticed to be gone'}", condition, seconds=seconds)

    def wait_policies(self, seconds: float = 30) -> None:
        """Until every node's packet filter is what the cluster's NetworkPolicies ask for now."""

        directory, names = self.state / "policies", self.settings.node_names

        def in_force() -> bool:
            kinds = ("networkpolicies", "pods", "namespaces")
            return policies.in_force(
                directory, policies.filters(names, *(self.get(k, "-A")["items"] for k in kinds))
            )

        wait_until("policies are in force", in_force, seconds=seconds, why_not=self.controllers.last_words)

    def logs(self, directory: Path) -> None:
        """Everything that helps to see what went wrong."""
        logs.collect(self, directory)

    def _refuse_other(self, mark: Mark) -> None:
        """Somebody may be using it: it is not for `up` to remove it."""
        different = mark.state != str(self.state) or mark.settings != self.settings.dump()
        reason = "with other settings" if different else _other_kubernetes(mark)
        if not reason and (ended := ", ".join(daemon.name for daemon in self.daemons if not daemon.pid)):
            reason = f"{ended} does not run"
        if reason:
            raise LabError(f"a lab is up on this machine, but {reason}: remove it first, `make lab-down`")

    def _load_missing(self, mark: Mark) -> None:
        for tar in self.images:
            if image_store.identity(tar) not in mark.images:
                self.say(f"loading {tar.name}")
                self.load_image(tar)
                mark.images.append(image_store.identity(tar))
                mark.write()

    def _make(self) -> None:
        mark = Mark(str(self.state), self.settings.dump(), programs.kubernetes().version)
        mark.write()
        store = self.unpack()
        mark.images = [image_store.identity(tar) for tar in self.images]
        machine.prepare(mark)
        self._pki.make(self.settings)
        network.up(self.settings)
        self.internet.up()
        self.say("network")
        self.control_plane.up()
        self.say("control plane is ready")
        self._start_controllers()
        for node in self.nodes:
            node.unpack(store)
            node.boot()
        addons.apply(self.kubectl, self.settings)
        for node in self.nodes:
            self.wait_ready(node.name)
        self.say("nodes are ready")
        addons.wait(self.kubectl, self.settings)
        self.say("DNS and load balancer are ready")
        mark.complete = True
        mark.write()

    def _start_controllers(self) -> None:
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "tests.lab.controllers",
            self.state,
            self.kubeconfig,
        ]
        self.controllers.start(command, {"PYTHONPATH": str(paths.CHECKOUT)})

    def _remove(self) -> None:
        mark = Mark.read() or Mark(state=str(self.state), settings=self.settings.dump())
        # All at once and without asking: nothing of it is kept.
        ours = {*processes.marked(Path(mark.state)), *network.processes()} - processes.ourselves()
        processes.end(ours, signal.SIGKILL)
        network.down()
        cgroups.remove_all()
        shutil.rmtree(mark.state, ignore_errors=True)
        machine.restore(mark)

    def _give_up(self, error: BaseException) -> None:
        with uninterrupted():
            if isinstance(error, Exception):
                shutil.rmtree(FAILURE_LOGS, ignore_errors=True)
                self.logs(FAILURE_LOGS)
                self.say(f"it failed; logs are in {FAILURE_LOGS}")
            self._remove()


def _other_kubernetes(mark: Mark) -> str:
    """Says so when the lab that is there runs another version than is asked for; empty otherwise."""
    same = mark.kubernetes == programs.kubernetes().version
    return "" if same else f"with Kubernetes {mark.kubernetes} ({programs.VARIABLE} chooses)"


__all__ = ["Lab", "LabError", "end_on_signals"]
