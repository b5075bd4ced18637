"""What one stack manages."""

from __future__ import annotations

from collections.abc import Iterator

from model.findings import Finding
from model.identity.shards import MOST_HOSTED_DOMAINS
from model.settings import Settings


def scope(settings: Settings) -> Iterator[Finding]:
    """Large installations split their DNS; small ones do not."""
    shard, cloudflare = settings.dns.shard, settings.dns.provider == "cloudflare"
    if settings.scope == "dns":
        if shard is None:
            yield Finding(
                rule="scope-shard",
                path="kolab:dns.shard",
                problem="is missing with scope dns",
                fix="write shard: {index: 0, count: <number of such stacks>}",
            )
        if not cloudflare:
            yield Finding(
                rule="scope-provider",
                path="kolab:dns.provider",
                problem="is zonefile, which leaves a dns stack nothing to do",
                fix="set it to cloudflare",
            )
    elif shard is not None:
        yield Finding(
            rule="scope-shard",
            path="kolab:dns.shard",
            problem="has a meaning with scope dns only",
            fix="remove it, or set kolab:scope to dns",
        )
    if shard is not None and shard.index >= shard.count:
        yield Finding(
            rule="scope-shard",
            path="kolab:dns.shard.index",
            problem=f"is {shard.index}, but shards are numbered from 0 to {shard.count - 1}",
            fix="count from 0",
        )
    if settings.scope == "all" and cloudflare and len(settings.hosted_domains) > MOST_HOSTED_DOMAINS:
        yield Finding(
            rule="scope-too-large",
            path="kolab:scope",
            problem=f"is all with {len(settings.hosted_domains)} hosted domains: updates would take minutes",
            fix="set it to cluster here, and publish the records from stacks with scope dns (docs/how-to/many-domains.md)",
        )


RULES = (scope,)
