"""What others write and we read: manifests, configurations, answers of registries, files of logins.

Each kind of document is read in one place, by `read`, which takes any bytes at all: what is not the document ends in
one StackProblem. Only what is used here stands in a model; whatever else a document has is let be.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from ops.stacks import StackProblem

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)

Digest = Annotated[str, Field(pattern=r"^[a-z0-9]+([+._-][a-z0-9]+)*:[A-Za-z0-9=_-]{1,256}$")]
"""OCI image specification 1.1, descriptor.md, "Digests"."""


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds signs that cannot be printed")
    return text


Line = Annotated[str, Field(max_length=1000), AfterValidator(_one_line)]
"""Text that is shown to operators, or becomes part of a request."""


_NONE = BeforeValidator(lambda given: given or ())
"""Go's encoder writes null for a list that is empty."""


class Document(BaseModel):
    """One kind of foreign document."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Platform(Document):
    """A machine for which an image is made."""

    os: Line = "unknown"
    architecture: Line = "unknown"

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"


class Defaults(Document):
    """What a container of an image has where nobody says otherwise (config.md, "config")."""

    variables: Annotated[tuple[str, ...], _NONE] = Field((), alias="Env")
    folder: str | None = Field(None, alias="WorkingDir")


class Configuration(Platform):
    """The configuration of an image (config.md)."""

    config: Defaults | None = None


class Descriptor(Document):
    """What a manifest says of one of its parts."""

    digest: Digest
    kind: str = Field("", alias="mediaType")
    platform: Platform | None = None


class SingleImage(Document):
    """The manifest of one image (manifest.md)."""

    config: Descriptor
    layers: Annotated[tuple[Descriptor, ...], _NONE] = ()

    @property
    def parts(self) -> tuple[Descriptor, ...]:
        """All that it consists of."""
        return (self.config, *self.layers)


class Index(Document):
    """A list of images, one for each platform, or of such lists (image-index.md)."""

    manifests: tuple[Descriptor, ...]

    @property
    def parts(self) -> tuple[Descriptor, ...]:
        """All that it consists of."""
        return self.manifests


class Token(Document):
    """The answer of a token server (https://distribution.github.io/distribution/spec/auth/token/)."""

    token: str | None = None
    access_token: str | None = None


class Tags(Document):
    """One page of the tags of a repository (distribution specification, "Listing Tags")."""

    tags: Annotated[tuple[Line, ...], _NONE] = ()


class HelpersLogin(Document):
    """What a credential helper prints (https://github.com/docker/docker-credential-helpers)."""

    user: str = Field(alias="Username")
    secret: str = Field(alias="Secret", min_length=1)


class StoredLogin(Document):
    """One entry of `auths`. What is absent, empty or null says nothing."""

    auth: str | None = None
    identitytoken: str | None = None


class Logins(Document):
    """A file of logins. An entry is read only when it is asked for: another one's fault is none of this image."""

    auths: dict[str, JsonValue] | None = None
    helpers: dict[str, str | None] | None = Field(None, alias="credHelpers")
    store: str | None = Field(None, alias="credsStore")


class Names(Document):
    """Annotations of an image in a layout."""

    name: str = Field(alias="org.opencontainers.image.ref.name")


class Bundled(Document):
    """An image in a layout."""

    digest: Digest
    annotations: Names


class Bundle(Document):
    """index.json of a layout (image-layout.md)."""

    manifests: tuple[Bundled, ...]


Kind = TypeVar("Kind", bound=Document)


def read(kind: type[Kind], content: bytes | str, complaint: str, hint: str) -> Kind:
    """The document in `content`. Raises StackProblem: the `complaint`, where the document is wrong, and the `hint`.

    What stands there is never repeated: it may be a secret, or a page of HTML.
    """
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise StackProblem(f"{complaint} ({_where(error)}): {hint}") from None


def understood(kind: type[Kind], value: JsonValue, complaint: str, hint: str) -> Kind:
    """The same for a part of a document that has been read."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise StackProblem(f"{complaint} ({_where(error)}): {hint}") from None


def _where(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return "it is no JSON"
    if first["type"] == "string_pattern_mismatch":
        first["msg"] = "is none"
    place = ".".join(str(step) for step in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{place}: {said}" if place and place.isprintable() else said
