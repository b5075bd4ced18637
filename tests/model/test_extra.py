"""Lines of an operator's own: what undoes a promise is refused, what is harmless goes through, the rest is acknowledged."""

from __future__ import annotations

import re
from typing import Any

import pytest

from model.extra.cyrus import CYRUS
from model.extra.postfix import POSTFIX
from model.extra.variables import OWN
from model.rules import check
from model.stack_file import StackFileError, load
from ops.stacks import ROOT
from tests.model.files import raw, settings
from tests.support.stacks import SHIPPED, VARIANTS, deployment

BROKEN: dict[str, dict[str, list[Any]]] = {
    "extra-open-relay": {
        "postfix": [
            {"mynetworks": "0.0.0.0/0"},
            {"mynetworks_style": "class"},
            {"smtpd_relay_restrictions": "permit"},
            {"smtpd_recipient_restrictions": "permit_mynetworks, permit"},
            {"smtpd_client_restrictions": "permit"},
            {"smtpd_helo_restrictions": "check_helo_access static:OK"},
            {"smtpd_data_restrictions": "PERMIT"},
            {"smtpd_restriction_classes": "anything"},
            {"relay_domains": "*"},
            {"relay_recipient_maps": "static:yes"},
            {"permit_mx_backup_networks": "0.0.0.0/0"},
            {"mydestination": "example.com"},
            {"local_recipient_maps": "static:all"},
            {"smtpd_delay_reject": "no"},
            {"smtpd_null_access_lookup_key": "x"},
            {"smtpd_reject_unlisted_recipient": "no"},
            {"smtpd_sender_login_maps": "static:all"},
            {"parent_domain_matches_subdomains": "smtpd_access_maps"},
            {"allow_untrusted_routing": "yes"},
            {"resolve_dequoted_address": "no"},
            {"unknown_parameter": "permit_sasl_authenticated"},
        ],
        "environment": [{"postfix": {"POSTFIX_RELAY": "any"}}],
    },
    "extra-plaintext": {
        "postfix": [
            {"smtpd_tls_auth_only": "no"},
            {"smtpd_tls_security_level": "none"},
            {"smtp_tls_security_level": "none"},
            {"smtpd_sasl_auth_enable": "yes"},
            {"smtpd_sasl_security_options": "noanonymous"},
            {"tls_ssl_options": "NO_TICKET"},
            {"smtp_use_tls": "no"},
            {"smtpd_tls_loglevel": "4"},
            {"smtp_never_send_ehlo": "yes"},
        ],
        "imap": [
            {"allowplaintext": "yes"},
            {"imap_allowplaintext": 1},
            {"sasl_mech_list": "PLAIN"},
            {"tls_versions": "tls1_0"},
            {"allowanonymouslogin": "yes"},
            {"sasl_pwcheck_method": "alwaystrue"},
        ],
        "roundcube": [{"use_https": False}, {"login_rate_limit": 0}, {"session_samesite": "None"}, {"auto_create_user": True}],
        "website": ["listen 8080", "ssl_protocols TLSv1", "auth_basic off", "satisfy any"],
        "environment": [{"collabora": {"NO_TLS": "1"}}],
    },
    "extra-client-address": {
        "postfix": [
            {"smtpd_upstream_proxy_protocol": "haproxy"},
            {"smtpd_authorized_xclient_hosts": "0.0.0.0/0"},
            {"smtpd_authorized_xforward_hosts": "10.0.0.0/8"},
            {"receive_override_options": "no_address_mappings"},
            {"smtp_bind_address": "192.0.2.1"},
        ],
        "imap": [{"proxyservers": "everybody"}, {"imap_admins": "joe"}, {"virtdomains": "off"}],
        "roundcube": [{"proxy_whitelist": ["0.0.0.0/0"]}, {"trusted_host_patterns": ["x"]}],
        "spamassassin": ["trusted_networks 0.0.0.0/0", "internal_networks 10.0.0.0/8", "clear_trusted_networks now", "originating_ip_headers X-IP"],
        "website": ["ignore_invalid_headers off", "set_real_ip_from 0.0.0.0/0", "real_ip_header X-Forwarded-For", "proxy_set_header X-Real-IP 192.0.2.1"],
        "annotations": [
            {"postfix": {"k8s.v1.cni.cncf.io/networks": "macvlan"}},
            {"proxy": {"sidecar.istio.io/inject": "true"}},
            {"proxy": {"linkerd.io/inject": "enabled"}},
        ],
        "environment": [{"proxy": {"HTTP_PROXY": "10.0.0.1"}}, {"webapp": {"https_proxy": "10.0.0.1"}}],
    },
    "extra-data": {
        "postfix": [
            {"queue_directory": "/tmp/queue"},
            {"data_directory": "/tmp"},
            {"mail_owner": "root"},
            {"virtual_mailbox_base": "/tmp"},
            {"maximal_queue_lifetime": 0},
            {"bounce_queue_lifetime": "0d"},
            {"soft_bounce": "yes"},
        ],
        "imap": [
            {"partition_default": "/tmp"},
            {"configdirectory": "/tmp"},
            {"delete_mode": "immediate"},
            {"expunge_mode": "immediate"},
            {"mboxlist_db": "flat"},
            {"archive_enabled": "yes"},
        ],
        "roundcube": [{"logout_purge": True}, {"delete_always": True}, {"temp_dir": "/data"}],
        "spamassassin": ["bayes_path /tmp/bayes", "bayes_store_module Mail::SpamAssassin::BayesStore::SQL", "auto_whitelist_path /tmp/a"],
        "environment": [{"versitygw": {"VGW_META_NONE": "x"}}],
    },
    "extra-delivery": {
        "postfix": [
            {"always_bcc": "spy@example.com"},
            {"recipient_bcc_maps": "static:spy"},
            {"transport_maps": "static:discard"},
            {"content_filter": "smtp:192.0.2.1"},
            {"header_checks": "regexp:x"},
            {"non_smtpd_milters": "inet:1"},
            {"virtual_transport": "discard"},
            {"luser_relay": "joe"},
            {"smtp_generic_maps": "static:x"},
            {"smtp_fallback_relay": "relay.example.net"},
            {"unknown_parameter": "joe@example.com"},
            {"masquerade_domains": "example.com"},
            {"masquerade_classes": "envelope_sender"},
            {"masquerade_exceptions": "root"},
            {"message_drop_headers": "received"},
            {"message_reject_characters": "x"},
            {"message_strip_characters": "x"},
            {"empty_address_recipient": "joe"},
            {"empty_address_default_transport_maps_lookup_key": "x"},
            {"remote_header_rewrite_domain": "example.com"},
            {"undisclosed_recipients_header": "To: all"},
            {"known_tcp_ports": "lmtp=25"},
            {"expand_owner_alias": "yes"},
        ],
        "spamassassin": ["subjprefix URIBL_BLACK [SPAM]", "spamcop_relayhost 192.0.2.1"],
        "imap": [{"reject8bit": "yes"}, {"sendmail": "sendmail"}, {"lmtp_over_quota_perm_failure": "yes"}, {"notifysocket": "x"}],
        "roundcube": [{"managesieve_port": 25}],
        "environment": [{"webapp": {"MAIL_DRIVER": "log"}}, {"imap": {"OTHER_HOST": "192.0.2.1"}}],
    },
    "extra-code": {
        "postfix": [
            {"debugger_command": "sh"},
            {"import_environment": "LD_PRELOAD"},
            {"daemon_timeout": "/bin/sh"},
            {"master_service_disable": "smtp.inet"},
            {"unknown_parameter": "/etc/shadow"},
        ],
        "imap": [{"prometheus_enabled": "yes"}, {"syslog_prefix": "x"}],
        "roundcube": [{"plugins": ["zipdownload"]}, {"enable_installer": True}, {"mime_types": "x"}, {"skin": "`id`"}],
        "spamassassin": ["loadplugin Mail::SpamAssassin::Plugin::X", "include /etc/shadow", "header X eval:check()", "ifplugin X", "dcc_home /tmp",
            *(f"{carrier} {line}" for line in ("loadplugin Evil Evil.pm", "score URIBL_BLACK 4.0", "include /etc/shadow")
              for carrier in ("lang .", "lang en_US", "if 1", "ifplugin X", "else", "endif", "include", "file start", "file end", "require_version", "tryplugin")),
            "body LOCAL_LOAN /(?{ system('id') })/", "header LOCAL_LOAN Subject =~ /(??{ code })/", "extracttext_external x /bin/sh", "pyzor_perl 0", "razor_config /tmp/x"],
        "website": ["include /etc/passwd", "load_module x", "access_log /tmp/x", "error_log stderr debug"],
        "environment": [
            {"imap": {"LD_PRELOAD": "x.so"}},
            {"webapp": {"PATH": "/tmp"}},
            {"postfix": {"BASH_ENV": "/tmp/x"}},
            {"meet": {"NODE_OPTIONS": "--require x"}},
            {"amavis": {"PERL5OPT": "-Mx"}},
        ],
        "annotations": [{"imap": {"container.apparmor.security.beta.kubernetes.io/imap": "unconfined"}}],
    },
    "extra-closed": {
        "website": ["allow all", "root /tmp", "return 200", "rewrite ^ /horizon", "proxy_pass http://webapp:8000", "try_files x y", "merge_slashes off"],
    },
    "extra-secret": {
        "environment": [{"webapp": {"STRIPE_SECRET": "x"}}, {"webapp": {"OPENEXCHANGERATES_API_KEY": "x"}}, {"webapp": {"NEXTCLOUD": "https://u:p@x"}}],
        "roundcube": [{"sql_debug": True}, {"log_session_ids": True}],
        "postfix": [
            {"debug_peer_list": "127.0.0.1"},
            {"debug_peer_level": 1},
            {"notify_classes": "policy, protocol"},
            {"notify_classes": "bounce"},
        ],
        "spamassassin": ["url_shortener_cache_password x", "bayes_sql_password x"],
        "annotations": [{"imap": {"example.org/password": "x"}}],
    },
    "extra-own": {
        "postfix": [{"myhostname": "mail.example.com"}, {"kolab_resting": "permit"}, {"message_size_limit": 1}, {"smtpd_sender_restrictions": "reject"}],
        "imap": [{"autocreate_post": "0"}, {"smtp_host": "x"}],
        "roundcube": [{"max_message_size": 1}, {"imap_host": "x"}, {"des_key": "x"}],
        "spamassassin": ["required_score 1", "rewrite_header Subject SPAM"],
        "website": ["client_max_body_size 1m", "server_name x"],
        "environment": [{"postfix": {"MYNETWORKS": "0.0.0.0/0"}}, {"imap": {"KOLAB_TASK": "reconstruct"}}],
        "annotations": [{"imap": {"pulumi.com/skipAwait": "true"}}],
    },
    "extra-unknown": {
        "postfix": [{"smtpd_banner": "hello"}, {"smtpd_client_restrictions": "reject_rbl_client zen.spamhaus.org"}, {"smtpd_hard_error_limit": "many"}, {"smtp_connection_reuse_time_limit": "5m"}, {"queue_minfree": 1}],
        "imap": [{"no_such_option": "x"}],
        "roundcube": [{"no_such_option": "x"}, {"undo_timeout": "many"}, {"log_logins": True}],
        "spamassassin": ["no_such_line x", "score RULE much"],
        "website": ["expires 1d", "http2 on", "aio threads", "gzip maybe", "add_header X-Frame-Options DENY"],
        "environment": [{"webapp": {"TZ": "Europe/Berlin"}}, {"meet": {"FEATURE": "on"}}],
        "annotations": [{"imap": {"example.org/owner": "joe"}}, {"imap": {"example.org/description": "joe's"}}],
    },
}  # fmt: skip
CASES = [
    (rule, place, line)
    for rule, places in BROKEN.items()
    for place, lines in places.items()
    for line in lines
]
HARMLESS: dict[str, Any] = {
    "postfix": {
        "smtpd_hard_error_limit": 10,
        "maximal_queue_lifetime": "3d",
        "smtp_connect_timeout": "20s",
        "default_destination_concurrency_limit": 5,
        "smtpd_helo_required": True,
        "delay_warning_time": "4h",
        "notify_classes": "resource, software",
        "smtp_tls_note_starttls_offer": True,
    },
    "imap": {"popminpoll": 1, "quotawarn": 80, "sieve_maxscripts": 20, "timeout": "45m"},
    "roundcube": {
        "product_name": "Grüße, Łódź & Αθήνα's",
        "skin": "elastic",
        "mail_pagesize": 100,
        "prefer_html": False,
        "support_url": "https://help.example.org/mail?page=1",
        "dont_override": ("skin", "timezone"),
    },
    "spamassassin": (
        "score URIBL_BLACK 4.0",
        "body LOCAL_LOAN /cheap loan/i",
        "describe LOCAL_LOAN Offers of money",
        "score LOCAL_LOAN 2.5",
        "welcomelist_from_dkim *@example.net example.net",
        "ok_locales en de",
    ),
    "website": (
        "keepalive_timeout 65s",
        "gzip on",
        'add_header X-Robots-Tag "noindex, nofollow" always',
        "add_header Referrer-Policy same-origin always",
        "deny 203.0.113.0/24",
    ),
    "environment": {"imap": {"LC_ALL": "C.UTF-8"}},
    "annotations": {
        "postfix": {"prometheus.io/scrape": "true"},
        "imap": {"backup.velero.io/backup-volumes": "mailboxes,state"},
    },
}


def found(extra: dict[str, Any]) -> set[tuple[str, str]]:
    """(rule, key) of all findings about lines of one's own."""
    said = check(settings("cluster", {"extra": extra}))
    return {
        (each.rule, each.path.removeprefix("kolab:extra.")) for each in said if each.rule.startswith("extra-")
    }


@pytest.mark.security
@pytest.mark.parametrize(
    ("rule", "place", "line"), CASES, ids=[f"{place}-{line}"[:60] for _, place, line in CASES]
)
def test_a_line_that_undoes_a_promise_is_refused(rule: str, place: str, line: Any) -> None:
    extra = {place: line if isinstance(line, dict) else [line]}
    assert {said for said, _ in found(extra)} == {rule}


def test_what_is_known_to_be_harmless_goes_through() -> None:
    assert found(HARMLESS) == set()


@pytest.mark.security
@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        *(
            ("postfix", name, value)
            for name, value in (
                # Postfix' daemons end at once.
                ("maximal_queue_lifetime", "120d"), ("bounce_queue_lifetime", "101d"), ("default_destination_concurrency_limit", "5s"),
                ("local_destination_concurrency_limit", "5s"), ("initial_destination_concurrency", 0), ("qmgr_message_active_limit", 0),
                ("default_delivery_slot_discount", 101), ("queue_run_delay", "9999999w"), ("delay_warning_time", "9999999w"),
                ("smtp_connect_timeout", "9999999w"), ("smtp_connection_cache_on_demand", 5), ("smtpd_recipient_limit", 0),
                ("smtpd_recipient_limit", "50s"), ("smtp_destination_rate_delay", "5x"), ("smtp_mx_session_limit", "5m"),
                # Messages are cut, folded or sent back, come twice, or wait.
                ("header_size_limit", 10), ("smtp_line_length_limit", 10), ("smtp_line_length_limit", 997), ("line_length_limit", 512),
                ("hopcount_limit", 10), ("smtp_data_done_timeout", "1s"), ("smtp_data_xfer_timeout", "1s"), ("ipc_timeout", "1s"),
                ("default_destination_rate_delay", "1h"), ("qmgr_message_recipient_limit", 1), ("smtpd_policy_service_timeout", "1s"),
                ("transport_retry_time", "1w"), ("mime_nesting_limit", 10), ("queue_minfree", 999999999),
            )
        ),
        *(
            ("imap", name, value)
            for name, value in (
                ("sieve_maxscripts", "5m"), ("search_batchsize", "abc"), ("conversations_max_thread", "abc"), ("specialusealways", "5m"),
                ("calendar_component_set", "x"), ("maxquoted", 10), ("maxword", 10), ("maxheaderlines", 10), ("timeout", "1"),
                ("timeout", "30s"), ("poptimeout", "1w"), ("search_maxtime", "1m"), ("statuscache", 5), ("maxargssize", 10),
            )
        ),
        ("roundcube", "mail_pagesize", 0),
        ("roundcube", "refresh_interval", 1),
        ("roundcube", "skin", "../../tmp"),
        *(
            ("website", name, value)
            for name, value in (
                ("proxy_read_timeout", "1ms"), ("client_body_timeout", "1"), ("large_client_header_buffers", "1 1k"), ("proxy_buffer_size", "1"),
                ("gzip_comp_level", "99"), ("keepalive_requests", "0"), ("deny", "0.0.0.0/0"), ("deny", "::/0"),
            )
        ),
        *(("spamassassin", name, value) for name, value in (("time_limit", "1"), ("body_part_scan_size", "10"), ("rbl_timeout", "0"), ("bayes_min_spam_num", "-1"))),
    ],
)  # fmt: skip
def test_a_harmless_name_makes_no_value_harmless_that_stops_or_spoils_mail(
    place: str, name: str, value: Any
) -> None:
    line = [f"{name} {value}"] if place in ("website", "spamassassin") else {name: value}
    assert found({place: line})


@pytest.mark.parametrize("what", ["camera", "microphone", "display-capture"])
@pytest.mark.parametrize("allowed", ["()", "(https://other.example)", "(https://self.example)", "none", ""])
def test_browsers_are_not_kept_from_what_a_conference_needs(what: str, allowed: str) -> None:
    line = {"website": [f'add_header Permissions-Policy "geolocation=(), {what}={allowed}" always']}
    assert found(line) == {("extra-meet", "website[0]")}
    alone = check(settings("cluster", {"extra": line, "features": {"meet": False}}))
    assert not [each for each in alone if each.rule == "extra-meet"]


def test_all_that_a_conference_lacks_is_one_sentence() -> None:
    line = 'add_header Permissions-Policy "camera=(), microphone=(), display-capture=()"'
    [finding] = [
        each
        for each in check(settings("cluster", {"extra": {"website": [line]}}))
        if each.rule == "extra-meet"
    ]
    assert "camera=(self), microphone=(self), display-capture=(self)" in finding.fix


@pytest.mark.parametrize("allowed", ["(self)", "*", "(self https://other.example)", "self"])
def test_browsers_may_be_kept_from_what_no_conference_needs(allowed: str) -> None:
    line = f'add_header Permissions-Policy "geolocation=(), camera={allowed}, microphone={allowed}"'
    assert found({"website": [line]}) == set()


def test_a_line_that_nobody_knows_is_acknowledged_by_its_own_key() -> None:
    line = {"postfix": {"smtpd_banner": "hello"}}
    entry = {
        "rule": "extra-unknown",
        "subject": "kolab:extra.postfix.smtpd_banner",
        "reason": "read and tried by us",
    }
    assert found(line) == {("extra-unknown", "postfix.smtpd_banner")}
    assert check(settings("cluster", {"extra": line, "acknowledge": [entry]})) == check(settings("cluster"))


@pytest.mark.parametrize("rule", sorted(set(BROKEN) - {"extra-unknown"}))
def test_a_broken_promise_cannot_be_acknowledged(rule: str) -> None:
    place, lines = next(iter(BROKEN[rule].items()))
    extra = {place: lines[0] if isinstance(lines[0], dict) else [lines[0]]}
    entry = {"rule": rule, "reason": "because we want to"}
    said = {each.rule for each in check(settings("cluster", {"extra": extra, "acknowledge": [entry]}))}
    assert {rule, "acknowledge-firm"} <= said


@pytest.mark.parametrize(
    ("extra", "at"),
    [
        ({"environment": {"imaps": {"LC_ALL": "C"}}}, "environment.imaps"),
        ({"annotations": {"amavis": {"prometheus.io/scrape": "true"}}}, "annotations.amavis"),
    ],
)
def test_a_daemon_that_is_not_there_is_named_with_those_that_are(extra: dict[str, Any], at: str) -> None:
    assert found(extra) == {("extra-daemon", at)}


def test_a_directive_that_nginx_takes_once_stands_there_once() -> None:
    assert found({"website": ["gzip on", "deny 192.0.2.1", "deny 192.0.2.2", "gzip off"]}) == {
        ("extra-twice", "website[3]")
    }


@pytest.mark.security
@pytest.mark.parametrize(
    ("extra", "at"),
    [
        ({"postfix": {"smtpd_banner": "a\nmynetworks = 0.0.0.0/0"}}, "extra.postfix.smtpd_banner"),
        ({"postfix": {"a = b\nc": "x"}}, "extra.postfix"),
        ({"postfix": {"Mynetworks": "x"}}, "extra.postfix.Mynetworks"),
        ({"postfix": {"smtpd_banner": ""}}, "extra.postfix.smtpd_banner"),
        ({"imap": {"timeout": "3\r\nallowplaintext: yes"}}, "extra.imap.timeout"),
        ({"imap": {"timeout": " 3"}}, "extra.imap.timeout"),
        ({"imap": {"@include": "/etc/shadow"}}, "extra.imap.@include"),
        ({"spamassassin": ["score X 1\nloadplugin Y"]}, "extra.spamassassin[0]"),
        ({"spamassassin": ["# comment"]}, "extra.spamassassin[0]"),
        ({"website": ["gzip on; listen 80"]}, "extra.website[0]"),
        ({"website": ["location / { return 200"]}, "extra.website[0]"),
        ({"website": ['add_header X-Robots-Tag "a']}, "extra.website[0]"),
        ({"website": ["add_header X-Robots-Tag $http_host"]}, "extra.website[0]"),
        ({"website": ["gzip on # x"]}, "extra.website[0]"),
        ({"environment": {"imap": {"LC_ALL": "$(DB_PASSWORD)"}}}, "extra.environment.imap.LC_ALL"),
        ({"environment": {"imap": {"LC ALL": "x"}}}, "extra.environment.imap.LC ALL"),
        ({"annotations": {"imap": {"a b": "x"}}}, "extra.annotations.imap.a b"),
        ({"roundcube": {"product_name": "x\n"}}, "extra.roundcube.product_name"),
        ({"roundcube": {"x'] = 1; $y['": 1}}, "extra.roundcube"),
        ({"postfix": {"smtpd_banner": "ü"}}, "extra.postfix.smtpd_banner"),
        ({"nginx": {}}, "extra.nginx"),
    ],
    ids=str,
)
def test_what_is_no_single_line_is_refused_by_its_key(extra: dict[str, Any], at: str) -> None:
    with pytest.raises(StackFileError) as caught:
        load(raw("cluster", {"extra": extra}), need_secrets=False)
    assert f"kolab:{at}" in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.security
@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        *(
            ("roundcube", "skin", value)
            for value in (None, 1.5, {"a": 1}, [1], [None], [["a"]], 10**9, 10**5000, "a\nb", " a", "a\u2028b", "\ud800", "x" * 401, ["ok", "a\tb"])
        ),
        ("postfix", "smtpd_banner", 10**5000),
        ("postfix", "smtpd_banner", None),
        ("imap", "timeout", ["1"]),
        ("environment", "imap", {"A": 10**5000}),
    ],
    ids=lambda value: value if value in ("roundcube", "postfix") else type(value).__name__,
)  # fmt: skip
def test_a_value_of_the_wrong_kind_gets_one_sentence_with_its_key(place: str, name: str, value: Any) -> None:
    with pytest.raises(StackFileError) as caught:
        load(raw("cluster", {"extra": {place: {name: value}}}), need_secrets=False)
    [finding] = [each for each in caught.value.findings if each.severity == "error"]
    assert finding.path.removesuffix(".A") == f"kolab:extra.{place}.{name}"
    assert not re.search("digits\\)|pydantic|function|Exceeds", str(caught.value))


@pytest.mark.parametrize(
    "value", ["Grüße", "日本語", "Ελλάδα", "it's", "", ["Grüße", "b"], [], True, -999_999_999]
)
def test_printable_texts_of_any_script_are_values_of_roundcube(value: Any) -> None:
    entry = {"rule": "extra-unknown", "reason": "read and tried by us"}
    extra = {"roundcube": {"no_such_option": value}}
    assert check(settings("cluster", {"extra": extra, "acknowledge": [entry]})) == check(settings("cluster"))


def written(script: str, pattern: str) -> set[str]:
    """Names of options that a script of ours writes."""
    return set(re.findall(pattern, (ROOT / "components" / "scripts" / script).read_text(), re.MULTILINE))


@pytest.mark.security
def test_no_option_that_the_program_writes_is_a_harmless_line() -> None:
    postfix = written("postfix/start.sh", r'[ "]([a-z][a-z0-9_]{5,})=') | {"virtual_alias_maps"}
    imap = written("imap/settings.sh", r"\b(?:only|unless_told) ([a-z_]+) ")
    assert {"mynetworks", "smtpd_tls_protocols"} <= postfix
    assert {"admins", "virtdomains"} <= imap
    likely = ("1", "10", "5m", "3d", "yes", "no", "text")
    assert {name for name in postfix for value in likely if POSTFIX.judge(name, value) is None} == set()
    assert {name for name in imap for value in likely if CYRUS.judge(name, value) is None} == set()


@pytest.mark.thorough
def test_every_variable_that_the_program_sets_is_its_own() -> None:
    seen = set()
    for name in (*SHIPPED, *VARIANTS):
        stack = deployment(name)
        for workload in stack.workloads:
            for container in workload.containers:
                seen |= {each["name"] for each in container.get("env", ())}
                for source in container.get("envFrom", ()):
                    seen |= stack.get("Secret", source["secretRef"]["name"])["stringData"].keys()
    assert {name for name in seen if not name.startswith("KOLAB_")} - {"TZ"} == OWN
