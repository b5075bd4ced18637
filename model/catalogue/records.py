"""What no set of records may contain, whoever made it."""

from __future__ import annotations

from model.findings import Rule

DNS_NAME_TOO_LONG = Rule(
    "dns-name-too-long",
    path="{path}",
    problem="gives the DNS name {name}... with {length} characters; {most} fit, and {most_between} between two dots",
    fix="use a shorter domain",
    why="Names that we derive must still fit into DNS.",
    source="RFC 1035 section 2.3.4",
)
DNS_CNAME_CLASH = Rule(
    "dns-cname-clash",
    path="{path}",
    problem="makes {name} a CNAME beside {others}",
    fix="choose another name for one of the two",
    why="Nothing may stand beside an alias.",
    source="RFC 1034 section 3.6.2",
)
DNS_TWICE = Rule(
    "dns-twice",
    path="{path}",
    problem="gives {name} {number} {what} records, and receivers then use none: {texts}",
    fix="choose another name for one of the two",
    why="Of such records a name has one, or receivers use none.",
    source="{source}",
)
DNS_NULL_MX = Rule(
    "dns-null-mx",
    path="{path}",
    problem="gives {name} a null MX beside a real one",
    fix="choose another host name",
    why="A null MX says that a name takes no mail, and stands alone.",
    source="RFC 7505 section 3",
)
DNS_TXT_SIZE = Rule(
    "dns-txt-size",
    path="{path}",
    problem="gives {name} {size} bytes of TXT; answers above {most} need TCP, which some firewalls block",
    fix="use RSA keys of 2048 bits and fewer addresses",
    why="Answers that do not fit one packet are lost behind some firewalls.",
    severity="warning",
    source="RFC 7208 section 3.4",
)
DNS_TARGET_ALIAS = Rule(
    "dns-target-alias",
    path="{path}",
    problem="is {target}, a CNAME of {alias}, but {kind} of {name} points there",
    fix="choose a name of its own, with an address",
    why="Targets of MX, SRV, NS and PTR are hosts, never aliases (RFC 2181 section 10.3, RFC 2782).",
    source="RFC 2181 section 10.3",
)
