"""Parameters of main.cf (postconf(5))."""

from __future__ import annotations

from model.extra.language import Language

_NUMBER, _TIME, _SWITCH = r"[0-9]{1,9}", r"[1-9][0-9]{0,6}[smhdw]?", "yes|no"
_AGENTS = "smtp|lmtp|relay|local|virtual|default|qmqpd|smtpd|pipe|bounce|defer|rewrite|resolve|error|retry"

POSTFIX = Language(
    own=r"kolab_.*|.*_time_limit|(myhostname|inet_protocols|inet_interfaces|relayhost|default_transport|relay_transport)"
    r"|(message|mailbox|virtual_mailbox)_size_limit|virtual_mailbox_limit|default_process_limit|smtpd_client_.*_limit"
    r"|disable_vrfy_command|lmtp_delivery_status_filter|virtual_alias_maps|smtpd_tls_(mandatory_)?protocols"
    r"|smtpd_(sender|etrn)_restrictions|defer_transports|proxy_read_maps|compatibility_level|maillog_.*",
    harmless={
        rf"({_AGENTS})_[a-z_]*_timeout|ipc_(timeout|idle|ttl)|(fork_delay|transport_retry_time|trigger_timeout)": _TIME,
        rf"({_AGENTS})_destination_(concurrency|recipient|rate)_(limit|delay)|initial_destination_concurrency": rf"{_NUMBER}s?",
        rf"({_AGENTS})_(extra_recipient_limit|recipient_refill_(limit|delay)|recipient_limit|minimum_delivery_slots)": rf"{_NUMBER}s?",
        rf"({_AGENTS})_delivery_slot_(cost|discount|loan)|qmgr_message_(active|recipient)_(limit|minimum)": _NUMBER,
        r"(maximal|bounce)_queue_lifetime": r"[1-9][0-9]{0,2}d",
        r"delay_warning_time": rf"0h?|{_TIME}",
        r"(minimal|maximal)_backoff_time|queue_run_delay|smtpd_error_sleep_time": _TIME,
        r"smtpd_(soft_error|hard_error|junk_command|history_flush)_(limit|threshold)": r"[1-9][0-9]{0,4}",
        r"(header_size|bounce_size|mime_nesting|line_length|hopcount)_limit|queue_minfree": r"[1-9][0-9]{1,8}",
        r"smtp_mx_(address|session)_limit|smtp_line_length_limit": r"[1-9][0-9]{0,4}",
        r"(smtp|smtpd|lmtp)_tls_loglevel|debug_peer_level": r"[01]",
        r"smtp_connection_cache_(on_demand|reuse_limit|time_limit)": rf"{_SWITCH}|{_NUMBER}|{_TIME}",
        r"smtpd_helo_required": "yes",
        r"confirm_delay_cleared|smtpd_client_port_logging|smtp_randomize_addresses|smtp_skip_(4xx|5xx)_greeting|enable_long_queue_ids": _SWITCH,
        r"notify_classes": r"(bounce|2bounce|data|delay|policy|protocol|resource|software)(, ?(bounce|2bounce|data|delay|policy|protocol|resource|software)){0,7}",
    },
    kept={
        "client": r".*(xclient|xforward|upstream_proxy|proxy_interfaces).*|receive_override_options|smtp_bind_address.*|lmtp_bind_address.*|smtpd_peername_lookup",
        "plaintext": r".*tls.*|.*sasl.*|.*(auth|password).*|smtp_(always|never)_send_ehlo|smtpd_discard_ehlo.*|smtp_discard_ehlo.*",
        "relay": r"mynetworks.*|my(destination|domain|origin)|relay_(domains|recipient|clientcerts).*|permit_.*|local_recipient_maps"
        r"|smtpd_(reject_unlisted|delay|null|sender|relay|recipient_restr|restriction|milter|proxy|policy|upstream|forbid|client_event).*"
        r"|.*access.*|allow_.*|parent_domain_.*|swap_.*|append_.*|.*_login_maps|authorized_.*|multi_instance_.*|rbl_.*maps",
        "data": r".*_director(y|ies)|.*_owner|setgid_group|default_privs|home_mailbox|.*mailbox.*|mail_spool.*|virtual_(uid|gid|minimum)_.*|hash_queue_.*"
        r"|(maximal|bounce)_queue_lifetime|soft_bounce|queue_minfree|.*maildir.*|stress|.*_locks?|fault_injection_code|disable_mime_.*",
        "delivery": r".*transport.*|fallback_.*|.*_fallback_.*|sender_dependent_.*|virtual_.*|alias_.*|.*canonical.*|.*generic.*|.*bcc.*|.*_filter.*|content_.*"
        r"|.*milter.*|.*_checks|.*_checks_.*|recipient_delimiter|luser_.*|best_mx_.*|propagate_.*|forward_.*|double_bounce_.*|.*notice_recipient|relocated_maps"
        r"|header_.*|always_.*|smtp_(dns|host|helo|pix|generic|header|mime|body|tcp|cname).*|disable_dns_lookups|ignore_mx.*|bounce_template_file|.*_reply.*|lmtp_.*|local_.*|prepend_.*",
        "code": r".*_(program|command|commands|path|service|service_name|directory|script)|.*command_.*|import_environment|export_environment|debugger_.*"
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
