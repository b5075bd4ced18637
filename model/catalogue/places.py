"""Who publishes each record, and what is there already."""

from __future__ import annotations

from model.findings import Rule

ADDRESS_AT_HOST = Rule(
    "address-at-host",
    path="{path}",
    problem="is {address}, but {domain} is a host of this stack and takes no mail",
    fix="use an address of a mail domain, such as {primary}",
    why="An address that DNS names must be able to receive.",
    source="RFC 7505 section 3",
)
DMARC_CONSENT = Rule(
    "dmarc-consent",
    path="kolab:mail.dmarc.rua",
    problem="names {report}, which is in no zone of ours and must consent to reports about {domains}",
    fix='ask its owner for TXT {name} "v=DMARC1" (see the tickets), then acknowledge it',
    why="The owner of a report's address must agree to get it.",
    severity="warning",
    source="RFC 9990 section 4",
)
ZONE_MISSING = Rule(
    "zone-missing",
    path="kolab:dns.zones",
    problem="has no zone for {primary}, so none of its records could be published",
    fix="add {primary}: {id}",
    why="The primary domain needs a zone.",
)
ZONE_WITHOUT_ID = Rule(
    "zone-without-id",
    path="kolab:dns.zones.{zone}",
    problem="has no zone id",
    fix="copy the zone id from Cloudflare's overview page of the zone",
    why="Cloudflare knows zones by their ids.",
)
REVERSE_ZONE_WITHOUT_ID = Rule(
    "reverse-zone-without-id",
    path="kolab:dns.ptr.zones.{zone}",
    problem="has no zone id",
    fix="copy the zone id from Cloudflare's overview page of the zone",
    why="Cloudflare knows zones by their ids, reverse zones too.",
)
DOMAIN_FOREIGN = Rule(
    "domain-foreign",
    path="kolab:hostedDomains",
    problem="has domains in no zone of ours: {domains}",
    fix="send their owners the CNAME sheet (./kolab dns tickets) and acknowledge it, or add their zones to dns.zones",
    why="Owners of foreign domains publish what leads mail here.",
    severity="warning",
)
DKIM_NOTHING_RESERVED = Rule(
    "dkim-nothing-reserved",
    path="kolab:mail.dkim.reserved",
    problem="is empty: the next DKIM rotation would need new CNAMEs from the owners of {domains}",
    fix="reserve the names of the next selectors before you send the sheet",
    why="Owners of foreign domains publish once, so what they publish must last.",
    severity="warning",
)
NAMESERVERS_UNKNOWN = Rule(
    "nameservers-unknown",
    path="kolab:dns.nameservers",
    problem="is empty, so the zone files name a placeholder as their server",
    fix="list the authoritative servers, or acknowledge it if you only import the files",
    why="Zone files name the servers that publish them.",
    severity="warning",
)
NAMESERVER_WITHOUT_ADDRESS = Rule(
    "nameserver-without-address",
    path="kolab:dns.nameservers.{server}",
    problem="is inside one of our zones but has no address, so nobody could find it",
    fix="write {server}: [<address>]",
    why="A server inside the zone that it serves needs glue.",
    source="RFC 1034 section 4.2.1",
)
INGRESS_WITHOUT_ADDRESS = Rule(
    "ingress-without-address",
    path="kolab:network.{key}.addresses",
    problem="is empty, so no A record of a web name is published",
    fix="list the public addresses of the controller, or acknowledge that something else publishes them",
    why="Web names lead to the controller.",
    severity="warning",
)
PTR_ZONE_NAME = Rule(
    "ptr-zone-name",
    path="kolab:dns.ptr.zones.{zone}",
    problem="is no reverse zone, or does not say which addresses it has",
    fix="write it as 2.0.192.in-addr.arpa, 0-15.2.0.192.in-addr.arpa or 8.b.d.0.1.0.0.2.ip6.arpa, or name its addresses in dns.ptr.networks",
    why="Reverse zones have names of their own kind.",
    source="RFC 2317 section 4",
)
PTR_ZONE_ZEROS = Rule(
    "ptr-zone-zeros",
    path="kolab:dns.ptr.zones.{zone}",
    problem="has a number with zeros in front: no reverse name has one, so nobody would ever ask this zone",
    fix="write {meant}",
    why="Resolvers ask for the numbers of an address as they are, without zeros in front.",
    source="RFC 1035 section 3.5",
)
PTR_NETWORK = Rule(
    "ptr-network",
    path="kolab:dns.ptr.networks.{zone}",
    problem="is {network}, but names in such a zone are the last numbers of IPv4 addresses",
    fix="write a network of /24 or smaller, and another zone for each further one",
    why="A classless delegation is a part of one network of 256 addresses.",
    source="RFC 2317 section 4",
)
PTR_NETWORK_ELSEWHERE = Rule(
    "ptr-network-elsewhere",
    path="kolab:dns.ptr.networks.{zone}",
    problem="is in no zone of ours, so nobody would publish the reverse names below it",
    fix="add its zone to dns.ptr.zones or dns.zones",
    why="Every egress address needs a reverse name.",
    source="RFC 2317 section 4",
)
PTR_ELSEWHERE = Rule(
    "ptr-elsewhere",
    path="kolab:dns.ptr.zones",
    problem="has no zone for {name}",
    fix="add the zone, or ask the owner of the address (see the tickets) and acknowledge it",
    why="Every egress address needs a reverse name.",
    severity="warning",
)
HOST_ELSEWHERE = Rule(
    "host-elsewhere",
    path="{path}",
    problem="leads to names in no zone of ours: {names}",
    fix="add the zone to dns.zones, or ask its owner (see the tickets) and acknowledge it",
    why="Hosts in zones that nobody named are published by nobody.",
    severity="warning",
)
DNS_DUPLICATE = Rule(
    "dns-duplicate",
    path="kolab:dns.zones.{zone}",
    problem="holds {record} beside what this stack publishes there: {planned}",
    fix="remove it at the provider, or adopt it (./kolab dns adopt) so that this stack changes it instead",
    why="A zone that exists is changed in one place: what others made there is never duplicated.",
)
DNS_DUPLICATE_POLICY = DNS_DUPLICATE.but(fix="{way}")
DNS_ALIAS = Rule(
    "dns-alias",
    path="kolab:dns.zones.{zone}",
    problem="holds {record}, and nothing may stand beside an alias",
    fix="remove it at the provider before this stack publishes there",
    why="Nothing may stand beside an alias.",
    source="RFC 1034 section 3.6.2",
)
DNS_LEADS_ELSEWHERE = Rule(
    "dns-leads-elsewhere",
    path="kolab:dns.zones.{zone}",
    problem="holds {record}, which leads some of those who look for our host elsewhere",
    fix="remove it at the provider",
    why="Who asks for a host gets its addresses of both families, and browsers its hints: all must be ours.",
    source="RFC 9460 section 3",
)
DNS_LEFT_BEHIND = Rule(
    "dns-left-behind",
    path="kolab:dns.zones.{zone}",
    problem="holds {record}, a promise of another server that ours does not keep: senders would refuse to deliver",
    fix="remove it at the provider, after the time that the other server's policy or key is kept",
    why="Senders hold a server to the policy and the keys that DNS names, whoever named them.",
    source="RFC 8461 section 5, RFC 7672 section 2.2",
)
DNS_CUT = Rule(
    "dns-cut",
    path="kolab:dns.zones.{zone}",
    problem="holds {record}, so names of ours below it are answered by somebody else",
    fix="remove it at the provider, or choose other host names",
    why="What a zone hands to another is not answered from it.",
    source="RFC 6672 section 2.4, RFC 1034 section 4.2.1",
)
DNS_WILDCARD = Rule(
    "dns-wildcard",
    path="kolab:dns.zones.{zone}",
    problem="holds {record}, which answers for every name that does not exist",
    fix="see that it is not meant for mail: receivers ask for names such as _dmarc and _mta-sts",
    why="A wildcard answers questions that nobody meant it to answer.",
    severity="warning",
    source="RFC 4592",
)
DNS_WILDCARD_ENDS = Rule(
    "dns-wildcard-ends",
    path="kolab:dns.zones.{zone}",
    problem="answers {record} by a wildcard today, and would no more once {name} has records of this stack",
    fix="enter it at {name} itself at the provider",
    why="A wildcard answers for names without records alone: the first one of ours would end what it says about mail.",
    source="RFC 4592 section 2.2.1",
)
DNS_WILDCARD_ENDS_BESIDE_MAIL = DNS_WILDCARD_ENDS.but(severity="warning")
DNS_CAA_BESIDE = Rule(
    "dns-caa-beside",
    path="kolab:dns.zones.{zone}",
    problem="holds `{record}`, an authority that this stack does not name; it would stay beside ours",
    fix="write kolab:domains.{domain}.caa: {way} if it still issues for you, else remove the record",
    why="Whoever is named in CAA may issue certificates for a name.",
    severity="warning",
    source="RFC 8659 section 3",
)
DNS_CAA_NOBODY = DNS_CAA_BESIDE.but(
    problem="holds `{record}`, which says that nobody may issue; beside ours it says nothing (RFC 8659 section 4.2)",
    fix="remove it at the provider",
)
DNS_CAA_GOVERNS = Rule(
    "dns-caa-governs",
    path="kolab:dns.zones.{zone}",
    problem="would get CAA at {name}, which also governs {hosts}: {authorities} alone could issue certificates there",
    fix="list whoever issues for them in kolab:domains.{domain}.caa.issue, or give them CAA of their own",
    why="The nearest CAA above a name decides alone, also for web servers that are not ours.",
    severity="warning",
    source="RFC 8659 section 3",
)
