"""docs/reference/secrets.md: every private value, its format, and what it is for."""

from __future__ import annotations

from model.rotation import DKIM, ROTATIONS
from model.secrets import CATALOGUE, DKIM_PREFIX, FORMATS
from model.shape import NAMESPACE
from ops.reference.markdown import code, page, table

_INTRODUCTION = f"""\
Private values stand encrypted in the stack file, each under a flat key: inside an object, Pulumi would hand them to
the program as untracked plain text, so that is refused.

`./kolab secrets --stack <stack>` makes what is missing and never overwrites anything. To bring in existing
values, put each into a file named like its key and add `--from FOLDER`; what only you can have (format *as its owner
gave it to you*) can also be stored by hand, without a trace in the shell's history:

    ./kolab pulumi config set --secret --stack <stack> {NAMESPACE}:cloudflareApiToken < token

A stack with `{NAMESPACE}:scope: dns` needs {NAMESPACE}:cloudflareApiToken alone."""

_ROTATION = f"""\
## Rotation

`./kolab secrets rotate <key> --stack <stack>` exchanges a secret: [how to](../how-to/rotate-secrets.md). A value that
changes in any other way is refused by the next preview (`secret-change`), and the secrets of the last kind are never
exchanged. With `{NAMESPACE}:external.database` or `external.redis`, their passwords are yours to give."""

_KINDS = {
    "made": "`rotate`",
    "given": "`rotate --from FOLDER`",
    "staged": "in stages",
    "never": "never",
}

_HALVES = f"""\
## Public halves

The public half of a key pair stands in plain text beside it, so that previews, manifests and DNS records need no
passphrase: `{NAMESPACE}:passportPublicKey`, `{NAMESPACE}:mail.dkim.selectors.<selector>.publicKey`,
`{NAMESPACE}:tlsa.current` and `{NAMESPACE}:tlsa.next`. The program refuses halves that do not belong together."""


def text() -> str:
    """The page."""
    rows = [
        (entry.secret.key, FORMATS[entry.secret.format].words, entry.secret.why, entry.when)
        for entry in CATALOGUE
    ]
    rows.append(
        (
            f"{DKIM_PREFIX}<selector>",
            FORMATS["rsa2048"].words,
            "signs outgoing mail",
            "for each of mail.dkim.selectors",
        )
    )
    ways = [
        (code(f"{NAMESPACE}:{key}"), _KINDS[how.kind], how.words)
        for key, how in [*ROTATIONS.items(), (f"{DKIM_PREFIX}<selector>", DKIM)]
    ]
    rotations = table(("Key", "How", "What people notice, or why not"), ways)
    found = [(code(f"{NAMESPACE}:{key}"), *rest) for key, *rest in rows]
    keys = table(("Key", "Format", "What for", "Needed"), found)
    return page("Secrets", _INTRODUCTION, keys, _ROTATION, rotations, _HALVES)
