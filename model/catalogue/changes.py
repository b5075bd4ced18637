"""Steps from what is deployed to what the stack file asks for now."""

from __future__ import annotations

from model.findings import Rule

DKIM_KEY_CHANGED = Rule(
    "dkim-key-changed",
    path="kolab:mail.dkim.selectors.{name}.publicKey",
    problem="is another key than the one that is {first}: mail signed with the old one would fail",
    fix="put the old key back, and stage the new one under a new selector",
    why="A key never changes under its selector: caches and mail on its way know the old one.",
    source="RFC 6376 section 3.1",
)
DKIM_STAGE_SKIPPED = Rule(
    "dkim-stage-skipped",
    path="kolab:mail.dkim.selectors.{name}.stage",
    problem="goes from {first} to {second}: receivers would judge signatures by a key that they do not have",
    fix="the next step is {steps}",
    why="Keys move one stage at a time, so that receivers know a key before it signs and after it did.",
    source="RFC 6376 section 3.1",
)
DKIM_SINCE_BACKWARDS = Rule(
    "dkim-since-backwards",
    path="{path}.since",
    problem="is {changed}, before {began}, when the stage before began",
    fix="write the day of this change",
    why="The waits between two stages are counted from these days.",
)
DKIM_SINCE_FUTURE = Rule(
    "dkim-since-future",
    path="{path}.since",
    problem="is {changed}, which has not come yet",
    fix="write {today}",
    why="The waits between two stages are counted from these days.",
)
DKIM_RETIRED_EARLY = Rule(
    "dkim-retired-early",
    path="{path}.stage",
    problem="leaves retired before {safe}: signatures made until {began} are valid for {days} days, and mail on its way would fail",
    fix="wait until {safe}",
    why="A key stays in DNS for as long as a signature that it made may still be checked.",
    source="RFC 6376 section 3.5, x=",
)
MTA_STS_STAGE_SKIPPED = Rule(
    "mta-sts-stage-skipped",
    path="kolab:mail.mtaSts.stage",
    problem="goes from {first} to {second}: senders keep the old policy for up to {seconds} seconds and would refuse to deliver",
    fix="{first_step}",
    why="The policy is tightened and removed step by step, and outlives nothing that it names.",
    source="RFC 8461 section 8.3",
)
MTA_STS_MAX_AGE_LOWERED = Rule(
    "mta-sts-max-age-lowered",
    path="kolab:mail.mtaSts.maxAge",
    problem="is lowered while the policy is being removed, so the end of the wait is no longer known",
    fix="leave it at {seconds}, the largest value ever served",
    why="The policy is tightened and removed step by step, and outlives nothing that it names.",
    source="RFC 8461 section 8.3",
)
MTA_STS_REMOVED_EARLY = Rule(
    "mta-sts-removed-early",
    path="kolab:mail.mtaSts.stage",
    problem="becomes none before {safe}, while senders may still hold the policy that was served until {began} and is kept for {seconds} seconds",
    fix="wait until {safe}, and write that day to mail.mtaSts.since",
    why="The policy is tightened and removed step by step, and outlives nothing that it names.",
    source="RFC 8461 section 8.3",
)
MTA_STS_END_UNKNOWN = Rule(
    "mta-sts-end-unknown",
    path="kolab:mail.mtaSts.since",
    problem="does not tell when the policy that senders keep for {seconds} seconds was served last, so nobody knows when it is forgotten",
    fix="write today's date there, update without any other change, and wait from then",
    why="The end of the wait is counted from the day on which the policy was served last.",
    source="RFC 8461 section 8.3",
)
MTA_STS_LOWERED_UNDATED = Rule(
    "mta-sts-lowered-undated",
    path="kolab:mail.mtaSts.since",
    problem="does not say on which day maxAge was lowered, so the {seconds} seconds of before will count from a later day",
    fix="write the day of this change there",
    why="The end of the wait is counted from the day on which the policy was served last.",
    severity="warning",
    source="RFC 8461 section 8.3",
)
MTA_STS_SINCE_BACKWARDS = Rule(
    "mta-sts-since-backwards",
    path="kolab:mail.mtaSts.since",
    problem="becomes {changed}, before {began}, when the present stage began",
    fix="write the day of this change",
    why="The end of the wait is counted from the day on which the policy was served last.",
    source="RFC 8461 section 8.3",
)
MTA_STS_SINCE_FUTURE = Rule(
    "mta-sts-since-future",
    path="kolab:mail.mtaSts.since",
    problem="is {changed}, which has not come yet",
    fix="write {today}",
    why="The end of the wait is counted from the day on which the policy was served last.",
    source="RFC 8461 section 8.3",
)
MTA_STS_DOMAIN_LEFT = Rule(
    "mta-sts-domain-left",
    path="kolab:hostedDomains",
    problem="loses {domains}, whose senders keep the policy that allows only our MX for up to {seconds} seconds",
    fix="go to testing, wait for maxAge, then let the domain go; or acknowledge it",
    why="The policy is tightened and removed step by step, and outlives nothing that it names.",
    source="RFC 8461 section 8.3",
)
MTA_STS_MX_CHANGED = Rule(
    "mta-sts-mx-changed",
    path="kolab:hosts.mx",
    problem="becomes {host}, but senders hold a policy that allows only {allowed}",
    fix="set mail.mtaSts.stage to testing, wait for maxAge, change the host, then enforce again",
    why="The policy is tightened and removed step by step, and outlives nothing that it names.",
    source="RFC 8461 section 8.1",
)
MTA_STS_MX_TOGETHER = Rule(
    "mta-sts-mx-together",
    path="kolab:hosts.mx",
    problem="becomes {host} in the step that enforces the policy: senders who still have the old MX in their caches would refuse to deliver",
    fix="let mail.mtaSts.stage be testing in this step, wait {seconds} seconds, then enforce",
    why="Records are forgotten after a TTL, so a policy that names the new host may bind nobody before.",
    source="RFC 8461 section 8.1",
)
MTA_STS_MX_HELD = Rule(
    "mta-sts-mx-held",
    path="kolab:hosts.mx",
    problem="becomes {host}, but senders may still hold the policy that allows only {allowed}",
    fix="put the old name back, wait until {safe}, and write that day to mail.mtaSts.since",
    why="Senders keep a policy for its maxAge, whatever is served since.",
    source="RFC 8461 section 8.3",
)
MTA_STS_SELF_SIGNED = Rule(
    "mta-sts-self-signed",
    path="kolab:tls",
    problem="has a self-signed certificate before or after this step, in which senders enforce an MTA-STS policy and refuse such a certificate",
    fix="change the certificate while mail.mtaSts.stage is testing, and only {seconds} seconds after it was enforce",
    why="Under an enforced policy senders deliver only to a certificate that they can verify.",
    source="RFC 8461 section 4.2",
)
MTA_STS_SELF_SIGNED_HELD = Rule(
    "mta-sts-self-signed-held",
    path="kolab:tls",
    problem="becomes selfSigned, but senders may still hold an enforced MTA-STS policy and would refuse such a certificate",
    fix="put the issuer back, wait until {safe}, and write that day to mail.mtaSts.since",
    why="Senders keep a policy for its maxAge, whatever is served since.",
    source="RFC 8461 section 8.3",
)
TLSA_REMOVED = Rule(
    "tlsa-removed",
    path="kolab:tlsa",
    problem="is withdrawn: for {seconds} seconds senders still demand the old key on port 25",
    fix="keep the key of port 25 for that time, and acknowledge it",
    why="A new key is published before it is used, and the old one stays until every pod shows the new one.",
    severity="warning",
    source="RFC 7671 section 8.1",
)
TLSA_NOT_ANNOUNCED = Rule(
    "tlsa-not-announced",
    path="kolab:tlsa.current",
    problem="is a key that was not published as next: senders with DANE would refuse port 25",
    fix="publish it as next, wait {seconds} seconds, then switch",
    why="A new key is published before it is used, and the old one stays until every pod shows the new one.",
    source="RFC 7671 section 8.1",
)
TLSA_OLD_DROPPED = Rule(
    "tlsa-old-dropped",
    path="kolab:tlsa.next",
    problem="drops the old key in the step that switches: senders who see the new records before the pods have changed would refuse port 25",
    fix="put the old key into next for this step, and replace it in the one after",
    why="A new key is published before it is used, and the old one stays until every pod shows the new one.",
    source="RFC 7671 section 8.1",
)
CACHED_WORLD = Rule(
    "cached-world",
    path="{path}",
    problem="bounces mail ({where}): {reason}",
    fix="{first}",
    why="Resolvers keep old records and pods change one after the other: a change is safe when mail passes in every combination of old and new.",
)
MX_LOST = Rule(
    "mx-lost",
    path="kolab:mail.mx.stage",
    problem="goes back to hold: every MX would vanish and mail to all domains would bounce",
    fix="leave it live, or acknowledge it once the MX records point elsewhere",
    why="Without an MX record nobody can deliver.",
    source="RFC 5321 section 5.1",
)
MX_LOST_OF_DOMAIN = MX_LOST.but(
    path="kolab:domains.{domain}.stage",
    problem="goes back to hold: the domain's MX would lead nowhere of ours and mail on its way would bounce",
    fix="leave it live or in shadow, or acknowledge it once the MX records point elsewhere",
)
DOMAIN_CHANGED = Rule(
    "domain-changed",
    path="kolab:domain",
    problem="changes from {old} to {new}, but the database has the administrator of the first deployment in the old one, and"
    " nothing makes another",
    fix="put {old} back, and list {new} under kolab:hostedDomains; or remove the stack and make it anew; or acknowledge it,"
    " where you have emptied the database",
    why="The first deployment writes the domain into the database, whether mail arrives or not.",
    source="upstream: src/database/seeds",
)
MX_MOVED = Rule(
    "mx-moved",
    path="kolab:hosts.mx",
    problem="changes from {old} to {new}, which owners of foreign domains have in their MX",
    fix="keep the name; or tell them, and acknowledge it",
    why="Owners of foreign domains wrote the name into zones that this stack does not manage.",
)
DOMAIN_LOST = Rule(
    "domain-lost",
    path="{path}",
    problem="loses {domains}: their MX records would vanish and mail to them would bounce",
    fix="put them back, or acknowledge it once their mail goes elsewhere",
    why="Mail to a domain bounces as soon as its MX record is gone.",
)
ADDRESS_MOVED = Rule(
    "address-moved",
    path="kolab:network.addresses.{key}",
    problem="moves {services} from {lost} to {kept}: for {seconds} seconds clients and senders go to the old address",
    fix="lower dns.ttl one day before, keep the old address forwarding for that time, and acknowledge it",
    why="Resolvers keep the old address for a TTL.",
)
EGRESS_UNANNOUNCED = Rule(
    "egress-unannounced",
    path="kolab:network.egress",
    problem="sends from {addresses}, which SPF, HELO and PTR did not name so far: for {seconds} seconds receivers refuse such mail",
    fix="list them under network.announcedEgress first, let PTR be set, wait for the TTL, then move; or acknowledge it",
    why="Receivers check the address that mail comes from against records that they may have kept for a TTL.",
    source="RFC 7208 section 4.6",
)
EGRESS_DROPPED = Rule(
    "egress-dropped",
    path="kolab:network.egress",
    problem="no longer names {addresses}, where pods may send from until the last has moved",
    fix="keep them under network.announcedEgress for this step; or acknowledge it once nothing sends from there",
    why="Pods change one after the other, so the old address sends until the last one has changed.",
    source="RFC 7208 section 4.6",
)
EGRESS_RELAY_CHANGED = Rule(
    "egress-relay-changed",
    path="kolab:network.egress.host",
    problem="becomes {relay}, whose addresses SPF did not include so far",
    fix="acknowledge it: DKIM carries the mail until caches follow",
    why="Receivers check the relay's addresses against an SPF record that they may have kept for a TTL.",
    source="RFC 7208 section 4.6",
)
HELO_MOVED = Rule(
    "helo-moved",
    path="kolab:hosts.helo",
    problem="changes from {old} to {new}, but the addresses keep the old PTR until its caches forget it",
    fix="keep the name while an address stays, or was announced under it; or acknowledge it",
    why="Name and address must lead to each other at every moment.",
    source="RFC 8601 section 2.7.3",
)
DMARC_JUMP = Rule(
    "dmarc-jump",
    path="kolab:mail.dmarc.policy",
    problem="goes from none to reject in one step",
    fix="read the reports under quarantine first, or acknowledge it",
    why="Reports under quarantine show whose mail reject would refuse.",
    severity="warning",
)
UNFINISHED = Rule(
    "update-unfinished",
    path="kolab:domain",
    problem="the last update did not make all that it meant to: the world may have parts of it and of what was before",
    fix="go on: this step is judged from both, and an update that ends well leaves one",
    why="A record that an update failed to make, or was told to leave out, is not there, whatever the stack file said.",
    severity="warning",
)
SECRET_CHANGE = Rule(
    "secret-change",
    path="kolab:{key}",
    problem="is another value than the deployed one, and no rotation: {words}",
    fix="put the old value back, then ./kolab secrets rotate {key} --stack <stack>",
    why="Passwords have two ends, and data outlive keys: a secret is exchanged in steps that nobody notices, or not at all.",
)
SECRET_CHANGE_NEVER = SECRET_CHANGE.but(
    problem="is another value than the deployed one: {words}",
    fix="put the old value back; or acknowledge it, where nothing was stored yet",
)
SECRET_CHANGE_GIVEN = SECRET_CHANGE.but(
    problem="is another value than the deployed one: {words}",
    fix="nothing, if the other end knows it",
    severity="warning",
)
SECRET_ROTATION_EARLY = Rule(
    "secret-rotation-early",
    path="kolab:rotations.{key}",
    problem="begins before the stack was deployed once by a release that knows its secrets by their fingerprints",
    fix="take the rotation back, `./kolab pulumi up`, and rotate then",
    why="Without the fingerprint of the old value nobody sees what changes.",
)
