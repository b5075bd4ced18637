"""Names of images, as a registry is asked for them."""

from __future__ import annotations

from dataclasses import dataclass

from model import images
from model.settings import Settings

DOCKER_HUB = "docker.io"
_DOCKER_HUB_ANSWERS_AT = "registry-1.docker.io"


@dataclass(frozen=True)
class Image:
    """One image of a stack: what its registry calls it, and what runs it."""

    name: str
    """As kolab:images.digests names it."""
    registry: str
    """Host, with the port if there is one, as written."""
    repository: str
    """Path in the registry."""
    tag: str
    digest: str | None
    users: tuple[str, ...]

    @property
    def owner(self) -> str:
        """Who publishes it."""
        return "Kolab" if self.name in images.KOLAB else self.repository.rpartition("/")[0]

    @property
    def host(self) -> str:
        """Where its registry answers."""
        return _DOCKER_HUB_ANSWERS_AT if self.registry == DOCKER_HUB else self.registry

    @property
    def asked(self) -> str:
        """What the tag stands for, in words of messages."""
        return f"{self.registry}/{self.repository}:{self.tag}"


def of(settings: Settings) -> list[Image]:
    """The images that a stack runs."""
    return [_image(settings, name, users) for name, users in images.used(settings).items()]


def _image(settings: Settings, name: str, users: list[str]) -> Image:
    registry, rest = _parted(images.by_tag(settings.images, name))
    repository, _, tag = rest.rpartition(":")
    return Image(name, registry, repository, tag, settings.images.digests.get(name), tuple(users))


def _parted(reference: str) -> tuple[str, str]:
    """Registry and the rest, as nodes read it (containerd by distribution/reference, normalize.go): what stands first is a
    host only if it looks like one, else all of it lies at Docker Hub."""
    first, _, rest = reference.partition("/")
    is_host = "." in first or ":" in first or first == "localhost"
    return (first, rest) if is_host else (DOCKER_HUB, reference)
