"""The mail side: Cyrus IMAP, and Postfix with Amavis."""

from __future__ import annotations

from dataclasses import replace

from components.amavis import AmavisArgs, Verdicts
from components.backup import RestoreMail
from components.certificates import Certificates
from components.composition import Composition
from components.drill import DrillMail, DrillMailArgs
from components.imap import Imap, ImapArgs
from components.pods import Placement
from components.postfix import Beside, Dane, Login, Postfix, PostfixArgs, Relay, Smtp
from components.unbound import Resolving
from model import resolver, roles, topology
from model.settings import Settings
from model.types import bytes_of


def mail(stack: Composition, certificates: Certificates) -> tuple[Imap, Postfix]:
    """What receives, keeps and sends mail."""
    settings, secret = stack.settings, stack.secret
    imap = ImapArgs(
        build=stack.build("imap"),
        mailboxes=settings.storage.mailboxes,
        state=settings.storage.imap_state,
        certificate=certificates.sieve,
        public=stack.public(topology.IMAP),
        keeper=stack.keeper(),
        extra=settings.extra.imap,
    )
    cyrus = Imap("imap", stack.site, imap, stack.child())
    if imap.keeper:
        RestoreMail("restore-mail", stack.site, imap.keeper, cyrus.container, stack.child())
        if settings.backup and settings.backup.drills:
            room = {"/var/spool/imap": imap.mailboxes, "/var/lib/imap": imap.state}
            drill = DrillMailArgs(keeper=imap.keeper, cyrus=cyrus.container, room=room)
            DrillMail("drill-mail", stack.site, drill, stack.child())
    selectors = settings.mail.dkim.selectors
    active = next((name for name, key in selectors.items() if key.stage == "active"), None)
    amavis = AmavisArgs(
        build=stack.build("amavis"),
        domain=settings.domain,
        database=stack.webapp_database(),
        learnt=stack.redis(),
        antivirus=settings.mail.antivirus,
        verdicts=_verdicts(settings),
        selector=active or next(iter(selectors)),
        signing=active is not None,
        keys={name: secret(f"dkimKey-{name}") for name in selectors},
        extra=settings.extra.spamassassin,
    )
    outbound, through, relay = settings.mail.outbound, topology.smarthost(settings), None
    if through:
        login = Login(through.username, secret("relayPassword")) if through.username else None
        relay = Relay(
            host=through.host,
            port=through.port,
            implicit_tls=through.implicit_tls,
            authorities=through.authorities,
            login=login,
        )
    postfix = PostfixArgs(
        build=stack.build("postfix"),
        beside=Beside(
            amavis=amavis,
            exporter=stack.build("postfix-exporter") if settings.monitoring.enabled else None,
            resolver=Resolving(build=stack.build("unbound"), config=resolver.config(settings))
            if outbound.dane
            else None,
        ),
        domain=settings.domain,
        smtp=Smtp(
            helo=stack.names.helo,
            ipv6=any(":" in address for address in topology.load_balancer_addresses(settings)["smtp"]),
            sends_ipv6=any(":" in address for address in topology.egress_addresses(settings)),
            message_size_limit=bytes_of(settings.mail.message_size_limit),
            aliases=roles.addresses(stack.settings),
            domains=settings.domains,
            pods=str(settings.network.pod_cidr),
            relay=relay,
            maintenance=settings.mail.maintenance,
            dane=Dane(exempt=outbound.exempt) if outbound.dane else None,
            extra=settings.extra.postfix,
        ),
        content_filter=settings.mail.content_filter,
        database=stack.webapp_database(),
        certificate=certificates.mx,
        queue=settings.storage.queue,
        filters=settings.storage.filters,
        replicas=settings.pods("postfix"),
        public=stack.public(topology.POSTFIX, _postfix_placement(stack)),
    )
    return cyrus, Postfix("postfix", stack.site, postfix, stack.child())


def _verdicts(settings: Settings) -> Verdicts:
    spam = settings.mail.spam
    return Verdicts(
        spam_from=spam.mark_at,
        spam_subject="***SPAM*** " if spam.mark_subject else "",
        kept_from=spam.quarantine_at,
        days=settings.mail.quarantine_days,
        # The rest is for rules and signatures, of which an update needs twice the room.
        room=bytes_of(settings.storage.filters.size) // 4,
    )


def _postfix_placement(stack: Composition) -> Placement:
    """Only where the world sees an address that SPF and PTR name."""
    if stack.settings.single_node:
        return stack.edge()
    return replace(stack.spread("postfix").placement, nodes=topology.postfix_nodes(stack.settings))
