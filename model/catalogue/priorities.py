"""Which pods win where a node is short."""

from __future__ import annotations

from model.findings import Rule

PRIORITY_CLASS_UNKNOWN = Rule(
    "priority-class-unknown",
    path="kolab:kubernetes.priorityClasses.{level}",
    problem="is {chosen}, which this cluster does not have",
    fix="use one of {classes}, or remove it: the stack makes a class of its own",
    why="A pod of an unknown class is refused by the API and never made.",
)
PRIORITY_ORDER = Rule(
    "priority-order",
    path="kolab:kubernetes.priorityClasses",
    problem="gives convenience {convenience} and data {data}: a busy video conference may stop the database",
    fix="name classes of which that of data has the higher value, or remove both",
    why="Where a node is short, data win over convenience.",
    source="Kubernetes: Pod Priority and Preemption",
)
PRIORITY_DEFAULT = Rule(
    "priority-default",
    path="kolab:kubernetes.priorityClasses.data",
    problem="gives data {data}, and pods without a class have {others} in this cluster: any of them may stop the database",
    fix="name a class with a higher value",
    why="Where a node is short, data win over convenience.",
    severity="warning",
    source="Kubernetes: Pod Priority and Preemption",
)
