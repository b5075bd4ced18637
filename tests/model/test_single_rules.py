"""Each rule, by the change of a right stack file that breaks it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from model.rules import RULES, check
from tests.lab.images.keys import certificate
from tests.model.files import findings_of, places, settings
from tests.model.found import CALLS

AT = "kolab:network.addresses"
EGRESS = "kolab:network.egress"
NODES = {"mode": "nodes", "nodes": {"server1": ["192.0.2.10"], "server2": ["192.0.2.11"]}}
RELAY = {"mode": "relay", "host": "relay.example.net"}
INGRESS = {
    "className": "nginx",
    "namespace": "ingress",
    "controllerCidr": "10.42.7.0/24",
    "addresses": ["192.0.2.20"],
}
BEHIND = {
    "name": "public",
    "namespace": "gateways",
    "listeners": ["https"],
    "controllerNamespace": "envoy",
    "controllerCidr": "10.42.7.0/24",
    "addresses": ["192.0.2.20"],
}
EXTERNAL: dict[str, dict[str, Any]] = {
    "database": {"host": "db.example.net", "maxConnections": 1000},
    "redis": {"host": "redis.example.net"},
    "s3": {"endpoint": "https://s3.example.net", "bucket": "kolab"},
}
DATABASE: dict[str, Any] = {"host": "db.example.net", "cidr": "198.51.100.32/28"}
GATEWAY: dict[str, Any] = {"mode": "gateway", "addresses": ["198.51.100.20"]}
S3 = {"endpoint": "https://s3.example.net", "bucket": "kolab", "cidr": "198.51.100.34/32"}
LONG = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 57, "eu"))

SERVER = {"host": "smtp.example.com", "sender": "alerts@example.com"}
LEFT: dict[str, Any] = {"mode": "prometheus-operator", "operator": {"namespace": "monitoring"}}
OWN_WAY = {("alerts-by-own-mail", "kolab:monitoring.alerts")}

CASES: list[tuple[str, dict[str, Any], set[tuple[str, str]]]] = [
    # Room for numbers that the cluster's Prometheus keeps.
    (
        "cluster",
        {
            **{f"monitoring/{key}": value for key, value in {**LEFT, "alerts": {}}.items()},
            "storage/metrics": {"size": "10Gi"},
        },
        {("storage-of-the-cluster", "kolab:storage.metrics")},
    ),
    # Peers that are no part of the world.
    *(
        ("cluster", {path: value}, {("network-kind", f"kolab:{at}")})
        for path, value, at in (
            ("network/internalPeers", {"web": "169.254.169.254/32"}, "network.internalPeers.web[0]"),
            (
                "network/internalPeers",
                {"smtp": ["10.0.0.0/24", "127.0.0.0/8"]},
                "network.internalPeers.smtp[1]",
            ),
            ("network/internalPeers", {"web": "100.100.100.200/32"}, "network.internalPeers.web[0]"),
            ("external/redis", {"host": "r.example.net", "cidr": "fd00:42::42/128"}, "external.redis.cidr"),
            (
                "network/egress",
                {**RELAY, "spfInclude": "spf.example.net", "networks": "168.63.129.16/32"},
                "network.egress.networks[0]",
            ),
        )
    ),
    ("cluster", {"network/internalPeers": {"web": "10.9.0.0/16", "smtp": "192.168.7.25/32"}}, set()),
    # Secrets that may not be exchanged, and those with commands of their own.
    *(
        ("cluster", {"rotations": {key: 1}}, expected)
        for key, expected in (
            ("appKey", {("secret-rotation-impossible", "kolab:rotations.appKey")}),
            ("mxKey", {("secret-rotation-impossible", "kolab:rotations.mxKey")}),
            ("nothing", {("secret-rotation-impossible", "kolab:rotations.nothing")}),
            ("redisPassword", set()),
        )
    ),
    # Lines of one's own (tests/model/test_extra.py has more of each).
    *(
        ("cluster", {"extra": extra}, {(f"extra-{rule}", f"kolab:extra.{at}")})
        for rule, extra, at in (
            ("open-relay", {"postfix": {"mynetworks": "0.0.0.0/0"}}, "postfix.mynetworks"),
            ("delivery", {"postfix": {"always_bcc": "spy"}}, "postfix.always_bcc"),
            ("plaintext", {"imap": {"allowplaintext": True}}, "imap.allowplaintext"),
            ("client-address", {"website": ["real_ip_header X-IP"]}, "website[0]"),
            ("data", {"spamassassin": ["bayes_path /tmp/bayes"]}, "spamassassin[0]"),
            ("code", {"environment": {"imap": {"LD_PRELOAD": "x"}}}, "environment.imap.LD_PRELOAD"),
            ("closed", {"website": ["gzip on", "allow all"]}, "website[1]"),
            ("secret", {"roundcube": {"sql_debug": True}}, "roundcube.sql_debug"),
            ("own", {"roundcube": {"imap_host": "x"}}, "roundcube.imap_host"),
            ("unknown", {"annotations": {"imap": {"a/b": "c"}}}, "annotations.imap.a/b"),
            ("daemon", {"environment": {"mail": {"LANG": "C"}}}, "environment.mail"),
            ("twice", {"website": ["gzip on", "gzip off"]}, "website[1]"),
            ("meet", {"website": ["add_header Permissions-Policy camera=()"]}, "website[0]"),
        )
    ),
    # Nodes that are kept for mail.
    *(
        ("cluster", {"kubernetes": {"tolerations": [{"key": "mail", **more}]}}, expected)
        for more, expected in (
            ({"operator": "Exists", "value": "yes"}, {("toleration-value", "kolab:kubernetes.tolerations")}),
            ({"operator": "Exists"}, set()),
            ({"value": "yes", "effect": "NoSchedule"}, set()),
        )
    ),
    # What all daemons may open, and what there is of it.
    *(
        ("cluster", changes, {(rule, f"kolab:{at}")} if rule else set())
        for changes, rule, at in (
            (
                {"external/database": DATABASE},
                "database-connections-unknown",
                "external.database.maxConnections",
            ),
            (
                {"external/database": DATABASE | {"maxConnections": 151}},
                "database-connections",
                "external.database.maxConnections",
            ),
            (
                {"external/database": DATABASE | {"maxConnections": 232}},
                "database-connections",
                "external.database.maxConnections",
            ),
            ({"external/database": DATABASE | {"maxConnections": 233}}, None, ""),
            ({"replicas/roundcube": 12}, "database-memory", "resources.mariadb.memoryLimit"),
            ({"replicas/roundcube": 12, "resources/mariadb": {"memoryLimit": "2Gi"}}, None, ""),
            (
                {"replicas/webapp": 1, "network/egress": GATEWAY, "replicas/postfix": 3},
                "webapp-workers",
                "replicas.webapp",
            ),
            ({"resources/postfix": {"memory": "512Mi"}}, "postfix-memory", "resources.postfix.memoryLimit"),
            ({"resources/postfix": {"memoryLimit": "2Gi"}}, None, ""),
        )
    ),
    # Which address carries what.
    ("single-node", {"network/addresses/all": None}, {("address-missing", f"{AT}.all")}),
    ("single-node", {"network/addresses/smtp": "192.0.2.11"}, {("address-mode", f"{AT}.smtp")}),
    ("cluster", {"network/addresses/smtp": None}, {("address-missing", f"{AT}.smtp")}),
    ("cluster", {"network/addresses/sieve": None}, {("address-missing", f"{AT}.sieve")}),
    ("cluster", {"network/addresses/all": "10.20.0.20"}, {("address-mode", f"{AT}.all")}),
    (
        "cluster",
        {"features/meet": False},
        {("address-unused", f"{AT}.meet"), ("address-unused", f"{AT}.turn")},
    ),
    ("cluster", {"features/turn": False}, {("address-unused", f"{AT}.turn")}),
    ("cluster", {"network/addresses/smtp": "10.20.0.10"}, {("address-shared", f"{AT}.smtp")}),
    (
        "real",
        {"network/addresses/proxy": "10.42.3.4"},
        {("address-in-cluster", f"{AT}.proxy"), ("address-private", f"{AT}.proxy")},
    ),
    (
        "real",
        {"network/addresses/proxy": "10.43.3.4", "network/public": {"10.43.3.4": "11.0.0.99"}},
        {("address-in-cluster", f"{AT}.proxy")},
    ),
    (
        "real",
        {"network/public": {"11.0.0.10": "10.42.0.9"}},
        {("address-in-cluster", "kolab:network.public.11.0.0.10"), ("address-private", f"{AT}.proxy")},
    ),
    (
        "single-node",
        {"network/addresses/all": "127.0.0.1"},
        {
            ("address-kind", f"{AT}.all"),
        },
    ),
    ("cluster", {"network/egress/nodes/worker1": ["224.0.0.1"]}, {("address-kind", EGRESS)}),
    (
        "real",
        {"network/addresses/smtp": "192.0.2.11"},
        {
            ("address-documentation", f"{AT}.smtp"),
        },
    ),
    ("real", {"network/egress/nodes/worker1": ["198.51.100.1"]}, {("address-documentation", EGRESS)}),
    ("real", {"network/ingress": INGRESS}, {("address-documentation", "kolab:network.ingress.addresses")}),
    ("real", {"network/gateway": BEHIND}, {("address-documentation", "kolab:network.gateway.addresses")}),
    (
        "cluster",
        {"network/public/10.20.0.99": "192.0.2.99"},
        {("public-unclaimed", "kolab:network.public.10.20.0.99")},
    ),
    ("real", {"network/addresses/sieve": "192.168.1.4"}, {("address-private", f"{AT}.sieve")}),
    ("real", {"network/addresses/proxy": "2a00:1450::1"}, {("ipv6-not-listening", f"{AT}.proxy")}),
    ("real", {"network/addresses/smtp": "2a00:1450::1"}, {("address-family", f"{AT}.smtp")}),
    ("real", {"network/addresses/smtp": ["11.0.0.11", "11.0.0.21"]}, {("address-family", f"{AT}.smtp")}),
    ("real", {"network/addresses/smtp": ["11.0.0.11", "2a00:1450::1"]}, set()),
    ("single-node", {"network/addresses/all": ["192.0.2.10", "2001:db8::10"]}, set()),
    ("single-node", {"network/addresses/all": "2001:db8::10"}, {("address-family", f"{AT}.all")}),
    (
        "single-node",
        {"network/addresses/all": ["192.0.2.10", "192.0.2.11"]},
        {("address-family", f"{AT}.all")},
    ),
    # What the world sees when we send.
    ("cluster", {"network/egress": None}, {("egress-missing", EGRESS)}),
    (
        "cluster",
        {"network/egress/nodes/worker1": ["2001:db8::1"]},
        {("egress-ipv4", f"{EGRESS}.nodes.worker1")},
    ),
    (
        "cluster",
        {"network/egress": {"mode": "gateway", "addresses": ["2001:db8::1"]}},
        {("egress-ipv4", f"{EGRESS}.addresses")},
    ),
    ("cluster", {"network/egress": {"mode": "gateway", "addresses": ["2001:db8::1", "198.51.100.1"]}}, set()),
    ("cluster", {"replicas/postfix": 3}, {("egress-too-few-nodes", "kolab:replicas.postfix")}),
    ("single-node", {"replicas/postfix": 3}, set()),
    ("single-node", {"network/edgeNode": "other"}, {("egress-edge-node", "kolab:network.edgeNode")}),
    ("single-node", {"network/egress": NODES}, {("egress-edge-node", "kolab:network.edgeNode")}),
    ("single-node", {"network/egress": NODES, "network/edgeNode": "server2"}, set()),
    ("single-node", {"network/egress": RELAY}, {("egress-relay-spf", f"{EGRESS}.spfInclude")}),
    ("single-node", {"mail/outbound": {"dane": True}}, set()),
    ("single-node", {"mail/outbound": {"dane": True, "resolvers": ["198.51.100.53"]}}, set()),
    (
        "single-node",
        {"mail/outbound": {"dane": True}, "network/egress": RELAY | {"spfInclude": "spf.example.net"}},
        {("dane-relay", "kolab:mail.outbound.dane")},
    ),
    *(
        ("single-node", {f"mail/outbound/{key}": value}, {("dane-off", f"kolab:mail.outbound.{key}")})
        for key, value in (
            ("resolvers", ["198.51.100.53"]),
            ("internalDomains", ["corp.example.net"]),
            ("trustAnchors", [f"1 13 2 {'0' * 64}"]),
            ("exempt", ["example.com"]),
        )
    ),
    *(
        (
            "single-node",
            {"mail/outbound": {"dane": True, "resolvers": [address]}},
            {("dane-resolver", "kolab:mail.outbound.resolvers")},
        )
        for address in ("127.0.0.1", "169.254.169.254", "10.43.0.10", "10.42.0.9")
    ),
    (
        "single-node",
        {"mail/outbound": {"dane": True}, "network/dns": {"addresses": []}},
        {("dane-cluster-dns", "kolab:network.dns.addresses")},
    ),
    # Parts that need or exclude each other.
    ("cluster", {"features/files": False}, {("feature-office", "kolab:features.office")}),
    ("cluster", {"features/files": False, "features/office": False}, set()),
    (
        "cluster",
        {"features/files": False, "features/office": False, "external/s3": S3},
        {("feature-s3", "kolab:external.s3")},
    ),
    ("cluster", {"files": None}, {("files-unmaintained", "kolab:files.engine")}),
    (
        "cluster",
        {"monitoring/alerts/webhook": None},
        {("alerts-by-own-mail", "kolab:monitoring.alerts")},
    ),
    # Somebody else's server, and ways that only look as if they left this stack.
    *(
        ("cluster", {"monitoring/alerts": {**given, "heartbeat": "https://alive.example.com"}}, found)
        for given, found in (
            ({"webhook": "secret"}, set()),
            ({"webhook": "https://ntfy.example.com/kolab?template=alertmanager"}, set()),
            ({"email": "joe@pager.example", "server": SERVER}, set()),
            ({"email": "jane@example.org", "server": SERVER}, OWN_WAY),
            ({"email": "joe@pager.example", "server": {**SERVER, "host": "smtp.example.org"}}, OWN_WAY),
            ({"webhook": "https://example.org/alerts"}, OWN_WAY),
            ({"webhook": "https://192.0.2.10/alerts"}, OWN_WAY),
            ({"email": "joe@example.com", "webhook": "https://alerts.example.com", "server": SERVER}, set()),
            (
                {"webhook": "https://alerts.example.com", "server": SERVER},
                {("alerts-server-unused", "kolab:monitoring.alerts.server")},
            ),
        )
    ),
    # Numbers and alerts that are left to the cluster.
    (
        "cluster",
        {"monitoring": {"mode": "prometheus-operator", "operator": {"namespace": "monitoring"}}},
        set(),
    ),
    *(
        ("cluster", {"monitoring": given}, {(rule, f"kolab:monitoring.{at}") for rule, at in found})
        for given, found in (
            ({"mode": "prometheus-operator"}, {("monitoring-operator", "operator")}),
            ({**LEFT, "enabled": False}, {("monitoring-operator-unused", "mode")}),
            *(
                (
                    {**LEFT, "operator": {"namespace": namespace}},
                    {("monitoring-operator-namespace", "operator.namespace")},
                )
                for namespace in ("kolab", "kolab-logs")
            ),
            *(
                ({**LEFT, "alerts": {key: value}}, {("monitoring-of-the-cluster", f"alerts.{key}")})
                for key, value in (
                    ("email", "joe@pager.example"),
                    ("server", SERVER),
                    ("webhook", "https://alerts.example.com"),
                    ("heartbeat", "secret"),
                )
            ),
            ({**LEFT, "retention": "15d"}, {("monitoring-of-the-cluster", "retention")}),
        )
    ),
    *(
        (
            "cluster",
            {f"monitoring/{key}": value for key, value in given.items()},
            {(rule, f"kolab:monitoring.{at}")},
        )
        for given, rule, at in (
            (
                {"roundTrip": {"mailbox": "probe@elsewhere.example"}},
                "round-trip-elsewhere",
                "roundTrip.mailbox",
            ),
            ({"roundTrip": {"mailbox": "Noreply@example.org"}}, "round-trip-elsewhere", "roundTrip.mailbox"),
            (
                {"roundTrip": {"mailbox": "probe@example.org"}, "enabled": False},
                "round-trip-elsewhere",
                "roundTrip",
            ),
            ({"reports": {"mailbox": "reports@elsewhere.example"}}, "reports-elsewhere", "reports.mailbox"),
            ({"reports": {"mailbox": "Abuse@example.net"}}, "reports-elsewhere", "reports.mailbox"),
            (
                {"reports": {"mailbox": "a@example.org"}, "roundTrip": {"mailbox": "a@example.org"}},
                "reports-elsewhere",
                "reports.mailbox",
            ),
            ({"reports": {"mailbox": "a@example.org"}, "enabled": False}, "reports-elsewhere", "reports"),
        )
    ),
    (
        "cluster",
        {"monitoring/operator": {"namespace": "monitoring"}},
        {("monitoring-operator-unused", "kolab:monitoring.operator")},
    ),
    (
        "cluster",
        {"monitoring/alerts/heartbeat": None},
        {("no-heartbeat", "kolab:monitoring.alerts.heartbeat")},
    ),
    (
        "cluster",
        {
            "monitoring/alerts": {"email": "joe@example.com"},
            "mail/mx": {"stage": "hold"},
            "mail/mtaSts": None,
            "mail/dmarc": None,
        },
        set(),
    ),
    (
        "cluster",
        {"monitoring/alerts": None},
        {
            ("alerts-nowhere", "kolab:monitoring.alerts"),
            ("no-heartbeat", "kolab:monitoring.alerts.heartbeat"),
        },
    ),
    ("cluster", {"mail/contentFilter": True}, {("content-filter-size", "kolab:mail.messageSizeLimit")}),
    ("cluster", {"mail/contentFilter": True, "mail/messageSizeLimit": "10Mi"}, set()),
    ("real", {"kubernetes/context": None}, {("cluster-unnamed", "kolab:kubernetes.context")}),
    (
        "real",
        {"kubernetes/clusterIdentifier": None},
        {("cluster-unnamed", "kolab:kubernetes.clusterIdentifier")},
    ),
    ("real", {"images": None}, {("image-latest", "kolab:images")}),
    ("real", {"images": {"tag": "16.0"}}, {("image-latest", "kolab:images")}),
    ("real", {"images/digests/vector": None}, {("image-latest", "kolab:images")}),
    ("real", {"images/digests/vector": None, "monitoring": {"enabled": False}}, set()),
    ("real", {"images/digests/coturn": None, "features/turn": False, "network/addresses/turn": None}, set()),
    ("real", {"images": None, "kubernetes/render": "rendered/real"}, set()),
    ("cluster", {"images": None}, set()),
    ("cluster", {"resources/dovecot": {"cpu": "1"}}, {("unknown-daemon", "kolab:resources.dovecot")}),
    ("cluster", {"resources/amavis": {"cpu": "1"}}, set()),
    ("cluster", {"resources/postfix-exporter": {"memory": "64Mi"}}, set()),
    (
        "cluster",
        {"images/digests/dovecot": f"sha256:{'0' * 64}"},
        {("unknown-image", "kolab:images.digests.dovecot")},
    ),
    (
        "cluster",
        {"resources/imap": {"memoryLimit": "64Mi"}},
        {
            ("limit-below-request", "kolab:resources.imap.memoryLimit"),
            ("sessions-memory", "kolab:resources.imap.memoryLimit"),
        },
    ),
    (
        "cluster",
        {"size": "large", "resources/imap": {"memory": "2Gi", "memoryLimit": "8Gi"}},
        {("sessions-memory", "kolab:resources.imap.memoryLimit")},
    ),
    (
        "cluster",
        {"size": "large", "resources/proxy": {"memory": "64Mi", "memoryLimit": "192Mi"}},
        {("sessions-memory", "kolab:resources.proxy.memoryLimit")},
    ),
    ("cluster", {"size": "medium"}, set()),
    ("cluster", {"size": "large"}, set()),
    ("cluster", {"resources/imap": {"memory": "8Gi"}}, set()),
    # Port 80 is the proxy's, or an Ingress controller's.
    (
        "cluster",
        {
            "network/ingress": INGRESS,
            "tls": {"issuer": "existing", "name": "public", "challenge": "http", "caa": "pki.goog"},
        },
        {("issuer-http-ingress", "kolab:tls.challenge")},
    ),
    # One server has the websites, and believes whom it speaks to.
    (
        "cluster",
        {"network/ingress": INGRESS, "network/gateway": BEHIND},
        {("web-servers", "kolab:network.gateway")},
    ),
    (
        "cluster",
        {
            "network/gateway": BEHIND,
            "tls": {"issuer": "existing", "name": "public", "challenge": "http", "caa": "pki.goog"},
        },
        {("issuer-http-ingress", "kolab:tls.challenge")},
    ),
    *(
        (
            "cluster",
            {
                "network/gateway": BEHIND | more,
                "tls": {"issuer": "selfSigned"},
                "tlsa": None,
                "mail/mtaSts": {"stage": "none"},
            },
            found,
        )
        for more, found in (
            ({}, {("gateway-authority", "kolab:network.gateway.authorities")}),
            ({"authorities": certificate()[0]}, set()),
        )
    ),
    # Public halves.
    ("cluster", {"passportPublicKey": None}, {("public-half-missing", "kolab:passportPublicKey")}),
    ("cluster", {"mail/dkim": None}, {("public-half-missing", "kolab:mail.dkim.selectors")}),
    (
        "single-node",
        {"domain": "kolabtest.eu"},
        {
            ("example-key", "kolab:passportPublicKey"),
            ("example-key", "kolab:mail.dkim.selectors.k202611.publicKey"),
        },
    ),
    (
        "real",
        {
            "tls/accountUri": "https://acme-v02.api.letsencrypt.org/acme/acct/1234567890",
            "dns/zones": {"kolabtest.eu": "0123456789abcdef0123456789abcdef"},
        },
        {("example-value", "kolab:tls.accountUri"), ("example-value", "kolab:dns.zones.kolabtest.eu")},
    ),
    (
        "real",
        {"network/egress/nodes": {"worker1": ["10.0.0.5"], "worker2": ["11.0.1.2"]}},
        {("egress-private", "kolab:network.egress.nodes.worker1")},
    ),
    # Names.
    ("real", {"domain": "example.org"}, {("domain-placeholder", "kolab:domain")}),
    ("real", {"hostedDomains": ["kolab.test"]}, {("domain-placeholder", "kolab:hostedDomains[0]")}),
    ("real", {"kubernetes/render": "somewhere", "domain": "example.org"}, set()),
    ("cluster", {"hosts": {"mx": "example.org"}}, {("host-shared", "kolab:hosts.mx")}),
    ("cluster", {"hosts": {"sieve": "imap.example.org"}}, {("host-shared", "kolab:hosts.sieve")}),
    ("cluster", {"hosts": {"imap": "example.org", "smtp": "example.org"}}, set()),
    (
        "cluster",
        {"hosts": {"imap": "example.org"}, "network/ingress": INGRESS},
        {("host-shared", "kolab:hosts.imap")},
    ),
    ("single-node", {"hosts": {"mx": "example.org", "sieve": "example.org"}}, set()),
    (
        "cluster",
        {"hostedDomains": ["example.net", "example.org"]},
        {("domain-twice", "kolab:hostedDomains[1]")},
    ),
    (
        "cluster",
        {"hostedDomains": ["example.net", "example.net"]},
        {("domain-twice", "kolab:hostedDomains[1]")},
    ),
    ("real", {"domain": LONG}, {("name-too-long", "kolab:domain")}),
    # One stack of several.
    ("cluster", {"scope": "dns"}, {("scope-shard", "kolab:dns.shard")}),
    ("cluster", {"dns/shard": {"index": 0, "count": 2}}, {("scope-shard", "kolab:dns.shard")}),
    (
        "cluster",
        {"scope": "dns", "dns/shard": {"index": 2, "count": 2}},
        {("scope-shard", "kolab:dns.shard.index")},
    ),
    (
        "single-node",
        {"scope": "dns", "dns/shard": {"index": 0, "count": 2}},
        {("scope-provider", "kolab:dns.provider")},
    ),
    (
        "cluster",
        {"hostedDomains": [f"d{n}.example.net" for n in range(101)]},
        {("scope-too-large", "kolab:scope")},
    ),
    # Volumes and the web edge.
    ("real", {"backup": None}, {("backup-missing", "kolab:backup")}),
    ("real", {"storage/protect": False}, {("storage-unprotected", "kolab:storage.protect")}),
    ("cluster", {"storage/protect": False}, set()),
    (
        "cluster",
        {"network/ingress": INGRESS | {"controllerCidr": "0.0.0.0/0"}},
        {("network-broad", "kolab:network.ingress.controllerCidr")},
    ),
    (
        "cluster",
        {"network/gateway": BEHIND | {"controllerCidr": "0.0.0.0/0"}},
        {("network-broad", "kolab:network.gateway.controllerCidr")},
    ),
    # Networks.
    ("cluster", {"network/podCidr": "8.8.0.0/16"}, {("network-public", "kolab:network.podCidr")}),
    ("cluster", {"network/serviceCidr": "2a00::/56"}, {("network-public", "kolab:network.serviceCidr")}),
    (
        "cluster",
        {"network/serviceCidr": "192.0.2.0/24", "network/public": None},
        {("network-public", "kolab:network.serviceCidr")},
    ),
    ("cluster", {"network/podCidr": "10.42.0.0/30"}, {("network-size", "kolab:network.podCidr")}),
    ("cluster", {"network/podCidr": "fd00::/8"}, {("network-size", "kolab:network.podCidr")}),
    ("cluster", {"network/podCidr": "100.64.0.0/12", "network/serviceCidr": "fd00:43::/112"}, set()),
    ("cluster", {"network/podCidr": "10.42.0.0/15"}, {("network-overlap", "kolab:network.serviceCidr")}),
    *(
        (
            "cluster",
            {f"external/{engine}": EXTERNAL[engine] | {"cidr": cidr}},
            {(rule, f"kolab:external.{engine}.cidr")},
        )
        for engine in ("database", "redis", "s3")
        for cidr, rule in (
            ("0.0.0.0/0", "network-broad"),
            ("128.0.0.0/1", "network-broad"),
            ("11.0.0.0/11", "network-broad"),
            ("::/0", "network-broad"),
            ("2000::/3", "network-broad"),
            ("127.0.0.1/32", "network-kind"),
            ("169.254.169.254/32", "network-kind"),
            ("fe80::/64", "network-kind"),
            ("224.0.0.0/8", "network-kind"),
            ("10.0.0.0/8", "network-overlap"),
            ("10.43.7.1/32", "network-overlap"),
        )
    ),
    *(
        (
            "cluster",
            {"network/ingress": INGRESS | {"controllerCidr": cidr}},
            {("network-broad", "kolab:network.ingress.controllerCidr")},
        )
        for cidr in ("0.0.0.0/1", "11.0.0.0/16", "2a00:1450::/32")
    ),
    ("cluster", {"external/s3": EXTERNAL["s3"] | {"cidr": "52.216.0.0/15"}}, set()),
    ("cluster", {"external/database": EXTERNAL["database"] | {"cidr": "10.42.7.0/24"}}, set()),
    ("cluster", {"network/loadBalancer": "hostPort"}, {("hostport-mode", "kolab:network.loadBalancer")}),
    ("single-node", {"network/loadBalancer": "hostPort"}, set()),
]


@pytest.mark.parametrize("base", ["single-node", "cluster", "real"])
def test_no_rule_speaks_about_a_right_file(base: str) -> None:
    assert findings_of(settings(base)) == []


@pytest.mark.parametrize(("base", "changes", "expected"), CASES, ids=[f"{c[0]} {c[1]}"[:90] for c in CASES])
def test_a_change_breaks_just_its_rule(
    base: str, changes: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    assert places(findings_of(settings(base, changes))) == expected


def test_every_rule_has_a_case() -> None:
    modules = {import_module(rule.__module__).__file__ for rule in RULES if "mail" not in rule.__module__}
    # Those about exceptions have tests of their own.
    ids = {rule.id for path, rule, _, _ in CALLS if str(path) in modules and path.stem != "acknowledgements"}
    assert ids == {rule for _, _, expected in CASES for rule, _ in expected}


@pytest.mark.parametrize("subject", ["*", "kolab:storage.protect"])
def test_a_warning_is_lifted_by_an_acknowledgement(subject: str) -> None:
    entry = {"rule": "storage-unprotected", "subject": subject, "reason": "a throw-away stack"}
    found = check(settings("real", {"storage/protect": False, "acknowledge": [entry]}))
    assert "storage-unprotected" not in {finding.rule for finding in found}


def test_an_acknowledgement_of_another_key_lifts_nothing() -> None:
    entry = {"rule": "storage-unprotected", "subject": "kolab:storage", "reason": "a throw-away stack"}
    found = check(settings("real", {"storage/protect": False, "acknowledge": [entry]}))
    assert "storage-unprotected" in {finding.rule for finding in found}


def test_an_error_is_never_lifted() -> None:
    entry = {"rule": "egress-missing", "reason": "we do not care"}
    found = check(settings("cluster", {"network/egress": None, "acknowledge": [entry]}))
    assert "egress-missing" in {finding.rule for finding in found}


def test_a_finding_is_a_sentence_with_a_fix() -> None:
    for finding in [found for base, changes, _ in CASES for found in findings_of(settings(base, changes))]:
        assert finding.path.startswith("kolab:")
        assert finding.fix
        assert not finding.problem.endswith(".")
        assert "<" not in finding.path
