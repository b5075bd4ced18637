"""Parts of the stack that need or exclude each other."""

from __future__ import annotations

from model.findings import Rule

FEATURE_OFFICE = Rule(
    "feature-office",
    path="kolab:features.office",
    problem="needs features.files: Collabora opens what Chwala stores",
    fix="set features.files: true, or features.office: false",
    why="Features that cannot be had alone.",
)
FEATURE_S3 = Rule(
    "feature-s3",
    path="kolab:external.s3",
    problem="is given although features.files is off",
    fix="remove it, or set features.files: true",
    why="A store that nothing uses is a typing error in features.",
)
FILES_UNMAINTAINED = Rule(
    "files-unmaintained",
    path="kolab:files.engine",
    problem="is minio, of which nobody publishes images any more: its faults stay, known ones among them (CVE-2025-62506)",
    fix="move the files to Versity Gateway (docs/how-to/move-files.md), or acknowledge it",
    why="A server without upkeep stays behind: the NetworkPolicy lets the web application alone reach it, and nothing mends it.",
    severity="warning",
    source="docs/adr/0018-files-leave-minio-for-versity-gateway.md",
    lifted=True,
)
ALERTS_NOWHERE = Rule(
    "alerts-nowhere",
    path="kolab:monitoring.alerts",
    problem="has no receiver: alerts would reach nobody",
    fix="set webhook to a service that does not need this mail server (a chat, ntfy, a pager), or email with server",
    why="An alert that reaches nobody is none: a warning at first, refused once mail comes here.",
    severity="warning",
    lifted=True,
)
ALERTS_NOWHERE_LIVE = ALERTS_NOWHERE.but(severity="error")
ALERTS_BY_OWN_MAIL = Rule(
    "alerts-by-own-mail",
    path="kolab:monitoring.alerts",
    problem="has no way that works while this stack does not ({needs}): nobody would hear that mail is down",
    fix="set webhook to a service elsewhere (a chat, ntfy, a pager), or email to a mailbox elsewhere and server to the mail server of somebody else",
    why="The alert that matters most must arrive while mail does not.",
    lifted=True,
)
ALERTS_SERVER_UNUSED = Rule(
    "alerts-server-unused",
    path="kolab:monitoring.alerts.server",
    problem="is given without email, so nothing is sent through it",
    fix="set email to the mailbox that alerts go to, or remove server",
    why="A server that nothing uses is a forgotten receiver.",
)
NO_HEARTBEAT = Rule(
    "no-heartbeat",
    path="kolab:monitoring.alerts.heartbeat",
    problem="is missing: when the cluster or its monitoring is gone, no alert says so",
    fix="set it to the address of a service that calls you when it is no longer called (Healthchecks, Uptime Kuma)",
    why="An alert cannot say that there are no alerts any more.",
    severity="warning",
)
ROUND_TRIP_ELSEWHERE = Rule(
    "round-trip-elsewhere",
    path="kolab:monitoring.roundTrip.mailbox",
    problem="is in {domain}, which is no domain of this stack: its message would never come back here",
    fix="name an address in {domains}",
    why="A message that comes back has seen every part of the stack that mail passes.",
)
ROUND_TRIP_OFF = ROUND_TRIP_ELSEWHERE.but(
    path="kolab:monitoring.roundTrip",
    problem="is given, but enabled is false, so that no message is sent and nobody hears when mail does not come back",
    fix="set enabled: true, or remove roundTrip",
)
ROUND_TRIP_SHARED = ROUND_TRIP_ELSEWHERE.but(
    path="kolab:monitoring.roundTrip.mailbox",
    problem="is {address}, an account that does something else: the password of one would be that of the other",
    fix="make an account for this alone, such as round-trip@{domain}",
)
REPORTS_ELSEWHERE = Rule(
    "reports-elsewhere",
    path="kolab:monitoring.reports.mailbox",
    problem="is in {domain}, which is no domain of this stack: nobody could read it here",
    fix="name an address in {domains}",
    why="What the world reports about our mail is counted where it arrives, in a mailbox that is for nothing else.",
)
REPORTS_OFF = REPORTS_ELSEWHERE.but(
    path="kolab:monitoring.reports",
    problem="is given, but enabled is false, so that no report is read and nobody hears that our mail is refused",
    fix="set enabled: true, or remove reports",
)
REPORTS_SHARED = REPORTS_ELSEWHERE.but(
    path="kolab:monitoring.reports.mailbox",
    problem="is {address}, which is for something else: what comes to one would be read, or deleted, with the other",
    fix="make an account for this alone, such as reports@{domain}",
)
MONITORING_OPERATOR = Rule(
    "monitoring-operator",
    path="kolab:monitoring.operator",
    problem="is missing: the numbers are closed to everybody, and mode: prometheus-operator has to say whose Prometheus may read them",
    fix="set it to {{namespace: monitoring, labels: {{release: kube-prometheus-stack}}}}, with the namespace of your Prometheus and what its selectors ask for",
    why="A Prometheus of the cluster is let in by its namespace, and finds objects by their labels.",
)
MONITORING_OPERATOR_UNUSED = Rule(
    "monitoring-operator-unused",
    path="kolab:monitoring.operator",
    problem="is given, but mode is own, so that no Prometheus of the cluster gets anything",
    fix="set mode: prometheus-operator, or remove operator",
    why="Who believes that a Prometheus watches the mail must not be wrong.",
)
MONITORING_OFF = MONITORING_OPERATOR_UNUSED.but(
    path="kolab:monitoring.mode",
    problem="is prometheus-operator, but enabled is false, so that the cluster's Prometheus gets nothing",
    fix="set enabled: true, or remove mode and operator",
)
MONITORING_OPERATOR_NAMESPACE = Rule(
    "monitoring-operator-namespace",
    path="kolab:monitoring.operator.namespace",
    problem="is {namespace}, a namespace of this stack, where nothing may talk that it did not make itself",
    fix="name the namespace of the cluster's Prometheus, such as monitoring",
    why="The stack's namespaces are closed both ways.",
)
MONITORING_OF_CLUSTER = Rule(
    "monitoring-of-the-cluster",
    path="kolab:monitoring.{key}",
    problem="is given, but with mode: prometheus-operator it is the cluster's {whose} that decides this",
    fix="remove it, and {instead}",
    why="What nothing reads looks as if somebody were told.",
)
STORAGE_OF_CLUSTER = Rule(
    "storage-of-the-cluster",
    path="kolab:storage.metrics",
    problem="is given, but with mode: prometheus-operator the numbers lie on the volume of the cluster's Prometheus",
    fix="remove it, and set spec.storage of that Prometheus",
    why="What nothing reads looks as if there were room for the numbers.",
)
CONTENT_FILTER_SIZE = Rule(
    "content-filter-size",
    path="kolab:mail.messageSizeLimit",
    problem="is {size}, but mail above 10Mi cannot pass the content filter and would wait in the queue until it bounces",
    fix="set it to 10Mi or less, or mail.contentFilter: false",
    why="Mail above the web application's request limit would be deferred for ever when it must pass the filter.",
)
CLUSTER_UNNAMED = Rule(
    "cluster-unnamed",
    path="kolab:kubernetes.{key}",
    problem="is missing: the stack would follow whatever cluster the shell points at",
    fix="name the kubeconfig context and choose an identifier that stays",
    why="A deployed stack names its cluster and does not follow the shell.",
)
IMAGE_LATEST = Rule(
    "image-latest",
    path="kolab:images",
    problem="names no digest of {images}: whatever the registry has under their tags by then comes in with the next"
    " restart of a pod, on one node and not on the other",
    fix="pin them with ./kolab images pin, or acknowledge it",
    why="A tag may mean another image tomorrow, and another image may not run: an update of images is a reviewed line.",
    lifted=True,
)
UNKNOWN_DAEMON = Rule(
    "unknown-daemon",
    path="kolab:resources.{name}",
    problem="names no daemon of this stack",
    fix="use one of {names}",
    why="Names that choose a daemon must be ones that exist.",
)
UNKNOWN_IMAGE = Rule(
    "unknown-image",
    path="kolab:images.digests.{name}",
    problem="names no image of this stack",
    fix="use one of {names}",
    why="Names that choose an image must be ones that exist.",
)
LIMIT_BELOW_REQUEST = Rule(
    "limit-below-request",
    path="kolab:resources.{name}.memoryLimit",
    problem="is {limit}, less than the {request} that {name} requests",
    fix="raise it, or lower memory",
    why="Kubernetes refuses a container whose limit is below what it requests.",
)
SCOPE_SHARD = Rule(
    "scope-shard",
    path="kolab:dns.shard",
    problem="is missing with scope dns",
    fix="write shard: {{index: 0, count: <number of such stacks>}}",
    why="Shards are numbered stacks that share the records of one installation.",
)
SCOPE_PROVIDER = Rule(
    "scope-provider",
    path="kolab:dns.provider",
    problem="is zonefile, which leaves a dns stack nothing to do",
    fix="set it to cloudflare",
    why="A stack of records alone needs a provider that publishes them.",
)
SCOPE_SHARD_UNUSED = SCOPE_SHARD.but(
    path="kolab:dns.shard",
    problem="has a meaning with scope dns only",
    fix="remove it, or set kolab:scope to dns",
)
SCOPE_SHARD_RANGE = SCOPE_SHARD.but(
    path="kolab:dns.shard.index",
    problem="is {index}, but shards are numbered from 0 to {last}",
    fix="count from 0",
)
SCOPE_TOO_LARGE = Rule(
    "scope-too-large",
    path="kolab:scope",
    problem="is all with {number} hosted domains: updates would take minutes",
    fix="set it to cluster here, and publish the records from stacks with scope dns (docs/how-to/many-domains.md)",
    why="Large installations split their DNS; small ones do not.",
)
BACKUP_MISSING = Rule(
    "backup-missing",
    path="kolab:backup",
    problem="is missing: a lost disk takes every mailbox on it along",
    fix="name a repository (docs/how-to/back-up-and-restore.md), or acknowledge it and say who else makes backups",
    why="A volume is no backup.",
    severity="warning",
)
STORAGE_UNPROTECTED = Rule(
    "storage-unprotected",
    path="kolab:storage.protect",
    problem="is off: one wrong line may delete every mailbox",
    fix="set it to true, or acknowledge it for a throw-away stack",
    why="Data without protection is for throw-away stacks.",
    severity="warning",
)
