"""The deployed model: what the world relies on, exported by the stack and read back to judge the next change.

Small enough for a stack output: no record lists, no secrets, one line per domain. The engine drops nulls and makes
all numbers fractions; reading undoes both. `schema` grows when a key changes its meaning or goes; an older model is
brought up to date by `_MIGRATIONS`, one step for each number, so that no stack has to be deployed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from model.version import VERSION

SCHEMA = 2
"""Number of the present form."""


class UnreadableModel(ValueError):
    """What the stack exported last cannot be read; the message is one sentence for the operator."""


class _Part(BaseModel):
    # Keys that a newer release of the same schema added are left unread.
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        hide_input_in_errors=True,
    )


class Mx(_Part):
    """Inbound mail."""

    stage: str
    """live where any domain is, else shadow where any is, else hold."""
    host: str
    """Name that MX records lead to."""


class Sending(_Part):
    """Outbound mail."""

    addresses: tuple[str, ...]
    """Addresses that mail leaves from; none with a relay."""
    announced: tuple[str, ...]
    """These and those that DNS names already for later."""
    relay: str | None = None
    """Host of the smarthost."""


class Spf(_Part):
    """The SPF record of mail domains."""

    sources: tuple[str, ...]
    """Mechanisms that match our mail."""
    all: str
    """Its end."""


class DkimKey(_Part):
    """A key under its selector."""

    stage: str
    """Stage of its life."""
    since: str
    """Day on which the stage began."""
    public_key: str
    """p= of the record."""


class Dmarc(_Part):
    """The policy of mail domains."""

    policy: str
    """p="""
    text: str
    """The whole record."""


class CachedPolicy(_Part):
    """An enforced MTA-STS policy that is served no more, and that senders may still hold."""

    hosts: tuple[str, ...]
    """MX hosts that it allows."""
    max_age: int
    """Seconds that senders keep it."""
    ended: str | None = None
    """Day by which it was served no more; None until a later `since` tells."""


class MtaSts(_Part):
    """The policy that senders keep."""

    stage: str = "none"
    """none, testing, enforce or removing."""
    since: str | None = None
    """Day on which the stage began."""
    max_age: int = 0
    """Seconds that senders keep it."""
    others: tuple[str, ...] = ()
    """MX hosts of somebody else that it allows beside ours."""
    id: str | None = None
    """Its id in DNS."""
    cached: tuple[CachedPolicy, ...] = ()
    """Enforced ones of before that senders may still hold."""


class Tlsa(_Part):
    """Keys of port 25 that DNS names."""

    current: str
    """Hash of the key in use."""
    next: str | None = None
    """Hash of the key that follows, or of the one before."""

    @property
    def hashes(self) -> frozenset[str]:
        """All keys that senders accept."""
        return frozenset(filter(None, (self.current, self.next)))


class Deployed(_Part):
    """One deployed stack as the world knows it."""

    CURRENT: ClassVar[int] = SCHEMA

    schema_number: int = Field(default=SCHEMA, alias="schema")
    """Form of this model."""
    version: str = VERSION
    """Version of the project that exported it; "" when it is older than versions are."""
    domain: str
    """Primary mail domain."""
    domains: tuple[str, ...]
    """All mail domains."""
    foreign: tuple[str, ...] = ()
    """Those in zones of other people."""
    ttl: int
    """Seconds that resolvers keep records."""
    mx: Mx
    """Inbound mail."""
    stages: Mapping[str, str] = {}
    """Domain -> its stage, where that is another."""
    helo: str
    """Name that Postfix introduces itself by."""
    addresses: Mapping[str, tuple[str, ...]]
    """Public Service -> addresses that the world uses."""
    egress: Sending
    """Outbound mail."""
    spf: Spf
    """SPF."""
    dkim: Mapping[str, DkimKey]
    """Selector -> key."""
    dmarc: Dmarc
    """DMARC."""
    mta_sts: MtaSts
    """MTA-STS."""
    policies: Mapping[str, MtaSts] = {}
    """Domain -> its MTA-STS policy, where that is its own."""
    dmarc_policies: Mapping[str, str] = {}
    """Domain -> p= of its DMARC policy, where that is another."""
    mariadb: str = "10.5"
    """Release of MariaDB whose data there are; "" where somebody else runs it."""
    tls: str
    """Who issues the certificates."""
    tlsa: Tlsa | None = None
    """DANE; None when nothing is published."""
    acknowledged: tuple[tuple[str, str, str], ...] = ()
    """Rule, subject and reason of the exceptions that have served: from rules about changes, and for data that is gone."""
    secrets: Mapping[str, str] = {}
    """Secret -> fingerprint of its value, which gives none away (model/rotation.py); empty before releases that kept any."""
    rotations: Mapping[str, int] = {}
    """Secret -> how often it was rotated."""
    files: str = "minio"
    """kolab:files.engine, none where no server of this stack keeps files; releases that did not say had MinIO."""

    @property
    def signing(self) -> str | None:
        """Selector of the key that signs."""
        return next((name for name, key in self.dkim.items() if key.stage == "active"), None)

    def stage_of(self, domain: str) -> str:
        """Whether mail of `domain` may arrive here: hold, shadow or live; hold for one that is none of ours."""
        return self.stages.get(domain, self.mx.stage) if domain in self.domains else "hold"

    @property
    def taking(self) -> frozenset[str]:
        """Domains whose mail may arrive here."""
        return frozenset(domain for domain in self.domains if self.stage_of(domain) != "hold")

    @property
    def live(self) -> frozenset[str]:
        """Domains whose mail is led here, with policies of ours."""
        return frozenset(domain for domain in self.domains if self.stage_of(domain) == "live")

    def dmarc_of(self, domain: str) -> str:
        """p= of the DMARC policy of `domain`."""
        return self.dmarc_policies.get(domain, self.dmarc.policy)

    def seen_by(self, domain: str) -> Deployed:
        """What senders to one domain know: its MX and its MTA-STS policy, as if there were no other domain."""
        here = (domain,) if domain in self.domains else ()
        policy = self.policies.get(domain, self.mta_sts) if here else MtaSts()
        return self._about(here, self.stage_of(domain), policy)

    def sharing(self, apart: Collection[str]) -> Deployed:
        """What senders to all domains but those `apart` know, which have one MTA-STS policy."""
        if not apart:
            return self
        domains = tuple(domain for domain in self.domains if domain not in apart)
        stages = {self.stage_of(domain) for domain in domains}
        stage = next((each for each in ("live", "shadow") if each in stages), "hold")
        return self._about(domains, stage, self.mta_sts)

    def _about(self, domains: tuple[str, ...], stage: str, policy: MtaSts) -> Deployed:
        stages = {d: s for d in domains if (s := self.stage_of(d)) != stage}
        mx = self.mx.model_copy(update={"stage": stage})
        changes = {"domains": domains, "stages": stages, "mx": mx, "mta_sts": policy, "policies": {}}
        return self.model_copy(update=changes)

    def exported(self) -> dict[str, Any]:
        """As a stack output: plain JSON."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def read(cls, output: Mapping[str, Any] | None) -> Deployed | None:
        """What a stack exported, of any release up to this one; None before the first deployment.

        Raises UnreadableModel for one of a later schema, and for one that is damaged.
        """
        if not output:
            return None
        found = _whole(output)
        number = found.get("schema", 1)
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise UnreadableModel(_damaged("schema: must be a number from 1"))
        if number > SCHEMA:
            raise UnreadableModel(
                f"the stack was last deployed by version {found.get('version', 'unknown')} of this program, whose deployed"
                f" model has schema {number}; this is version {VERSION}, which reads up to {SCHEMA}."
                " Fix: check out that version or a later one"
            )
        for migrate in _MIGRATIONS[number - 1 :]:
            found = migrate(found)
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise UnreadableModel(_damaged(f"{where}: {first['msg']}")) from None


def _damaged(fault: str) -> str:
    return (
        f"the stack output `model` cannot be read: {fault}."
        " Fix: restore the state from a backup (./kolab pulumi stack export --version <n> shows an earlier one)"
    )


def _from_mapping(old: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 was a plain mapping, whose `version` was the schema's, and `egress` named its kind."""
    egress = {key: value for key, value in old.get("egress", {}).items() if key != "mode"}
    return {**old, "schema": 2, "version": "", "egress": egress}


_MIGRATIONS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (_from_mapping,)
"""Each brings a model from one schema to the next."""


def _whole(value: Any) -> Any:
    """The engine makes all numbers fractions."""
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
