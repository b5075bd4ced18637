"""Parameters of main.cf (postconf(5))."""

from __future__ import annotations

from model.extra.language import Language
from model.extra.values import Number, Time

_SWITCH = "yes|no"
# Transports, whose names Postfix puts before what is said of any.
_WAY = "(default|smtp|lmtp|relay|local|virtual|error|retry)"
_NOTICE = "(2bounce|delay|resource|software)"

POSTFIX = Language(
    own=r"kolab_.*|(?!.*connection).*_time_limit|(myhostname|inet_protocols|inet_interfaces|relayhost|default_transport|relay_transport)"
    r"|(message|mailbox|virtual_mailbox)_size_limit|virtual_mailbox_limit|default_process_limit|smtpd_client_.*_limit"
    r"|disable_vrfy_command|lmtp_delivery_status_filter|virtual_alias_maps|smtpd_tls_(mandatory_)?protocols"
    r"|smtpd_(sender|etrn)_restrictions|defer_transports|proxy_read_maps|compatibility_level|maillog_.*",
    # Postfix' own bounds, and those beyond which mail waits, comes twice or is broken; times are below the hour in which a
    # daemon that does nothing is ended.
    harmless={
        r"(smtp|lmtp)_connect_timeout": Time("5s", "5m"),
        r"(smtp_helo|lmtp_lhlo|(smtp|lmtp)_(mail|rcpt|data_init|data_xfer|rset|quit|starttls))_timeout": Time(
            "20s", "1h"
        ),
        # Who hangs up before the other has answered sends the message again (RFC 5321 section 4.5.3.2.6).
        r"(smtp|lmtp)_data_done_timeout": Time("5m", "1h"),
        r"smtpd_starttls_timeout": Time("10s", "10m"),
        r"smtpd_policy_service_timeout": Time("30s", "5m"),
        r"(smtp|smtpd|lmtp)_tls_session_cache_timeout": Time("1m", "1d"),
        r"ipc_timeout": Time("10m", "2h"),
        r"ipc_(idle|ttl)": Time("1s", "1h"),
        r"fork_delay|trigger_timeout": Time("1s", "1m"),
        r"transport_retry_time": Time("10s", "10m"),
        rf"{_WAY}_destination_(concurrency|recipient)_limit": Number(1, 1000),
        # Of others than the world there is one: a delay would be one of all mail.
        r"(smtp|relay)_destination_rate_delay": Time("0s", "1m"),
        r"initial_destination_concurrency": Number(1, 100),
        rf"{_WAY}_(extra_)?recipient_limit": Number(1000, 100_000),
        rf"{_WAY}_recipient_refill_limit": Number(10, 10_000),
        rf"{_WAY}_recipient_refill_delay": Time("1s", "1m"),
        rf"{_WAY}_(minimum_delivery_slots|delivery_slot_(cost|loan))": Number(0, 1000),
        rf"{_WAY}_delivery_slot_discount": Number(0, 100),
        r"qmgr_message_(active|recipient)_limit": Number(1000, 100_000),
        r"qmgr_message_recipient_minimum": Number(1, 1000),
        r"(maximal|bounce)_queue_lifetime": Time("1d", "100d", bare="d"),
        r"delay_warning_time": (Time("1h", "30d", bare="h"), "0h?"),
        r"minimal_backoff_time|queue_run_delay": Time("1m", "1h"),
        r"maximal_backoff_time": Time("1h", "1d"),
        r"smtpd_error_sleep_time": Time("1s", "30s"),
        # RFC 5321 section 4.5.3.1.8.
        r"smtpd_recipient_limit": Number(100, 50_000),
        r"smtpd_(hard_error|junk_command)_limit": Number(5, 1000),
        r"smtpd_soft_error_limit|smtpd_history_flush_threshold": Number(1, 1000),
        # Postfix cuts longer headers off.
        r"header_size_limit": Number(102_400, 10_000_000),
        r"bounce_size_limit": Number(1000, 10_000_000),
        r"mime_nesting_limit": Number(100, 1000),
        r"line_length_limit": Number(2048, 1_000_000),
        # Lines are folded when DKIM has signed them (RFC 5322 section 2.1.1).
        r"smtp_line_length_limit": ("0", Number(998, 1_000_000)),
        # RFC 5321 section 6.3.
        r"hopcount_limit": Number(50, 1000),
        r"smtp_mx_(address|session)_limit": Number(2, 100),
        r"(smtp|smtpd|lmtp)_tls_loglevel": Number(0, 1),
        r"smtpd_helo_required": "yes",
        r"smtp_connection_cache_on_demand|confirm_delay_cleared|smtpd_client_port_logging|smtp_randomize_addresses|smtp_skip_5xx_greeting|enable_long_queue_ids": _SWITCH,
        r"smtp_tls_note_starttls_offer": _SWITCH,
        # The other classes send transcripts, and with them passwords, by mail.
        r"notify_classes": rf"{_NOTICE}(, ?{_NOTICE}){{0,3}}",
    },
    kept={
        "secret": r"debug_peer_.*|notify_classes",
        "client": r".*(xclient|xforward|upstream_proxy|proxy_interfaces).*|receive_override_options|smtp_bind_address.*|lmtp_bind_address.*|smtpd_peername_lookup",
        "plaintext": r".*tls.*|.*sasl.*|.*(auth|password).*|smtp_(always|never)_send_ehlo|smtpd_discard_ehlo.*|smtp_discard_ehlo.*",
        "relay": r"mynetworks.*|my(destination|domain|origin)|relay_(domains|recipient_maps|clientcerts).*|permit_.*|local_recipient_maps"
        r"|smtpd_(reject_unlisted|delay|null|sender|relay|recipient_restr|restriction|milter|proxy|policy|upstream|forbid|client_event).*"
        r"|.*access.*|allow_.*|parent_domain_.*|swap_.*|append_.*|.*_login_maps|resolve_dequoted_address|maps_rbl_domains|authorized_.*|multi_instance_.*|rbl_.*maps",
        "data": r".*_director(y|ies)|.*_owner|setgid_group|default_privs|home_mailbox|.*mailbox.*|mail_spool.*|virtual_(uid|gid|minimum)_.*|hash_queue_.*"
        r"|(maximal|bounce)_queue_lifetime|soft_bounce|.*maildir.*|stress|.*_locks?|fault_injection_code|dont_remove|disable_mime_.*",
        "delivery": r".*transport.*|fallback_.*|.*_fallback_.*|sender_dependent_.*|virtual_.*|alias_.*|.*canonical.*|.*generic.*|.*bcc.*|.*_filter.*|content_.*"
        r"|.*milter.*|.*_checks|.*_checks_.*|recipient_delimiter|luser_.*|best_mx_.*|propagate_.*|forward_.*|double_bounce_.*|.*notice_recipient|relocated_maps"
        r"|header_.*|always_.*|smtp_(dns|host|helo|pix|generic|header|mime|body|tcp|cname).*|disable_dns_lookups|ignore_mx.*|bounce_template_file|.*_reply.*|lmtp_.*|local_.*|prepend_.*"
        r"|masquerade_.*|message_(drop|reject|strip)_.*|empty_address_.*|remote_header_rewrite_domain|undisclosed_recipients_header|(expand|reset)_owner_alias|owner_request_special|known_tcp_ports|smtp_address_preference|smtp_balance_inet_protocols",
        "code": r".*_(program|command|commands|path|service|service_name|directory|script)|.*command_(?!limit).*|import_environment|export_environment|debugger_.*"
        r"|master_.*|mail_(name|version|release_date|service.*)|syslog_.*|shlib_.*|dynamicmaps.*|.*_maps|meta_.*|daemon_.*|config_.*|default_database_type|default_cache_db_type|.*_map",
    },
    values={
        "code": r"/|\b(pipe|spawn)\b",
        "relay": r"(?i)permit|check_|\bOK\b|\bDUNNO\b|static:|\$\{?my|0\.0\.0\.0|::",
        "delivery": r"[a-z]+:\S|@",
    },
)
"""main.cf. What begins like a limit, a time or a switch of delivery is for everybody; who may send, where mail goes and what
is read from tables is this program's."""
