"""The genuine prometheus-operator in the cluster, and a Prometheus that it keeps.

Accounts, rights and the operator's own Deployment are upstream's examples; the selectors ask for a label, as those of
kube-prometheus-stack do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.lab import own_images, programs, workloads
from tests.lab.cluster import Lab

NAMESPACE = "monitoring"
"""Where both live."""
NAME = "theirs"
LABELS = {"release": "theirs"}
"""What the selectors of its Prometheus ask for."""
POD = f"prometheus-{NAME}-0"
PORT = 9090
_OPERATOR = "registry.lab/prometheus-operator:1"
_RELOADER = "registry.lab/prometheus-config-reloader:1"
_SECONDS = 300


class PrometheusOperator:
    """Built the first time, which takes minutes. `image`: a Prometheus of `version` that every node has, at /bin/prometheus."""

    def __init__(self, lab: Lab, image: str, version: str) -> None:
        self._lab, self._image, self._version = lab, image, version

    @contextmanager
    def working(self) -> Iterator[None]:
        """Both run until the end; then nothing of them is left."""
        programs.build(self._lab.say, "prometheus-operator", "operator")
        for image in (_OPERATOR, _RELOADER):
            built = image.partition("/")[2].partition(":")[0]
            self._lab.load_image(own_images.of_module("operator", image, built, f"/bin/{built}"))
        # Server-side: they are too big for kubectl's annotation.
        self._lab.kubectl("apply", "--server-side", "-f", str(self._kinds))
        self._lab.kubectl("wait", "--for=condition=Established", "-f", str(self._kinds), "--timeout=60s")
        try:
            self._lab.kubectl("apply", "-f", "-", text=workloads.text(*self._manifests()))
            self._wait("deployment/prometheus-operator")
            self._wait(f"prometheus/{NAME}")
            yield
        finally:
            workloads.take_away(self._lab, *self._manifests())
            self._lab.kubectl("delete", "--ignore-not-found", "-f", str(self._kinds), seconds=240)

    @property
    def _kinds(self) -> Path:
        return programs.shared("prometheus-operator-crds")

    def _wait(self, what: str) -> None:
        line = ("wait", "--for=condition=Available", what, f"--timeout={_SECONDS}s")
        self._lab.kubectl("-n", NAMESPACE, *line, seconds=_SECONDS + 60)

    def _manifests(self) -> list[dict[str, Any]]:
        home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        return [home, *_upstreams("prometheus"), *_upstreams("prometheus-operator"), self._prometheus()]

    def _prometheus(self) -> dict[str, Any]:
        everywhere: dict[str, Any] = {}
        asked = {"matchLabels": LABELS}
        return {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "Prometheus",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {
                "image": self._image,
                "version": self._version,
                "serviceAccountName": "prometheus",
                "ruleSelector": asked,
                "ruleNamespaceSelector": everywhere,
                "scrapeConfigSelector": asked,
                "scrapeConfigNamespaceSelector": everywhere,
                "resources": {"requests": {"cpu": "50m", "memory": "100Mi"}},
                # Past the contract of the lab's image, which is about the stack's own Prometheus.
                "containers": [{"name": "prometheus", "command": ["/bin/prometheus"]}],
            },
        }


def _upstreams(example: str) -> Iterator[dict[str, Any]]:
    """Objects of an example, in our namespace; without the Prometheus that it shows, and without what scrapes the operator."""
    for path in sorted(programs.shared(example).glob("*.yaml")):
        found = yaml.safe_load(path.read_text())
        if found["kind"] in ("Prometheus", "ServiceMonitor"):
            continue
        if not found["kind"].startswith("ClusterRole"):
            found["metadata"]["namespace"] = NAMESPACE
        for subject in found.get("subjects", ()):
            subject["namespace"] = NAMESPACE
        if found["kind"] == "Deployment":
            (container,) = found["spec"]["template"]["spec"]["containers"]
            # Nobody here reads kubelets, for which it would leave a Service behind.
            container["image"], container["args"] = _OPERATOR, [f"--prometheus-config-reloader={_RELOADER}"]
        yield found
