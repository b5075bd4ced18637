"""What every daemon's component is made of, so that the second looks like the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes import apps, batch, core, meta, policy

from components import content, entry
from components.containers import Mount, from_config
from components.guard import Guard
from components.labels import labels_of, selector_of
from components.pods import NO_EXTENSIONS, Extensions, Pod, Template
from model import topology
from model.settings import Toleration, Volume
from model.sizing import DEFAULTS, Size


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the objects of a stack are made, and the few things that all of them share."""

    namespace: pulumi.Input[str]
    salt: pulumi.Input[str]
    guard: Guard
    access_mode: str = "ReadWriteOncePod"
    pull_secret: str | None = None
    tolerations: Sequence[Toleration] = ()
    extensions: Extensions = NO_EXTENSIONS
    priorities: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    resolvers: Mapping[str, topology.Resolver] = field(default_factory=dict)
    """Daemon -> where its pods ask for names, if not at the cluster's DNS."""
    rehearsal: Size = DEFAULTS["rehearsal"]
    services: list[core.v1.Service] = field(default_factory=list)
    """Those made so far: nginx does not even judge its configuration before every name in it resolves."""


class DaemonComponent(pulumi.ComponentResource):
    """Base of all daemons: children get this parent, the daemon's labels and names, and safe defaults."""

    def __init__(
        self, daemon: topology.Daemon, name: str, site: Site, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"kolab:index:{type(self).__name__}", name, {}, opts)
        self.daemon = daemon
        self._logical = name
        self._site = site

    def child(self, *, after: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        """Options of an ordinary child. The component's own opts are never merged in: the engine inherits them.

        `after` are resources that the child needs although none of its inputs comes from them.
        """
        return pulumi.ResourceOptions(parent=self, depends_on=list(after))

    def metadata(
        self, name: pulumi.Input[str] | None = None, annotations: Mapping[str, str] | None = None
    ) -> meta.v1.ObjectMetaArgs:
        """Metadata of an object called `name`, or like the daemon."""
        return meta.v1.ObjectMetaArgs(
            name=name or self.daemon.name,
            namespace=self._site.namespace,
            labels=labels_of(self.daemon.name),
            annotations=dict(annotations) if annotations else None,
        )

    def serve(
        self,
        *,
        headless: str | None = None,
        listening: Sequence[topology.Port] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> core.v1.Service:
        """The Service that other daemons address; with `headless`, one of that name that lists the pods.

        `listening` are the daemon's ports unless its pods open fewer. `annotations` are for others who read it.
        """
        ports = [
            core.v1.ServicePortArgs(name=p.name, port=p.number, target_port=p.name, protocol=p.protocol)
            for p in (self.daemon.ports if listening is None else listening)
        ]
        made = core.v1.Service(
            f"{self._logical}-{headless or 'service'}",
            # Pods are made after Services and name each other in circles: waiting for pods here would never end.
            metadata=self.metadata(headless, {"pulumi.com/skipAwait": "true", **(annotations or {})}),
            spec=core.v1.ServiceSpecArgs(
                selector=selector_of(self.daemon.name),
                ports=ports,
                cluster_ip="None" if headless else None,
                publish_not_ready_addresses=True if headless else None,
            ),
            opts=self.child(),
        )
        self._site.services.append(made)
        return made

    def config(self, role: str, data: Mapping[str, str]) -> pulumi.Output[str]:
        """An immutable ConfigMap named by its content; returns the name."""
        made = core.v1.ConfigMap(
            f"{self._logical}-{role}",
            metadata=self.metadata(content.config_name(f"{self.daemon.name}-{role}", data)),
            data=dict(data),
            immutable=True,
            opts=self.child(),
        )
        return made.metadata.name

    def scripts(
        self,
        folder: str,
        *,
        settings: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
        role: str = "entry",
    ) -> Mount:
        """The scripts of components/scripts/`folder` where containers find them, with what they read.

        `settings` are variables of the scripts, `more` are files beside them.
        """
        data = entry.files(folder, settings) | dict(more or {})
        return from_config(role, entry.PATH, self.config(role, data), mode=0o555)

    def secret(
        self, role: str, data: Mapping[str, pulumi.Input[str]], *, guarded: bool = False
    ) -> pulumi.Output[str]:
        """An immutable Secret named by its content; returns the name. `guarded` ones are refused to vanish."""
        logical = f"{self._logical}-{role}"
        name = content.secret_name(f"{self.daemon.name}-{role}", data, self._site.salt)
        made = core.v1.Secret(
            logical,
            metadata=self.metadata(name),
            string_data=dict(data),
            immutable=True,
            opts=self._site.guard.content(self, logical, name) if guarded else self.child(),
        )
        return made.metadata.name

    def claim(self, role: str, volume: Volume) -> pulumi.Output[str]:
        """A protected volume claim; returns its name.

        Claims are resources of their own: those that a StatefulSet makes from templates are invisible here and
        can be neither protected nor resized.
        """
        return self._claim(role, f"{self._logical}-{role}", volume).metadata.name

    def claims(self, template: str, volume: Volume, *, replicas: int) -> Template:
        """Protected volume claims for `stateful_set`, one for each pod, under the names that it looks for."""
        ordinals = range(replicas)
        made = [
            self._claim(f"{template}-{n}", f"{template}-{self.daemon.name}-{n}", volume) for n in ordinals
        ]
        return Template(name=template, claims=made)

    def _claim(self, role: str, physical: str, volume: Volume) -> core.v1.PersistentVolumeClaim:
        logical = f"{self._logical}-{role}"
        return core.v1.PersistentVolumeClaim(
            logical,
            metadata=self.metadata(physical, {"pulumi.com/skipAwait": "true"}),
            spec=core.v1.PersistentVolumeClaimSpecArgs(
                access_modes=[self._site.access_mode],
                storage_class_name=volume.storage_class,
                resources=core.v1.VolumeResourceRequirementsArgs(requests={"storage": volume.size}),
            ),
            opts=self._site.guard.options(self, logical),
        )

    def stateful_set(
        self,
        run: Pod,
        *,
        replicas: int = 1,
        templates: Sequence[Template] = (),
        after: Sequence[pulumi.Resource] = (),
    ) -> apps.v1.StatefulSet:
        """Pods that own data: at most one per ordinal at any time. `templates` come from `claims`; `after` is as below."""
        return apps.v1.StatefulSet(
            f"{self._logical}-pods",
            metadata=self.metadata(),
            spec=apps.v1.StatefulSetSpecArgs(
                replicas=replicas,
                service_name=self.daemon.name,
                pod_management_policy="Parallel",
                selector=self._selector(),
                template=self._template(run),
                volume_claim_templates=[
                    # Only the name matters: every claim exists already, with its real size, as a resource of its own.
                    core.v1.PersistentVolumeClaimArgs(
                        metadata=meta.v1.ObjectMetaArgs(name=template.name),
                        spec=core.v1.PersistentVolumeClaimSpecArgs(
                            access_modes=[self._site.access_mode],
                            resources=core.v1.VolumeResourceRequirementsArgs(requests={"storage": "1Gi"}),
                        ),
                    )
                    for template in templates
                ]
                or None,
            ),
            # A claim that is not there when the StatefulSet comes would be made by it, with the size above.
            opts=self.child(after=[*after, *(claim for each in templates for claim in each.claims)]),
        )

    def deployment(
        self,
        run: Pod,
        *,
        replicas: int = 1,
        alone: bool = False,
        recreate: bool = False,
        after: Sequence[pulumi.Resource] = (),
    ) -> apps.v1.Deployment:
        """Pods without data, touched when what is in `after` is well. `alone`: the old pod goes before the new one starts.

        `recreate` waits until the old one has ended as well. It belongs to a daemon and never follows from a setting:
        the details of a rolling update exclude it, and the preview of an object's first update keeps what is dropped
        (toolchain/kubernetes_plugin/ownership.py).
        """
        strategy = (
            apps.v1.DeploymentStrategyArgs(type="Recreate")
            if recreate
            else apps.v1.DeploymentStrategyArgs(
                type="RollingUpdate",
                rolling_update=apps.v1.RollingUpdateDeploymentArgs(
                    max_unavailable=1 if alone else 0, max_surge=0 if alone else 1
                ),
            )
        )
        return apps.v1.Deployment(
            f"{self._logical}-pods",
            metadata=self.metadata(),
            spec=apps.v1.DeploymentSpecArgs(
                replicas=replicas, strategy=strategy, selector=self._selector(), template=self._template(run)
            ),
            opts=self.child(after=after),
        )

    def job(
        self, run: Pod, *, name: pulumi.Input[str], after: Sequence[pulumi.Resource] = ()
    ) -> batch.v1.Job:
        """Work that is done once per `name`, within two hours, when what is in `after` is well."""
        return batch.v1.Job(
            f"{self._logical}-job",
            metadata=self.metadata(name),
            spec=batch.v1.JobSpecArgs(
                backoff_limit=20,
                active_deadline_seconds=2 * 3600,
                template=self._template(run, restart="OnFailure"),
            ),
            opts=self.child(after=after),
        )

    def cron_job(
        self, run: Pod, *, schedule: str, by_hand: bool = False, kept: int | None = None
    ) -> batch.v1.CronJob:
        """Work that repeats and never overlaps. `by_hand`: it waits for a Job that somebody makes from it. `kept`: seconds
        after which a Job that has ended goes, with the volumes of its pod."""
        return batch.v1.CronJob(
            f"{self._logical}-schedule",
            metadata=self.metadata(),
            spec=batch.v1.CronJobSpecArgs(
                schedule=schedule,
                suspend=True if by_hand else None,
                concurrency_policy="Forbid",
                starting_deadline_seconds=300,
                successful_jobs_history_limit=1,
                failed_jobs_history_limit=3,
                job_template=batch.v1.JobTemplateSpecArgs(
                    spec=batch.v1.JobSpecArgs(
                        backoff_limit=0,
                        template=self._template(run, restart="Never"),
                        ttl_seconds_after_finished=kept,
                    )
                ),
            ),
            opts=self.child(),
        )

    def disruption_budget(self) -> policy.v1.PodDisruptionBudget:
        """Let a drain take one pod at a time."""
        return policy.v1.PodDisruptionBudget(
            f"{self._logical}-budget",
            metadata=self.metadata(),
            spec=policy.v1.PodDisruptionBudgetSpecArgs(max_unavailable=1, selector=self._selector()),
            opts=self.child(),
        )

    def _selector(self) -> meta.v1.LabelSelectorArgs:
        return meta.v1.LabelSelectorArgs(match_labels=selector_of(self.daemon.name))

    def _template(self, run: Pod, restart: str | None = None) -> core.v1.PodTemplateSpecArgs:
        return self._site.extensions.of(self.daemon, run).template(
            labels_of(self.daemon.name),
            selector_of(self.daemon.name),
            restart=restart,
            pull_secret=self._site.pull_secret,
            tolerations=self._site.tolerations,
            resolver=self._site.resolvers.get(self.daemon.name),
            priority=self._site.priorities.get(self.daemon.name),
        )
