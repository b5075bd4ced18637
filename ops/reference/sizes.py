"""docs/reference/sizes.md: what the stack asks of a cluster, from the sizes that it requests."""

from __future__ import annotations

from fractions import Fraction

from model.sizing import DEFAULTS, PROFILES
from model.types import bytes_of
from ops.reference.markdown import code, page, table

_INTRODUCTION = """\
What containers request by default, and the memory at which they are ended. `kolab:resources` changes any of them. The
sum counts each container once, as on a single node without a virus scanner; Jobs that end are left out. In cluster mode
each further replica adds its own row again, and a node may die only if the others have room for what ran on it."""

_DURATIONS = """\
## Durations

| what | how long |
| --- | --- |
| the first `make up` on a machine | two minutes for packages; four to six more where pulumi must be built |
| a first deployment until all pods are ready | about ten minutes, most of it images and spam rules |
| a preview of a deployed stack | under a minute |
| a dead node is noticed, its pods are replaced | 40 seconds, 5 minutes |
| the world follows a changed record | `dns.ttl` seconds, 3600 by default |
| a DKIM key after it was retired | 11 days |
| senders try again | for four to five days |"""

_PROFILES = """\
## For more people

`kolab:size` says for how many people: these containers differ from the table above. Sessions of IMAP (4Mi each, three for
each person) and at the proxy, Postfix with all of its clients and MariaDB with all of its connections were measured with the
real daemons; the rest is reckoned from what they take for a few people. A preview says what the stack requests in sum and
what the nodes of the cluster offer, and refuses what does not fit."""

_PASSING = ("seed", "roundcube-migrate", "before-migration", "keep-dump", "restore-dump", "amavis-antivirus")


def text() -> str:
    """The page."""
    rows = [(code(name), size.cpu, size.memory, size.memory_limit) for name, size in sorted(DEFAULTS.items())]
    lasting = [size for name, size in DEFAULTS.items() if name not in _PASSING]
    cpu = sum(_cpus(size.cpu) for size in lasting)
    memory = sum(bytes_of(size.memory) for size in lasting) / 1024**3
    limit = sum(bytes_of(size.memory_limit) for size in lasting) / 1024**3
    rows.append(("**sum**", f"**{float(cpu):.1f}**", f"**{memory:.1f}Gi**", f"**{limit:.1f}Gi**"))
    head = ("Container", "CPU", "Memory", "Limit of memory")
    return page("Sizes and durations", _INTRODUCTION, table(head, rows), _PROFILES, _profiles(), _DURATIONS)


def _profiles() -> str:
    rows = [
        (f"{name}, {each.people} people", code(container), size.cpu, size.memory, size.memory_limit)
        for name, each in PROFILES.items()
        for container, size in sorted(each.sizes.items())
    ]
    return table(("`kolab:size`", "Container", "CPU", "Memory", "Limit of memory"), rows)


def _cpus(quantity: str) -> Fraction:
    return Fraction(quantity[:-1]) / 1000 if quantity.endswith("m") else Fraction(quantity)
