"""The shipped examples as stack files of the lab, and the world around them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from model.identity import Record
from model.identity.rdata import TXT
from model.settings import EgressNodes, Settings
from tests.acceptance.given import TAG, Facts
from tests.engine.stacks import example
from tests.lab.images.contract import LAB_TAG
from tests.lab.images.keys import dkim_record

MODES = ("single-node", "cluster")
NODES = {"n1": "198.51.100.11", "n2": "198.51.100.12"}
"""Nodes of the lab, and what the internet sees of each."""


LATER = "later.example"
"""Has its records from the beginning; the web application learns of it in the operator's day (test_the_day.py)."""
_BIG = ("mariadb", "webapp", "imap", "amavis", "roundcube", "collabora", "meet")
"""What asks for much."""
MOVABLE = ("database", "redis", "files")
"""Volumes that may follow their daemon to another node, in cluster mode."""


def for_lab(mode: str) -> dict[str, Any]:
    """The example of a mode with the lab's addresses, sizes and source of certificates; keys without `kolab:`."""
    config = example(f"Pulumi.{mode}")
    for key in config["mail"]["dkim"]["selectors"].values():
        key["publicKey"] = "AAAA"
    config["hostedDomains"] = ["example.net", LATER] if mode == "single-node" else ["example.net"]
    config["kubernetes"] = {"context": "lab", "clusterIdentifier": "lab"}
    config["dns"] = {
        "provider": "zonefile",
        "zones": dict.fromkeys(("example.org", *config["hostedDomains"]), ""),
        "nameservers": {"ns1.example.com": [], "ns2.example.com": []},
        "dnssec": True,
    }
    config["tls"] = {"issuer": "selfSigned"}
    config["images"] = {"tag": os.environ.get(TAG) or LAB_TAG}
    config["storage"] = {"accessMode": "ReadWriteOnce", "mailboxes": {"size": "1Gi"}}
    if mode == "cluster":
        # Either node has room for everything, as in any cluster that shall survive one of them.
        config["resources"] = {name: {"cpu": "50m"} for name in _BIG}
        # Mailboxes and queues stay on the default class: their node's own disk, so that both ways to die are there.
        config["storage"] |= {volume: {"size": "1Gi", "storageClass": "movable"} for volume in MOVABLE}
    config["network"] |= {"podCidr": "10.244.0.0/16", "serviceCidr": "10.96.0.0/16"} | _addresses(mode)
    # The hashes follow the keys that the stack is given.
    config["tlsa"] = {"current": "00" * 32, "next": "11" * 32}
    config["acknowledge"] = [{"rule": "address-private", "reason": "the lab is a closed network"}]
    # No sender of the world would trust the lab's authority, so no policy may ask for it.
    config["mail"] |= {"mx": {"stage": "live"}, "dmarc": {"policy": "quarantine"}}
    config["mail"].pop("mtaSts", None)
    # Below the score of the message that every SpamAssassin knows, above all that others of ours make.
    config["mail"]["spam"] = {"quarantineAt": 900}
    if mode == "single-node":
        config["mail"]["dkim"]["selectors"]["k202611"]["stage"] = "active"
        # As stacks of before have it, so that either release is there.
        del config["mariadb"]
    return config


def for_given(facts: Facts) -> dict[str, Any]:
    """The same stack on a cluster that the user already has: only single-node."""
    config = for_lab("single-node")
    config["kubernetes"] = {"context": facts.context, "clusterIdentifier": "acceptance"}
    config["images"] = {"tag": facts.tag}
    config["network"] |= {
        "podCidr": facts.pods,
        "serviceCidr": facts.services,
        "addresses": {"all": facts.address},
        # What the world sees of the cluster is not known; nobody of the world is asked.
        "egress": {"mode": "nodes", "nodes": {facts.node: [facts.address]}},
    }
    return config


def _addresses(mode: str) -> dict[str, Any]:
    if mode == "single-node":
        return {
            "addresses": {"all": "192.168.50.200"},
            "egress": {"mode": "nodes", "nodes": {"n1": [NODES["n1"]]}},
        }
    services = ("proxy", "smtp", "turn", "sieve", "meet")
    return {
        "addresses": {service: f"192.168.50.{200 + number}" for number, service in enumerate(services)},
        "public": {},
        "egress": {"mode": "nodes", "nodes": {node: [address] for node, address in NODES.items()}},
    }


def egress(settings: Settings) -> dict[str, str]:
    """Node -> the address that the stack file says mail leaves with; other nodes cannot reach the internet."""
    found = settings.network.egress
    assert isinstance(found, EgressNodes)
    return {node: str(addresses[0]) for node, addresses in found.nodes.items()}


HEAD = """\
$TTL 60
@ IN SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60
@ IN NS ns.invalid.
"""
"""Of a zone whose server is the root's own, by the name that the root knows: a resolver that starts at the root finds no other."""

STRANGERS_SELECTOR = "mail"
STRANGERS_KEY = (Path(__file__).parent / "stranger.pem").read_text()
"""What sender.test signs with. A fixed key, since resolvers keep its record longer than a run of the tests lasts."""

STRANGERS = {
    "sender.test": HEAD
    + f"{Record(f'{STRANGERS_SELECTOR}._domainkey.sender.test', TXT(dkim_record(STRANGERS_KEY)), 60)}\n"
    + """\
@ IN MX 10 client.sender.test.
@ IN TXT "v=spf1 ip4:203.0.113.9 -all"
client IN A 203.0.113.9
laptop IN A 203.0.113.9
""",
    "receiver.test": HEAD
    + """\
@ IN MX 10 mail.receiver.test.
@ IN TXT "v=spf1 ip4:203.0.113.9 -all"
mail IN A 203.0.113.9
""",
    "provider.test": HEAD
    + """\
@ IN TXT "v=spf1 ip4:203.0.113.9 -all"
smtp IN A 203.0.113.9
backup IN A 203.0.113.9
hooks IN A 203.0.113.9
bucket IN A 203.0.113.9
""",
    "113.0.203.in-addr.arpa": HEAD + "9 IN PTR client.sender.test.\n",
}
"""Zones of whoever writes to us and whom we write to: one host with all the records that a decent sender has."""


def reverse_zones(records: Iterable[Record]) -> dict[str, str]:
    """Zones with the PTR records that the stack asks the owner of its addresses for."""
    found: dict[str, str] = {}
    for record in records:
        zone = record.name.partition(".")[2]
        found[zone] = found.get(zone, HEAD) + f"{record}\n"
    return found
