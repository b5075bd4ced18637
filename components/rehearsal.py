"""A rehearsal: a Job that lets an image start as far as it can without serving anybody, before a running pod stops.

It runs the entry script of the workload that it belongs to, with the workload's own configuration, and neither its ports nor
its data: everything is adjusted and looked at, the daemon judges its own configuration, and `rehearsed` (adjust.sh) ends it
there. The workload waits for it, so an image that does not fit leaves the old pods alone, and its sentence stands in the
error of the update. The Job is named by its images; an update that changes neither these nor what they are told makes none,
and runs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pulumi
from pulumi_kubernetes import batch, core

from components import content
from components.containers import Build, Container, Mount
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.sizing import Size

DOES_NOT_FIT = 70
"""Exit code of an entry script that does not know its image (adjust.sh, `fail`; sysexits.h: EX_SOFTWARE)."""
_DATA = ("persistent_volume_claim",)
_RETRIES = 3
"""For what passes, such as a node that goes away."""
_SECONDS = 900
"""Until a rehearsal that never ends counts as failed; fetching an image takes most of it."""


class Rehearsal(DaemonComponent):
    """The rehearsal of the `containers` of one workload. `passed` is what the workload waits for."""

    passed: batch.v1.Job

    def __init__(
        self,
        owner: DaemonComponent,
        site: Site,
        containers: Sequence[Container],
        *,
        fs_group: int | None = None,
    ) -> None:
        name = f"{owner.daemon.name}-rehearsal"
        super().__init__(topology.REHEARSAL, name, site, pulumi.ResourceOptions(parent=owner))
        # What an operator adds to the workload's variables is part of its configuration.
        told = site.extensions.of(owner.daemon, Pod(containers=containers)).containers
        run = Pod(containers=[_rehearsing(each, site.rehearsal) for each in told], fs_group=fs_group)
        images = {each.name: each.build.image for each in containers}
        self.passed = batch.v1.Job(
            f"{name}-job",
            metadata=self.metadata(content.config_name(f"rehearse-{owner.daemon.name}", images)),
            spec=batch.v1.JobSpecArgs(
                backoff_limit=_RETRIES,
                active_deadline_seconds=_SECONDS,
                pod_failure_policy=batch.v1.PodFailurePolicyArgs(
                    rules=[
                        batch.v1.PodFailurePolicyRuleArgs(
                            action="FailJob",
                            on_exit_codes=batch.v1.PodFailurePolicyOnExitCodesRequirementArgs(
                                operator="In", values=[DOES_NOT_FIT]
                            ),
                        )
                    ]
                ),
                template=self._template(run, restart="Never"),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(site.services),
                # After one that failed, the way back leads to the old name, which must not be taken then; and whatever else
                # it is told makes it run again under the same name.
                delete_before_replace=True,
            ),
        )
        self.register_outputs({})


def _rehearsing(container: Container, size: Size) -> Container:
    """The container as it is rehearsed: alone with its configuration."""
    return replace(
        container.at_rest("rehearse"),
        build=Build(
            image=container.build.image, size=replace(size, memory_limit=container.build.size.memory_limit)
        ),
        mounts=[_without_data(each) for each in container.mounts],
        says_why=True,
    )


def _without_data(mount: Mount) -> Mount:
    """The mount, with an empty folder where there are data: a claim, or the volume of a replica."""
    if mount.source and not any(kind in mount.source for kind in _DATA):
        return mount
    return replace(mount, source={"empty_dir": core.v1.EmptyDirVolumeSourceArgs()})
