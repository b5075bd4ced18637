"""Generation C: nobody has published it. What an image may do tomorrow, all at once: files of other names, services in
another order and of other names, defaults turned. Each is right in effect."""

from __future__ import annotations

from tests.support.images import Mutant, added, both, swap, swap_like, without
from tests.support.mutants import amavis, imap, postfix, proxy

_CYRUS = {imap.SETTINGS: "/etc/cyrus/imapd.conf", imap.SERVICES: "/etc/cyrus/services.conf"}
_FILES = " ".join(f"-{option} {file}" for option, file in zip("CM", _CYRUS.values(), strict=True))
_LISTS = "/etc/postfix/sql/virtual_alias_maps_{}.cf"

PROXY = Mutant(
    "generation C",
    {
        proxy.INIT: both(
            proxy.ELSEWHERE,
            proxy.RENAMED,
            proxy.REORDERED,
            without("xclient off;"),
            without("proxy_smtp_auth on;"),
            without("ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;"),
            swap("worker_processes auto;", "worker_processes 16;"),
            swap("where /dav '$backend_url'", "where /dav '$backend_url$request_uri'"),
        )
    },
    lab="TLS",
)
IMAP = Mutant(
    "generation C",
    {
        imap.INIT: both(
            swap_like(r"^\[\[ \$(CYRUS|IMAPD)_CONF == .*\n", ""),
            swap("set -x\n", "".join(f"{name}={file}\n" for name, file in zip(("IMAPD_CONF", "CYRUS_CONF"), _CYRUS.values(), strict=True))),
            swap("/etc/imapd.conf /etc/cyrus.conf", " ".join(_CYRUS.values())),
            swap("/etc/imapd.conf", _CYRUS[imap.SETTINGS]),
            swap("cyr_info conf-lint", f"cyr_info {_FILES} conf-lint"),
            swap("master -D", f"master {_FILES} -D"),
        ),
        imap.SETTINGS: both(
            swap("allowplaintext: yes", "allowplaintext: no"),
            without("sasl_mech_list: PLAIN LOGIN"),
            added("allowanonymouslogin: yes", "autocreate_post: 0", "fulldirhash: yes"),
        ),
        imap.SERVICES: both(imap.reordered, imap.OTHER_NAMES, swap("0.0.0.0:", "127.0.0.1:")),
    },
    renamed=_CYRUS,
    lab="first delivery",
)  # fmt: skip
POSTFIX = Mutant(
    "generation C",
    {
        postfix.INIT: both(
            swap_like("^exec /usr/sbin/postfix.*$", "exec postfix start-fg"),
            swap("mkdir /var/log/kolab", "mkdir -p /var/log/kolab"),
        ),
        postfix.MAIN: both(
            swap(_LISTS.format("groups"), _LISTS.format("lists")),
            swap("policy_greylist", "policy_reception"),
            swap_like(r"^smtpd_relay_restrictions = .*$", "smtpd_relay_restrictions = permit"),
            swap("reject_unauthenticated_sender_login_mismatch, ", ""),
            added("inet_interfaces = localhost", "soft_bounce = no"),
        ),
        postfix.MASTER: both(
            swap("policy_greylist", "policy_reception"), swap("cleanup_inbound", "cleanup_world"), postfix.inner_first
        ),
    },
    renamed={_LISTS.format("groups"): _LISTS.format("lists")},
    lab="relaying",
)  # fmt: skip
AMAVIS = Mutant(
    "generation C",
    {
        amavis.INIT: swap(amavis.CONF, "/etc/amavisd/kolab.conf"),
        amavis.CONF: both(
            swap("[13024,13026]", "[13026, 13024]"),
            swap_like(r"(?s)^@mynetworks = .*?;", "@mynetworks = ('0.0.0.0/0');"),
            swap("'MYNETS'} = { originating => 1,", "'MYNETS'} = { originating => 1, enable_dkim_signing => 1,"),
        ),
    },
    renamed={amavis.CONF: "/etc/amavisd/kolab.conf"},
)  # fmt: skip
