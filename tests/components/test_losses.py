"""An update that nobody previewed says by rule what it would lose, before its first resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pulumi_kubernetes import core, meta

from components.losses import Losses
from model.ledger import RECORD, Resource
from model.losses import holds_data
from ops.recorder import Registered, record
from tests.support.stacks import SHIPPED, deployment

_MX = "mx.example.org"
_CLAIM: dict[str, dict[str, Any]] = {
    "metadata": {"name": "mailboxes", "namespace": "kolab"},
    "spec": {"accessModes": ["ReadWriteOncePod"], "storageClassName": "fast"},
}


def state_of(resources: Iterable[Registered]) -> list[Resource]:
    """What an update that made these leaves behind, as the engine hands it out."""
    return [
        Resource(each.type, each.name, {"__inputs": each.inputs}, each.urn.split("::", 2)[2])
        for each in resources
    ]


def claim(spec: Any = None, *, name: pulumi.Input[str] = "mailboxes", kind: str = "Imap") -> None:
    """A volume below a component, called as the program calls them."""
    parent = pulumi.ComponentResource(f"kolab:index:{kind}", "imap")
    core.v1.PersistentVolumeClaim(
        "imap-mailboxes",
        metadata=meta.v1.ObjectMetaArgs(name=name, namespace=pulumi.Output.from_input("kolab")),
        spec=spec
        or core.v1.PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOncePod"], storage_class_name="fast"
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )


_BEFORE = state_of(record(claim))


def refusal(
    program: Callable[[], object],
    state: list[Resource],
    *,
    acknowledged: Callable[[str, str], bool] = lambda *_: False,
) -> str:
    """What the program ends with after `program` on this state; empty when it goes on."""

    def run() -> None:
        losses = Losses(state, {_MX}, acknowledged)
        program()
        losses.refuse()

    try:
        record(run)
    except pulumi.RunError as error:
        return str(error)
    return ""


def test_what_stays_as_it_is_is_no_loss() -> None:
    assert refusal(claim, _BEFORE) == ""


_REPLACED: dict[str, Callable[[], object]] = {
    "another storage class": lambda: claim({"accessModes": ["ReadWriteOncePod"], "storageClassName": "slow"}),
    "none any more": lambda: claim(core.v1.PersistentVolumeClaimSpecArgs(access_modes=["ReadWriteOncePod"])),
    "another access mode": lambda: claim({"access_modes": ["ReadWriteMany"], "storage_class_name": "fast"}),
    "another name": lambda: claim(name="elsewhere"),
    "below another component": lambda: claim(kind="Dovecot"),
    "not at all": lambda: None,
}


@pytest.mark.parametrize("way", _REPLACED)
def test_a_volume_that_would_be_lost_is_named_by_the_rule_with_the_fix(way: str) -> None:
    said = refusal(_REPLACED[way], _BEFORE)
    for part in ("imap-mailboxes", "lost for good", "kolab:acknowledge", "[data-delete]"):
        assert part in said


def test_a_volume_that_only_grows_is_no_loss() -> None:
    grown = {**_CLAIM["spec"], "resources": {"requests": {"storage": "80Gi"}}}
    assert refusal(lambda: claim(grown), _BEFORE) == ""


def test_what_is_known_later_only_is_left_to_the_engine() -> None:
    assert refusal(lambda: claim(name=pulumi.Output.from_input("mailboxes")), _BEFORE) == ""


def test_an_acknowledgement_lifts_it() -> None:
    assert (
        refusal(lambda: None, _BEFORE, acknowledged=lambda *given: given == ("data-delete", "imap-mailboxes"))
        == ""
    )


def test_another_cluster_loses_everything() -> None:
    def cluster(name: str) -> Callable[[], object]:
        return lambda: kubernetes.Provider("cluster", cluster_identifier=name, context="prod")

    before = [
        Resource(
            "pulumi:providers:kubernetes",
            "cluster",
            {"clusterIdentifier": "prod-1"},
            "pulumi:providers:kubernetes::cluster",
        )
    ]
    assert "namespace-main" in refusal(cluster("prod-2"), before)
    assert refusal(cluster("prod-1"), before) == ""


@pytest.mark.parametrize(
    ("record_of", "lost"),
    [
        ({"type": "MX", "content": _MX}, True),
        ({"type": "MX", "content": "mx.of.others.example.net"}, False),
        ({"type": "A", "content": _MX}, False),
    ],
)
def test_only_an_mx_of_ours_is_a_loss_among_records(record_of: dict[str, str], lost: bool) -> None:
    found = Resource(RECORD, "dns-mx-example.org", record_of, f"kolab:index:Dns${RECORD}::dns-mx-example.org")
    assert bool(refusal(lambda: None, [found])) is lost


@pytest.mark.parametrize("name", SHIPPED)
def test_what_counts_as_a_loss_is_what_the_hook_guards(name: str) -> None:
    """Two lists of the same thing: whoever guards more has to say here what it is."""
    resources = deployment(name).resources
    guarded = {each.name for each in resources if each.delete_hooks}
    assert {each.name for each in state_of(resources) if holds_data(each, {_MX})} == guarded
    assert len(guarded) > 8


def test_an_older_state_without_inputs_is_read_by_what_it_has() -> None:
    (before,) = (each for each in _BEFORE if each.name == "imap-mailboxes")
    older = before._replace(outputs=_CLAIM)
    assert refusal(claim, [older]) == ""
