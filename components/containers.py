"""Containers that are safe unless one says why it cannot be.

Everything here follows the Pod Security Standard "restricted"; Privileges names each step away from it, with
the reason beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

import pulumi
from pulumi_kubernetes import core

from model.sizing import Size
from model.topology import Port


@dataclass(frozen=True, kw_only=True)
class Privileges:
    """What a container may do. The default is a non-root user with no capability."""

    uid: int = 1001
    gid: int = 0
    capabilities: tuple[str, ...] = ()
    escalation: bool = False
    read_only_root: bool = False
    se_linux_type: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        more = self.uid == 0 or self.capabilities or self.escalation or self.se_linux_type
        if more and not self.reason:
            raise ValueError("a container with more than restricted privileges needs a reason")

    def context(self) -> core.v1.SecurityContextArgs:
        """The container's securityContext."""
        return core.v1.SecurityContextArgs(
            run_as_user=self.uid,
            run_as_group=self.gid,
            run_as_non_root=self.uid != 0,
            allow_privilege_escalation=self.escalation,
            read_only_root_filesystem=self.read_only_root,
            capabilities=core.v1.CapabilitiesArgs(drop=["ALL"], add=list(self.capabilities) or None),
            seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
            se_linux_options=core.v1.SELinuxOptionsArgs(type=self.se_linux_type)
            if self.se_linux_type
            else None,
        )


KOLAB_USER = Privileges()
"""The user of Kolab's OpenShift-style images: uid 1001, group 0, a writable root since they edit their own config."""


@dataclass(frozen=True)
class Mount:
    """A volume and where a container sees it. Containers of one pod share a volume by its name."""

    volume: str
    path: str
    source: Mapping[str, object] = field(default_factory=dict)
    sub_path: str | None = None
    read_only: bool = False


def from_config(
    volume: str, path: str, config: pulumi.Input[str], *, file: str | None = None, mode: int = 0o444
) -> Mount:
    """A ConfigMap as a folder, or one `file` of it at exactly `path`."""
    source = core.v1.ConfigMapVolumeSourceArgs(name=config, default_mode=mode)
    return Mount(volume, path, {"config_map": source}, file, read_only=True)


def from_secret(
    volume: str, path: str, secret: pulumi.Input[str], *, mode: int = 0o440, file: str | None = None
) -> Mount:
    """A Secret as a folder of files."""
    return Mount(
        volume,
        path,
        {"secret": core.v1.SecretVolumeSourceArgs(secret_name=secret, default_mode=mode)},
        file,
        read_only=True,
    )


_PAIR = ("tls.crt", "tls.key")


def from_certificate(volume: str, path: str, secret: pulumi.Input[str]) -> Mount:
    """A kubernetes.io/tls Secret as a folder. A pod does not start before both are in it: where a key of our own waits for its
    certificate, the Secret is there earlier."""
    items = [core.v1.KeyToPathArgs(key=key, path=key) for key in _PAIR]
    source = core.v1.SecretVolumeSourceArgs(secret_name=secret, items=items, default_mode=0o440)
    return Mount(volume, path, {"secret": source}, read_only=True)


def from_secrets(
    volume: str, path: str, secrets: Mapping[str, pulumi.Input[str]], *, mode: int = 0o440
) -> Mount:
    """kubernetes.io/tls Secrets, each in a folder of its own; a folder is empty until its Secret is there."""
    found = [
        core.v1.VolumeProjectionArgs(
            secret=core.v1.SecretProjectionArgs(
                name=secret,
                optional=True,
                items=[core.v1.KeyToPathArgs(key=key, path=f"{folder}/{key}") for key in _PAIR],
            )
        )
        for folder, secret in secrets.items()
    ]
    source = core.v1.ProjectedVolumeSourceArgs(sources=found, default_mode=mode)
    return Mount(volume, path, {"projected": source}, read_only=True)


def from_claim(volume: str, path: str, claim: pulumi.Input[str]) -> Mount:
    """Persistent data."""
    return Mount(
        volume,
        path,
        {"persistent_volume_claim": core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=claim)},
    )


def from_template(volume: str, path: str, part: str) -> Mount:
    """Folder `part` of a replica's own volume: the StatefulSet's claim template has the volume's name."""
    return Mount(volume, path, sub_path=part)


def scratch(volume: str, path: str, size: str = "256Mi") -> Mount:
    """Space that is lost with the pod."""
    return Mount(volume, path, {"empty_dir": core.v1.EmptyDirVolumeSourceArgs(size_limit=size)})


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One check of the kubelet. Periods and timeouts are in seconds."""

    http: str | None = None
    tcp: bool = False
    command: Sequence[str] = ()
    port: str | int = "http"
    headers: Mapping[str, str] = field(default_factory=dict)
    period: int = 10
    timeout: int = 3
    failures: int = 3

    def until_up(self, seconds: int, *, every: int = 2) -> Probe:
        """The same check for a container that starts, for at least so many seconds.

        Until it passes nobody is served, so it is asked often: a restarted Cyrus that is ready does not wait for the
        next of its usual checks. The kubelet asks one after the other, so `timeout` may be longer than `every`.
        """
        return replace(self, period=every, failures=ceil(seconds / every))

    def args(self) -> core.v1.ProbeArgs:
        """The probe as Kubernetes writes it."""
        run = get = connect = None
        if self.command:
            run = core.v1.ExecActionArgs(command=list(self.command))
        elif self.tcp:
            connect = core.v1.TCPSocketActionArgs(port=self.port)
        else:
            headers = [core.v1.HTTPHeaderArgs(name=k, value=v) for k, v in self.headers.items()]
            get = core.v1.HTTPGetActionArgs(path=self.http, port=self.port, http_headers=headers or None)
        return core.v1.ProbeArgs(
            exec_=run,
            http_get=get,
            tcp_socket=connect,
            period_seconds=self.period,
            timeout_seconds=self.timeout,
            failure_threshold=self.failures,
        )


@dataclass(frozen=True, kw_only=True)
class Build:
    """What a container runs, and with how much CPU and memory."""

    image: str
    size: Size


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a pod."""

    name: str
    build: Build
    privileges: Privileges = KOLAB_USER
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[pulumi.Input[str]] = ()
    """Secrets whose every key becomes an environment variable."""
    mounts: Sequence[Mount] = ()
    ports: Sequence[Port] = ()
    host_ports: Mapping[str, int] = field(default_factory=dict)
    startup: Probe | None = None
    readiness: Probe | None = None
    liveness: Probe | None = None
    pre_stop: Sequence[str] = ()
    says_why: bool = False
    """Whether the end of its log is the reason of its failure, so that whoever waits for it reads that."""

    def at_rest(self, task: str) -> Container:
        """The same container doing `task` (KOLAB_TASK, components/scripts/adjust.sh) instead of its work: it serves nobody."""
        return replace(
            self,
            env={**self.env, "KOLAB_TASK": task},
            ports=(),
            startup=None,
            readiness=None,
            liveness=None,
            pre_stop=(),
        )

    def spec(self) -> core.v1.ContainerArgs:
        """The container as Kubernetes writes it."""
        hook = core.v1.LifecycleHandlerArgs(exec_=core.v1.ExecActionArgs(command=list(self.pre_stop)))
        return core.v1.ContainerArgs(
            name=self.name,
            image=self.build.image,
            # Never "Always", the default of the tag latest: a restart brings in no other image.
            image_pull_policy="IfNotPresent",
            command=list(self.command) or None,
            args=list(self.args) or None,
            env=[core.v1.EnvVarArgs(name=k, value=v) for k, v in self.env.items()] or None,
            env_from=[
                core.v1.EnvFromSourceArgs(secret_ref=core.v1.SecretEnvSourceArgs(name=secret))
                for secret in self.secrets
            ]
            or None,
            ports=[
                core.v1.ContainerPortArgs(
                    name=p.name,
                    container_port=p.number,
                    protocol=p.protocol,
                    host_port=self.host_ports.get(p.name),
                )
                for p in self.ports
            ]
            or None,
            resources=core.v1.ResourceRequirementsArgs(
                requests={"cpu": self.build.size.cpu, "memory": self.build.size.memory},
                limits={"memory": self.build.size.memory_limit},
            ),
            security_context=self.privileges.context(),
            volume_mounts=[
                core.v1.VolumeMountArgs(
                    name=m.volume, mount_path=m.path, sub_path=m.sub_path, read_only=m.read_only or None
                )
                for m in self.mounts
            ]
            or None,
            startup_probe=self.startup.args() if self.startup else None,
            readiness_probe=self.readiness.args() if self.readiness else None,
            liveness_probe=self.liveness.args() if self.liveness else None,
            termination_message_policy="FallbackToLogsOnError" if self.says_why else None,
            lifecycle=core.v1.LifecycleArgs(pre_stop=hook) if self.pre_stop else None,
        )
