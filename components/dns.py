"""DNS records at Cloudflare, one resource each.

Least permissions of the API token, for our zones alone: Zone / DNS / Edit. See docs/reference/dns.md.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.cloudflare_api import DnsRecord, DnsRecordDataArgs, Provider
from components.guard import Guard
from model.identity import Record
from model.identity.rdata import ROOT
from model.identity.shards import published
from model.settings import Settings

_COMMENT_LENGTH = 100
"""Most that every Cloudflare plan keeps of a comment."""
_ONE_EACH = ("CNAME", "MX", "PTR", "SRV")
"""Types of which a name of ours has one record only."""


@dataclass(frozen=True, kw_only=True)
class DnsArgs:
    """Inputs of Dns. `policy_server` is what serves the MTA-STS policy: the TXT that names it waits for it."""

    records: Mapping[str, Sequence[Record]]
    zone_ids: Mapping[str, str]
    policy_server: pulumi.Resource | None = None


class Dns(pulumi.ComponentResource):
    """Everything that this stack publishes in its zones."""

    def __init__(
        self, name: str, guard: Guard, args: DnsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kolab:index:Dns", name, {}, opts)
        for zone, records in args.records.items():
            for record in records:
                self._publish(name, guard, record, args.zone_ids[zone], args.policy_server)
        self.register_outputs({})

    def _publish(
        self, name: str, guard: Guard, record: Record, zone_id: str, policy_server: pulumi.Resource | None
    ) -> None:
        logical = f"{name}-{logical_name(record)}"
        # Without its MX a domain loses mail within the hour. A null MX says that there is none to lose.
        takes_mail = record.type == "MX" and record.target != ROOT
        options = guard.options(self, logical) if takes_mail else pulumi.ResourceOptions(parent=self)
        if policy_server is not None and record.name.startswith("_mta-sts."):
            # Senders fetch the policy as soon as they see a new id: it has to be there first (RFC 8461 section 5.1).
            options.depends_on = [policy_server]
        DnsRecord(
            logical,
            zone_id=zone_id,
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


def logical_name(record: Record) -> str:
    """A name that stays while the record's value changes, so that an edit is an update and not a new record.

    Types of which a name may have several carry what tells them apart: the kind of text, or the value. These are made
    before the old ones are deleted, so that a name never lacks an address, an issuer or a key in between.
    """
    if record.type == "TXT":
        kind = record.content.strip('"').split(";")[0].split(" ")[0].split("=")
        mark = "-".join(part for part in kind[:2] if len(part) <= 8)
    elif record.type in _ONE_EACH:
        mark = ""
    else:
        mark = hashlib.sha256(record.content.encode()).hexdigest()[:8]
    return "-".join(filter(None, (record.type.lower(), record.name, mark)))


def publish(
    settings: Settings, token: pulumi.Input[str], guard: Guard, policy_server: pulumi.Resource | None
) -> None:
    """Puts the records of this stack into its zones, through a provider of its own."""
    args = DnsArgs(records=published(settings), zone_ids=settings.dns.zone_ids, policy_server=policy_server)
    provider = Provider("dns", api_token=token)
    Dns("dns", guard, args, pulumi.ResourceOptions(providers=[provider]))
