"""What others leave of the nodes, and who is asked before an object is stored."""

from __future__ import annotations

from collections.abc import Iterator

from model.budget import requested
from model.cluster_page.row import PLAIN, Row, Verdict, some, unknown
from model.rules.cluster import ClusterFacts
from model.rules.cluster_admission import Webhook, seen, shown, silent
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
            yield _silent(each)
    if names := [each.name for each in facts.webhooks if not silent(each)]:
        then = "they see objects of the stack before they are stored, and may change or refuse them"
        yield Row(about="admission webhooks", seen=some([*dict.fromkeys(names)]), verdict="fits", then=then)


def _silent(webhook: Webhook) -> Row:
    back = f"bring {webhook.service} back, or, if it was left behind, kubectl delete {webhook.configuration}"
    plain = seen(webhook, PLAIN)
    verdict: Verdict = "missing"
    then = f"every one of {shown(plain)} would be refused: {back}"
    if not plain:
        verdict, then = "fits", f"a stack that makes {shown(webhook.kinds)} would be refused them: {back}"
    elif webhook.conditional:
        verdict, then = "unknown", f"it asks to see some {shown(plain)} only, which would be refused: {back}"
    return Row(
        about="admission webhook",
        seen=f"{webhook.name}, no pod behind {webhook.service}",
        verdict=verdict,
        then=then,
    )
