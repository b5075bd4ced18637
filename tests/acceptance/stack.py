"""A stack on the lab's cluster: deployed by the real engine, talked to from the lab's internet."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from model.keys import pairs
from model.secrets import secrets
from model.settings import Settings
from tests.engine.program import CHECKOUT, Program, Run, put
from tests.engine.sentinels import sentinel
from tests.lab.cluster import Lab

NAMESPACE = "kolab"
JANE, JOE, PASSWORD = "jane@example.org", "joe@example.net", "Correct4Horse"


@dataclass(frozen=True)
class Stack:
    """One deployed stack."""

    lab: Lab
    program: Program

    @property
    def environment(self) -> dict[str, str]:
        """What the engine needs to reach the lab's cluster through the stand-in plugin."""
        return {"KUBECONFIG": str(self.lab.kubeconfig), "KOLAB_STANDIN_CLUSTER": "1"}

    @classmethod
    def make(cls, lab: Lab, root: Path, name: str, config: dict[str, Any]) -> Stack:
        """A stack of its own program, not yet deployed."""
        settings = Settings.model_validate(config)
        values = {secret.key: sentinel(secret) for secret in secrets(settings)}
        for pair in pairs(settings):
            put(config, pair.path.split("."), pair.derive(values[pair.secret]))
        return cls(lab, Program.make(root, name, config, values))

    def up(self, *arguments: str) -> Run:
        """`pulumi up` with its preview, as an operator runs it."""
        return self.program.engine("up", "--yes", *arguments, env=self.environment)

    def engine(self, *arguments: str) -> Run:
        """Any other command of the engine."""
        return self.program.engine(*arguments, env=self.environment)

    def kubectl(self, *arguments: str, **options: Any) -> str:
        """kubectl in the stack's namespace."""
        return self.lab.kubectl("-n", NAMESPACE, *arguments, **options)

    def get(self, *arguments: str) -> Any:
        """Objects of the stack's namespace."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def client(self, command: str, *arguments: str, seconds: float = 120) -> str:
        """What the client on the internet prints (tests/acceptance/client.py)."""
        line = [
            "env",
            f"PYTHONPATH={CHECKOUT}",
            sys.executable,
            "-m",
            "tests.acceptance.client",
            command,
            *arguments,
        ]
        return self.lab.internet.run(line, seconds=seconds).strip()

    def logs(self, workload: str, container: str | None = None, *, since: str = "10m") -> str:
        """What a daemon has written lately."""
        chosen = ["-c", container] if container else []
        return self.kubectl("logs", workload, *chosen, f"--since={since}", "--tail=-1")

    def artisan(self, *arguments: str) -> str:
        """A command of the web application."""
        run = 'cd /opt/app-root/src && exec ./artisan "$@"'
        return self.kubectl("exec", "deploy/webapp", "--", "/bin/bash", "-c", run, "artisan", *arguments)

    def add_user(self, address: str) -> None:
        """An account whose mailbox the web application makes in Cyrus."""
        self.artisan("user:create", address, f"--password={PASSWORD}")

    def egress_seen_from(self, node: str) -> str:
        """The source address that the internet sees when Postfix on `node` opens a connection to port 25."""
        listen = "import socket; s = socket.create_server(('', 25)); s.settimeout(60); c, a = s.accept(); print(a[0])"
        pod = next(
            p["metadata"]["name"]
            for p in self.pods()
            if p["spec"]["nodeName"] == node and p["metadata"]["name"].startswith("postfix-")
        )
        server = self.lab.internet.start([sys.executable, "-c", listen])
        knock = f"until (exec 3<>/dev/tcp/{self.lab.internet.address}/25) 2>/dev/null; do sleep 0.2; done"
        self.kubectl("exec", pod, "-c", "postfix", "--", "timeout", "30", "/bin/bash", "-c", knock)
        seen, _ = server.communicate(timeout=60)
        return seen.strip()

    def remove(self) -> None:
        """Takes everything away, protected or not: the next stack shall find an empty cluster."""
        self.lab.kubectl("delete", "namespace", NAMESPACE, f"{NAMESPACE}-logs", "--wait=true", seconds=300)
        self.lab.kubectl("-n", "metallb-system", "delete", "ipaddresspools,l2advertisements", "--all")
        self.lab.kubectl("delete", "clusterrole,clusterrolebinding", f"{NAMESPACE}-vector")

    def pods(self) -> list[dict[str, Any]]:
        """Pods of the stack that are meant to run for ever."""
        found: list[dict[str, Any]] = self.get("pods")["items"]
        return [pod for pod in found if pod["metadata"]["ownerReferences"][0]["kind"] != "Job"]

    def unready(self) -> list[str]:
        """Names of pods that are not ready, with why."""
        return [
            f"{pod['metadata']['name']}: {pod['status'].get('phase')}"
            for pod in self.pods()
            if not all(c.get("ready") for c in pod["status"].get("containerStatuses", [{}]))
        ]


def example(name: str) -> dict[str, Any]:
    """The configuration of a shipped example, without the `kolab:` prefixes."""
    config = yaml.safe_load((CHECKOUT / "stacks" / f"Pulumi.{name}.yaml").read_text())["config"]
    return {key.removeprefix("kolab:"): value for key, value in config.items()}


def eventually(condition: Callable[[], Any], why: str, seconds: float = 120) -> Any:
    """What `condition` gives once it is true. Fails with `why` when that takes longer than `seconds`."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, why
        time.sleep(1)
