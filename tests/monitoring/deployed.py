"""What a component would create, recorded from a program that runs without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc, stack

from components.daemon import Site
from components.guard import Guard

Manifest = dict[str, Any]


class _Protecting(Guard):
    """Protects as the real one does, without the hook that only an engine could run."""

    def __init__(self) -> None:
        """Registers nothing."""

    def options(self, parent: pulumi.Resource, subject: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=parent, protect=True)


class _Recorder(mocks.Mocks):
    def __init__(self) -> None:
        self.made: list[Manifest] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if "apiVersion" in args.inputs:
            self.made.append(_plain(args.inputs))
        return args.name, dict(args.inputs)

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(f"{args.token} is called: a component may not look around")


def _plain(value: Any) -> Any:
    """`value` with its secrets as what they hide: a manifest knows no other form."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return _plain(value["value"])
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def deployed(program: Callable[[Site], object], *, namespace: str = "kolab") -> list[Manifest]:
    """The manifests that `program` makes at a site in `namespace`."""
    recorder = _Recorder()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    mocks.set_mocks(recorder, project="kolab", stack="test", preview=False)

    def start() -> None:
        program(Site(namespace=namespace, salt=pulumi.Output.secret("salt"), guard=_Protecting()))

    try:
        loop.run_until_complete(stack.run_pulumi_func(_later(start)))
    finally:
        loop.close()
    return recorder.made


def _later(program: Callable[[], None]) -> Callable[[], Any]:
    async def run() -> None:
        program()

    return run


def of_kind(objects: list[Manifest], kind: str) -> list[Manifest]:
    """The objects of one kind."""
    return [each for each in objects if each["kind"] == kind]
