"""etcd, API server, controller manager and scheduler: real ones, in a network namespace of their own."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from pathlib import Path

from tests.lab import network
from tests.lab.pki import Pki
from tests.lab.processes import Daemon, in_namespace
from tests.lab.programs import program
from tests.lab.progress import wait_until
from tests.lab.settings import Settings

_ETCD = "http://127.0.0.1:2379"
# How fast the cluster notices a dead node and moves its pods; the defaults (40 s, 5 min) only make tests slow.
NODE_GRACE_SECONDS = 12
EVICTION_SECONDS = 5


class ControlPlane:
    """The four daemons."""

    def __init__(self, state: Path, settings: Settings, pki: Pki) -> None:
        self._state, self._settings, self._pki = state, settings, pki
        self.etcd = Daemon("etcd", state)
        self.apiserver = ApiServer(state, settings, pki)
        self.controller_manager = Daemon("kube-controller-manager", state)
        self.scheduler = Daemon("kube-scheduler", state)

    @property
    def daemons(self) -> list[Daemon]:
        """All four."""
        return [self.etcd, self.apiserver.daemon, self.controller_manager, self.scheduler]

    def up(self) -> None:
        """Start all; returns when the API server is ready."""
        self.etcd.start(self._inside([
            "etcd", f"--data-dir={self._state / 'etcd'}", "--unsafe-no-fsync",
            f"--listen-client-urls={_ETCD}", f"--advertise-client-urls={_ETCD}",
            "--listen-peer-urls=http://127.0.0.1:2380",
        ]))  # fmt: skip
        self.apiserver.start()
        # Not before: a controller manager that cannot read its configuration from the API server ends at once.
        self.controller_manager.start(self._inside([
            program("kube-controller-manager"), *self._identity("system:kube-controller-manager"),
            f"--service-account-private-key-file={self._pki.key('accounts')}",
            f"--root-ca-file={self._pki.certificate('ca')}", "--use-service-account-credentials=true",
            f"--service-cluster-ip-range={self._settings.services}",
            # Each node's range of pod addresses is fixed: settings.node_pods.
            "--allocate-node-cidrs=false",
            "--node-monitor-period=1s", f"--node-monitor-grace-period={NODE_GRACE_SECONDS}s",
            f"--cluster-signing-cert-file={self._pki.certificate('ca')}",
            f"--cluster-signing-key-file={self._pki.key('ca')}",
        ]))  # fmt: skip
        self.scheduler.start(
            self._inside([program("kube-scheduler"), *self._identity("system:kube-scheduler")])
        )

    def _identity(self, user: str) -> list[str]:
        path = self._pki.kubeconfig(user)
        flags = ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"]
        return [*(f"--{flag}={path}" for flag in flags), "--leader-elect=false"]

    def _inside(self, command: list[str | Path]) -> list[str]:
        return in_namespace(network.CONTROL_PLANE, command)


class ApiServer:
    """The API server, which tests stop and start."""

    def __init__(self, state: Path, settings: Settings, pki: Pki) -> None:
        self.daemon = Daemon("kube-apiserver", state)
        self._settings, self._pki = settings, pki

    def start(self, seconds: float = 120) -> None:
        """Start it and wait until it says that it is ready."""
        pki, settings = self._pki, self._settings
        self.daemon.start(in_namespace(network.CONTROL_PLANE, [
            program("kube-apiserver"), f"--etcd-servers={_ETCD}",
            f"--advertise-address={settings.control_plane}", "--bind-address=0.0.0.0", "--secure-port=6443",
            f"--tls-cert-file={pki.certificate('apiserver')}", f"--tls-private-key-file={pki.key('apiserver')}",
            f"--client-ca-file={pki.certificate('ca')}", f"--token-auth-file={pki.tokens}",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
            f"--service-cluster-ip-range={settings.services}", "--allow-privileged=true",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki.key('accounts')}",
            f"--service-account-signing-key-file={pki.key('accounts')}",
            f"--kubelet-client-certificate={pki.certificate('kubelet-client')}",
            f"--kubelet-client-key={pki.key('kubelet-client')}",
            f"--kubelet-certificate-authority={pki.certificate('ca')}",
            "--kubelet-preferred-address-types=InternalIP",
            # Webhooks are dialled at pods' addresses: there is no kube-proxy beside the API server.
            "--enable-aggregator-routing=true",
            f"--default-not-ready-toleration-seconds={EVICTION_SECONDS}",
            f"--default-unreachable-toleration-seconds={EVICTION_SECONDS}",
        ]))  # fmt: skip
        wait_until("the API server is ready", self._ready, seconds=seconds, why_not=self.daemon.last_words)

    def stop(self) -> None:
        """An outage: killed, as by a crash."""
        self.daemon.stop(kill=True)

    def _ready(self) -> bool:
        self.daemon.check()
        url = f"https://{self._settings.control_plane}:6443/readyz"
        context = ssl.create_default_context(cafile=str(self._pki.certificate("ca")))
        try:
            # system:public-info-viewer: anyone may ask.
            with urllib.request.urlopen(url, timeout=2, context=context) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return False
