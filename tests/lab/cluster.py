"""The lab: two real nodes, a control plane, a router and an internet with one client, on one machine.

    lab = Lab().up()
    lab.kubectl("get", "nodes")
    lab.internet.run(["curl", "http://192.168.50.200/"])
    lab.node("n1").power_off()
    lab.down()
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.lab import addons, cgroups, machine, network, paths, processes, programs
from tests.lab.control_plane import ApiServer, ControlPlane
from tests.lab.errors import LabError
from tests.lab.internet import Internet
from tests.lab.node import Node
from tests.lab.pki import Pki
from tests.lab.processes import Daemon, run
from tests.lab.progress import Clock, Say, wait_until
from tests.lab.settings import Settings


class Lab:
    """One per machine. An object of this class may be made at any time; `up` brings it to life."""

    def __init__(self, settings: Settings | None = None, say: Say | None = None) -> None:
        self.settings = settings or Settings()
        self.say = say or Clock().say
        self.state = paths.state()
        self._pki = Pki(self.state / "pki")
        self.control_plane = ControlPlane(self.state, self.settings, self._pki)
        self.internet = Internet(self.state, self.settings)
        self.nodes = [Node(name, self.state, self.settings, self._pki) for name in self.settings.node_names]
