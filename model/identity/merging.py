"""Policies of which a name has one only: what to write into the stack file so that ours keeps what another's says."""

from __future__ import annotations

import json

_TO_SENDERS = {"include": "includes", "ip4": "networks", "ip6": "networks"}
_DMARC_KEYS = {"p": "policy", "sp": "subdomainPolicy", "np": "nonexistentPolicy", "fo": "fo"}


def spf(domain: str, existing: str, planned: str) -> str | None:
    """How to take the senders of an SPF record over, and the record that follows; None when there are none.

    Terms that the stack file has no word for (ptr, redirect, and includes and networks with -, ~ or ? before them) are named.
    """
    ours = planned.split()
    others = [term for term in existing.split()[1:] if term not in ours and not _ends(term)]
    senders: dict[str, list[str]] = {}
    strange = []
    taken = []
    for term in others:
        name, _, value = term.removeprefix("+").partition(":")
        key = _TO_SENDERS.get(name.lower())
        if name.lower().lstrip("+-~?").partition("/")[0] in ("a", "mx", "exists"):
            senders.setdefault("mechanisms", []).append(term)
            taken.append(term)
        elif key and value:
            senders.setdefault(key, []).append(value)
            taken.append(f"{name.lower()}:{value}")
        else:
            strange.append(term)
    if not others:
        return None
    # Ours ends in ?all while it names nobody else; after this it does.
    end = () if ours[-1] == "?all" else (ours[-1],)
    merged = " ".join((*ours[:-1], *taken, *end)) + ("" if end else " and the end that mail.spfAll says")
    written = (
        f"write kolab:domains.{domain}.senders: {_yaml(senders)} for one record, {merged}, "
        if senders
        else ""
    )
    named = f"name the servers of {', '.join(strange)} in senders.networks, " if strange else ""
    return f"{written}{named}then remove the old one at the provider"


def dmarc(domain: str, existing: str) -> str | None:
    """How to take a DMARC record over; None when it says nothing that the stack file has a word for."""
    tags = {
        key.strip().lower(): value.strip()
        for key, equals, value in (part.partition("=") for part in existing.split(";"))
        if equals
    }
    found: dict[str, str | list[str]] = {
        name: tags[tag].lower() for tag, name in _DMARC_KEYS.items() if tags.get(tag)
    }
    for tag in ("rua", "ruf"):
        uris = (uri.strip().partition("!")[0] for uri in tags.get(tag, "").split(","))
        if addresses := [uri[7:] for uri in uris if uri.lower().startswith("mailto:")]:
            found[tag] = addresses
    if not found:
        return None
    return f"write kolab:domains.{domain}.dmarc: {_yaml(found)}, then remove the old one at the provider"


def _ends(term: str) -> bool:
    return term.lstrip("+-~?").lower() == "all"


def _yaml(value: object) -> str:
    # JSON is YAML; without quotes around words it reads like the rest of the file.
    text = json.dumps(value)
    plain = not any(":" in leaf or leaf.isdigit() for leaf in _leaves(value))
    return text.replace('"', "") if plain else text


def _leaves(value: object) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    return [leaf for item in value for leaf in _leaves(item)] if isinstance(value, list) else [str(value)]
