"""What vector does with each line, as one VRL program: drop noise, hide secrets, find what is worth counting.

Daemons are told apart by the label app.kubernetes.io/name; upstream goes by parts of pod names, and there a pod
called "kolab-proxy" is two things. The regular expressions mean the same in Rust (vector) and in Python (tests):
no look-around, no back-references. `$` may stand only at the end of an expression: before a letter, digit or
brace vector would take it for an environment variable.

Sources: https://vector.dev/docs/reference/vrl/functions/; line formats of Postfix 3.5, Cyrus 3.6 and nginx 1.20;
upstream: docker/{postfix,imap,proxy}/rootfs, tests.yaml of docker/vector.
"""

from __future__ import annotations

import ipaddress

from model.settings import Settings
from model.topology import AMAVIS, IMAP, egress_addresses, postfix_nodes

REDACTIONS = (
    # SASL on the wire: smtpd -v shows whole commands, and the answers to LOGIN as bare base64.
    (r"(?i)\bAUTH(ENTICATE)? +(PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5)[ =]+[^ ]+", "AUTH [redacted]"),
    (r"< [^ ]+\[[^\]]+\]: [A-Za-z0-9+/]{4,}={0,2}$", "< [redacted]"),
    (r"(?i)decoded (initial )?response[: ].*$", "decoded response [redacted]"),
    # saslauthd -d: host, path, then user, realm and password (cyrus-sasl: auth_httpform.c).
    (r"auth_httpform: sending .*$", "auth_httpform: sending [redacted]"),
    (
        r"(?i)\bauthorization[\x22\x27]? *[:=] *[\x22\x27]?((basic|bearer|digest|negotiate) +)?[^ ,\x22\x27]+",
        "authorization: [redacted]",
    ),
    # key=value, key: value, "key":"value" and key => value, in logfmt, JSON, PHP and query strings.
    (
        r"(?i)[\x22\x27]?[a-z0-9_.-]*(password|passwd|passphrase|secret|token|api_?key|private_?key)[\x22\x27]?"
        r"( *=> *| *[=:] *)(\x22[^\x22]*\x22|\x27[^\x27]*\x27|[^ ,;&\x22\x27)}\]]+)",
        "[secret redacted]",
    ),
    (r"[?&](code|sig|signature)=[^& \x22]+", "?[redacted]"),
    # Connection strings in exceptions: mysql://user:password@host.
    (r"://[^/ :@\x22]+:[^/ @\x22]+@", "://[redacted]@"),
)
"""What must never be stored, and what stands there instead."""

SYSLOG = (
    r"^([A-Z][a-z]{2} +[0-9]{1,2} [0-9:]{8}([.][0-9]+)? [^ ]+ ([a-z0-9]+[.][a-z]+ )?)?"
    r"(?P<process>[A-Za-z/][A-Za-z0-9_./-]*)\[(?P<pid>[0-9]+)\] ?: ?(?P<text>.*)$"
)
"""Lines of Postfix, Amavis, Cyrus and saslauthd, with or without the syslog head."""
ACCESS = r'^(?P<client>[^ ]+) [^ ]+ [^ ]+ \[[^\]]+\] "(?P<method>[A-Z]+) (?P<path>[^ ]+) [^"]*" (?P<status>[0-9]{3}) '
"""Access log of nginx and Apache."""
LEVEL = r"^\[[^\]]+\] [A-Za-z]+[.](?P<level>[A-Z]+): "
"""Monolog's line format (web application)."""
LOGFMT = r"(^| )component=(?P<component>[^ ]+)( .*)? user=(?P<user>[^ ]+)"
"""Roundcube, Chwala, Syncroton with LOG_DRIVER=logfmt."""

CLIENT = r"^[0-9A-Za-z]+: client=[^ \[]*\[(IPv6:)?(?P<ip>[^\]]+)\]"
"""smtpd begins a message: the client got as far as an accepted recipient."""
REJECT = r"^[0-9A-Za-z]+: reject: [A-Z]+ from [^ \[]*\[(IPv6:)?(?P<ip>[^\]]+)\]: (?P<code>[45][0-9]{2})"
DELIVERY = r"^[0-9A-Za-z]+: to=<[^>]*>,.* status=(?P<status>[a-z]+)"
AUTH_FAILURE = (
    r"^[0-9/]+ [0-9:]+ \[[a-z]+\] [0-9#]+: \*[0-9]+ client login failed|^badlogin: "
    r"|^warning: [^ ]+\[[^\]]+\]: SASL [A-Z0-9-]+ authentication fail"
)
"""nginx, Cyrus, Postfix. saslauthd's own line is left out: a health check fails a login there every 30 seconds."""
WEB_AUTH_FAILURE = (
    r"^[^ ]+ - [^\x22]*\[[^\]\x22]+\] \x22POST /(api/auth/login|oauth/|webmail/)[^\x22]*\x22 (401|403|422|429) "
    r"|^[^ ]+ - (-?[^ \x22-][^\x22]*) \[[^\]\x22]+\] \x22[^\x22]*\x22 401 "
)
"""Access log of the proxy: a login form that is refused or braked, or a name with a wrong password (ActiveSync, calendars,
monitoring). A first request without a name is how programs ask what they need."""
BACKUP = r"^backup: kept (?P<engine>database|mail|files|objects) after [0-9]+ seconds$"
"""What components/scripts/backup says of a backup that is in the repository, whole."""
DRILL = r"^backup: drilled (?P<engine>database|mail) of [0-9TZ:-]+: [0-9]+ [a-z]+, [0-9]+ [a-z]+$"
"""What a drill says of a backup that came back whole."""
DRILL_FAILED = r"^backup: the (drill of the (databases|mail) failed|newest backup of (database|mail) does not come back): "
FILTERED = r"^\([0-9]+-[0-9-]+\) (?P<verdict>Passed|Blocked) (?P<what>[A-Z-]+)"
"""Amavis says what it did with a message. What it found in it comes later in the line, and in others."""
SUBMITTED = r"^[0-9A-Za-z]+: client=[^ ]+, .*sasl_username=(?P<user>[^ ,]+)"
"""smtpd begins a message of one of us."""
NO_CONNECTION = r"(?i)too many connections"
"""MariaDB's answer 1040, as its clients quote it."""
REDIS_FULL = r"OOM command not allowed when used memory"
"""Redis' answer to a write, as its clients quote it."""
CLIENTS = ("webapp", "horizon", "scheduler", "roundcube")
"""Whose lines may quote database and Redis. Postfix quotes the database in its warnings."""
NO_SPACE = r"(?i)no space left on device|not enough free space in mail queue"
POSTFIX_TROUBLE = r"^(warning|error|fatal|panic): "
"""Postfix about itself. Lines that quote a message begin with its queue id, and anybody may write a message."""
STATEFUL = ("postfix", "imap", "mariadb", "redis", "minio", "versitygw", "prometheus", "victorialogs")
"""Whose lines may say that a disk is full; the proxy's quote requests, which anybody may send."""
NOISE = "accept lock"
"""Cyrus says this many times a second (upstream drops it too)."""

_LOOPBACK = ("127.0.0.0/8", "::1/128")
_PRIVATE = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
)


def program(settings: Settings) -> str:
    """The VRL program. Every expression that can fail has its answer, so that no event leaves it unredacted."""
    return "\n".join((_head(), _redact(), _find(), _networks(settings), _event())) + "\n"


def cluster_networks(settings: Settings) -> tuple[str, ...]:
    """Addresses that no client from outside can have: pods, Services, and the nodes that Postfix sends from."""
    nodes = egress_addresses(settings) if postfix_nodes(settings) else ()
    return (
        str(settings.network.pod_cidr),
        str(settings.network.service_cidr),
        *(str(ipaddress.ip_network(a)) for a in nodes),
    )


def _head() -> str:
    # get() returns any type, whatever vector's schema knows of the event: VRL refuses both an error that is not
    # handled and a handler for an error that cannot happen.
    return f"""\
daemon = string(get(., ["kubernetes", "pod_labels", "app.kubernetes.io/name"]) ?? null) ?? "unknown"
line = string(get(., ["message"]) ?? null) ?? ""
if daemon == "imap" && contains(line, "{NOISE}") {{ abort }}"""


def _redact() -> str:
    return "\n".join(f"line = replace(line, r'{pattern}', \"{text}\")" for pattern, text in REDACTIONS)


def _find() -> str:
    stateful = ", ".join(f'"{daemon}"' for daemon in STATEFUL)
    clients = ", ".join(f'"{daemon}"' for daemon in CLIENTS)
    return f"""\
found = {{}}
process = ""
text = line
if includes(["postfix", "imap"], daemon) {{
  found = parse_regex(line, r'{SYSLOG}') ?? {{}}
  process = string(found.process) ?? ""
  text = string(found.text) ?? line
}} else if includes(["proxy", "roundcube"], daemon) {{
  found = parse_regex(line, r'{ACCESS}') ?? parse_regex(line, r'{LOGFMT}') ?? {{}}
}} else if includes(["webapp", "horizon", "scheduler", "seed"], daemon) {{
  found = parse_regex(line, r'{LEVEL}') ?? {{}}
}}
event = ""
detail = ""
client = ""
kept = parse_regex(line, r'{BACKUP}') ?? {{}}
drilled = parse_regex(line, r'{DRILL}') ?? {{}}
if exists(kept.engine) {{
  event = "backup"
  detail = string(kept.engine) ?? ""
}} else if exists(drilled.engine) {{
  event = "drill"
  detail = string(drilled.engine) ?? ""
}} else if match(line, r'{DRILL_FAILED}') {{
  event = "drill-failed"
}} else if includes([{stateful}], daemon) && match(text, r'{NO_SPACE}') && (daemon != "postfix" || match(text, r'{POSTFIX_TROUBLE}')) {{
  event = "no-space"
}} else if match(text, r'{AUTH_FAILURE}') {{
  event = "auth-failure"
}} else if daemon == "proxy" && match(line, r'{WEB_AUTH_FAILURE}') {{
  event = "auth-failure"
}} else if match(text, r'{NO_CONNECTION}') && (includes([{clients}], daemon) || (daemon == "postfix" && match(text, r'{POSTFIX_TROUBLE}'))) {{
  event = "no-connection"
}} else if includes([{clients}], daemon) && match(text, r'{REDIS_FULL}') {{
  event = "redis-full"
}} else if daemon == "postfix" && contains(process, "/submission") {{
  submitted = parse_regex(text, r'{SUBMITTED}') ?? {{}}
  if exists(submitted.user) {{
    event = "submission"
    detail = string(submitted.user) ?? ""
  }}
}} else if daemon == "postfix" && contains(process, "amavis") && !contains(process, "postfix/") {{
  filtered = parse_regex(text, r'{FILTERED}') ?? {{}}
  if exists(filtered.what) {{
    event = "filter"
    detail = downcase(string(filtered.verdict) ?? "") + " " + downcase(string(filtered.what) ?? "")
  }}
}} else if daemon == "postfix" && process == "postfix/smtpd" {{
  accepted = parse_regex(text, r'{CLIENT}') ?? {{}}
  refused = parse_regex(text, r'{REJECT}') ?? {{}}
  if exists(accepted.ip) {{
    event = "smtp-client"
    client = string(accepted.ip) ?? ""
  }} else if exists(refused.ip) {{
    event = "smtp-reject"
    detail = string(refused.code) ?? ""
    client = string(refused.ip) ?? ""
  }}
}} else if daemon == "postfix" {{
  delivery = parse_regex(text, r'{DELIVERY}') ?? {{}}
  if exists(delivery.status) {{
    detail = string(delivery.status) ?? ""
    if contains(text, ":{IMAP.port("lmtp").number}") {{
      event = "delivery-local"
    }} else if contains(text, ":{AMAVIS.port("inbound").number}") || contains(text, ":{AMAVIS.port("originating").number}") {{
      event = "delivery-filter"
    }} else {{
      event = "delivery-remote"
    }}
  }}
}}"""


def _networks(settings: Settings) -> str:
    return f"""\
network = ""
if client != "" {{
  network = "public"
  if {_inside(_PRIVATE)} {{ network = "private" }}
  if {_inside(cluster_networks(settings))} {{ network = "cluster" }}
  if {_inside(_LOOPBACK)} {{ network = "local" }}
}}"""


def _inside(networks: tuple[str, ...]) -> str:
    return " || ".join(f'(ip_cidr_contains("{network}", client) ?? false)' for network in networks)


def _event() -> str:
    return """\
meta = .kubernetes
at = .timestamp
stream = .stream
. = {
  "timestamp": at,
  "_msg": line,
  "service": daemon,
  "pod_namespace": meta.pod_namespace,
  "pod_name": meta.pod_name,
  "container_name": meta.container_name,
  "node": meta.pod_node_name,
  "stream": stream
}
if process != "" { .process = process }
if exists(found.status) { .status = found.status }
if exists(found.level) { .level = found.level }
if exists(found.component) { .component = found.component }
if exists(found.user) { .user = found.user }
if event != "" {
  .event = event
  .detail = detail
  .network = network
}"""
