"""vector: reads the pods' log files on every node. What becomes of a line is decided in model/monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi
from pulumi_kubernetes import apps, core, meta, rbac

from components.containers import Build, Container, Mount, Privileges, Probe, from_config
from components.daemon import DaemonComponent, Site
from components.labels import labels_of
from components.pods import Pod
from model import topology
from model.monitoring.vector import DATA, NODE_LOGS, PATH

_PRIVILEGES = Privileges(
    uid=0,
    gid=0,
    read_only_root=True,
    reason="the container runtime writes log files for root alone; as their owner it needs no capability",
)


@dataclass(frozen=True, kw_only=True)
class VectorArgs:
    """Inputs of Vector. `cluster_name` names what the namespace cannot hold: its cluster role and its node folder."""

    build: Build
    cluster_name: str
    configuration: str
    flags: Sequence[str]
    se_linux_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class _OnItsNode(Container):
    """A container that is told which node it runs on."""

    def spec(self) -> core.v1.ContainerArgs:
        made = super().spec()
        source = core.v1.EnvVarSourceArgs(
            field_ref=core.v1.ObjectFieldSelectorArgs(field_path="spec.nodeName")
        )
        made.env = [core.v1.EnvVarArgs(name="VECTOR_SELF_NODE_NAME", value_from=source)]
        return made


class Vector(DaemonComponent):
    """One collector on each node, in the namespace of the logs. Its counters are at topology.VECTOR."""

    def __init__(
        self, name: str, site: Site, args: VectorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.VECTOR, name, site, opts)
        config = self.config("config", {"vector.yaml": args.configuration})
        account = self._account(args)
        # Prometheus must find every pod: each counts only the lines of its own node.
        self.serve(headless=self.daemon.name)
        answers = Probe(http="/metrics", port="metrics", period=20, timeout=10, failures=6)
        container = _OnItsNode(
            name="vector",
            build=args.build,
            privileges=replace(_PRIVILEGES, se_linux_type=args.se_linux_type),
            args=args.flags,
            mounts=[
                from_config("config", PATH, config),
                _from_node("logs", NODE_LOGS, "Directory", read_only=True),
                # How far each file was read. With the pod's life it would be forgotten, and all lines counted again.
                _from_node("data", DATA, "DirectoryOrCreate", at=f"/var/lib/{args.cluster_name}"),
            ],
            ports=self.daemon.ports,
            startup=answers.until_up(120),
            readiness=answers,
            liveness=answers,
        )
        self._on_every_node(Pod(containers=[container], grace=60, service_account=account))
        self.register_outputs({})

    def _account(self, args: VectorArgs) -> pulumi.Output[str]:
        """The only pod with a token: it asks the API which pod, with which labels, a log file belongs to.

        vector watches the pods of its node across all namespaces and filters afterwards, so a role of one namespace
        would not do. The API cannot show labels alone, so it may read whole pods, namespaces and nodes, and change
        nothing. It sees no Secret, and the pods of this stack hold none in their specs.
        """
        account = core.v1.ServiceAccount(
            f"{self._logical}-account",
            metadata=self.metadata(),
            automount_service_account_token=False,
            opts=self.child(),
        )
        everywhere = meta.v1.ObjectMetaArgs(name=args.cluster_name, labels=labels_of(self.daemon.name))
        role = rbac.v1.ClusterRole(
            f"{self._logical}-reader",
            metadata=everywhere,
            rules=[
                rbac.v1.PolicyRuleArgs(
                    api_groups=[""], resources=["namespaces", "nodes", "pods"], verbs=["list", "watch"]
                )
            ],
            opts=self.child(),
        )
        rbac.v1.ClusterRoleBinding(
            f"{self._logical}-reads",
            metadata=everywhere,
            role_ref=rbac.v1.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=role.metadata.name
            ),
            subjects=[
                rbac.v1.SubjectArgs(
                    kind="ServiceAccount", name=account.metadata.name, namespace=self._site.namespace
                )
            ],
            opts=self.child(),
        )
        return account.metadata.name

    def _on_every_node(self, run: Pod) -> None:
        apps.v1.DaemonSet(
            f"{self._logical}-pods",
            metadata=self.metadata(),
            spec=apps.v1.DaemonSetSpecArgs(selector=self._selector(), template=self._template(run)),
            opts=self.child(),
        )


def _from_node(volume: str, path: str, kind: str, *, at: str | None = None, read_only: bool = False) -> Mount:
    source = core.v1.HostPathVolumeSourceArgs(path=at or path, type=kind)
    return Mount(volume, path, {"host_path": source}, read_only=read_only)
