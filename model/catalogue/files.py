"""What the stack file says: its keys, its secrets and their public halves."""

from __future__ import annotations

from model.findings import Rule

UNKNOWN_KEY = Rule(
    "unknown-key",
    path="{path}",
    problem="is not a key of the stack file",
    fix="{near}",
    why="A misspelt key would change nothing, and nobody would notice.",
)
KEY_MOVED = Rule(
    "key-moved",
    path="{path}",
    problem="is not read any more since version {since}",
    fix="{instead}",
    why="An earlier version knew this key: what it said is written otherwise now.",
)
MISSING = Rule(
    "missing",
    path="{path}",
    problem="is missing",
    fix="{correction}",
    why="What cannot be guessed must be said.",
)
VALUE = Rule(
    "value",
    path="{path}",
    problem="{problem}",
    fix="{correction}",
    why="A value has the form that its key asks for.",
)

SECRET_INSIDE = Rule(
    "secret-inside",
    path="{path}",
    problem="holds a `secure:` value inside an object, where it would reach state in plain text",
    fix="move it to its own flat key: ./kolab pulumi config set --secret kolab:<name>; see docs/reference/secrets.md",
    why="An encrypted value inside an object reaches the state in plain text.",
)
PLAIN_SECRET = Rule(
    "plain-secret",
    path="{path}",
    problem="is a secret but stands in plain text",
    fix="change it, since it may be in your history, and store it with: ./kolab pulumi config set --secret {path}",
    why="Secrets are encrypted in the stack file.",
)
MISSING_SECRET = Rule(
    "missing-secret",
    path="{path}",
    problem="is missing{others}",
    fix="./kolab secrets --stack <stack>: it makes what is missing and keeps what is there",
    why="Secrets are never made during a run: a new one at each preview would be an endless change.",
)
MISSING_SECRET_GIVEN = MISSING_SECRET.but(
    path="{path}",
    problem="is missing ({why})",
    fix="./kolab pulumi config set --secret {path}",
)
MISSING_SECRET_HALF = MISSING_SECRET.but(
    path="{path}",
    problem="is missing, and its public half stands in {public} already, so no other key may take its place unasked",
    fix="bring it in with ./kolab secrets --from <folder>; or, for a new pair, remove {entry} and run ./kolab secrets",
)
KEY_UNREADABLE = Rule(
    "key-unreadable",
    path="kolab:{secret}",
    problem="is not a private key in PEM",
    fix="store the key again: ./kolab pulumi config set --secret kolab:{secret} < key.pem",
    why="A private key is kept as PEM.",
)
KEY_HALVES = Rule(
    "key-halves",
    path="kolab:{path}",
    problem="is not the public half of kolab:{secret}: what DNS or clients are told would not match what signs",
    fix="restore the pair that belongs together, or remove both and run ./kolab secrets",
    why="What DNS and clients are told must match what signs.",
)
SECRET_VALUE = Rule(
    "secret-value",
    path="kolab:{key}",
    problem="{complaint}",
    fix="{remedy}",
    why="A secret must be one that the daemons can read and nobody can guess.",
)
RENDER_OUTSIDE = Rule(
    "render-outside",
    path="kolab:kubernetes.render",
    problem="leads out of the project through a link",
    fix="name a folder that is really inside, such as rendered/review",
    why="Manifests are written over what is there, Secrets included.",
)
ACKNOWLEDGE_UNKNOWN = Rule(
    "acknowledge-unknown",
    path="kolab:acknowledge[{index}].rule",
    problem="names no rule",
    fix="{near}",
    why="An exception from a rule that does not exist would hide nothing, and look as if it did.",
)
ACKNOWLEDGE_FIRM = Rule(
    "acknowledge-firm",
    path="kolab:acknowledge[{index}].rule",
    problem="names a rule that has no exceptions",
    fix="remove the entry and correct what the rule finds",
    why="Errors in the file itself are never meant.",
)
ACKNOWLEDGE_EVERYTHING = Rule(
    "acknowledge-everything",
    path="kolab:acknowledge[{index}].subject",
    problem="is * for {rule}, which would let go of everything that holds data",
    fix="name the one resource that may go, as the refusal names it, such as minio-data",
    why="Data is given up one by one, by name.",
)
ACKNOWLEDGE_SERVED = Rule(
    "acknowledge-served",
    path="kolab:acknowledge[{index}]",
    problem="is no longer needed: {rule} finds nothing there now",
    fix="remove the entry, so that it hides no other change later",
    why="An exception ends when what it was made for is done.",
    severity="warning",
)
ACKNOWLEDGE_SPENT = Rule(
    "acknowledge-spent",
    path="kolab:acknowledge[{index}]",
    problem="served an earlier deployment and does not cover another change under {rule}",
    fix="if this change is meant as well, write its reason anew; else take the change back",
    why="An exception is for the one change that its reason speaks of.",
)
ACKNOWLEDGE_GONE = ACKNOWLEDGE_SERVED.but(
    problem="has served: the {subject} that it let go is not there any more, and one that is made anew is guarded",
    fix="remove the entry; to give up the new one as well, write the reason anew",
)
SECRET_ROTATION_IMPOSSIBLE = Rule(
    "secret-rotation-impossible",
    path="kolab:rotations.{key}",
    problem="counts a rotation that is none: {words}",
    fix="remove the entry",
    why="Secrets whose change would do harm are not rotated, and those with stages have commands of their own.",
)
PUBLIC_HALF_MISSING = Rule(
    "public-half-missing",
    path="kolab:passportPublicKey",
    problem="is missing",
    fix="./kolab secrets --stack <stack>: it writes it beside its private key",
    why="Render, previews and DNS work from public halves alone, so these cannot be made later.",
)
PUBLIC_HALF_MISSING_DKIM = PUBLIC_HALF_MISSING.but(
    path="kolab:mail.dkim.selectors",
    problem="is empty: Amavis would make a key of its own that no DNS record names",
    fix="./kolab secrets --stack <stack>: it makes the first DKIM key",
)
EXAMPLE_KEY = Rule(
    "example-key",
    path="kolab:{path}",
    problem="is the public half of a key of the shipped examples, whose private half nobody has",
    fix="./kolab secrets --stack <stack>: it puts a pair of your own in its place",
    why="A copy of an example keeps none of what only stands for something.",
)
EXAMPLE_VALUE = Rule(
    "example-value",
    path="kolab:dns.zones.{zone}",
    problem="is a zone id of the shipped example",
    fix="copy the id from the zone's overview page at Cloudflare",
    why="A copy of an example keeps none of what only stands for something.",
)
EXAMPLE_VALUE_ACCOUNT = EXAMPLE_VALUE.but(
    path="kolab:tls.accountUri",
    problem="is the account of the shipped example: CAA would forbid your own account every certificate",
    fix="remove it, and add your own once the Issuer's status shows it",
    source="RFC 8657 section 3",
)
