"""Lines of an operator's own in the daemons' configuration."""

from __future__ import annotations

from model.findings import Rule

EXTRA_OWN = Rule(
    "extra-own",
    path="kolab:extra.{where}",
    problem="is written by the program itself, so this line would be lost or break it",
    fix="remove it, and look in docs/reference/settings.md for the setting that decides it",
    why="What two hands write, nobody has decided.",
)
EXTRA_RELAY = Rule(
    "extra-open-relay",
    path="kolab:extra.{where}",
    problem="has to do with who may send through this server: one wrong word makes it an open relay",
    fix="remove it: network.internalPeers names devices that may hand in mail, and mail.rateLimits says how much people may send",
    why="An open relay is found within hours, and its addresses stay on blocklists for weeks.",
)
EXTRA_DELIVERY = Rule(
    "extra-delivery",
    path="kolab:extra.{where}",
    problem="has to do with where mail goes, what is done to it, or whom a daemon asks",
    fix="remove it: network.egress, mail and external say where things go",
    why="A wrong way loses mail, or shows it to somebody else.",
)
EXTRA_PLAINTEXT = Rule(
    "extra-plaintext",
    path="kolab:extra.{where}",
    problem="has to do with TLS, or with how people prove who they are",
    fix="remove it: the program demands TLS 1.2 or newer wherever a password travels",
    why="A password that travels in the open is everybody's.",
)
EXTRA_CLIENT = Rule(
    "extra-client-address",
    path="kolab:extra.{where}",
    problem="has to do with how a client is known: brakes, logs and spam checks would see a wrong address, or believe a liar",
    fix="remove it: network says how clients reach the stack",
    why="Every defence of a mail server begins with the true address of the client.",
)
EXTRA_DATA = Rule(
    "extra-data",
    path="kolab:extra.{where}",
    problem="has to do with where data lie or how long they stay",
    fix="remove it: storage names the volumes",
    why="What is written beside a volume is gone with the pod, and in no backup.",
)
EXTRA_CODE = Rule(
    "extra-code",
    path="kolab:extra.{where}",
    problem="runs a program, loads one, or names a file of the image",
    fix="remove it: a daemon runs what its image has, and nothing else",
    why="Code that nobody reviewed would run beside everybody's mail.",
)
EXTRA_UNSEEN = Rule(
    "extra-closed",
    path="kolab:extra.{where}",
    problem="has to do with who is answered what: internal pages may become everybody's",
    fix="remove it: features and network.doors say what is offered, and to whom",
    why="What the proxy closes stays closed in every spelling.",
)
EXTRA_SECRET = Rule(
    "extra-secret",
    path="kolab:extra.{where}",
    problem="reads like a secret, or writes secrets into a log; the stack file would show it to whoever reads it",
    fix="remove it: secrets stand encrypted in the stack file (docs/reference/secrets.md)",
    why="A secret stands where it is encrypted, and nowhere else.",
)
EXTRA_UNKNOWN = Rule(
    "extra-unknown",
    path="kolab:extra.{where}",
    problem="is not among what is known to be harmless, by its name or by its value",
    fix="remove it, or read what it does, try it, and acknowledge it with the reason",
    why="Nobody here has looked at what this does to mail: the one who writes it has to.",
    lifted=True,
)
EXTRA_DAEMON = Rule(
    "extra-daemon",
    path="kolab:extra.{where}",
    problem="names no {what} of this stack",
    fix="use one of {names}",
    why="A line for a daemon that is not there would never be read.",
)
EXTRA_TWICE = Rule(
    "extra-twice",
    path="kolab:extra.{where}",
    problem="says the same as an earlier line: the last one would win in silence",
    fix="keep one of them",
    why="What two lines say, nobody has decided.",
)
EXTRA_MEET = Rule(
    "extra-meet",
    path="kolab:extra.{where}",
    problem="keeps browsers from {what}, which Meet asks them for",
    fix="write {fixed}, or set features.meet: false",
    why="A conference whose guests can neither be seen nor heard is none, and no page says why.",
)
