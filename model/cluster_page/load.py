"""What others leave of the nodes, and who is asked before an object is stored."""

from __future__ import annotations

from collections.abc import Iterator

from model.budget import requested
from model.cluster_page.row import Row, some, unknown
from model.rules.cluster import ClusterFacts
from model.rules.cluster_admission import shown, silent
from model.rules.cluster_room import free, together
from model.settings import Settings
from model.sizing import PROFILES


def load(facts: ClusterFacts) -> Iterator[Row]:
    """Room, and admission webhooks."""
    yield from _room(facts)
    yield from _webhooks(facts)


def _room(facts: ClusterFacts) -> Iterator[Row]:
    """Nothing of nodes that do not tell what they have."""
    if not facts.rooms:
        return
    if facts.taken is None:
        yield unknown("room on the nodes")
        return
    left = together(free(facts.rooms, facts.taken))
    asked = {size: requested(_smallest(size)) for size in PROFILES}
    fitting = [size for size, room in asked.items() if room.cpu <= left.cpu and room.memory <= left.memory]
    least = f"the smallest stack requests {asked['small']}"
    yield Row(
        about="room on the nodes",
        seen=f"{left} of {together(facts.rooms)}",
        verdict="fits" if fitting else "missing",
        then=f"room for kolab:size {', '.join(fitting)}" if fitting else f"{least}: add nodes or memory",
    )


def _smallest(size: str) -> Settings:
    return Settings.model_validate({"mode": "single-node", "domain": "example.org", "size": size})


def _webhooks(facts: ClusterFacts) -> Iterator[Row]:
    if facts.webhooks is None:
        yield unknown("admission webhooks")
        return
    for each in facts.webhooks:
        if silent(each):
            yield Row(
                about="admission webhook",
                seen=f"{each.name}, no pod behind {each.service}",
                verdict="missing",
                then=f"every one of {shown(each)} would be refused: bring {each.service} back, or, if it was left behind, "
                f"kubectl delete {each.configuration}",
            )
    if names := [each.name for each in facts.webhooks if not silent(each)]:
        then = "they see objects of the stack before they are stored, and may change or refuse them"
        yield Row(about="admission webhooks", seen=some([*dict.fromkeys(names)]), verdict="fits", then=then)
