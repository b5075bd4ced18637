"""Answers cert-manager's Certificates: its kinds are real. Its controller takes minutes to build and seconds for each
certificate, so it works where a test asks for it alone (tests/lab/acme.py), and this one rests meanwhile.

Issuers `selfSigned` and `ca` do what they say. Every other kind (acme, vault, ...) is answered by the lab's own CA,
`Lab.issuer_certificate`: what a public authority would do after its checks.
"""

from __future__ import annotations

import base64
import datetime
import http
import logging
import time
from pathlib import Path

from tests.lab import signing
from tests.lab.controllers import issuing
from tests.lab.controllers.api import Api, ApiError, Object
from tests.lab.controllers.issuing import Refused
from tests.lab.controllers.store import Store
from tests.lab.signing import Authority

_GROUP = "/apis/cert-manager.io/v1"
# Where cert-manager looks for Secrets of ClusterIssuers.
_CLUSTER_NAMESPACE = "cert-manager"
RESTS = "certificates-rest"
"""File in the lab's state. While it is there, somebody else issues."""
_TAKES_SECONDS = 2
"""No authority answers at once, and what starts meanwhile has to wait."""


class Certificates:
    """Certificate -> Secret and status."""

    def __init__(self, api: Api, state: Path) -> None:
        self._api, self._pki, self._rests = api, state / "pki", state / RESTS
        self._certificates = Store(api, f"{_GROUP}/certificates")
        self._issuers = Store(api, f"{_GROUP}/issuers")
        self._cluster_issuers = Store(api, f"{_GROUP}/clusterissuers")
        self._secrets = Store(api, "/api/v1/secrets")
        self.stores = [self._certificates, self._issuers, self._cluster_issuers, self._secrets]

    def reconcile(self) -> None:
        """Bring every issuer and Certificate to where it should be."""
        if self._rests.exists():
            return
        for issuer in (*self._issuers.objects, *self._cluster_issuers.objects):
            self._accept(issuer)
        wanted = [each for each in self._certificates.objects if "deletionTimestamp" not in each["metadata"]]
        if any(self._waits(each) for each in wanted):
            time.sleep(_TAKES_SECONDS)
        for certificate in wanted:
            self._fulfil(certificate)

    def _accept(self, issuer: Object) -> None:
        try:
            self._authority(issuer)
        except Refused as reason:
            self._say(issuer, ready=False, reason="NotReady", message=str(reason))
        else:
            self._say(issuer, ready=True, reason="IsReady", message="answered by the lab")

    def _fulfil(self, certificate: Object) -> None:
        spec, secret = certificate["spec"], self._kept(certificate)
        try:
            data, reason = _data(secret), self._reason(certificate, secret)
            if reason:
                data = self._issue(certificate, secret, data, reason)
            issued = Authority.load(data["tls.crt"], data["tls.key"]).certificate
            self._say(
                certificate, ready=True, reason="Ready", message="Certificate is up to date and has not expired",
                revision=certificate.get("status", {}).get("revision", 0) + bool(reason),
                notBefore=_time(issued.not_valid_before_utc), notAfter=_time(issued.not_valid_after_utc),
                renewalTime=_time(issuing.renewal_time(spec, issued)),
            )  # fmt: skip
        except Refused as refusal:
            self._say(certificate, ready=False, reason="DoesNotExist", message=str(refusal))

    def _waits(self, certificate: Object) -> bool:
        try:
            return bool(self._reason(certificate, self._kept(certificate)))
        except Refused:
            return False

    def _kept(self, certificate: Object) -> Object | None:
        return self._secrets.get(certificate["spec"]["secretName"], certificate["metadata"]["namespace"])

    def _reason(self, certificate: Object, secret: Object | None) -> str:
        """Why it is to be issued now; empty when it need not be."""
        if _condition(certificate, "Issuing") == "True":
            return "somebody asked for it"
        annotations = (secret or {}).get("metadata", {}).get("annotations", {})
        by, now = annotations.get("lab.kolab.org/issued-by"), datetime.datetime.now(datetime.UTC)
        return issuing.reason_to_issue(certificate["spec"], _data(secret), by, now)

    def _issue(
        self, certificate: Object, secret: Object | None, old: dict[str, bytes], reason: str
    ) -> dict[str, bytes]:
        spec, namespace = certificate["spec"], certificate["metadata"]["namespace"]
        kind, _, name = issuing.issuer_name(spec).partition("/")
        store = self._cluster_issuers if kind == "ClusterIssuer" else self._issuers
        issuer = store.get(name, "" if kind == "ClusterIssuer" else namespace)
        if issuer is None:
            raise Refused(f"there is no {kind} {name}")
        authority = self._authority(issuer)
        key = issuing.key_for(spec, old.get("tls.key"))
        issued = issuing.issue(spec, key, authority)
        # As cert-manager: the CA itself is not part of the chain.
        chain = [issued]
        if authority and authority.certificate.subject != authority.certificate.issuer:
            chain.append(authority.certificate)
        data = {
            "tls.crt": b"".join(map(signing.certificate_pem, chain)),
            "tls.key": issuing.key_pem(spec, key),
            "ca.crt": signing.certificate_pem(authority.certificate if authority else issued),
        }
        template = spec.get("secretTemplate", {})
        metadata = {
            "name": spec["secretName"],
            "namespace": namespace,
            "labels": {**template.get("labels", {}), "controller.cert-manager.io/fao": "true"},
            "annotations": {
                **template.get("annotations", {}),
                "cert-manager.io/certificate-name": certificate["metadata"]["name"],
                "cert-manager.io/issuer-kind": kind,
                "cert-manager.io/issuer-name": name,
                "lab.kolab.org/issued-by": issuing.issuer_name(spec),
            },
        }
        encoded = {name: base64.b64encode(content).decode() for name, content in data.items()}
        body: Object = {"metadata": metadata, "data": encoded}
        path = f"/api/v1/namespaces/{namespace}/secrets"
        if secret:
            self._api.patch(f"{path}/{spec['secretName']}", body)
        else:
            self._api.create(
                path, {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", **body}
            )
        logging.info("issued %s/%s: %s", namespace, certificate["metadata"]["name"], reason)
        return data

    def _authority(self, issuer: Object) -> Authority | None:
        """Who signs for an issuer; None: each certificate signs itself."""
        spec = issuer["spec"]
        if "selfSigned" in spec:
            return None
        if "ca" not in spec:
            return Authority.load(
                (self._pki / "issuer.crt").read_bytes(), (self._pki / "issuer.key").read_bytes()
            )
        namespace = issuer["metadata"].get("namespace", _CLUSTER_NAMESPACE)
        secret = self._secrets.get(spec["ca"]["secretName"], namespace)
        try:
            data = secret["data"] if secret else {}
            return Authority.load(base64.b64decode(data["tls.crt"]), base64.b64decode(data["tls.key"]))
        except (KeyError, ValueError, TypeError):
            raise Refused(f"the Secret {namespace}/{spec['ca']['secretName']} holds no CA") from None

    def _say(self, each: Object, *, ready: bool, reason: str, message: str, **status: object) -> None:
        """Write the status, if it is not that already."""
        known = each.get("status", {})
        wanted = {"type": "Ready", "status": str(ready), "reason": reason, "message": message}
        same = any({key: c.get(key) for key in wanted} == wanted for c in known.get("conditions", []))
        if same and len(known["conditions"]) == 1 and all(known.get(k) == v for k, v in status.items()):
            return
        condition = {
            **wanted,
            "lastTransitionTime": _time(datetime.datetime.now(datetime.UTC)),
            "observedGeneration": each["metadata"]["generation"],
        }
        # Only this one condition: `Issuing`, by which a renewal is asked for, is done.
        body = {"status": {"conditions": [condition], **status}}
        try:
            self._api.patch(f"{_path(each)}/status", body)
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise


def _data(secret: Object | None) -> dict[str, bytes]:
    return {name: base64.b64decode(value) for name, value in ((secret or {}).get("data") or {}).items()}


def _condition(each: Object, kind: str) -> str:
    conditions = each.get("status", {}).get("conditions", [])
    return next((str(c["status"]) for c in conditions if c["type"] == kind), "")


def _path(each: Object) -> str:
    metadata, kind = each["metadata"], each["kind"].lower() + "s"
    scope = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{_GROUP}{scope}/{kind}/{metadata['name']}"


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
