"""The recording engine itself: what pulumi's mocks forgive must fail here."""

from __future__ import annotations

import base64

import pulumi
import pytest
from pulumi_kubernetes import apiextensions, core, meta

from components import content
from tests.support.deploy import Deployment, recorded, site


def config_map(name: str, /, **data: pulumi.Input[str]) -> core.v1.ConfigMap:
    """A right object."""
    return core.v1.ConfigMap(name, metadata=meta.v1.ObjectMetaArgs(name=name, namespace="kolab"), data=data)


def test_two_resources_with_one_urn_are_refused() -> None:
    def twice() -> None:
        config_map("a")
        config_map("a", other="data")

    with pytest.raises(AssertionError, match=r"two resources have the URN .*ConfigMap::a"):
        recorded(twice)


def test_the_same_name_below_two_parents_is_allowed() -> None:
    class Parent(pulumi.ComponentResource):
        def __init__(self, kind: str) -> None:
            super().__init__(f"test:index:{kind}", "parent")
            core.v1.ConfigMap(
                "a",
                metadata=meta.v1.ObjectMetaArgs(name=kind.lower()),
                opts=pulumi.ResourceOptions(parent=self),
            )

    assert len(recorded(lambda: [Parent("One"), Parent("Two")]).of_kind("ConfigMap")) == 2


def test_a_misspelt_key_of_a_dictionary_is_refused() -> None:
    with pytest.raises(AssertionError, match="metadata: unknown field nmae"):
        recorded(lambda: core.v1.ConfigMap("a", metadata={"name": "a", "nmae": "a"}))  # type: ignore[call-overload]


def test_a_misspelt_key_of_a_custom_resource_is_refused() -> None:
    def issuer() -> None:
        apiextensions.CustomResource(
            "issuer",
            api_version="cert-manager.io/v1",
            kind="Issuer",
            metadata=meta.v1.ObjectMetaArgs(name="issuer"),
            spec={"selfSinged": {}},
        )

    with pytest.raises(AssertionError, match="unknown field selfSinged"):
        recorded(issuer)


def test_an_output_printed_as_text_is_refused() -> None:
    with pytest.raises(Exception, match="__str__ on an Output"):
        recorded(lambda: config_map("a", told=f"by {config_map('b').metadata.name}"))


def test_a_failure_inside_apply_fails_though_nobody_waits_for_it() -> None:
    def late(name: str) -> None:
        raise ValueError(f"{name} is wrong")

    with pytest.raises(ValueError, match="a is wrong"):
        recorded(lambda: config_map("a").metadata.name.apply(late))


def test_every_registration_is_there_when_it_returns() -> None:
    def chain() -> None:
        name: pulumi.Input[str] = "0"
        for number in range(1, 30):
            name = config_map(str(number), after=name).metadata.name

    made = recorded(chain).of_kind("ConfigMap")
    assert [each["data"]["after"] for each in made] == [str(number) for number in range(29)]


def test_a_secret_is_told_from_plain_text() -> None:
    made = recorded(lambda: config_map("a", key=pulumi.Output.secret("hidden")))
    (resource,) = (each for each in made.resources if each.name == "a")
    assert (resource.secrets, resource.inputs["data"]) == (frozenset({"data"}), {"key": "hidden"})


def test_an_invoke_is_refused() -> None:
    with pytest.raises(AssertionError, match="calls some:index:lookup"):
        recorded(lambda: pulumi.runtime.invoke("some:index:lookup", {}))


def test_a_read_of_what_exists_already_is_refused() -> None:
    with pytest.raises(AssertionError, match="reads kubernetes:core/v1:ConfigMap kolab/a"):
        recorded(lambda: core.v1.ConfigMap.get("a", "kolab/a"))


def test_a_preview_knows_no_output_and_shows_what_is_made_inside_apply() -> None:
    def inside() -> None:
        config_map("a").metadata.name.apply(lambda name: config_map("b", name=name) and None)

    (missing,) = recorded(inside).urns - recorded(inside, preview=True).urns
    assert missing.endswith("ConfigMap::b")


def test_a_run_after_one_that_failed_starts_afresh() -> None:
    with pytest.raises(AssertionError):
        recorded(lambda: [config_map("a"), config_map("a")])
    assert recorded(lambda: config_map("a")).names("ConfigMap") == {"a"}


def test_a_delete_hook_can_be_seen_on_its_resource() -> None:
    def guarded() -> None:
        here = site()
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        core.v1.ConfigMap(
            "a", metadata=meta.v1.ObjectMetaArgs(name="a"), opts=here.guard.options(parent, "a")
        )

    (resource,) = (each for each in recorded(guarded).resources if each.name == "a")
    assert (resource.protect, len(resource.delete_hooks)) == (True, 1)


@pytest.mark.parametrize("neighbour", ["", "a", "ab", "abc"])
def test_a_secret_is_found_in_base64_whatever_stands_before_and_after_it(neighbour: str) -> None:
    text = base64.b64encode(f"{neighbour}SentinelValue{neighbour}".encode()).decode()
    assert recorded(lambda: config_map("a", hidden=text)).holders_of("SentinelValue") == {"ConfigMap/a"}


def test_a_name_made_from_content_changes_with_the_content() -> None:
    def name(value: str) -> set[str]:
        def secret() -> None:
            data = {"key": pulumi.Output.secret(value)}
            metadata = meta.v1.ObjectMetaArgs(name=content.secret_name("role", data, "salt"))
            core.v1.Secret("a", metadata=metadata, string_data=data)

        return recorded(secret).names("Secret")

    assert name("one") == name("one") != name("two")


def test_a_file_of_a_container_is_found_through_its_mount() -> None:
    pod = {
        "containers": [
            {
                "name": "main",
                "volumeMounts": [
                    {"name": "folder", "mountPath": "/folder"},
                    {"name": "single", "mountPath": "/etc/one.conf", "subPath": "file"},
                ],
            }
        ],
        "volumes": [
            {"name": "folder", "configMap": {"name": "a"}},
            {"name": "single", "configMap": {"name": "a"}},
        ],
    }
    labels = {"app.kubernetes.io/name": "daemon"}
    workload = {
        "kind": "Deployment",
        "metadata": {"name": "daemon"},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": pod}},
    }
    made = Deployment(())
    made.__dict__["objects"] = [
        workload,
        {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"file": "text"}},
    ]
    assert made.file("daemon", "main", "/folder/file") == made.file("daemon", "main", "/etc/one.conf")
