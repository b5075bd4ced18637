"""DNS records at Cloudflare, one resource each.

Least permissions of the API token, for our zones alone: Zone / DNS / Edit. See docs/reference/dns.md.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.cloudflare_api import DnsRecord, DnsRecordDataArgs, Provider
from components.guard import Guard
from model.identity import Record
from model.identity.logical import logical_name
from model.identity.shards import published
from model.names import Names
from model.settings import Settings

_COMMENT_LENGTH = 100
"""Most that every Cloudflare plan keeps of a comment."""


@dataclass(frozen=True, kw_only=True)
class DnsArgs:
    """Inputs of Dns. `policy_server` is what serves the MTA-STS policy: the TXT that names it waits for it.

    `own_mx` is the host of our MX, among those of others.
    """

    records: Mapping[str, Sequence[Record]]
    zone_ids: Mapping[str, str]
    own_mx: str
    policy_server: pulumi.Resource | None = None


class Dns(pulumi.ComponentResource):
    """Everything that this stack publishes in its zones."""

    def __init__(
        self, name: str, guard: Guard, args: DnsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kolab:index:Dns", name, {}, opts)
        for zone, records in args.records.items():
            for record in records:
                self._publish(name, guard, record, zone, args)
        self.register_outputs({})

    def _publish(self, name: str, guard: Guard, record: Record, zone: str, args: DnsArgs) -> None:
        logical = f"{name}-{logical_name(record, args.own_mx)}"
        # Without its MX a domain loses mail within the hour. A null MX says that there is none to lose, and those of
        # others come and go beside ours.
        takes_mail = record.type == "MX" and record.target == args.own_mx
        options = guard.options(self, logical) if takes_mail else pulumi.ResourceOptions(parent=self)
        if args.policy_server is not None and record.name.startswith("_mta-sts."):
            # Senders fetch the policy as soon as they see a new id: it has to be there first (RFC 8461 section 5.1).
            options.depends_on = [args.policy_server]
        DnsRecord(
            logical,
            zone_id=args.zone_ids[zone],
            name=record.name,
            type=record.type,
            ttl=record.ttl,
            # A proxied name shows Cloudflare's addresses, which take no mail.
            proxied=False,
            comment=textwrap.shorten(record.why, _COMMENT_LENGTH, placeholder=" ..."),
            priority=record.priority,
            content=None if record.data else _content(record),
            data=DnsRecordDataArgs(**record.data) if record.data else None,
            opts=options,
        )


def _content(record: Record) -> str:
    """The value as the API takes it: TXT in quoted strings, targets without the final dot."""
    return record.target or record.content


def publish(
    settings: Settings, token: pulumi.Input[str], guard: Guard, policy_server: pulumi.Resource | None
) -> None:
    """Puts the records of this stack into its zones, through a provider of its own."""
    args = DnsArgs(
        records=published(settings),
        zone_ids=settings.dns.zone_ids,
        own_mx=Names.of(settings).mx,
        policy_server=policy_server,
    )
    provider = Provider("dns", api_token=token)
    Dns("dns", guard, args, pulumi.ResourceOptions(providers=[provider]))
