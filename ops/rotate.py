"""`ops secrets rotate`: one secret gets another value, which the next update brings to both ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model import rotation
from model.deployed import Deployed
from model.keys import pairs
from model.secrets import Secret, secrets
from model.settings import Settings
from ops.secrets import known, make, refuse_strangers, usable_value
from ops.stacks import Pulumi, StackFile, StackProblem


def rotate(stack: StackFile, pulumi: Pulumi, key: str | None, given: Mapping[str, str]) -> str:
    """Stores a new value for a secret and counts that; says what the next update does. Cut short, it is run again.

    Raises StackProblem, before anything is written, for a secret that is not exchanged like this (model/rotation.py).
    """
    settings, _ = known(stack)
    key = (key or "").removeprefix("kolab:")
    deployed = pulumi.deployed()
    found = _exchanged(stack, settings, key, deployed)
    refuse_strangers(given, stack, [found])
    words = rotation.of(key, settings).words
    if key not in given and rotation.of(key, settings).kind == "given":
        raise StackProblem(
            f"{key} is yours to give: put the new value into a file of this name, and add --from <its folder>; {words}"
        )
    value = usable_value(found, given[key]) if key in given else make(found)
    if value == pulumi.plaintexts()[key]:
        raise StackProblem(f"the value brought in for {key} is the present one")
    counted = settings.rotations.get(key, 0)
    # A rotation that was begun and not yet deployed goes on under its number.
    begun = [each.rotations.get(key, 0) for each in deployed]
    number = max(counted, *(each + 1 for each in begun)) if begun else counted + 1
    # First, so that a run that is cut short leaves nothing that the program takes for an accident.
    pulumi.set_plain(f"rotations.{key}", str(number))
    pulumi.set_secret(key, value)
    for pair in pairs(settings):
        if pair.secret == key:
            pulumi.set_plain(pair.path, pair.derive(value))
    return (
        f"secrets: {key} has a new value in {stack.path.name}; nothing has changed in the cluster yet."
        f" On the next update: {words}. Next: ./kolab pulumi up --stack {stack.name}"
    )


def _exchanged(stack: StackFile, settings: Settings, key: str, deployed: Sequence[Deployed]) -> Secret:
    """The secret to exchange. Raises StackProblem when there is none, or when it is not exchanged like this."""
    needed = {secret.key: secret for secret in secrets(settings) if secret.key in stack.values}
    if key not in needed:
        can = ", ".join(name for name in needed if rotation.of(name, settings).possible)
        said = f"has no secret {key}" if key else "has several secrets"
        raise StackProblem(f"stack {stack.name} {said}; these can be rotated: {can or '(there is none yet)'}")
    how = rotation.of(key, settings)
    if how.kind == "staged":
        raise StackProblem(f"{key} is exchanged in stages: {how.words}")
    if how.kind == "never":
        raise StackProblem(f"{key} is not rotated: {how.words}")
    if rotation.told_apart(settings) and any(not each.secrets for each in deployed):
        raise StackProblem(
            f"stack {stack.name} was deployed last by a version that could not tell one secret from another:"
            f" ./kolab pulumi up --stack {stack.name} first, then rotate"
        )
    return needed[key]
