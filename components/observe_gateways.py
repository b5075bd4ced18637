"""Looks at what a cluster has of the Gateway API. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.observe_network import Ask
from model.rules.cluster_gateways import GatewayFacts, SeenGateway

_TIMEOUT = 10
"""Seconds for each question."""
_API = ("gateway.networking.k8s.io", "v1")


def gateway_facts(api: Any, crds: frozenset[str], ask: Ask) -> GatewayFacts:
    """Facts about the cluster behind `api`, a client of it, with these CustomResourceDefinitions."""
    from kubernetes import client  # noqa: PLC0415 (as in observe)

    if f"gatewayclasses.{_API[0]}" not in crds:
        return GatewayFacts(kinds=frozenset())
    objects: Any = client.CustomObjectsApi(api)

    def items(plural: str) -> Any:
        return objects.list_cluster_custom_object(*_API, plural, _request_timeout=_TIMEOUT)["items"]

    classes = ask("gateway classes", lambda: items("gatewayclasses"))
    return GatewayFacts(
        kinds=ask(
            "kinds of the Gateway API",
            lambda: frozenset(
                each.name for each in objects.get_api_resources(*_API, _request_timeout=_TIMEOUT).resources
            ),
        ),
        classes=None
        if classes is None
        else {each["metadata"]["name"]: each["spec"].get("controllerName") or "" for each in classes},
        features=None
        if classes is None
        else {each["metadata"]["name"]: _features(each.get("status") or {}) for each in classes},
        gateways=ask("Gateways", lambda: _gateways(items("gateways"))),
    )


def _gateways(found: Any) -> Mapping[str, SeenGateway]:
    return {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}": SeenGateway.read(each)
        for each in found
    }


def _features(status: Mapping[str, Any]) -> frozenset[str]:
    """Names of features: objects with a name since Gateway API 1.3, words before."""
    return frozenset(
        each if isinstance(each, str) else str(each.get("name"))
        for each in status.get("supportedFeatures") or ()
    )
