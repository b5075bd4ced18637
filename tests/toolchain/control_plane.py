"""A control plane of one's own: etcd, kube-apiserver, kube-controller-manager and a pretended kubelet.

No containers run here; the pretended kubelet says of pods what a test wants to hear. The programs are the lab's.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3

from tests.lab import programs
from tests.support.ports import free_port

# A pod with this label never becomes ready.
STUCK = "kolab.test/stuck"


def missing() -> list[str]:
    """The programs that this machine has not and that cannot be built."""
    return [name for name in ("etcd", "openssl", "go") if shutil.which(name) is None]


@contextlib.contextmanager
def running(
    folder: Path, *, controllers: bool = True, kubernetes: programs.Kubernetes | None = None
) -> Iterator[ControlPlane]:
    """A control plane that lives as long as the block, the lab's unless another is named. Builds what it needs when that is not there.

    Without `controllers` nobody but the test touches its objects; a version that is not the lab's has none.
    """
    chosen = kubernetes or programs.kubernetes()
    programs.build_api_server(lambda text: print(text, file=sys.stderr), chosen)
    plane = ControlPlane(folder, programs.api_server(chosen))
    try:
        plane.start(controllers)
        yield plane
    finally:
        plane.stop()


class ControlPlane:
    """Its kubeconfig, and a direct line to its API server for what a test does by hand."""

    def __init__(self, folder: Path, api_server: Path) -> None:
        self._folder, self._api_server = folder, api_server
        self._processes: list[subprocess.Popen[bytes]] = []
        self._over = threading.Event()
        self._etcd, self._peer, self._api, self._manager = (free_port() for _ in range(4))
        # The certificate is made up by the API server at its start; this line does not leave the machine.
        self._http = urllib3.PoolManager(cert_reqs="CERT_NONE")
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self.kubeconfig = self._kubeconfig()

    def request(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> Any:
        """One call; answers the parsed JSON."""
        headers = {"Authorization": "Bearer admin-token", "Content-Type": content_type}
        answer = self._http.request(
            method,
            f"https://127.0.0.1:{self._api}{path}",
            json=body,
            headers=headers,
            retries=False,
            timeout=10,
        )
        return answer.json()

    def merge(self, path: str, body: Any) -> Any:
        """A merge patch, as an operator's kubectl would send it."""
        return self.request(
            "PATCH", f"{path}?fieldManager=kubectl-patch", body, "application/merge-patch+json"
        )

    def start(self, controllers: bool) -> None:
        """Start everything and wait until it answers."""
        key = self._folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        (self._folder / "tokens.csv").write_text('admin-token,admin,1,"system:masters"\n')
        (self._folder / "kubeconfig").write_text(self.kubeconfig)
        client, peer = f"http://127.0.0.1:{self._etcd}", f"http://127.0.0.1:{self._peer}"
        self._run(
            "etcd", "--data-dir=etcd", "--unsafe-no-fsync", f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
        )  # fmt: skip
        self._run(
            "kube-apiserver", f"--etcd-servers={client}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none", f"--secure-port={self._api}", "--cert-dir=certs",
            "--token-auth-file=tokens.csv", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.98.0.0/16,fd98::/112",
            "--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=sa.key",
            "--service-account-signing-key-file=sa.key", "--disable-admission-plugins=ServiceAccount",
        )  # fmt: skip
        self._wait_until_ready()
        if not controllers:
            return
        self._run(
            "kube-controller-manager", "--kubeconfig=kubeconfig", "--leader-elect=false", "--cert-dir=certs",
            f"--secure-port={self._manager}", "--authentication-kubeconfig=kubeconfig",
            "--authorization-kubeconfig=kubeconfig", "--service-account-private-key-file=sa.key",
        )  # fmt: skip
        threading.Thread(target=self._pretend_to_be_kubelet, daemon=True).start()

    def stop(self) -> None:
        """End what start began."""
        self._over.set()
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            process.kill()

    def _run(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            program = self._program(name)
            self._processes.append(
                subprocess.Popen(
                    [program, *arguments], cwd=self._folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
                )
            )

    def _program(self, name: str) -> str | Path:
        if name == "kube-apiserver":
            return self._api_server
        return name if name == "etcd" else programs.program(name)

    def _wait_until_ready(self) -> None:
        for _ in range(300):
            with contextlib.suppress(Exception):
                url = f"https://127.0.0.1:{self._api}/readyz"
                if (
                    self._http.request(
                        "GET", url, headers={"Authorization": "Bearer admin-token"}, retries=False
                    ).status
                    == 200
                ):
                    return
            time.sleep(0.2)
        raise RuntimeError("the API server did not become ready within a minute")

    def _pretend_to_be_kubelet(self) -> None:
        while not self._over.wait(0.3):
            with contextlib.suppress(Exception):
                for pod in self.request("GET", "/api/v1/pods")["items"]:
                    self._tell(pod)

    def _tell(self, pod: Any) -> None:
        metadata = pod["metadata"]
        labels = metadata.get("labels") or {}
        stuck, job = STUCK in labels, "job-name" in labels
        known = {c["type"]: c["status"] for c in (pod.get("status") or {}).get("conditions") or []}
        if known.get("Ready") or metadata.get("deletionTimestamp"):
            return
        status: dict[str, Any] = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False" if stuck else "True"}],
        }
        if stuck:
            waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
            status["containerStatuses"] = [
                {
                    "name": "c",
                    "ready": False,
                    "image": "x",
                    "imageID": "",
                    "restartCount": 0,
                    "state": waiting,
                }
            ]
        elif job:
            status["phase"] = "Failed" if labels.get("kolab.test/fails") else "Succeeded"
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        self.request("PATCH", path, {"status": status}, "application/merge-patch+json")

    def _kubeconfig(self) -> str:
        server = f"https://127.0.0.1:{self._api}"
        return (
            "apiVersion: v1\nkind: Config\n"
            f"clusters: [{{name: c, cluster: {{server: '{server}', insecure-skip-tls-verify: true}}}}]\n"
            "users: [{name: u, user: {token: admin-token}}]\n"
            "contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n"
        )
