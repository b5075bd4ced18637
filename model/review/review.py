"""The review of one change: a verdict, then concern by concern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.deployed import Deployed
from model.identity.snapshot import snapshot
from model.ledger import after as deployed_after
from model.review import cluster_changes, mail_changes, secret_changes
from model.review.change import Change
from model.review.files_changes import files_changes
from model.review.going_back import destroying, going_back
from model.review.item import Item, Level, Section, worst
from model.review.own_lines import own_lines
from model.review.picture import Picture, picture
from model.settings import Settings

__all__ = ["Item", "Level", "Review", "Section", "review"]


@dataclass(frozen=True)
class Review:
    """What a reviewer reads about one stack."""

    stack: str
    sections: tuple[Section, ...]
    picture: Picture | None
    """None where nothing that is drawn changes."""

    @property
    def level(self) -> Level:
        """The verdict."""
        return worst(section.level for section in self.sections)


def review(
    stack: str,
    before: Settings | None,
    after: Settings,
    changes: Sequence[Change],
    *,
    refusals: Sequence[str] = (),
    warnings: Sequence[str] = (),
    secrets: Sequence[str] = (),
    deployed: Sequence[Deployed] = (),
) -> Review:
    """The review of the step from `before`, None for a first deployment, to `after`.

    `refusals` are sentences of rules and of the engine that stop the update; `warnings` those that do not. `secrets`
    are keys of the stack file whose values change. `deployed` are the models that the world may have; where none is
    known, that of `before`.
    """
    possible = tuple(deployed) or ((snapshot(before),) if before else ())
    now = deployed_after(after, possible)
    # The engine tells its steps in the order in which they happen to be ready.
    changes = sorted(changes, key=lambda change: (change.daemon, change.kind, change.name))
    found = [
        Section("Refused", tuple(Item(text, "blocked") for text in refusals)),
        Section("Warnings", tuple(Item(text, "care") for text in warnings)),
    ]
    if before is None:
        found += [
            Section("First deployment", tuple(_first(after))),
            Section("Records", tuple(mail_changes.all_records(after))),
        ]
    else:
        found += [
            Section("Addresses", tuple(mail_changes.addresses(before, after))),
            Section("Stages", tuple(mail_changes.stages(before, after, now))),
            Section("Files", tuple(files_changes(before, after))),
            Section("Records", tuple(mail_changes.records(before, after))),
        ]
    found += [
        Section("Lines of your own", tuple(own_lines(before, after))),
        Section("Secrets", tuple(secret_changes.items(before, after, secrets))),
        Section("Certificates", tuple(cluster_changes.certificates(changes))),
        Section("Pods", tuple(cluster_changes.pods(changes)) if before else ()),
        Section("Data", tuple(cluster_changes.data(changes, after))),
        Section("Images", tuple(cluster_changes.images(changes))),
        Section("Migrations", _migrations(changes)),
        Section("Objects", tuple(cluster_changes.objects(changes))),
    ]
    found = [section for section in found if section.items]
    if found:
        found.append(Section("What receivers would say", tuple(mail_changes.receivers(before, after))))
        back = going_back(before, after, changes, secrets, now) if before else destroying()
        found.append(Section("Going back", () if refusals else tuple(back)))
    return Review(
        stack, tuple(section for section in found if section.items), picture(before, after, changes)
    )


def _migrations(changes: Sequence[Change]) -> tuple[Item, ...]:
    found = tuple(cluster_changes.migrations(changes))
    return (*(cluster_changes.dumps(changes) if found else ()), *found)


def _first(after: Settings) -> list[Item]:
    mode = "one node and one address" if after.single_node else "several nodes, an address per service"
    held = " The world sends no mail here yet: every domain is on hold." if not after.taking else ""
    level: Level = "care" if after.taking else "safe"
    return [Item(f"nothing runs yet; {mode}.{held}", level)]
