"""Texts of a stack file that are neither names of hosts nor numbers: each kind with its pattern, matched in full.

What a text may hold follows from where it ends up: Kubernetes objects, shell scripts, Postfix maps, zone files, YAML.
None of the kinds has a place for line ends, quotes, spaces, backslashes or the braces of templates.
"""

from __future__ import annotations

from typing import Annotated

from model.kind import matching

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LABELS = rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*"
NO_TEXT = "(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Nn][Uu][Ll][Ll]|[Ee][Mm][Pp][Tt][Yy])"
"""Words that the web application reads as no text, in any case (Laravel: Illuminate/Support/Env.php)."""
_PATH = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"

Label = Annotated[
    str,
    matching(
        "Kubernetes label name",
        _LABEL,
        "must be a Kubernetes name: 1 to 63 lower-case letters, digits or inner hyphens",
    ),
]
"""Names of namespaces (RFC 1123 label)."""
ObjectName = Annotated[
    str,
    matching(
        "Kubernetes name",
        _LABELS,
        "must be a Kubernetes name: up to 253 lower-case letters, digits, inner hyphens, and dots between them",
    ),
]
"""Names of nodes, Secrets, issuers, Ingress and storage classes (RFC 1123 subdomain)."""
PriorityClassName = Annotated[
    str,
    matching(
        "priority class",
        rf"(?!system-){_LABELS}",
        "must be the name of a PriorityClass that is not system-*: those are for what the cluster itself stands on",
    ),
]
"""Names of PriorityClasses (RFC 1123 subdomain; Kubernetes keeps the prefix system-)."""
LabelKey = Annotated[
    str,
    matching(
        "label",
        rf"(?:{_LABELS.replace('$', '/')}/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{{0,61}}[A-Za-z0-9])?",
        "must be the key of a Kubernetes label such as k8s-app or app.kubernetes.io/name",
    ),
]
LabelValue = Annotated[
    str,
    matching(
        "value of a label",
        r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?",
        "must be the value of a Kubernetes label: 1 to 63 letters, digits, or inner - _ .",
    ),
]
SeLinuxType = Annotated[
    str,
    matching("SELinux type", r"[a-z][a-z0-9_]{0,60}_t", "must be the name of an SELinux type, such as spc_t"),
]
OwnNamespace = Annotated[
    str,
    matching(
        "namespace",
        rf"(?!kube-|default$)(?=.{{1,58}}$){_LABEL}",
        "must be a namespace of its own, not default or kube-*: 1 to 58 lower-case letters, digits or inner hyphens, so that `<namespace>-logs` is a name as well",
    ),
]
ClusterDomain = Annotated[
    str, matching("DNS suffix", _LABELS, "must be the DNS suffix of Services, such as cluster.local")
]
Context = Annotated[
    str,
    matching(
        "kubeconfig context",
        r"[A-Za-z0-9_][A-Za-z0-9_.:@/+~-]{0,252}",
        "must be the name of a context as `kubectl config get-contexts` prints it, without spaces",
    ),
]
Identifier = Annotated[
    str,
    matching(
        "identifier",
        r"[A-Za-z0-9][A-Za-z0-9_.:@/-]{0,127}",
        "must be a name such as prod-1: letters, digits and inner . _ : @ / -",
    ),
]
Folder = Annotated[
    str,
    matching(
        "folder",
        r"(?!(?:components|docs|model|ops|policy|stacks|tests|toolchain)(?:/|$))[A-Za-z0-9_][A-Za-z0-9._-]{0,63}(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){0,15}",
        "must be a folder inside the project such as rendered/review: no leading slash, no .., none of the program's own folders",
    ),
]
DaemonName = Annotated[
    str, matching("daemon", r"[a-z][a-z0-9-]{0,62}", "must be the name of a daemon such as postfix")
]
Registry = Annotated[
    str,
    matching(
        "image prefix",
        rf"(?=.{{1,200}}$){_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?(?:/{_PATH})*",
        "must be a registry and a path such as registry.example.org:5000/kolab, without https://, tag or final slash",
    ),
]
Tag = Annotated[
    str,
    matching(
        "image tag",
        r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}",
        "must be a tag such as 2026.11: letters, digits, . _ -",
    ),
]
Interface = Annotated[
    str,
    matching(
        "network interface",
        r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,14}",
        "must be the name of a network interface such as eth0 (up to 15 characters)",
    ),
]
Bucket = Annotated[
    str,
    matching(
        "bucket",
        rf"(?!{NO_TEXT}$)(?!.*\.\.)(?!(?:[0-9]+\.){{3}}[0-9]+$)[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]",
        "must be the name of a bucket: 3 to 63 lower-case letters, digits, dots or inner hyphens, no IPv4 address, and not true, false, null or empty, which the web application reads as no name",
    ),
]
Region = Annotated[
    str,
    matching(
        "region",
        rf"(?!{NO_TEXT}$)[A-Za-z0-9][A-Za-z0-9._-]{{0,62}}",
        "must be the name of a region such as eu-central-1, and not true, false, null or empty, which the web application reads as no name",
    ),
]
ZoneId = Annotated[
    str,
    matching(
        "zone id",
        r"(?:[0-9a-f]{32})?",
        'must be the 32 hexadecimal digits on the overview page of the zone, or "" with zone files',
    ),
]
DelegationSigner = Annotated[
    str,
    matching(
        "DS record",
        r"[0-9]{1,5} [0-9]{1,3} (?:1 [0-9A-Fa-f]{40}|2 [0-9A-Fa-f]{64}|4 [0-9A-Fa-f]{96})",
        "must be the value of a DS record: key tag, algorithm, digest type (1, 2 or 4) and digest, as in 20326 8 2 E06D...",
    ),
]
CaaIssuer = Annotated[
    str,
    matching(
        "certification authority",
        r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(?:; ?[A-Za-z0-9]{1,32}=[A-Za-z0-9._~:/?@+,=-]{1,200}){0,5}",
        "must be the name of an authority in CAA records, such as digicert.com, with parameters behind it if need be: letsencrypt.org; validationmethods=dns-01",
    ),
]
Username = Annotated[
    str,
    matching(
        "user name",
        r"[A-Za-z0-9][A-Za-z0-9._+@=/~-]{0,253}",
        "must be a user name without spaces, colons or quotes: letters, digits and . _ + @ = / ~ -",
    ),
]
SecretKey = Annotated[
    str,
    matching(
        "secret",
        r"[A-Za-z][A-Za-z0-9]{0,40}(?:-[A-Za-z0-9-]{1,63})?",
        "must be the key of a secret without its prefix, such as databasePassword",
    ),
]
FolderName = Annotated[
    str,
    matching(
        "folder name",
        r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
        "must be one folder name: 1 to 63 lower-case letters, digits or inner hyphens",
    ),
]
DailyTime = Annotated[
    str,
    matching(
        "time of day", r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", "must be a time of day such as '01:30', in quotes"
    ),
]
PublicPem = Annotated[
    str,
    matching(
        "public key in PEM",
        r"-----BEGIN PUBLIC KEY-----\r?\n(?:[A-Za-z0-9+/=]{1,80}\r?\n){1,40}-----END PUBLIC KEY-----\s*",
        "must be one public key in PEM, from -----BEGIN PUBLIC KEY----- to -----END PUBLIC KEY-----",
    ),
]
RuleId = Annotated[
    str,
    matching(
        "rule",
        r"(?=.{1,64}$)[a-z0-9]+(?:-[a-z0-9]+)*",
        "must be the id that a finding ends with, such as mx-moved",
    ),
]
Subject = Annotated[
    str,
    matching(
        "subject",
        r"\*|[A-Za-z0-9_][A-Za-z0-9_.:/@\[\]-]{0,400}",
        "must be the key or the resource that the finding names, such as kolab:hosts.mx",
    ),
]
Reason = Annotated[
    str,
    matching(
        "reason",
        r"(?=(?:.|\n){10,1000}\Z)[^\x00-\x09\x0b-\x1f\x7f\u2028\u2029]*",
        "must have at least 10 characters that say why, and none that control terminals",
    ),
]
