"""The questions of `./kolab new`: a sentence, a default, an option, and when each has a meaning."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from model.types import hostname
from ops.new.look import SERVICES, World
from ops.stacks import StackProblem

Answers = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question. An empty answer means: without it."""

    key: str
    flag: str
    about: str
    """The sentence that explains it; also the option's help."""
    metavar: str
    default: Callable[[Answers, World], str | None]
    """None: there is no answer that could be guessed."""
    choices: tuple[str, ...] = ()
    applies: Callable[[Answers], bool] = lambda _: True
    when: str = ""
    """In which case it applies, in words."""
    parse: Callable[[str], str] = str


@dataclass
class Asker:
    """Gets answers: from options, else from the person at the terminal, else the default."""

    given: Mapping[str, str | None]
    interactive: bool
    read: Callable[[str], str] = input
    missing: list[str] = field(default_factory=list)

    def ask(self, question: Question, answers: Answers, world: World) -> str:
        """The answer. Raises StackProblem when an option's value cannot be used, or the terminal is closed."""
        default = question.default(answers, world)
        option = self.given.get(question.key)
        if option is not None:
            try:
                return _accepted(question, option)
            except ValueError as error:
                raise StackProblem(f"--{question.flag} {error}") from None
        if not self.interactive:
            if default is None:
                self.missing.append(f"--{question.flag} {question.metavar}")
            # What follows from a missing answer means nothing; all that are missing are named together.
            return _accepted(question, default) if default and not self.missing else default or ""
        return self._at_terminal(question, default)

    def complain(self) -> None:
        """Raises StackProblem that names every option without which there is no stack file."""
        if self.missing:
            raise StackProblem(
                f"nothing was written: give {', '.join(self.missing)}; ./kolab new --help explains each"
            )

    def _at_terminal(self, question: Question, default: str | None) -> str:
        choices = f" ({' | '.join(question.choices)})" if question.choices else ""
        print(f"\n{question.about}{choices}", file=sys.stderr)
        while True:
            try:
                typed = self.read(f"{question.key} [{default or ''}]: ").strip() or default
            except EOFError:
                raise StackProblem(
                    "nothing was written: the answers ended before the questions did"
                ) from None
            if typed is None:
                print("  there is no default for this one", file=sys.stderr)
                continue
            try:
                return _accepted(question, typed)
            except ValueError as error:
                print(f"  {error}", file=sys.stderr)


def _accepted(question: Question, text: str) -> str:
    """Raises ValueError that says what may be written."""
    if question.choices and text not in question.choices:
        raise ValueError(f"must be one of {', '.join(question.choices)}")
    return question.parse(text)


def _cluster(answers: Answers) -> bool:
    return answers["mode"] == "cluster"


def _context(text: str) -> str:
    from ops.new import look  # noqa: PLC0415

    return look.known_context(text)


def _first_address(answers: Answers) -> str:
    """The public address by which the world reaches mail."""
    text = answers["public"] or answers["addresses"]
    listed = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    return listed.get("smtp") or next(iter(listed.values()), text.split(",")[0])


def _public(answers: Answers, world: World) -> str:
    """What the world sees, where the addresses are private."""
    written = (part.rpartition("=")[2] for part in answers["addresses"].split(","))
    return "" if any(map(_of_the_world, written)) else world.from_outside.address


def _of_the_world(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def _egress(answers: Answers, world: World) -> str | None:
    if _cluster(answers):
        seen = world.external or dict.fromkeys(world.nodes, world.from_outside.address)
        found = [f"{node}={address}" for node, address in seen.items() if address]
        return ",".join(found) or None
    node = next(iter(world.nodes), "server1")
    return f"{node}={world.external.get(node) or _first_address(answers)}"


ALL: tuple[Question, ...] = (
    Question(
        key="domain",
        flag="domain",
        metavar="DOMAIN",
        about="The mail domain: what stands behind the @ in your addresses.",
        default=lambda *_: None,
        parse=hostname,
    ),
    Question(
        key="context",
        flag="context",
        metavar="CONTEXT",
        about="The kubeconfig context of the cluster; none writes a stack that can be previewed and rendered before there is one.",
        default=lambda *_: "none",
        parse=_context,
    ),
    Question(
        key="mode",
        flag="mode",
        metavar="MODE",
        about="single-node: everything on one address and one node. cluster: an address per daemon, replicas on several nodes.",
        default=lambda *_: "single-node",
        choices=("single-node", "cluster"),
    ),
    Question(
        key="load_balancer",
        flag="load-balancer",
        metavar="KIND",
        about="hostPort opens the ports on the node's own address, as on a VPS; metallb announces an address that the node does not have.",
        default=lambda _, world: "metallb" if world.pools else "hostPort",
        choices=("hostPort", "metallb"),
        applies=lambda answers: not _cluster(answers),
        when="cluster mode always uses MetalLB",
    ),
    Question(
        key="addresses",
        flag="addresses",
        metavar="ADDRESSES",
        about=f"The address that answers, as the cluster knows it; in cluster mode {','.join(f'{name}=...' for name in SERVICES)}. MetalLB gets a pool of its own for this stack: of addresses that no machine and no other pool has.",
        default=lambda answers, world: world.offered(announced=answers.get("load_balancer") != "hostPort"),
    ),
    Question(
        key="public",
        flag="public",
        metavar="ADDRESSES",
        about="Behind NAT: the public address that maps to them (one for all, or proxy=...,smtp=...); empty where they are public themselves.",
        default=_public,
    ),
    Question(
        key="egress",
        flag="egress",
        metavar="EGRESS",
        about="What the world sees when mail leaves: NODE=PUBLIC-ADDRESS,... for each node that may send, gateway=ADDRESS, or relay=HOST. On the node, `curl -4 https://icanhazip.com` shows it.",
        default=_egress,
    ),
    Question(
        key="website",
        flag="website",
        metavar="HOST",
        about="Host name of the web interface and webmail; the bare domain would take over the website that is there now.",
        default=lambda answers, world: (
            f"kolab.{answers['domain']}" if world.may_have_website else answers["domain"]
        ),
        parse=hostname,
    ),
    Question(
        key="dns",
        flag="dns",
        metavar="PROVIDER",
        about="Who publishes the records: cloudflare by its API, or zonefile for any other name server.",
        default=lambda _, world: "cloudflare" if world.at_cloudflare else "zonefile",
        choices=("zonefile", "cloudflare"),
    ),
    Question(
        key="zone_id",
        flag="zone-id",
        metavar="ID",
        about="The zone's id, from its overview page at Cloudflare.",
        default=lambda *_: None,
        applies=lambda answers: answers["dns"] == "cloudflare",
        when="only Cloudflare has zone ids",
    ),
    Question(
        key="tls",
        flag="tls",
        metavar="ISSUER",
        about="Certificates: existing=NAME of a ClusterIssuer, acme=MAIL-ADDRESS through Cloudflare, or selfSigned to look around.",
        default=lambda answers, world: (
            f"existing={world.issuers[0]}"
            if world.issuers
            else f"acme=hostmaster@{answers['domain']}"
            if answers["dns"] == "cloudflare"
            else "existing=letsencrypt"
        ),
    ),
    Question(
        key="postmaster",
        flag="postmaster",
        metavar="ADDRESS",
        about="The mailbox that receives postmaster@ and abuse@; make it before mail.mx.stage is live.",
        default=lambda answers, _: f"admin@{answers['domain']}",
    ),
    Question(
        key="alerts",
        flag="alerts",
        metavar="ADDRESS",
        about="Where alerts go: an https:// webhook, which a live stack needs, or a mail address outside of this stack; empty for nowhere.",
        default=lambda *_: "",
    ),
    Question(
        key="storage_class",
        flag="storage-class",
        metavar="CLASS",
        about="Storage class of the volumes; empty for the cluster's default.",
        default=lambda *_: "",
    ),
    Question(
        key="mailboxes",
        flag="mailboxes",
        metavar="SIZE",
        about="Size of the volume that holds all mail; it can grow later.",
        default=lambda *_: "50Gi",
    ),
    Question(
        key="pod_cidr",
        flag="pod-cidr",
        metavar="NETWORK",
        about="Addresses of pods: no daemon trusts them as a mail client (docs/how-to/find-your-networks.md).",
        default=lambda _, world: world.network("podCidr") or "10.42.0.0/16",
    ),
    Question(
        key="service_cidr",
        flag="service-cidr",
        metavar="NETWORK",
        about="Addresses of Services.",
        default=lambda _, world: world.network("serviceCidr") or "10.43.0.0/16",
    ),
    Question(
        key="backend",
        flag="backend",
        metavar="URL",
        about="Where Pulumi keeps what it has made: file://~ on this machine, s3://... for a team (docs/how-to/choose-a-state-backend.md).",
        default=lambda _, world: world.backend or "file://~",
    ),
)
