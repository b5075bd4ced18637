"""Whether the Prometheus of the cluster finds the stack."""

from __future__ import annotations

from model.findings import Rule

PROMETHEUS_OPERATOR_MISSING = Rule(
    "prometheus-operator-missing",
    path="kolab:monitoring.mode",
    problem="is prometheus-operator, but this cluster does not know {crds}",
    fix="install prometheus-operator 0.65 or later with its CustomResourceDefinitions, or remove monitoring.mode and monitoring.operator",
    why="Without these kinds nothing reads the numbers, and no alert exists.",
)
PROMETHEUS_UNKNOWN = Rule(
    "prometheus-unknown",
    path="kolab:monitoring.operator.namespace",
    problem="is {namespace}, where no Prometheus of the operator is: nobody would read the numbers",
    fix="use one of {namespaces}",
    why="The numbers are open to this namespace alone.",
)
PROMETHEUS_SELECTOR = Rule(
    "prometheus-selector",
    path="kolab:monitoring.operator.labels",
    problem="have nothing for Prometheus {name}: its {selector} {asked}, so that it would never see a {kind} of this stack",
    fix="set labels to what it asks for, or change the selector",
    why="An object that no selector takes is no alert, and nobody is told.",
)
PROMETHEUS_NAMESPACES = Rule(
    "prometheus-namespaces",
    path="kolab:monitoring.operator",
    problem="names Prometheus {name}, whose {selector} does not take namespace {namespace}: it would never see a {kind} of this stack",
    fix="let its {selector} take kubernetes.io/metadata.name={namespace}, or {{}} for all",
    why="A Prometheus without it looks into its own namespace alone.",
)
