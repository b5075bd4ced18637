"""The delete guard: whatever holds mail refuses to vanish, already in a preview, and says how to let it."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pytest

from components.guard import RULE, Guard
from tests.support.deploy import recorded
from tests.support.stacks import deployment

Hook = Callable[[pulumi.ResourceHookArgs], object]


def hook_of(guard: Callable[[], Guard], subject: str = "imap-mailboxes") -> tuple[pulumi.ResourceHook, bool]:
    """The hook of a guarded resource, and whether it is protected besides."""
    found: list[pulumi.ResourceOptions] = []

    def program() -> None:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        found.append(guard().options(parent, subject))

    recorded(program)
    assert found[0].hooks is not None
    assert found[0].hooks.before_delete is not None
    (hook,) = found[0].hooks.before_delete
    assert isinstance(hook, pulumi.ResourceHook)
    return hook, bool(found[0].protect)


def delete(hook: pulumi.ResourceHook, name: str = "imap-mailboxes", place: str = "id") -> None:
    """What the engine does before a delete and a replacement."""
    hook.callback(pulumi.ResourceHookArgs(urn="urn", id=place, name=name, type="type"))


def guard(*acknowledged: str, protect: bool = True) -> Guard:
    return Guard(protect=protect, acknowledged=lambda rule, subject: rule == RULE and subject in acknowledged)


def test_a_delete_is_refused_with_the_rule_the_consequence_and_the_way_out() -> None:
    hook, protected = hook_of(guard)
    with pytest.raises(RuntimeError) as refused:
        delete(hook)
    assert protected
    for part in ("imap-mailboxes", "lost for good", "kolab:acknowledge", f"[{RULE}]"):
        assert part in str(refused.value)


def test_the_refusal_comes_already_in_a_preview() -> None:
    hook, _ = hook_of(guard)
    assert hook.opts is not None
    assert hook.opts.on_dry_run is True


def test_an_acknowledgement_lifts_the_guard_from_its_subject_alone() -> None:
    hook, protected = hook_of(lambda: guard("imap-mailboxes"))
    assert protected is False
    delete(hook)
    with pytest.raises(RuntimeError, match="mariadb-data"):
        delete(hook, "mariadb-data")


def test_what_a_rotation_replaces_may_go_and_what_is_in_use_may_not() -> None:
    contents: list[Guard] = []

    def made() -> Guard:
        keys = ("webapp-keys",)
        contents.append(Guard(protect=True, acknowledged=lambda *_: False, replaceable=keys, pending=keys))
        return contents[0]

    hook, protected = hook_of(made, "webapp-keys")
    assert protected is False
    with pytest.raises(RuntimeError, match="webapp-keys"):
        # Nothing has taken its place yet.
        delete(hook, "webapp-keys", "kolab/webapp-keys-0000000000")
    recorded(
        lambda: contents[0].content(
            pulumi.ComponentResource("test:index:Parent", "parent"),
            "webapp-keys",
            pulumi.Output.from_input("webapp-keys-1111111111"),
        )
    )
    delete(hook, "webapp-keys", "kolab/webapp-keys-0000000000")
    with pytest.raises(RuntimeError, match="webapp-keys"):
        delete(hook, "webapp-keys", "kolab/webapp-keys-1111111111")
    with pytest.raises(RuntimeError, match="mariadb-data"):
        delete(hook, "mariadb-data", "kolab/data-mariadb-0")


def test_what_a_rotation_has_replaced_is_protected_again_afterwards() -> None:
    keys = ("webapp-keys",)
    hook, protected = hook_of(
        lambda: Guard(protect=True, acknowledged=lambda *_: False, replaceable=keys), *keys
    )
    assert protected is True
    with pytest.raises(RuntimeError, match="webapp-keys"):
        delete(hook, "webapp-keys", "kolab/webapp-keys-0000000000")


def test_a_throw_away_stack_can_be_destroyed_by_the_hook_that_its_state_remembers() -> None:
    hook, protected = hook_of(lambda: guard(protect=False))
    assert protected is False
    delete(hook)


GUARDED = {
    "namespace-main",
    "imap-mailboxes",
    "imap-state",
    "postfix-queue-0",
    "mariadb-data",
    "mariadb-credentials",
    "redis-data",
    "versitygw-data",
    "webapp-keys",
    "postfix-dkim-k202611",
}
"""What holds mail, or the keys to what does."""


def test_everything_that_holds_data_or_its_keys_is_guarded() -> None:
    guarded = {
        each.name for each in deployment("single-node").resources if each.protect and each.delete_hooks
    }
    assert guarded >= GUARDED


def test_every_volume_claim_is_guarded() -> None:
    for each in deployment("cluster").resources:
        if each.type.endswith(":PersistentVolumeClaim"):
            assert each.protect, each.name
            assert each.delete_hooks, each.name


def test_the_stack_file_lifts_the_guard() -> None:
    protected = {each.name: each.protect for each in deployment("full").resources}
    assert (protected["versitygw-data"], protected["imap-mailboxes"]) == (False, True)
