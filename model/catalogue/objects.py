"""Objects of the cluster, whoever adds them to the program: judged by the policy pack (policy/)."""

from __future__ import annotations

from model.findings import Rule

CLIENT_ADDRESS = Rule(
    "object-client-address",
    path="{object}",
    problem="lets nodes hand connections on (externalTrafficPolicy {policy}), so daemons see the node as the client: blocklists and SPF judge the wrong address, and a server that trusts its network relays for the world",
    fix="set externalTrafficPolicy: Local",
    why="Every public Service shows its daemon the true address of the client.",
    source="docs/adr/0005-one-address-by-identical-selectors.md",
)
INSIDE_PORT = Rule(
    "object-inside-port",
    path="{object}",
    problem="opens port {port} of {daemon} to the world, which is trusted by address or takes passwords in the clear",
    fix="lead the public Service to one of: {public}",
    why="Only ports that were made for the world are reachable from there.",
)
NODE_NAMESPACES = Rule(
    "object-node-access",
    path="{object}",
    problem="shares {what} with its node: whoever takes over the pod has the node",
    fix="remove it; only the log collector reads files of its node",
    why="A daemon that strangers speak to must not be a way onto the node.",
)
PRIVILEGED = Rule(
    "object-privileged",
    path="{object}",
    problem="has a container {container} that {what}",
    fix="say what it really needs with capabilities, and the reason beside it",
    why="Containers get the privileges that they need and no more.",
)
UNLIMITED = Rule(
    "object-unlimited",
    path="{object}",
    problem="has a container {container} without a limit of memory: a leak takes the whole node along",
    fix="set resources.limits.memory",
    why="One daemon's leak must not stop the others.",
)
PLAIN_SECRET = Rule(
    "object-plain-secret",
    path="{object}",
    problem="has the variable {variable} with its value in the object itself, where everybody who may read pods reads it",
    fix="put the value into a Secret and name it with secretKeyRef",
    why="Secrets are read from Secrets alone.",
)
TWO_WRITERS = Rule(
    "object-two-writers",
    path="{object}",
    problem="may run two pods on the volume {claim} at once, which corrupts mailboxes and databases",
    fix="use a StatefulSet, or one replica with strategy Recreate",
    why="Data have one owner at any time.",
)
API_TOKEN = Rule(
    "object-api-token",
    path="{object}",
    problem="gives its pods a token of the Kubernetes API",
    fix="set automountServiceAccountToken: false",
    why="Daemons that strangers speak to have nothing to say to the API.",
)
SYSTEM_PRIORITY = Rule(
    "object-system-priority",
    path="{object}",
    problem="has the priority class {chosen}: its pods take the place of those that the cluster itself stands on",
    fix="leave it out, or use the stack's own class",
    why="Nothing of the stack comes before the cluster's own daemons.",
    source="Kubernetes: Pod Priority and Preemption",
)
IMAGE_MOVES = Rule(
    "object-image-moves",
    path="{object}",
    problem="runs {image}, whose tag may mean another image after the next restart",
    fix="pin its digest",
    why="A restart must not bring in another image.",
    severity="warning",
)
WAY_OUT = Rule(
    "object-way-out",
    path="{object}",
    problem="lets pods reach port 25 of the world although they are not Postfix: what takes them over sends spam past its limits, from your address",
    fix="send through Postfix, and take port 25 out of the policy",
    why="Mail leaves through Postfix alone.",
)
UNGUARDED = Rule(
    "object-unguarded",
    path="{object}",
    problem="holds data and is not protected: an edit or a destroy deletes it without a question",
    fix="make it with Guard.options (components/guard.py)",
    why="Nothing that holds data vanishes by accident.",
)
