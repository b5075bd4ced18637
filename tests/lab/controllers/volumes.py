"""Volumes of the two storage classes (manifests/storage.yaml).

`local` is k3s' local-path: a directory of the node on which the first pod was scheduled, mode 0777, its owner never
changed. `movable` is what a cloud's disk is: root's, until the kubelet applies fsGroup, and attached to one node at
a time; Kubernetes' attach/detach controller decides when, this only answers it.
"""

from __future__ import annotations

import http
import logging
import shutil
from pathlib import Path
from typing import Any

from tests.lab.controllers.api import Api, ApiError, Object
from tests.lab.controllers.store import Store

LOCAL, MOVABLE = "local.lab.kolab.org", "movable.lab.kolab.org"
_STORAGE = "/apis/storage.k8s.io/v1"
_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_NODE = "volume.kubernetes.io/selected-node"
_FINALIZER = "external-attacher/movable-lab-kolab-org"
_ONE_NODE = {"ReadWriteOnce", "ReadWriteOncePod"}


class Volumes:
    """Provisioner of both classes and attacher of the second."""

    def __init__(self, api: Api, state: Path) -> None:
        self._api, self._state = api, state
        self._claims = Store(api, "/api/v1/persistentvolumeclaims")
        self._volumes = Store(api, "/api/v1/persistentvolumes")
        self._classes = Store(api, f"{_STORAGE}/storageclasses")
        self._attachments = Store(api, f"{_STORAGE}/volumeattachments")
        self.stores = [self._claims, self._volumes, self._classes, self._attachments]
        self._refused: set[str] = set()

    def reconcile(self) -> None:
        """Bring everything to where it should be."""
        for claim in self._claims.objects:
            if claim["status"].get("phase") == "Pending" and not claim["spec"].get("volumeName"):
                self._provision(claim)
        for volume in self._volumes.objects:
            if volume["status"].get("phase") == "Released" and _provisioner(volume) in {LOCAL, MOVABLE}:
                self._reclaim(volume)
        for attachment in self._attachments.objects:
            if attachment["spec"]["attacher"] == MOVABLE:
                self._attach(attachment)

    def _provision(self, claim: Object) -> None:
        annotations = claim["metadata"].get("annotations", {})
        provisioner, node = annotations.get(_PROVISIONER), annotations.get(_NODE)
        storage_class = self._classes.get(claim["spec"].get("storageClassName", ""))
        if provisioner not in {LOCAL, MOVABLE} or not node or not storage_class:
            return
        if self._refuse(claim):
            return
        name = f"pvc-{claim['metadata']['uid']}"
        if self._volumes.get(name):
            return
        path = self._path(name, node if provisioner == LOCAL else None)
        path.mkdir(parents=True, exist_ok=True)
        source: Object
        if provisioner == LOCAL:
            path.chmod(0o777)
            term = {
                "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]
            }
            source = {
                "hostPath": {"path": str(path), "type": "Directory"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
            }
        else:
            source = {"csi": {"driver": MOVABLE, "volumeHandle": name}}
        identity = {key: claim["metadata"][key] for key in ("namespace", "name", "uid")}
        spec: Object = {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": "Filesystem",
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **identity},
            **source,
        }
        metadata = {"name": name, "annotations": {_PROVISIONED_BY: provisioner}}
        body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}
        _unless(http.HTTPStatus.CONFLICT, self._api.create, "/api/v1/persistentvolumes", body)
        logging.info("made %s for %s/%s at %s", name, identity["namespace"], identity["name"], path)

    def _refuse(self, claim: Object) -> bool:
        """What such volumes cannot be; the claim's events say so once."""
        modes, spec = set(claim["spec"]["accessModes"]), claim["spec"]
        reason = ""
        if not modes <= _ONE_NODE:
            reason = f"only {' and '.join(sorted(_ONE_NODE))} are possible, not {', '.join(sorted(modes - _ONE_NODE))}"
        elif spec.get("volumeMode", "Filesystem") != "Filesystem":
            reason = "only volumes with a file system are possible"
        uid = claim["metadata"]["uid"]
        if reason and uid not in self._refused:
            self._refused.add(uid)
            self._event(claim, reason)
        return bool(reason)

    def _event(self, claim: Object, message: str) -> None:
        namespace, name = claim["metadata"]["namespace"], claim["metadata"]["name"]
        body = {
            "metadata": {"generateName": f"{name}.", "namespace": namespace},
            "involvedObject": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace,
                               "name": name, "uid": claim["metadata"]["uid"]},
            "type": "Warning", "reason": "ProvisioningFailed", "message": message, "source": {"component": "lab"},
        }  # fmt: skip
        self._api.create(f"/api/v1/namespaces/{namespace}/events", body)

    def _reclaim(self, volume: Object) -> None:
        name = volume["metadata"]["name"]
        held = any(
            each["spec"]["source"].get("persistentVolumeName") == name for each in self._attachments.objects
        )
        if held or volume["spec"]["persistentVolumeReclaimPolicy"] != "Delete" or _leaving(volume):
            return
        shutil.rmtree(_directory(volume, self._state), ignore_errors=True)
        self._api.delete(f"/api/v1/persistentvolumes/{name}")

    def _attach(self, attachment: Object) -> None:
        """As external-attacher does: a finalizer holds the attachment until it is detached."""
        path = f"{_STORAGE}/volumeattachments/{attachment['metadata']['name']}"
        finalizers = attachment["metadata"].get("finalizers", [])
        if _leaving(attachment):
            if _FINALIZER in finalizers:
                self._patch(
                    path, {"metadata": {"finalizers": [f for f in finalizers if f != _FINALIZER] or None}}
                )
            return
        if attachment.get("status", {}).get("attached"):
            return
        volume, node = attachment["spec"]["source"]["persistentVolumeName"], attachment["spec"]["nodeName"]
        holders = [
            each["spec"]["nodeName"] for each in self._attachments.objects
            if each["spec"]["source"].get("persistentVolumeName") == volume
            and each["spec"]["nodeName"] != node and each.get("status", {}).get("attached")
        ]  # fmt: skip
        if holders:
            error = {"message": f"{volume} is attached to {holders[0]}"}
            self._patch(f"{path}/status", {"status": {"attached": False, "attachError": error}})
            return
        if _FINALIZER not in finalizers:
            self._patch(path, {"metadata": {"finalizers": [*finalizers, _FINALIZER]}})
        status = {"attached": True, "attachmentMetadata": {"attachedTo": node}, "attachError": None}
        self._patch(f"{path}/status", {"status": status})

    def _patch(self, path: str, body: Object) -> None:
        _unless(http.HTTPStatus.NOT_FOUND, self._api.patch, path, body)

    def _path(self, volume: str, node: str | None) -> Path:
        return (self._state / "nodes" / node if node else self._state) / "volumes" / volume


def _directory(volume: Object, state: Path) -> Path:
    host_path = volume["spec"].get("hostPath")
    return Path(host_path["path"]) if host_path else state / "volumes" / volume["metadata"]["name"]


def _provisioner(volume: Object) -> str | None:
    found: str | None = volume["metadata"].get("annotations", {}).get(_PROVISIONED_BY)
    return found


def _leaving(each: Object) -> bool:
    return "deletionTimestamp" in each["metadata"]


def _unless(status: int, call: Any, *arguments: Any) -> None:
    """Call it; this one refusal is fine."""
    try:
        call(*arguments)
    except ApiError as error:
        if error.status != status:
            raise
