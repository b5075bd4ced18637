"""Another valid value for each field of the stack file. Keys are paths of `leaves`."""

from __future__ import annotations

from typing import Any

from tests.lab.images.keys import certificate

Changes = dict[str, Any]

_CLAIMS = {
    "mailboxes": "imap-mailboxes",
    "imapState": "imap-state",
    "queue": "postfix-queue-0",
    "filters": "postfix-filters-0",
    "database": "mariadb-data",
    "redis": "redis-data",
    "dumps": "before-migration-dumps",
    "files": "versitygw-data",
    "metrics": "prometheus-data",
    "logs": "victorialogs-data",
}
"""Volume of the stack file -> logical name of its claim."""

BASES: dict[str, tuple[str, Changes]] = {
    "alerts by another server": (
        "cluster",
        {
            "monitoring.alerts.server": {
                "host": "smtp.example.com",
                "sender": "alerts@example.com",
                "username": "alerts",
            }
        },
    ),
    "mail that comes back": ("cluster", {"monitoring.roundTrip": {"mailbox": "round-trip@example.org"}}),
    "reports about our mail": ("cluster", {"monitoring.reports": {"mailbox": "reports@example.org"}}),
    "single-node": ("single-node", {}),
    "cluster": ("cluster", {}),
    "ingress": (
        "cluster",
        {"network.ingress": {"className": "nginx", "namespace": "web", "controllerCidr": "10.42.8.0/24"}},
    ),
    "websites at a gateway": (
        "cluster",
        {
            "network.gateway": {
                "name": "public",
                "namespace": "gateways",
                "listeners": ["https"],
                "redirect": "http",
                "controllerNamespace": "envoy",
                "controllerCidr": "10.42.8.0/24",
            }
        },
    ),
    "gateway": ("cluster", {"network.egress": {"mode": "gateway", "addresses": ["198.51.100.20"]}}),
    "relay": (
        "cluster",
        {
            "network.egress": {
                "mode": "relay",
                "host": "relay.example.net",
                "username": "kolab",
                "spfInclude": "spf.example.net",
            }
        },
    ),
    "certificates of others": (
        "single-node",
        {
            "tls": {"issuer": "secrets", "proxy": "web-tls", "mx": "mx-tls", "sieve": "sieve-tls"},
            "hostedDomains": ["example.net"],
            # Of a time before there was another.
            "mariadb.release": "10.5",
        },
    ),
    "a Prometheus of others": (
        "cluster",
        {
            "monitoring": {"mode": "prometheus-operator", "operator": {"namespace": "monitoring"}},
        },
    ),
    "engines of others": (
        "cluster",
        {
            "external.database": {
                "host": "db.example.net",
                "cidr": "198.51.100.64/28",
                "maxConnections": 300,
            },
            "external.redis": {"host": "redis.example.net", "cidr": "198.51.100.64/28"},
            "external.s3": {
                "endpoint": "https://s3.example.net",
                "bucket": "kolab",
                "cidr": "198.51.100.64/28",
            },
        },
    ),
    "backups": (
        "cluster",
        {
            "backup": {
                "repository": {
                    "kind": "s3",
                    "endpoint": "https://s3.backup.example.net",
                    "bucket": "backups",
                    "networks": "198.51.100.96/28",
                }
            }
        },
    ),
    "backups at a server of restic": (
        "cluster",
        {
            "backup.repository": {
                "kind": "rest",
                "endpoint": "https://backup.example.net:8000",
                "username": "kolab",
                "networks": "198.51.100.96/28",
            }
        },
    ),
    "files in MinIO": ("single-node", {"files.engine": "minio"}),
    "reverse zones": (
        "cluster",
        {"dns.ptr": {"provider": "zones", "zones": {"100.51.198.in-addr.arpa": "0123456789abcdef" * 2}}},
    ),
}
"""Shipped examples with parts that they do not use."""

HARMLESS: dict[str, Changes] = {
    "single-node": {
        "domain": "example.net",
        "hostedDomains": ["example.com"],
        "kubernetes.clusterDomain": "kube.example.net",
        "kubernetes.priorityClasses.data": "business-critical",
        "kubernetes.priorityClasses.convenience": "batch",
        "kubernetes.tolerations": [{"key": "mail", "operator": "Exists"}],
        "network.loadBalancer": "hostPort",
        "network.addresses.all": "192.0.2.20",
        "network.public": {"192.0.2.20": "198.51.100.20"},
        "network.edgeNode": "server1",
        "dns.zones": {"example.net": ""},
        "dns.ttl": 600,
        "dns.nameservers": {"ns1.example.org": []},
        "dns.dnssec": True,
        "mail.maintenance": True,
        "mail.mx.preference": 20,
        "mail.dkim.reserved": ["k202705"],
        "mail.dkim.selectors.k202611.stage": "active",
        "mail.dkim.selectors.k202611.since": "2026-11-20",
        "mail.reports.tlsRpt": "tls@example.com",
        "mail.reports.caaIodef": "caa@example.com",
        "mail.spfAll": "-all",
        "mail.postmaster": "joe@example.net",
        "mail.rateLimits.unlimited": [],
        "mail.messageSizeLimit": "10Mi",
        "mail.contentFilter": True,
        "mail.antivirus": True,
        "mail.outbound.dane": True,
        "mail.outbound.resolvers": ["198.51.100.53"],
        "mail.outbound.internalDomains": ["corp.example.net"],
        "mail.outbound.trustAnchors": [f"12345 13 2 {'0' * 64}"],
        "mail.outbound.exempt": ["example.com"],
        "mail.spam.markAt": 4.5,
        "passwords.least": 12,
        "passwords.kinds": ["lower", "digit"],
        "passwords.remembered": 3,
        "mail.spam.markSubject": False,
        "mail.spam.quarantineAt": 12.5,
        "mail.quarantineDays": 30,
        "tls[existing].name": "other",
        "tls[existing].kind": "Issuer",
        "tls[existing].caa": "pki.goog",
        "tls[existing].challenge": "http",
        "size": "medium",
        "monitoring.dashboards": True,
        "monitoring.retention": "30d",
        "monitoring.logsRetention": "14d",
        "monitoring.seLinuxType": "spc_t",
        "monitoring.alerts.email": "joe@example.com",
        "monitoring.alerts.webhook": "https://alerts.example.com/",
        "monitoring.alerts.heartbeat": "https://alive.example.org/",
        "monitoring.runbookUrl": "https://wiki.example.com/alerts",
        "images.registry": "registry.example.net/kolab",
        "images.mirror": "registry.example.net",
        "images.tag": "2026",
        "images.digests": {"postfix": f"sha256:{'1' * 64}"},
        "images.pullSecret": "pull",
        "features.meet": False,
        "features.turn": False,
        "features.office": False,
        "features.activesync": False,
        "extra.postfix": {"smtpd_hard_error_limit": 10},
        "extra.imap": {"quotawarn": 80},
        "extra.roundcube": {"product_name": "Mail"},
        "extra.spamassassin": ["score URIBL_BLACK 4.0"],
        "extra.website": ["gzip on"],
        "extra.environment": {"imap": {"LC_ALL": "C.UTF-8"}},
        "extra.annotations": {"imap": {"prometheus.io/scrape": "true"}},
        "resources.imap.cpu": "2",
        "resources.imap.memory": "4Gi",
        "resources.imap.memoryLimit": "8Gi",
        "rotations": {"redisPassword": 1},
        "acknowledge": [{"rule": "image-latest", "subject": "*", "reason": "a mirror pins what it copies"}],
        **{f"storage.{volume}.size": "900Gi" for volume in _CLAIMS},
    },
    "a Prometheus of others": {
        "monitoring.operator.namespace": "observability",
        "monitoring.operator.pods": {"app": "prometheus"},
        "monitoring.operator.labels": {"release": "kube-prometheus-stack"},
    },
    "cluster": {
        "kubernetes.priorityClasses.own": False,
        "network.addresses.proxy": "10.20.0.20",
        "network.addresses.smtp": "10.20.0.21",
        "network.addresses.turn": "10.20.0.22",
        "network.addresses.sieve": "10.20.0.23",
        "network.addresses.meet": "10.20.0.24",
        "network.public": {},
        "network.announcedEgress": ["198.51.100.99"],
        "network.egress[nodes].nodes": {f"worker{n}": [f"198.51.100.{n}"] for n in (1, 2, 3)},
        "network.cni": "cilium",
        "network.podCidr": "10.52.0.0/16",
        "network.serviceCidr": "10.53.0.0/16",
        "network.dns.namespace": "openshift-dns",
        "network.dns.labels": {"dns.operator.openshift.io/daemonset-dns": "default"},
        "network.dns.ports": [5353],
        "network.dns.addresses": ["10.43.0.10"],
        "network.internalPeers.web": ["10.9.0.4/32"],
        "network.internalPeers.smtp": ["10.9.0.25/32"],
        "network.closed": ["198.51.100.0/25"],
        "kubernetes.api.networks": ["10.7.0.0/29"],
        "kubernetes.api.ports": [16443],
        "network.metallb.namespace": "metallb",
        "network.metallb.interfaces": ["eth1"],
        "hosts.website": "www.example.org",
        "hosts.monitoring": "watch.example.org",
        "network.doors.admin": ["198.51.100.0/24"],
        "network.doors.reseller": [],
        "network.doors.monitoring": ["198.51.100.0/24"],
        "network.doors.sieve": ["198.51.100.0/24"],
        "network.brakes.webLogins": 120,
        "network.brakes.mailLogins": 600,
        "network.brakes.programs": 1200,
        "hosts.mx": "mx1.example.org",
        "hosts.helo": "out.example.org",
        "hosts.imap": "in.example.org",
        "hosts.smtp": "send.example.org",
        "hosts.sieve": "filter.example.org",
        "hosts.turn": "relay.example.org",
        "dns.provider": "zonefile",
        "dns.caa.issue": ["letsencrypt.org", "pki.goog"],
        "dns.caa.issuewild": ["pki.goog"],
        "dns.caa.iodef": "caa@example.com",
        "dns.caa.critical": True,
        "dns.caa.whole": True,
        "mail.mx.stage": "hold",
        "mail.mtaSts.maxAge": 86400,
        "mail.mtaSts.since": "2026-11-02",
        "mail.dmarc.policy": "reject",
        "mail.dmarc.subdomainPolicy": "reject",
        "mail.dmarc.nonexistentPolicy": "quarantine",
        "mail.dmarc.testing": True,
        "mail.dmarc.rua": ["dmarc@example.com"],
        "mail.dmarc.ruf": ["failures@example.com"],
        "mail.dmarc.fo": "1",
        "mail.senders.includes": ["spf.example.com"],
        "mail.senders.networks": ["198.51.100.64/28"],
        "mail.senders.mechanisms": ["a:web.example.com", "mx:example.com/28"],
        "mail.senders.counted": {"spf.example.com": 2},
        "mail.mx.others": [{"host": "backup.example.com", "preference": 50}],
        "domains": {"example.net": {"senders": {"networks": ["198.51.100.80"]}}},
        "tls[acme].email": "joe@example.com",
        "tls[acme].server": "https://acme.example.net/directory",
        "tls[acme].accountUri": "https://acme.example.net/acct/1",
        "tls[acme].ownToken": True,
        "tls[acme].caa": "example.net",
        "tlsa.current": "1" * 64,
        "tlsa.next": "2" * 64,
        "replicas.proxy": 3,
        "replicas.webapp": 3,
        "replicas.roundcube": 3,
        "replicas.postfix": 3,
        "meet.workers": 4,
    },
    "alerts by another server": {
        "monitoring.alerts.server.host": "smtp2.example.com",
        "monitoring.alerts.server.port": 465,
        "monitoring.alerts.server.sender": "watch@example.com",
        "monitoring.alerts.server.username": "watch",
        "monitoring.alerts.server.networks": ["10.9.0.26/32"],
    },
    "mail that comes back": {
        "monitoring.roundTrip.mailbox": "round-trip@example.net",
        "monitoring.roundTrip.every": 10,
    },
    "reports about our mail": {
        "monitoring.reports.mailbox": "reports@example.net",
        "monitoring.reports.every": 60,
    },
    "gateway": {"network.egress[gateway].addresses": ["198.51.100.21"], "mail.mtaSts.stage": "testing"},
    "relay": {
        "network.egress[relay].host": "other.example.net",
        "network.egress[relay].port": 465,
        "network.egress[relay].tls": "implicit",
        "network.egress[relay].authorities": certificate()[0],
        "network.egress[relay].username": "somebody",
        "network.egress[relay].networks": ["10.9.0.25/32"],
        "network.egress[relay].spfInclude": "other.example.net",
    },
    "ingress": {
        "network.ingress.className": "haproxy",
        "network.ingress.controller": "haproxy",
        "network.ingress.namespace": "other",
        "network.ingress.controllerCidr": "10.42.9.0/24",
        "network.ingress.addresses": ["192.0.2.99"],
    },
    "websites at a gateway": {
        "network.gateway.name": "other",
        "network.gateway.namespace": "others",
        "network.gateway.listeners": ["https", "wildcard"],
        "network.gateway.redirect": "plain",
        "network.gateway.certificates": "gateway",
        "network.gateway.authorities": certificate()[0],
        "network.gateway.controllerNamespace": "other",
        "network.gateway.controllerCidr": "10.42.9.0/24",
        "network.gateway.addresses": ["192.0.2.99"],
    },
    "certificates of others": {
        "mariadb.release": "11.8",
        "tls[secrets].proxy": "other-web",
        "tls[secrets].mx": "other-mx",
        "tls[secrets].sieve": "other-sieve",
        "tls[secrets].domains": {"example.net": "their-tls"},
        "tls[secrets].caa": "example.net",
        "tls": {"issuer": "selfSigned"},
    },
    "engines of others": {
        "external.database.host": "db2.example.net",
        "external.database.cidr": "198.51.100.80/28",
        "external.database.maxConnections": 400,
        "external.redis.host": "redis2.example.net",
        "external.redis.cidr": "198.51.100.80/28",
        "external.s3.endpoint": "https://s3b.example.net",
        "external.s3.region": "eu-central-1",
        "external.s3.bucket": "other",
        "external.s3.cidr": "198.51.100.80/28",
    },
    "backups": {
        "backup.at": "23:15",
        "backup.every": 6,
        "backup.drill": "monthly",
        "backup.repository[s3].endpoint": "https://s3b.example.net:9000",
        "backup.repository[s3].networks": "198.51.100.112/28",
        "backup.repository[s3].authorities": certificate()[0],
        "backup.repository[s3].bucket": "others",
        "backup.repository[s3].region": "eu-central-1",
        "backup.repository[s3].folder": "mail",
    },
    "backups at a server of restic": {
        "backup.repository[rest].endpoint": "https://backup2.example.net",
        "backup.repository[rest].networks": "198.51.100.112/28",
        "backup.repository[rest].authorities": certificate()[0],
        "backup.repository[rest].username": "other",
        "backup.repository[rest].folder": "mail",
    },
    "files in MinIO": {"files.engine": "minio-to-versitygw"},
    "reverse zones": {
        "dns.ptr[zones].zones": {"113.0.203.in-addr.arpa": "fedcba9876543210" * 2},
        "dns.ptr[zones].networks": {"rev.example.org": "203.0.113.0/25"},
        "network.egress": {"mode": "gateway", "addresses": ["203.0.113.20"]},
    },
}
"""Base -> values that change no StatefulSet, volume or namespace but in place. Changed together, to be quick."""

_OTHER_CLASSES = {f"storage.{volume}": {"size": "900Gi", "storageClass": "other"} for volume in _CLAIMS}

REFUSED: dict[str, tuple[str, Changes, str]] = {
    "kubernetes.namespace": ("single-node", {"kubernetes.namespace": "other"}, "namespace-main"),
    "features.files": ("single-node", {"features.files": False, "features.office": False}, "versitygw-data"),
    "monitoring.enabled": ("single-node", {"monitoring.enabled": False}, "prometheus-data"),
    "monitoring.mode": (
        "single-node",
        {"monitoring": {"mode": "prometheus-operator", "operator": {"namespace": "monitoring"}}},
        "prometheus-data",
    ),
    "passportPublicKey": (
        "single-node",
        {"passportPublicKey": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
        "webapp-keys",
    ),
    "storage.accessMode": ("single-node", {"storage.accessMode": "ReadWriteOncePod"}, "imap-mailboxes"),
    "replicas.postfix": ("cluster", {"replicas.postfix": 1}, "postfix-queue-1"),
    "external.database.host": (
        "cluster",
        {"external.database": {"host": "db.example.net", "cidr": "192.0.2.0/28"}},
        "mariadb-data",
    ),
    "external.redis.host": (
        "cluster",
        {"external.redis": {"host": "redis.example.net", "cidr": "192.0.2.0/28"}},
        "redis-data",
    ),
    **{
        f"storage.{volume}.storageClass": ("single-node", _OTHER_CLASSES, claim)
        for volume, claim in _CLAIMS.items()
    },
}
"""Path -> base, what changes, and the guarded resource that would be lost: the guard stops all of these."""

NOT_ALONE: dict[str, str] = {
    "mode": "addresses follow it",
    "example": "the shipped files have documentation addresses",
    "scope": "chooses what is deployed at all, and needs Cloudflare's plugin",
    "kubernetes.context": "the provider's; it decides what a new context means",
    "kubernetes.clusterIdentifier": "the provider's; tried through the engine",
    "kubernetes.render": "the provider's, which is replaced with all that it made, as with another cluster",
    "storage.protect": "changes no object, but the guard itself",
    "dns.shard.index": "a stack with scope dns has no objects",
    "dns.shard.count": "a stack with scope dns has no objects",
    "backup.repository": "shown by the bases with backups",
    "dns.ptr": "shown by the base with reverse zones",
    "mail.dkim.selectors.k202611.publicKey": "is refused unless the private key changes along",
}
"""Fields that no test here changes, each with its reason."""
