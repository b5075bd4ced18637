"""NetworkPolicies mean what the Kubernetes documentation says: its examples and their described effects, as cases.

https://kubernetes.io/docs/concepts/services-networking/network-policies/. Judged are the rules (policy/isolation.py)
and, where nft and namespaces are to be had, the packet filter made of them.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.lab.policy.filter import ruleset
from tests.lab.policy.isolation import Isolation, allowed, resolve, selects

Object = dict[str, Any]
OUTSIDE, NEAR_OUTSIDE, FAR = "172.17.9.9", "172.17.1.9", "8.8.8.8"


def namespace(name: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def pod(home: str, address: str, ports: list[Object] | None = None, **labels: str) -> Object:
    return {
        "metadata": {"name": address, "namespace": home, "labels": labels},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "ports": ports or []}]},
        "status": {"podIP": address, "phase": "Running"},
    }


NAMESPACES = [
    namespace("default"),
    namespace("myproject", project="myproject", user="alice"),
    namespace("other", namespace="backend"),
]
DB, FRONTEND, PLAIN = "10.244.1.2", "10.244.1.3", "10.244.2.4"
MY_CLIENT, MY_PLAIN, OTHER = "10.244.2.5", "10.244.1.6", "10.244.2.7"
PODS = [
    pod("default", DB, [{"name": "redis", "containerPort": 6379}, {"name": "q", "containerPort": 53, "protocol": "UDP"}],
        role="db"),
    pod("default", FRONTEND, role="frontend"),
    pod("default", PLAIN, [{"name": "redis", "containerPort": 7000}]),
    pod("myproject", MY_CLIENT, role="client"),
    pod("myproject", MY_PLAIN),
    pod("other", OTHER, role="frontend"),
]  # fmt: skip

DOCUMENTATION = """
metadata: {name: test-network-policy, namespace: default}
spec:
  podSelector: {matchLabels: {role: db}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}
        - namespaceSelector: {matchLabels: {project: myproject}}
        - podSelector: {matchLabels: {role: frontend}}
      ports: [{protocol: TCP, port: 6379}]
  egress:
    - to: [{ipBlock: {cidr: 10.0.0.0/24}}]
      ports: [{protocol: TCP, port: 5978}]
"""
DENY_IN = "{metadata: {namespace: default}, spec: {podSelector: {}, policyTypes: [Ingress]}}"
ALLOW_IN = "{metadata: {namespace: default}, spec: {podSelector: {}, ingress: [{}], policyTypes: [Ingress]}}"
DENY_OUT = "{metadata: {namespace: default}, spec: {podSelector: {}, policyTypes: [Egress]}}"
ALLOW_OUT = "{metadata: {namespace: default}, spec: {podSelector: {}, egress: [{}], policyTypes: [Egress]}}"
DENY_ALL = "{metadata: {namespace: default}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}"


def spec(text: str) -> str:
    return f"{{metadata: {{namespace: default}}, spec: {text}}}"


AND = spec(
    "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {user: alice}},"
    " podSelector: {matchLabels: {role: client}}}]}]}"
)
OR = spec(
    "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {user: alice}}},"
    " {podSelector: {matchLabels: {role: frontend}}}]}]}"
)
RANGE = spec(
    "{podSelector: {matchLabels: {role: db}}, policyTypes: [Egress],"
    " egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24}}], ports: [{protocol: TCP, port: 32000, endPort: 32768}]}]}"
)
EXPRESSION = spec(
    "{podSelector: {matchLabels: {role: frontend}}, policyTypes: [Egress],"
    " egress: [{to: [{namespaceSelector: {matchExpressions: [{key: namespace, operator: In, values: [frontend, backend]}]}}]}]}"
)
BY_NAME = spec(
    "{podSelector: {matchLabels: {role: frontend}}, policyTypes: [Egress],"
    " egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: myproject}}}]}]}"
)
NAMED_IN = spec("{podSelector: {}, ingress: [{ports: [{port: redis}]}]}")
NAMED_OUT = spec(
    "{podSelector: {matchLabels: {role: frontend}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: redis}]}]}"
)
NAMED_OUT_ANYWHERE = spec(
    "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: redis}, {port: 53, protocol: UDP}]}]}"
)
NAMED_OTHER_PROTOCOL = spec("{podSelector: {}, ingress: [{ports: [{port: q}]}]}")
ANY_PORT_OF_UDP = spec("{podSelector: {}, ingress: [{ports: [{protocol: UDP}]}]}")
ALL_NAMESPACES = spec("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}")
NOBODY = spec("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {role: nobody}}}]}]}")
NO_TYPES = spec("{podSelector: {}, egress: [{to: [{podSelector: {}}]}]}")

BOTH_FAMILIES = spec(
    "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: '::/0'}}, {ipBlock: {cidr: 8.0.0.0/8}}]}, {from: [{ipBlock: {cidr: '2001:db8::/32'}}]}]}"
)

# policies, source, destination, protocol, port, may it
CASES = {
    "without policies everything passes": ([], PLAIN, DB, "TCP", 1, True),
    # the page's first example, sentence by sentence
    "db: pods of the namespace with role=frontend": ([DOCUMENTATION], FRONTEND, DB, "TCP", 6379, True),
    "db: only to 6379": ([DOCUMENTATION], FRONTEND, DB, "TCP", 6380, False),
    "db: only TCP": ([DOCUMENTATION], FRONTEND, DB, "UDP", 6379, False),
    "db: other pods of the namespace not": ([DOCUMENTATION], PLAIN, DB, "TCP", 6379, False),
    "db: any pod of a namespace with project=myproject": ([DOCUMENTATION], MY_PLAIN, DB, "TCP", 6379, True),
    "db: role=frontend of another namespace not": ([DOCUMENTATION], OTHER, DB, "TCP", 6379, False),
    "db: from 172.17.0.0/16": ([DOCUMENTATION], OUTSIDE, DB, "TCP", 6379, True),
    "db: but not from 172.17.1.0/24": ([DOCUMENTATION], NEAR_OUTSIDE, DB, "TCP", 6379, False),
    "db: not from elsewhere": ([DOCUMENTATION], FAR, DB, "TCP", 6379, False),
    "db: may go to 10.0.0.0/24 on 5978": ([DOCUMENTATION], DB, "10.0.0.9", "TCP", 5978, True),
    "db: not on another port": ([DOCUMENTATION], DB, "10.0.0.9", "TCP", 5979, False),
    "db: not to anybody else": ([DOCUMENTATION], DB, FRONTEND, "TCP", 5978, False),
    "db: others are not isolated by it": ([DOCUMENTATION], FRONTEND, PLAIN, "TCP", 80, True),
    # default policies
    "default deny ingress": ([DENY_IN], FRONTEND, DB, "TCP", 80, False),
    "default deny ingress also from outside": ([DENY_IN], FAR, DB, "TCP", 80, False),
    "default deny ingress leaves egress": ([DENY_IN], DB, FAR, "TCP", 80, True),
    "default deny ingress leaves other namespaces": ([DENY_IN], DB, MY_PLAIN, "TCP", 80, True),
    "allow all ingress wins over any other": ([DENY_IN, ALLOW_IN, DOCUMENTATION], PLAIN, DB, "TCP", 1, True),
    "default deny egress": ([DENY_OUT], DB, FAR, "TCP", 80, False),
    "default deny egress leaves ingress": ([DENY_OUT], MY_PLAIN, DB, "TCP", 80, True),
    "allow all egress wins": ([DENY_OUT, ALLOW_OUT], DB, FAR, "UDP", 53, True),
    "default deny all: in": ([DENY_ALL], MY_PLAIN, DB, "TCP", 80, False),
    "default deny all: out": ([DENY_ALL], DB, MY_PLAIN, "TCP", 80, False),
    "default deny: a pod reaches itself": ([DENY_ALL], DB, DB, "TCP", 80, True),
    # both ends have to agree
    "allowed to leave, not to enter": ([DENY_IN, ALLOW_OUT], FRONTEND, DB, "TCP", 80, False),
    "allowed to enter, not to leave": ([DENY_OUT, ALLOW_IN], FRONTEND, DB, "TCP", 80, False),
    "policies add up": ([DENY_IN, DOCUMENTATION], FRONTEND, DB, "TCP", 6379, True),
    # selectors of a peer
    "both selectors in one entry: both have to fit": ([AND], MY_CLIENT, DB, "TCP", 80, True),
    "both selectors in one entry: only the namespace fits": ([AND], MY_PLAIN, DB, "TCP", 80, False),
    "two entries: the namespace fits": ([OR], MY_PLAIN, DB, "TCP", 80, True),
    "two entries: the pod fits": ([OR], FRONTEND, DB, "TCP", 80, True),
    "two entries: neither fits": ([OR], PLAIN, DB, "TCP", 80, False),
    "two entries: a pod selector alone means the policy's namespace": ([OR], OTHER, DB, "TCP", 80, False),
    "namespaces by expression": ([EXPRESSION], FRONTEND, OTHER, "TCP", 80, True),
    "namespaces by expression: not one without the label": (
        [EXPRESSION],
        FRONTEND,
        MY_PLAIN,
        "TCP",
        80,
        False,
    ),
    "a namespace by its name": ([BY_NAME], FRONTEND, MY_PLAIN, "TCP", 80, True),
    "a namespace by its name: not its own": ([BY_NAME], FRONTEND, PLAIN, "TCP", 80, False),
    "an empty namespace selector means every pod": ([ALL_NAMESPACES], OTHER, DB, "TCP", 80, True),
    "an empty namespace selector does not mean the outside": ([ALL_NAMESPACES], FAR, DB, "TCP", 80, False),
    "a selector that nobody fits opens nothing": ([NOBODY], PLAIN, DB, "TCP", 80, False),
    "blocks of both families": ([BOTH_FAMILIES], FAR, DB, "TCP", 80, True),
    "a block of the other family is nobody": ([BOTH_FAMILIES], OUTSIDE, DB, "TCP", 80, False),
    # ports
    "a range begins": ([RANGE], DB, "10.0.0.9", "TCP", 32000, True),
    "a range ends": ([RANGE], DB, "10.0.0.9", "TCP", 32768, True),
    "before the range": ([RANGE], DB, "10.0.0.9", "TCP", 31999, False),
    "after the range": ([RANGE], DB, "10.0.0.9", "TCP", 32769, False),
    "a named port in": ([NAMED_IN], FAR, DB, "TCP", 6379, True),
    "a named port in: another number under that name": ([NAMED_IN], FAR, PLAIN, "TCP", 7000, True),
    "a named port in: not somebody else's number": ([NAMED_IN], FAR, PLAIN, "TCP", 6379, False),
    "a named port in: a pod without that name": ([NAMED_IN], FAR, FRONTEND, "TCP", 6379, False),
    "a named port out": ([NAMED_OUT], FRONTEND, DB, "TCP", 6379, True),
    "a named port out: another number under that name": ([NAMED_OUT], FRONTEND, PLAIN, "TCP", 7000, True),
    "a named port out: not somebody else's number": ([NAMED_OUT], FRONTEND, PLAIN, "TCP", 6379, False),
    "named ports and numbers in one rule: the name": ([NAMED_OUT_ANYWHERE], FRONTEND, DB, "TCP", 6379, True),
    "named ports and numbers in one rule: the number": ([NAMED_OUT_ANYWHERE], DB, FAR, "UDP", 53, True),
    "named ports and numbers in one rule: nothing else": ([NAMED_OUT_ANYWHERE], DB, FAR, "TCP", 53, False),
    "a name counts for its protocol only": ([NAMED_OTHER_PROTOCOL], FAR, DB, "TCP", 53, False),
    "a protocol without port": ([ANY_PORT_OF_UDP], FAR, DB, "UDP", 9999, True),
    "a protocol without port: no other protocol": ([ANY_PORT_OF_UDP], FAR, DB, "TCP", 9999, False),
    # policyTypes left out: Ingress always, Egress when there are egress rules
    "no types, egress rules: egress is isolated": ([NO_TYPES], DB, FAR, "TCP", 80, False),
    "no types, egress rules: ingress is isolated as well": ([NO_TYPES], FAR, DB, "TCP", 80, False),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_documentations_examples(case: tuple[list[str], str, str, str, int, bool]) -> None:
    policies, source, destination, protocol, port, expected = case
    assert allowed(isolations(policies), source, destination, protocol, port) is expected


@pytest.mark.parametrize("status", [{"podIP": DB, "phase": "Succeeded"}, {"phase": "Pending"}])
def test_pods_without_an_address_of_their_own_are_left_out(status: Object) -> None:
    ended = pod("default", DB, role="db") | {"status": status}
    assert resolve([yaml.safe_load(DENY_ALL)], [ended], NAMESPACES) == {}


def test_pods_on_the_nodes_network_are_left_out() -> None:
    host = pod("default", "192.168.50.11", role="frontend")
    host["spec"]["hostNetwork"] = True
    found = resolve([yaml.safe_load(DENY_ALL), yaml.safe_load(OR)], [*PODS, host], NAMESPACES)
    assert "192.168.50.11" not in found
    assert not allowed(found, "192.168.50.11", DB, "TCP", 80)


@pytest.mark.parametrize(
    ("operator", "values", "labels", "fits"),
    [
        ("In", ["a", "b"], {"k": "a"}, True),
        ("In", ["a"], {}, False),
        ("NotIn", ["a"], {"k": "b"}, True),
        ("NotIn", ["a"], {}, True),
        ("NotIn", ["a"], {"k": "a"}, False),
        ("Exists", None, {"k": ""}, True),
        ("Exists", None, {}, False),
        ("DoesNotExist", None, {}, True),
        ("DoesNotExist", None, {"k": "a"}, False),
    ],
)
def test_expressions_of_selectors(
    operator: str, values: list[str] | None, labels: dict[str, str], fits: bool
) -> None:
    assert (
        selects({"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}, labels) is fits
    )


def test_every_case_is_a_filter_that_nft_understands() -> None:
    nft = shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin")
    if nft is None:
        pytest.skip("nft is not installed")
    everything = "\n".join({ruleset(isolations(case[0])) for case in CASES.values()})
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", nft, "--check", "--file", "-"],
        input=everything, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def isolations(policies: list[str]) -> dict[str, Isolation]:
    return resolve([yaml.safe_load(each) for each in policies], PODS, NAMESPACES)
