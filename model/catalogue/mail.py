"""What would make mail bounce, found before anything is published."""

from __future__ import annotations

from model.findings import Rule

RATE_LIMITS_DOMAIN = Rule(
    "rate-limits-domain",
    path="kolab:mail.rateLimits.unlimited",
    problem="names {domain}, which is no domain of this stack",
    fix="use domains of kolab:domain and kolab:hostedDomains",
    why="A misspelt domain would leave its people with limits that suspend them.",
)
QUARANTINE_BELOW_MARK = Rule(
    "quarantine-below-mark",
    path="kolab:mail.spam.quarantineAt",
    problem="is {kept}, below mail.spam.markAt, which is {marked}: messages would be kept from people that do not count as spam",
    fix="use {marked} or more, or lower mail.spam.markAt",
    why="Whoever looks for a message looks among what is marked as spam; a higher score of the two must be the one that keeps mail back.",
)
OUTBOUND_RELAY = Rule(
    "dane-relay",
    path="kolab:mail.outbound.dane",
    problem="is on although a smarthost takes all mail: it is the smarthost that meets the receivers, and it shows a certificate of its name already",
    fix="remove it, and ask the smarthost's operator for DANE; or send by network.egress.mode nodes or gateway",
    why="Keys of receivers are for whoever delivers to them.",
)
OUTBOUND_UNUSED = Rule(
    "dane-off",
    path="kolab:mail.outbound.{key}",
    problem="means nothing while mail.outbound.dane is off",
    fix="set mail.outbound.dane: true, or remove it",
    why="Whoever writes how keys are asked for believes that they are.",
)
OUTBOUND_RESOLVER = Rule(
    "dane-resolver",
    path="kolab:mail.outbound.resolvers",
    problem="holds {address}, which is {what}",
    fix="list resolvers that each node reaches by an address of theirs, or remove the key to ask the zones' own servers",
    why="Names of the world are asked outside of the pod, and only there.",
)
OUTBOUND_CLUSTER_DNS = Rule(
    "dane-cluster-dns",
    path="kolab:network.dns.addresses",
    problem="names no address of the cluster's DNS, which the resolver beside Postfix asks for Services",
    fix="name the address that `kubectl get service -n {namespace}` shows for DNS",
    why="Without it Postfix finds neither its database nor Cyrus.",
)
DMARC_ON_HOLD = Rule(
    "dmarc-on-hold",
    path="kolab:mail.dmarc.{key}",
    problem="is {policy} while mail.mx.stage is hold: it would judge what the domain's present server sends",
    fix="keep none until live, or acknowledge that no other server sends",
    why="A policy rules over all mail of the domain, whoever sends it.",
    severity="warning",
)
SHADOW_ALONE = Rule(
    "shadow-alone",
    path="kolab:domains.{domain}.stage",
    problem="is shadow, but no other server is named that would stay first: all mail would come here",
    fix="name the present servers in kolab:domains.{domain}.otherMx, or write live",
    why="In shadow our MX stands behind the servers that have the mail now.",
)
LIVE_WITHOUT_DKIM = Rule(
    "live-without-dkim",
    path="kolab:mail.mx.stage",
    problem="is live, but no DKIM key is active: large receivers refuse unsigned mail",
    fix="bring a key to active first: ./kolab dkim stage, publish, activate",
    why="Mail is let in only when answers will be signed.",
    source="RFC 6376 section 5",
)
LIVE_WITHOUT_POSTMASTER = Rule(
    "live-without-postmaster",
    path="kolab:mail.postmaster",
    problem="is missing while mail.mx.stage is live",
    fix="name an existing mailbox",
    why="Every mail domain has somebody who reads postmaster.",
    source="RFC 5321 section 4.5.1",
)
DKIM_TWO_ACTIVE = Rule(
    "dkim-two-active",
    path="kolab:mail.dkim.selectors",
    problem="has {number} active keys ({selectors}), but Amavis signs with one",
    fix="retire all but the newest",
    why="One key signs at a time.",
)
DKIM_KEY_REUSED = Rule(
    "dkim-key-reused",
    path="kolab:mail.dkim.selectors.{name}.publicKey",
    problem="is the key of selector {first} too",
    fix="make a new key for each selector",
    why="A key that is withdrawn under one selector must not live on under another.",
    source="RFC 6376 section 3.1",
)
DKIM_SHORT_KEY = Rule(
    "dkim-short-key",
    path="kolab:mail.dkim.selectors.{name}.publicKey",
    problem="has {size} bits",
    fix="make a key of {least} bits: ./kolab dkim stage",
    why="Receivers ignore signatures by short keys.",
    source="RFC 8301 section 3.2",
)
DKIM_NOT_A_KEY = Rule(
    "dkim-not-a-key",
    path="kolab:mail.dkim.selectors.{name}.publicKey",
    problem="{problem}",
    fix="let ./kolab dkim stage write it",
    why="Receivers cannot check a signature without the key.",
    source="RFC 6376 section 3.6.1",
)
DKIM_SINCE = Rule(
    "dkim-since",
    path="kolab:mail.dkim.selectors.{name}.since",
    problem="is {since}, which is no day of the calendar",
    fix="write the day on which the stage began",
    why="The waits between two stages are counted from this day.",
)
MTA_STS_UNTRUSTED = Rule(
    "mta-sts-untrusted",
    path="kolab:mail.mtaSts.stage",
    problem="is enforce, but the certificates are self-signed: senders would refuse to deliver",
    fix="use tls.issuer acme or a public authority first",
    why="Senders that follow MTA-STS refuse a certificate that no public authority signed.",
    source="RFC 8461 section 4.2",
)
MTA_STS_UNTRUSTED_TESTING = MTA_STS_UNTRUSTED.but(
    problem="is testing, but the certificates are self-signed: senders would report every delivery as failed",
    severity="warning",
)
MTA_STS_ISSUER = Rule(
    "mta-sts-issuer",
    path="kolab:tls.caa",
    problem="is missing, so nothing says that the certificate of {host} comes from an authority that the world trusts",
    fix="name the public authority, or acknowledge that the whole world trusts this issuer",
    why="Senders that follow MTA-STS refuse a certificate that no public authority signed.",
    severity="warning",
    source="RFC 8461 section 4.2",
)
MTA_STS_SINCE = Rule(
    "mta-sts-since",
    path="kolab:mail.mtaSts.since",
    problem="is {since}, which is no day of the calendar",
    fix="write the day on which the stage began",
    why="The end of the wait is counted from this day.",
)
MTA_STS_SINCE_MISSING = MTA_STS_SINCE.but(
    path="kolab:mail.mtaSts.since",
    problem="is missing while the policy is being removed, so nobody knows when senders have forgotten it",
    fix="write the day on which removing began",
    source="RFC 8461 section 8.3",
)
TLSA_UNSIGNED = Rule(
    "tlsa-unsigned",
    path="kolab:dns.dnssec",
    problem="is off, so the TLSA records of kolab:tlsa are not published",
    fix="sign the zones and set it to true, or acknowledge it",
    why="TLSA needs a signed zone and a key that stays.",
    severity="warning",
    source="RFC 7672 section 2.1",
)
TLSA_MISSING = Rule(
    "tlsa-missing",
    path="kolab:tlsa",
    problem="is missing although the zones are signed: no TLSA is published, since the key of port 25 would change at each renewal",
    fix="./kolab tlsa init --stack <stack>, or acknowledge it",
    why="TLSA needs a signed zone and a key that stays.",
    severity="warning",
    source="RFC 7671 section 8.1",
)
TLSA_SAME = Rule(
    "tlsa-same",
    path="kolab:tlsa.next",
    problem="is the current key",
    fix="make a new key for next, or remove it",
    why="A key is announced before it is used.",
    source="RFC 7671 section 8.1",
)
CAA_FORBIDS_ISSUER = Rule(
    "caa-forbids-issuer",
    path="kolab:tls.caa",
    problem="is {caa}, but {server} issues as {expected}: the next renewal would fail",
    fix="write {expected}",
    why="CAA must allow the authority that issues our certificates.",
    source="RFC 8659 section 3",
)
CAA_OTHERS_ONLY = Rule(
    "caa-others-only",
    path="{path}",
    problem="names other authorities, but nothing says who issues our own certificates, so no CAA is published",
    fix="write that authority to kolab:tls.caa, or remove this",
    why="CAA that names only others would keep our own certificates from being renewed.",
    source="RFC 8659 section 3",
)
CAA_ACCOUNT = Rule(
    "caa-account",
    path="kolab:tls.accountUri",
    problem="is not an account of {server}: the next renewal would fail",
    fix="copy the URL from the Issuer's status",
    why="CAA must allow the account that asks for our certificates.",
    source="RFC 8657 section 3",
)
SPF_LOOKUPS = Rule(
    "spf-lookups",
    path="{path}",
    problem="makes receivers ask DNS {number} times for {domain}, and after {most} they treat SPF as broken: all mail of the domain fails it",
    fix="drop one, or write networks in place of an include that has few (./kolab dns count --flatten <name>)",
    why="SPF may cost a receiver ten lookups, those inside of includes counted.",
    source="RFC 7208 section 4.6.4",
)
SPF_UNCOUNTED = Rule(
    "spf-uncounted",
    path="{path}",
    problem="holds includes whose own lookups nobody has counted: {names}",
    fix="./kolab dns count --stack <stack>",
    why="An include costs what is inside of it, which its owner may change.",
    severity="warning",
    source="RFC 7208 section 4.6.4",
)
OTHER_MX_OURS = Rule(
    "other-mx-ours",
    path="{path}",
    problem="holds {host}, which is our own MX",
    fix="name servers of somebody else there; ours is published by itself",
    why="One host has one place in an MX.",
)
OTHER_MX_HOST = Rule(
    "other-mx-host",
    path="{path}",
    problem="holds {host}, a host of this stack where nobody takes mail from the world",
    fix="name servers of somebody else there; ours is published by itself",
    why="Senders that are led to a host without port 25 wait, and give up at last.",
)
OTHER_MX_TWICE = Rule(
    "other-mx-twice",
    path="{path}",
    problem="holds {host} twice",
    fix="leave one of them, with the preference that it shall have",
    why="One host has one place in an MX.",
)
SHADOW_NO_ROOM = Rule(
    "shadow-no-room",
    path="kolab:domains.{domain}.otherMx",
    problem="has a preference of {last}, the last there is, so ours cannot stand behind it in shadow",
    fix="lower it, here and where the MX is published now",
    why="In shadow our MX stands behind the servers that have the mail now.",
    source="RFC 5321 section 5.1",
)
DOMAIN_NOT_SERVED = Rule(
    "domain-not-served",
    path="kolab:domains.{domain}",
    problem="says something about a domain that this stack does not serve",
    fix="add {domain} to kolab:hostedDomains, or remove the section",
    why="What one domain has of its own is read only where the domain is.",
)
TLS_DOMAIN_UNKNOWN = Rule(
    "tls-domain-unknown",
    path="kolab:tls.domains.{domain}",
    problem="is not a hosted domain of this stack",
    fix="add it to hostedDomains, or remove it here",
    why="A certificate for a domain that is served nowhere is shown to nobody.",
)
ACME_ELSEWHERE = Rule(
    "acme-elsewhere",
    path="kolab:tls.issuer",
    problem="is acme, which proves names by records at Cloudflare, but kolab:dns.provider is zonefile: no certificate would be issued",
    fix="use an issuer of your own, tls: {{issuer: existing, name: <ClusterIssuer>}} (docs/how-to/choose-an-issuer.md), or dns.provider: cloudflare",
    why="The issuer that the stack makes writes its proofs (DNS-01) through Cloudflare.",
)
SELF_SIGNED_LIVE = Rule(
    "self-signed-live",
    path="kolab:tls.issuer",
    problem="is selfSigned while mail.mx.stage is live: browsers and mail programs warn everybody, and phones refuse to connect",
    fix="use an issuer that they trust (docs/how-to/choose-an-issuer.md), or acknowledge it where every device has your authority",
    why="People who are told to ignore such warnings ignore the true ones too.",
    severity="warning",
)
