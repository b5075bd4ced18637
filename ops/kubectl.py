"""The few calls of kubectl that day-2 commands need, on the one cluster that the stack file names."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

from model.settings import Settings
from ops.stacks import StackFile, StackProblem
from ops.stream import Stream

Object = dict[str, Any]
_NO_CONTEXT = re.compile(r'context "[^"]*" does not exist|context was not found')
"""What kubectl says before it asks any cluster."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl in one context and namespace; what goes wrong is a StackProblem of one sentence."""

    context: str
    namespace: str

    @classmethod
    def of(cls, settings: Settings) -> Kubectl:
        """For the cluster of a stack. Raises StackProblem for a stack without one."""
        context = settings.kubernetes.context
        if settings.kubernetes.render or not context:
            raise StackProblem("this stack runs in no cluster: kolab:kubernetes.context names none")
        if shutil.which("kubectl") is None:
            raise StackProblem("kubectl is not on PATH; install it (https://kubernetes.io/docs/tasks/tools/)")
        return cls(context, settings.kubernetes.namespace)

    def run(self, *arguments: str, text: str | None = None, seconds: float = 120) -> str:
        """What kubectl prints. Raises StackProblem when it fails."""
        command = [*self._command, *arguments]
        try:
            done = subprocess.run(
                command, input=text, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise StackProblem(
                f"kubectl {arguments[0]} did not end within {seconds:.3g} seconds in context {self.context}"
            ) from None
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            said = [line for line in said if not line.startswith("command terminated with")] or [""]
            if _NO_CONTEXT.search(said[-1]):
                self._unknown()
            raise StackProblem(f"kubectl {arguments[0]} failed: {said[-1][:300]}")
        return done.stdout

    @property
    def _command(self) -> tuple[str, ...]:
        return ("kubectl", "--context", self.context, "--namespace", self.namespace)

    def _unknown(self) -> None:
        """Raises StackProblem that lists the contexts there are."""
        from ops.new.look import refuse_unknown_context  # noqa: PLC0415 (costs a second, for this one sentence)

        refuse_unknown_context(self.context)

    def get(self, kind: str, name: str) -> Object:
        """An object. Raises StackProblem when there is none."""
        found: Object = json.loads(self.run("get", kind, name, "-o", "json"))
        return found

    def objects(self, kinds: str, *, seconds: int = 120) -> list[Object]:
        """Objects of some kinds."""
        found: list[Object] = json.loads(self.run("get", kinds, "-o", "json", seconds=seconds))["items"]
        return found

    def execute(
        self, pod: str, container: str, *command: str, text: str | None = None, seconds: int = 120
    ) -> str:
        """A command in a container that runs. What is secret goes in as `text`, never on the command line."""
        reading = ["-i"] if text is not None else []
        return self.run("exec", *reading, pod, "-c", container, "--", *command, text=text, seconds=seconds)

    def stream(
        self,
        pod: str,
        container: str,
        *command: str,
        note: Callable[[str], None] = lambda _: None,
        source: IO[bytes] | None = None,
    ) -> Stream:
        """The same while it runs, for bytes and for more of them than fit into memory; `source` is read in place of a pipe."""
        return Stream((*self._command, "exec", "-i", pod, "-c", container, "--", *command), note, source)

    def scale(self, workload: str, replicas: int) -> None:
        """Sets how many pods there are; without any, waits until the last has gone."""
        self.run("scale", workload, f"--replicas={replicas}")
        if replicas == 0:
            name = workload.partition("/")[2]
            selector = f"app.kubernetes.io/name={name}"
            deadline = time.monotonic() + 300
            while self.run("get", "pods", "-l", selector, "-o", "name").strip():
                if time.monotonic() > deadline:
                    raise StackProblem(f"pods of {name} do not stop; nothing was restored")
                time.sleep(2)

    def wait_ready(self, workload: str, *, seconds: int = 900) -> None:
        """Waits until every pod of a workload is ready. Raises StackProblem when they are not in time."""
        try:
            self.run("rollout", "status", workload, f"--timeout={seconds}s", seconds=seconds + 60)
        except StackProblem as problem:
            raise StackProblem(
                f"{workload.partition('/')[2]} does not start: {problem}; `./kolab logs` shows why"
            ) from None

    def job(self, cron_job: str, env: Mapping[str, str], *, seconds: int = 24 * 3600) -> str:
        """Runs a CronJob once, with variables besides, and gives what it wrote. Raises StackProblem when it fails."""
        made = job_of(self.get("cronjob", cron_job), f"{cron_job}-{int(time.time())}", env)
        name = made["metadata"]["name"]
        self.run("create", "-f", "-", text=json.dumps(made))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.get("job", name).get("status", {})
            ended = {each["type"] for each in status.get("conditions", []) if each["status"] == "True"}
            if ended & {"Complete", "Failed"}:
                written = self.run("logs", f"job/{name}", "--all-containers", "--tail=200")
                if "Failed" in ended:
                    said = [
                        line for line in written.splitlines() if line.startswith(("backup: ", "restore: "))
                    ]
                    reason = said[-1].partition(": ")[2] if said else f"the log of job {name} has the reason"
                    raise StackProblem(reason)
                return written
            time.sleep(2)
        raise StackProblem(f"job {name} has not ended; its log has more")


def of_stack(stack: str) -> tuple[Settings, Kubectl]:
    """The settings of a stack, and its cluster. Raises StackProblem or StackFileError."""
    settings, _ = StackFile.read(stack).settings()
    return settings, Kubectl.of(settings)


def job_of(cron_job: Object, name: str, env: Mapping[str, str]) -> Object:
    """The Job that a CronJob would make, with variables besides in every container (as `kubectl create job --from`)."""
    template = json.loads(json.dumps(cron_job["spec"]["jobTemplate"]["spec"]))
    pod = template["template"]["spec"]
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        container["env"] = [
            *(each for each in container.get("env", ()) if each["name"] not in env),
            *({"name": key, "value": value} for key, value in env.items()),
        ]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": cron_job["metadata"].get("labels", {}),
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
        },
        "spec": {"ttlSecondsAfterFinished": 7 * 86400} | template,
    }
