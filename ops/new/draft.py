"""The stack file as text: what was answered, with a word about each section for whoever reads it next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from model.settings import Settings
from model.settings.storage import Storage, Volume
from ops.new.look import SERVICES
from ops.stacks import StackProblem

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
Answers = Mapping[str, str]


def text(name: str, answers: Answers) -> str:
    """stacks/Pulumi.<name>.yaml. Raises StackProblem for an answer that has no such form."""
    return "\n".join(_lines(name, answers)) + "\n"


def _lines(name: str, answers: Answers) -> Iterator[str]:
    domain = answers["domain"]
    yield "# yaml-language-server: $schema=schema.json"
    yield "# Every key: docs/reference/settings.md. What changes after `up` is judged: docs/reference/rules.md."
    yield "config:"
    yield "  # single-node: one address, one node. cluster: an address per daemon, replicas on several nodes."
    yield f"  kolab:mode: {answers['mode']}"
    yield f"  kolab:domain: {domain}"
    yield from _kubernetes(name, answers)
    yield from _network(answers)
    yield "  # Public names; those that are not written here follow the domain (mx., mail., imap., smtp., ...)."
    yield f"  kolab:hosts: {{website: {answers['website']}}}"
    yield "  # Who publishes the records. `./kolab dns show` lists them with their reasons; docs/reference/dns.md."
    yield "  kolab:dns:"
    yield f"    provider: {answers['dns']}"
    yield f"    zones: {{{domain}: {_quoted(answers.get('zone_id', ''))}}}"
    # Names inside the zone would need their addresses as well: those are the operator's to write.
    outside = [n for n in answers.get("nameservers", "").split(",") if n and not n.endswith(f".{domain}")]
    if answers["dns"] == "zonefile" and outside:
        yield f"    nameservers: {_flow({server: [] for server in outside})} # as the zone has them today"
    yield "  kolab:mail:"
    yield "    # hold publishes nothing that leads mail here; live is the last step of README's first deployment."
    yield "    mx: {stage: hold}"
    yield "    # An existing mailbox: postmaster@ and abuse@ of every domain lead there."
    yield f"    postmaster: {_quoted(answers['postmaster'])}"
    yield "  # Where certificates come from: docs/how-to/choose-an-issuer.md."
    yield f"  kolab:tls: {_tls(answers)}"
    if answers["alerts"]:
        kind = "webhook" if answers["alerts"].startswith("https://") else "email"
        yield "  # Alerts leave this stack, so that they arrive when it is down; docs/reference/alerts.md."
        yield f"  kolab:monitoring: {{alerts: {{{kind}: {_quoted(answers['alerts'])}}}}}"
    yield "  # It goes up and never down: docs/how-to/update-the-database.md."
    yield '  kolab:mariadb: {release: "11.8"}'
    yield "  # The server of people's files."
    yield "  kolab:files: {engine: versitygw}"
    yield "  # Volumes grow later and never shrink."
    yield "  kolab:storage:"
    chosen = f", storageClass: {_quoted(answers['storage_class'])}" if answers["storage_class"] else ""
    yield f"    mailboxes: {{size: {_quoted(answers['mailboxes'])}{chosen}}}"
    if chosen:
        for field in Storage.model_fields.values():
            if isinstance(field.default, Volume) and field.alias != "mailboxes":
                yield f"    {field.alias}: {{size: {field.default.size}{chosen}}}"
    if answers["mode"] == "single-node":
        yield "    accessMode: ReadWriteOnce # for provisioners of local disks that do not know ReadWriteOncePod"


def _kubernetes(name: str, answers: Answers) -> Iterator[str]:
    context = answers["context"]
    if context:
        yield "  # The identifier is yours and stays: only its change makes Pulumi replace everything."
        told = {"context": context, "clusterIdentifier": context, **_told(answers, "kubernetes")}
        yield f"  kolab:kubernetes: {_flow(told)}"
        return
    yield "  # No cluster yet: manifests are rendered. When there is one, write instead of `render`:"
    yield f"  #   context: <one of `kubectl config get-contexts`>, clusterIdentifier: {name}-1"
    yield f"  kolab:kubernetes: {{render: rendered/{name}/manifests}}"


def _network(answers: Answers) -> Iterator[str]:
    kind = answers.get("load_balancer", "metallb")
    inside = _addresses("addresses", answers["addresses"], answers["mode"])
    yield "  kolab:network:"
    yield "    # hostPort: ports on the node's own address. metallb: addresses of a pool, announced by MetalLB."
    yield f"    loadBalancer: {kind}"
    yield f"    addresses: {_flow(inside)}"
    mapped = _mapped(inside, answers)
    if mapped:
        yield "    # What the world uses instead, where NAT maps it (docs/how-to/one-public-address.md)."
        yield f"    public: {_flow(mapped)}"
    yield "    # What the world sees when mail leaves: SPF, HELO and PTR follow it."
    yield f"    egress: {_flow(_egress(answers['egress']))}"
    yield "    # Nothing in these may be public (docs/how-to/find-your-networks.md)."
    yield f"    podCidr: {_quoted(answers['pod_cidr'])}"
    yield f"    serviceCidr: {_quoted(answers['service_cidr'])}"
    others = {key: told for key, told in _told(answers, "network").items() if key not in _ASKED}
    if others:
        yield "    # What the cluster shows of itself: ./kolab cluster check."
    yield from (f"    {key}: {_flow(told)}" for key, told in others.items())


_ASKED = ("podCidr", "serviceCidr")


def _told(answers: Answers, section: str) -> dict[str, Any]:
    """What the cluster says that a section has to say (model/cluster_page)."""
    found: dict[str, Any] = json.loads(answers.get("cluster", "{}")).get(section, {})
    return found


def _addresses(flag: str, written: str, mode: str) -> dict[str, str]:
    """One address for everything, or one for each service."""
    if mode == "single-node":
        if "=" in written or "," in written:
            raise StackProblem(
                f"nothing was written: --{flag} takes one address in single-node mode, such as 203.0.113.10"
            )
        return {"all": written}
    services = enumerate(SERVICES, 10)
    return _pairs(flag, written, ",".join(f"{name}=10.20.0.{number}" for number, name in services))


def _mapped(inside: dict[str, str], answers: Answers) -> dict[str, str]:
    """Inside -> outside."""
    written = answers["public"]
    if not written:
        return {}
    if "=" not in written:
        return dict.fromkeys(inside.values(), written)
    outside = _pairs("public", written, "proxy=203.0.113.10,smtp=203.0.113.11")
    unknown = sorted(set(outside) - set(inside))
    if unknown:
        raise StackProblem(
            f"nothing was written: --public names {', '.join(unknown)}, which --addresses does not"
        )
    return {inside[service]: address for service, address in outside.items()}


def _egress(written: str) -> dict[str, Any]:
    kind, _, value = written.partition("=")
    if kind == "gateway" and value:
        return {"mode": "gateway", "addresses": value.split(",")}
    if kind == "relay" and value:
        return {"mode": "relay", "host": value}
    nodes = _pairs("egress", written, "server1=203.0.113.10")
    return {"mode": "nodes", "nodes": {node: [address] for node, address in nodes.items()}}


def _tls(answers: Answers) -> str:
    kind, _, value = answers["tls"].partition("=")
    if kind == "selfSigned" and not value:
        return "{issuer: selfSigned}"
    if kind == "acme" and value:
        return f"{{issuer: acme, email: {_quoted(value)}}}"
    if kind == "existing" and value:
        return f"{{issuer: existing, name: {_quoted(value)}, kind: ClusterIssuer, caa: letsencrypt.org}}"
    raise StackProblem(
        "nothing was written: --tls is existing=<ClusterIssuer>, acme=<mail address>, or selfSigned"
    )


def _pairs(flag: str, written: str, example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, written.replace(" ", "").split(",")):
        key, equals, value = part.partition("=")
        if not (key and equals and value) or key in found:
            raise StackProblem(f"nothing was written: --{flag} is written like {example}")
        found[key] = value
    if not found:
        raise StackProblem(f"nothing was written: --{flag} is written like {example}")
    return found


def _flow(value: Any) -> str:
    """YAML on one line; JSON is YAML, and hostile text stays a text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(value: str) -> str:
    """A word that YAML reads as that word stays plain, everything else is quoted."""
    return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else json.dumps(value)


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9.@-]*|[0-9]+(\.[0-9]+){3}(/[0-9]+)?|[0-9]+[KMGT]i")
_WORDS = ("yes", "no", "on", "off", "true", "false", "null", "y", "n")
"""Read by YAML 1.1 as something else than text."""


def next_steps(name: str, settings: Settings, answers: Answers) -> str:
    """What to do now, in order."""
    steps = [f"read stacks/Pulumi.{name}.yaml, and commit it: its secrets are encrypted"]
    if settings.kubernetes.render:
        steps.append(
            f"./kolab preview --stack {name}   # works without a cluster; ./kolab render --stack {name} writes all files"
        )
        steps.append("prepare a cluster (docs/how-to/prepare-a-cluster.md), and name its context in the file")
    steps.append(f"make preview STACK={name}   # what would be made; each fault with its key and its fix")
    steps.append(f"make up STACK={name}   # nothing sends you mail yet: mail.mx.stage is hold")
    if answers["dns"] != "cloudflare":
        steps.append(f"./kolab dns export --stack {name}   # zone files for your name servers")
    steps.append(f"./kolab dns tickets --stack {name}   # what only others can do, such as PTR")
    return "\n".join(["", "Next:", *(f"  {n}. {step}" for n, step in enumerate(steps, 1))])
