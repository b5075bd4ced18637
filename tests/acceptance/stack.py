"""A stack on the lab's cluster: deployed by the real engine, talked to from the lab's internet."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from model import identity, priorities
from model.identity import ptr
from model.names import Names
from model.settings import Settings
from ops.stacks import StackFile
from tests.acceptance import configs
from tests.acceptance.client.tls import AUTHORITY
from tests.acceptance.given import Given
from tests.engine.program import CHECKOUT, Program, Run
from tests.engine.stacks import configured
from tests.lab.cluster import Lab
from tests.lab.errors import LabError
from tests.lab.node import Node

NAMESPACE = "kolab"
JANE, JOE, PASSWORD = "jane@example.org", "joe@example.net", "Correct4Horse"
STRANGER = "stranger@sender.test"


@dataclass(frozen=True)
class Stack:
    """One stack. Deployed once `deploy` has run."""

    lab: Lab | Given
    program: Program

    @classmethod
    def make(cls, lab: Lab | Given, root: Path, mode: str) -> Stack:
        """A stack of its own program, not yet deployed; the world knows its names already."""
        program, _ = configured(
            root,
            mode,
            configs.for_given(lab.facts()) if isinstance(lab, Given) else configs.for_lab(mode),
        )
        made = cls(lab, program)
        made.publish()
        return made

    @property
    def mode(self) -> str:
        """single-node or cluster."""
        return self.program.stack

    @property
    def settings(self) -> Settings:
        """What the stack file says now."""
        return StackFile.read(self.mode, self.program.root).settings()[0]

    @cached_property
    def names(self) -> Names:
        """The names by which the world knows it."""
        return Names.of(self.settings)

    @property
    def egress(self) -> dict[str, str]:
        """Node -> the address that mail leaves with."""
        return configs.egress(self.settings)

    def publish(self) -> None:
        """The world's DNS: the stack's own zones as it would publish them, the reverse names as the owner of the
        addresses sets them after its ticket, and the zones of a stranger who writes to us."""
        self.lab.internet.dns.load({**self.zones(), **configs.STRANGERS})

    def zones(self) -> dict[str, str]:
        """The stack's own of them, and the reverse ones."""
        settings = self.settings
        ours = {
            zone: identity.zone_file(settings, zone, records)
            for zone, records in identity.zones(settings).items()
        }
        return {**ours, **configs.reverse_zones(ptr.records(settings))}

    def deploy(self) -> float:
        """`pulumi up`, and an account in each domain. Seconds that the `up` took."""
        self.lab.set_egress(self.egress)
        began = time.monotonic()
        first = self.up()
        seconds = time.monotonic() - began
        assert first.code == 0, "\n".join(first.errors) or first.output
        self.populate()
        return seconds

    def populate(self) -> None:
        """Hosted domains, all but one, and an account in each."""
        # The web application serves a hosted domain once its owner has entered it there.
        for domain in self.settings.hosted_domains:
            if domain != configs.LATER:
                self.add_domain(domain)
        for address in (JANE, JOE):
            self.add_user(address)

    def up(self, *arguments: str) -> Run:
        """`pulumi up` with its preview, as an operator runs it."""
        return self.engine("up", "--yes", *arguments)

    def apply(self) -> None:
        """What the stack file says now, until every pod is ready."""
        done = self.up()
        assert done.code == 0, "\n".join(done.errors) or done.output
        self.wait_ready()

    def engine(self, *arguments: str) -> Run:
        """Any command of the engine."""
        return self.program.engine(*arguments, env=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """What the engine needs to reach the cluster. Through the stand-in plugin it reaches the lab only: whoever wants
        that for a cluster of their own says so themselves."""
        if isinstance(self.lab, Given):
            return {"KUBECONFIG": str(self.lab.kubeconfig)}
        return {"KUBECONFIG": str(self.lab.kubeconfig), "KOLAB_STANDIN_CLUSTER": "1"}

    def kubectl(self, *arguments: str, **options: Any) -> str:
        """kubectl in the stack's namespace."""
        return self.lab.kubectl("-n", NAMESPACE, *arguments, **options)

    def get(self, *arguments: str) -> Any:
        """Objects of the stack's namespace."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def client(self, command: str, *arguments: str, seconds: float = 120) -> str:
        """What the client on the internet prints (tests/acceptance/client)."""
        return self.lab.internet.run(self.client_line(command, *arguments), seconds=seconds).strip()

    def client_line(self, command: str, *arguments: str) -> list[str]:
        """The client's command line, for whoever runs it elsewhere or in the background."""
        variables = [f"PYTHONPATH={CHECKOUT}", f"{AUTHORITY}={self.authority}"]
        return ["env", *variables, sys.executable, "-m", "tests.acceptance.client", command, *arguments]

    @property
    def authority(self) -> Path:
        """The certificate that answers for the stack's names: its own issuer's, where it has one."""
        path = self.program.root / "authority.pem"
        if not path.exists():
            secret = self.get("secret", "kolab-authority")
            path.write_bytes(base64.b64decode(secret["data"]["tls.crt"]))
        return path

    def logs(self, daemon: str, container: str | None = None, *, after: float | None = None) -> str:
        """What the pods of a daemon have written since `after` (seconds since 1970), or in the last ten minutes."""
        chosen = ["-c", container] if container else ["--all-containers"]
        moment = datetime.fromtimestamp(after or time.time() - 600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        selector = f"app.kubernetes.io/name={daemon}"
        return self.kubectl("logs", "-l", selector, *chosen, f"--since-time={moment}", "--tail=-1")

    def artisan(self, *arguments: str) -> str:
        """A command of the web application."""
        run = 'cd /opt/app-root/src && exec ./artisan "$@"'
        return self.kubectl("exec", "deploy/webapp", "--", "/bin/bash", "-c", run, "artisan", *arguments)

    def add_user(self, address: str) -> None:
        """An account whose mailbox the web application makes in Cyrus."""
        self.artisan("user:create", address, "--package=kolab", f"--password={PASSWORD}")

    def add_domain(self, name: str) -> None:
        """A hosted domain of the administrator's, confirmed."""
        self.artisan("domain:create", name)
        wallet = self.artisan("user:wallets", f"admin@{self.settings.domain}").split()[0]
        self.artisan("domain:set-wallet", name, wallet, "--package=domain")
        self.artisan("domain:set-status", name, "50")

    def received(self, recipient: str, subject: str) -> str:
        """What port 25 answers to a stranger's message, or why it answers nothing."""
        asked = self.lab.internet.ask(
            self.client_line("receive", self.names.mx, STRANGER, recipient, subject)
        )
        return (asked.stdout or asked.stderr).strip().rpartition("\n")[2]

    def accepted(self, recipient: str, subject: str, *, seconds: float = 120) -> str:
        """The answer with which Postfix takes responsibility for a message; refusals are tried again."""
        answer: str = eventually(
            lambda: (said := self.received(recipient, subject)).startswith("250") and said,
            f"nobody accepts {subject}",
            seconds=seconds,
        )
        return answer

    def inbox(self, user: str, subject: str, *, seconds: float = 90) -> str:
        """The message with this subject, as its owner reads it over IMAPS, once it is there."""
        arguments = (self.names.imap, "993", user, PASSWORD, subject)
        try:
            found: str = eventually(
                lambda: self.client("read", *arguments), f"{subject} never reached {user}", seconds=seconds
            )
        except AssertionError as error:
            raise AssertionError(f"{error}. What waits in Postfix, and why:\n{self.waiting()}") from None
        return found

    def subjects(self, user: str) -> list[str]:
        """Subjects in a user's inbox."""
        return self.client("subjects", self.names.imap, user, PASSWORD).splitlines()

    def waiting(self) -> str:
        """What waits in each queue, with the reason where there is one."""
        found = []
        for pod in self.pods("postfix"):
            line = ("exec", pod["metadata"]["name"], "-c", "postfix", "--", "postqueue", "-p")
            try:
                found.append(self.kubectl(*line))
            except LabError as error:
                # Its node may have no power.
                found.append(str(error))
        return "\n".join(found)

    def arrived(self, user: str, subjects: Collection[str], *, seconds: float = 300) -> None:
        """Until all of them are in a user's inbox; what waits in a queue is delivered at once."""

        missing: set[str] = set()

        def all_are_there() -> bool:
            self.flush()
            missing.clear()
            missing.update(set(subjects) - set(self.subjects(user)))
            return not missing

        try:
            eventually(all_are_there, f"acknowledged messages never reached {user}", seconds=seconds)
        except AssertionError as error:
            what = f"{len(missing)} of {len(subjects)}, {', '.join(sorted(missing)[:5])}"
            raise AssertionError(
                f"{error}: {what}. What waits in Postfix, and why:\n{self.waiting()}"
            ) from None

    def flush(self) -> None:
        """Deliver now what waits in a queue: Postfix would try again after five to ten minutes."""
        for pod in self.pods("postfix"):
            self.kubectl("exec", pod["metadata"]["name"], "-c", "postfix", "--", "postqueue", "-f")

    def pods(self, daemon: str | None = None) -> list[dict[str, Any]]:
        """Pods that are meant to run for ever; of one daemon, or all."""
        return [
            pod for pod in self.all_pods(daemon) if pod["metadata"]["ownerReferences"][0]["kind"] != "Job"
        ]

    def all_pods(self, daemon: str | None = None) -> list[dict[str, Any]]:
        """Pods, those of Jobs included."""
        chosen = ["-l", f"app.kubernetes.io/name={daemon}"] if daemon else []
        found: list[dict[str, Any]] = self.get("pods", *chosen)["items"]
        return found

    def pod(self, daemon: str) -> str:
        """Name of a pod of a daemon, the first one where there are more."""
        name: str = self.pods(daemon)[0]["metadata"]["name"]
        return name

    def pod_on(self, daemon: str, node: str) -> str:
        """Name of the daemon's pod on a node."""
        return next(
            pod["metadata"]["name"] for pod in self.pods(daemon) if pod["spec"].get("nodeName") == node
        )

    def unready(self) -> list[str]:
        """Names of pods that are not ready, with why."""
        return [
            f"{pod['metadata']['name']}: {pod['status'].get('phase')}"
            for pod in self.pods()
            if "deletionTimestamp" in pod["metadata"]
            or not all(c.get("ready") for c in pod["status"].get("containerStatuses", [{}]))
        ]

    def kill(self, pod: str, container: str) -> None:
        """Ends the first process of a container as the kernel does when memory is out, until it is started again."""
        before = _status(self.get("pod", pod), container)
        node, task = self.first_process(pod, container)
        node.run(["kill", "-KILL", str(task)])
        # Until the kubelet has looked, the pod still counts as ready.
        started = lambda: _status(self.get("pod", pod), container)["restartCount"] > before["restartCount"]  # noqa: E731
        eventually(started, f"{container} of {pod} was never started again", every=0.2)

    def first_process(self, pod: str, container: str) -> tuple[Node, int]:
        """Of a container: its node, and its number there."""
        found = self.get("pod", pod)
        node = self.lab.node(found["spec"]["nodeName"])
        return node, node.task(_container_id(_status(found, container)))

    def wait_ready(self, seconds: float = 300) -> None:
        """Until every pod is ready."""
        why = "still not ready: "
        end = time.monotonic() + seconds
        while unready := self.unready():
            assert time.monotonic() < end, why + ", ".join(unready)
            time.sleep(1)

    def in_pod(
        self, pod: str, command: Sequence[str], *, namespace: str = NAMESPACE, seconds: float = 120
    ) -> str:
        """Output of a program of this machine in a pod's network, whatever is or is not inside its image."""
        found = self.lab.get("pod", pod, "-n", namespace)
        node = self.lab.node(found["spec"]["nodeName"])
        task = node.task(_container_id(found["status"]["containerStatuses"][0]))
        line = ["nsenter", f"--net=/proc/{task}/ns/net", *command]
        return node.run(line, seconds=seconds).strip()

    def remove(self) -> None:
        """Takes everything away, protected or not: the next stack shall find an empty cluster."""
        delete = ("delete", "--ignore-not-found")
        self.lab.kubectl(*delete, "namespace", NAMESPACE, f"{NAMESPACE}-logs", "--wait=true", seconds=300)
        clear_pools(self.lab)
        self.lab.kubectl(*delete, "clusterrole,clusterrolebinding", f"{NAMESPACE}-vector")
        self.lab.kubectl(*delete, "priorityclass", *(f"{level}-{NAMESPACE}" for level in priorities.VALUES))

    def forget(self) -> None:
        """The engine knows nothing of it any more: the next `up` is a first deployment."""
        which = ("--stack", self.program.stack)
        self.program.must("stack", "rm", "--yes", "--force", "--preserve-config", *which)
        self.program.must("stack", "init", self.program.stack)


def clear_pools(lab: Lab | Given) -> None:
    """A stack brings its own pool; two that overlap are refused by MetalLB. Pools of somebody's cluster are theirs."""
    pools = ["--ignore-not-found", NAMESPACE] if isinstance(lab, Given) else ["--all"]
    lab.kubectl("-n", "metallb-system", "delete", "ipaddresspools,l2advertisements", *pools)


def _status(pod: dict[str, Any], container: str) -> dict[str, Any]:
    statuses: list[dict[str, Any]] = pod["status"]["containerStatuses"]
    return next(status for status in statuses if status["name"] == container)


def _container_id(status: dict[str, Any]) -> str:
    return str(status["containerID"]).removeprefix("containerd://")


def until_none(wrong: Callable[[], Sequence[str]], seconds: float) -> None:
    """Waits until nothing is wrong any more. Fails with what still is after `seconds`."""
    end = time.monotonic() + seconds
    while found := wrong():
        assert time.monotonic() < end, "\n".join(found)
        time.sleep(3)


def eventually(condition: Callable[[], Any], why: str, *, seconds: float = 120, every: float = 1) -> Any:
    """What `condition` gives once it is true. Fails with `why` when that takes longer than `seconds`."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, why
        time.sleep(every)
