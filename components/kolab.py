"""The stack: namespaces first, then the parts. Nothing is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi

from components.composition import Composition, Secrets
from components.daemon import Site
from components.guard import Guard
from components.namespaces import Namespaces
from components.parts.data import data
from components.parts.edge import certificates, expose, policies
from components.parts.mail import mail
from components.parts.watch import watch
from components.parts.web import web
from components.pods import Extensions
from components.priorities import Priorities
from components.proxy import Proxy
from model import topology
from model.deployed import Deployed
from model.settings import Settings
from model.sizing import size_of
from model.transition import takes_over


class Kolab(pulumi.ComponentResource):
    """Everything in the cluster. `proxy` serves the MTA-STS policy, which DNS may name only then."""

    proxy: Proxy

    def __init__(
        self,
        settings: Settings,
        secret: Secrets,
        guard: Guard,
        opts: pulumi.ResourceOptions | None = None,
        *,
        deployed: Iterable[Deployed] = (),
    ) -> None:
        super().__init__("kolab:index:Kolab", "kolab", {}, opts)
        namespaces = Namespaces(
            "namespace",
            guard,
            namespace=settings.kubernetes.namespace,
            # A port on the node is more than the baseline level allows.
            level="privileged" if settings.network.load_balancer == "hostPort" else "baseline",
            logs=settings.monitoring.enabled,
            opts=pulumi.ResourceOptions(parent=self),
        )
        priorities = Priorities("priority", settings, pulumi.ResourceOptions(parent=self))
        site = Site(
            namespace=namespaces.main,
            salt=secret("contentSalt"),
            guard=guard,
            access_mode=settings.storage.access_mode,
            pull_secret=settings.images.pull_secret,
            tolerations=settings.kubernetes.tolerations,
            priorities=priorities.of_daemons,
            resolvers={
                daemon.name: found
                for daemon in topology.daemons(settings)
                if (found := topology.resolver(settings, daemon))
            },
            extensions=Extensions(settings.extra.environment, settings.extra.annotations),
            rehearsal=size_of(settings, "rehearsal"),
        )
        stack = Composition(
            settings=settings,
            secret=secret,
            site=site,
            parent=self,
            overtaken=any(takes_over(before, settings.database_release) for before in deployed),
        )
        certified = certificates(stack)
        policies(stack, namespaces.logs)
        expose(stack, certified)
        kept = data(stack)
        cyrus, postfix = mail(stack, certified)
        if namespaces.logs is not None:
            watch(stack, namespaces.logs)
        # Last, since the proxy's rehearsal looks up everybody else's name.
        self.proxy = web(stack, certified, kept)
        # None of the three is rehearsed without a certificate.
        certified.start(after=[cyrus.rehearsed, postfix.rehearsed, self.proxy.rehearsed])
        self.register_outputs({})
