"""The ledger of what was deployed: an entry in the state of the stack for each model that the world may have a part of.

Whatever a model describes depends on its entry (components/ledger.py). So the engine makes the entry first, refuses to
touch a part of a model whose entry `--target` leaves out, and deletes an entry last, when nothing depends on it: an
update that failed, was stopped, or left something out leaves the entries of both models behind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from model.deployed import Deployed
from model.identity.cached_policies import remembered
from model.identity.logical import logical_name
from model.identity.shards import published
from model.identity.snapshot import snapshot
from model.names import Names
from model.rules.acknowledgements import Key
from model.settings import Settings

ENTRY = "pulumi:index:Stash"
"""Type of an entry: what the engine keeps as it was made."""
PREFIX = "model-"
"""How the names of entries begin."""
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
"""Type of a record at the provider."""
RECORDS_OF = "dns"
"""How the names of records begin: the component that they belong to."""


class Resource(NamedTuple):
    """A resource in the state of the stack."""

    type: str
    name: str
    """Logical name."""
    outputs: Mapping[str, Any]
    address: str = ""
    """The end of its URN: the types of all that it stands in, and its name."""


@dataclass(frozen=True)
class Entry:
    """What one update means to make."""

    model: Deployed
    before: tuple[Deployed, ...]
    """What the world may have had when it began."""
    records: str
    """Digest of the names of its records at the provider."""

    @classmethod
    def of(
        cls,
        settings: Settings,
        possible: Sequence[Deployed],
        *,
        secrets: Mapping[str, str] | None = None,
        ended: Sequence[Key] = (),
    ) -> Entry:
        """The entry of this stack file, with the fingerprints of its secrets and the exceptions that have served."""
        model = after(settings, possible)
        beside = {"secrets": dict(secrets or {}), "acknowledged": (*model.acknowledged, *ended)}
        return cls(model.model_copy(update=beside), tuple(possible), _digest(_names(settings)))

    @property
    def name(self) -> str:
        """Its logical name: another model, or other records, have another entry."""
        return f"{PREFIX}{_digest([json.dumps(_unversioned(self.model), sort_keys=True), self.records])[:10]}"

    def exported(self) -> dict[str, Any]:
        """As the engine keeps it: plain JSON."""
        return {
            "model": self.model.exported(),
            "before": [each.exported() for each in self.before],
            "records": self.records,
        }


def after(settings: Settings, possible: Sequence[Deployed]) -> Deployed:
    """The deployed model of this stack file, whichever of the `possible` ones it follows: all their policies may be held."""
    return remembered(snapshot(settings), possible)


def possible(
    resources: Iterable[Resource], exported: Mapping[str, Any] | None, *, whole: bool = True
) -> tuple[Deployed, ...]:
    """The models that the world may have a part of; one where the last update did all that it meant, none before the first.

    `resources` is the state of the stack and `exported` its output `model`, which is written when everything is made,
    and stands alone in the state of an earlier release. `whole` is False where only a part of the state is known.
    Raises UnreadableModel.
    """
    state = list(resources)
    entries = _in_order(
        [_output(each) for each in state if each.type == ENTRY and each.name.startswith(PREFIX)]
    )
    made = _digest(each.name.removeprefix(f"{RECORDS_OF}-") for each in state if each.type == RECORD)
    complete = not whole or (len(entries) == 1 and entries[0].get("records") == made)
    outputs = [
        exported,
        *(model for entry in entries if not complete for model in entry.get("before") or ()),
        *(entry.get("model") for entry in entries),
    ]
    found: dict[str, Deployed] = {}
    for model in map(Deployed.read, outputs):
        if model is not None:
            found[json.dumps(_unversioned(model), sort_keys=True)] = model
    return tuple(found.values())


def _output(entry: Resource) -> Mapping[str, Any]:
    # `input` is what the last update gave, `output` what the entry was made with.
    found = entry.outputs.get("output")
    return found if isinstance(found, Mapping) else {}


def _in_order(entries: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The latest last: it knows those that it followed."""
    return sorted(
        entries, key=lambda e: -sum(e.get("model") in (other.get("before") or ()) for other in entries)
    )


def _unversioned(model: Deployed) -> dict[str, Any]:
    return model.exported() | {"version": ""}


def _names(settings: Settings) -> Iterator[str]:
    if settings.dns.provider != "cloudflare":
        return
    own = Names.of(settings).mx
    for records in published(settings).values():
        yield from (logical_name(record, own) for record in records)


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()
