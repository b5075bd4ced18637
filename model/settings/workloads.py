"""What runs, from which images, how often and how large."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from model.settings.base import Section
from model.texts import DaemonName, ObjectName, Registry, Tag
from model.types import Cpu, Memory

Pods = Annotated[int, Field(ge=1, le=50)]


class ImagesRegistry(Section):
    """Where images come from."""

    registry: Registry = "quay.io/apheleiait/kolab"
    """Prefix of the Kolab images; point it at a mirror for a closed network."""
    mirror: Registry | None = None
    """Prefix put before every other image (docker.io/..., quay.io/...), for a closed network."""
    tag: Tag = "latest"
    """Tag of the Kolab images; upstream publishes only `latest`. Nodes that have it never ask for it again: pin digests."""
    digests: dict[DaemonName, Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]] = {}
    """Image name (postfix, imap, versitygw, ...) -> digest; wins over the tag. A stack that is deployed has one of each image."""
    pull_secret: ObjectName | None = None
    """Existing pull Secret."""


class Features(Section):
    """Optional parts."""

    meet: bool = True
    """Video conferences."""
    turn: bool = True
    """TURN relay for Meet clients behind strict firewalls."""
    office: bool = True
    """Collabora."""
    files: bool = True
    """File storage (kolab:files, or another S3)."""
    activesync: bool = True
    """ActiveSync for mobile devices (Syncroton): one PHP worker per waiting device."""


class Replicas(Section):
    """Pods of what may run more than once. single-node mode runs one of each."""

    proxy: Pods = 2
    """nginx."""
    webapp: Pods = 2
    """Octane."""
    roundcube: Pods = 2
    """Webmail, ActiveSync, Chwala."""
    postfix: Pods = 2
    """Postfix with Amavis, each with a queue of its own."""


class MeetMedia(Section):
    """Size of Meet."""

    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Media workers; each opens one port from 44444 upwards, UDP and TCP."""


class Resources(Section):
    """CPU and memory of one daemon. The memory limit equals the request unless given."""

    cpu: Cpu | None = None
    """Requested CPU."""
    memory: Memory | None = None
    """Requested memory."""
    memory_limit: Memory | None = None
    """Limit of memory."""
