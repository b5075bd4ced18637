"""What one stack manages."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import parts as rules
from model.findings import Finding
from model.identity.shards import MOST_HOSTED_DOMAINS
from model.settings import Settings


def scope(settings: Settings) -> Iterator[Finding]:
    """Large installations split their DNS; small ones do not."""
    shard, cloudflare = settings.dns.shard, settings.dns.provider == "cloudflare"
    if settings.scope == "dns":
        if shard is None:
            yield rules.SCOPE_SHARD.found()
        if not cloudflare:
            yield rules.SCOPE_PROVIDER.found()
    elif shard is not None:
        yield rules.SCOPE_SHARD_UNUSED.found()
    if shard is not None and shard.index >= shard.count:
        yield rules.SCOPE_SHARD_RANGE.found(index=shard.index, last=shard.count - 1)
    if settings.scope == "all" and cloudflare and len(settings.hosted_domains) > MOST_HOSTED_DOMAINS:
        yield rules.SCOPE_TOO_LARGE.found(number=len(settings.hosted_domains))


RULES = (scope,)
