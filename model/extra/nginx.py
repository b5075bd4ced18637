"""Directives of the website's server (nginx: ngx_http_core_module and its neighbours): the first word is the name."""

from __future__ import annotations

from model.extra.language import Language
from model.extra.values import Number, Time

_SWITCH = "on|off"
# Room for the cookies of a session.
_PAGES = r"([4-9]|[1-9][0-9])[kK]"

NGINX = Language(
    own="client_max_body_size|limit_req.*|error_page|server_tokens|absolute_redirect|server_name.*|port_in_redirect",
    # Times and sizes in which slow networks and slow pages still get through.
    harmless={
        "(client_body|client_header|send|lingering)_timeout|lingering_time|keepalive_time": Time("5s", "1h"),
        "resolver_timeout": Time("1s", "1m"),
        "keepalive_timeout": r"[1-9][0-9]{0,3}[sm]?( [1-9][0-9]{0,3}[sm]?)?",
        "keepalive_requests": Number(10, 100_000),
        "gzip_comp_level": Number(1, 9),
        "proxy_connect_timeout": Time("5s", "5m"),
        "proxy_(read|send)_timeout": Time("30s", "1h"),
        "client_(body|header)_buffer_size": r"[1-9][0-9]{0,2}[kK]",
        "gzip_min_length|postpone_output": (Number(0, 999_999), r"[1-9][0-9]{0,2}[kK]"),
        "large_client_header_buffers|gzip_buffers|proxy_buffers": rf"([4-9]|[1-9][0-9]) {_PAGES}",
        "output_buffers": rf"[1-9][0-9]? {_PAGES}",
        "proxy_(buffer_size|busy_buffers_size)": _PAGES,
        "gzip|gzip_vary|tcp_nodelay|tcp_nopush|sendfile|etag|reset_timedout_connection|log_not_found": _SWITCH,
        # Off, X_Real_IP would pass, which a web application takes for X-Real-IP.
        "ignore_invalid_headers": "on",
        "gzip_types": r"[a-z0-9./+-]+( [a-z0-9./+-]+){0,30}",
        "gzip_(proxied|http_version|disable)": r"[a-z0-9_. -]{1,100}",
        "deny": r"[0-9a-fA-F.:]{3,39}(/([89]|[1-9][0-9]|1[0-2][0-9]))?",
        "add_header": r"(X-Robots-Tag|Permissions-Policy|Cross-Origin-(Opener|Resource)-Policy|Referrer-Policy|X-Content-Type-Options|NEL|Report-To)"
        r" (\"[^\"]{1,300}\"|[^\"\s]{1,100})( always)?",
    },
    kept={
        "client": r"set_real_ip_from|real_ip_.*|proxy_(set_header|pass_request_headers|protocol|bind|pass_header|hide_header|ignore_headers|http_version)|.*_real_ip.*|geo.*|map.*|set|ignore_invalid_headers",
        "plaintext": r"ssl.*|listen|proxy_ssl.*|quic.*|auth_.*|satisfy|.*password.*|secure_link.*|userid.*|proxy_cookie.*|add_trailer",
        "unseen": r"allow|location|server|if|return|rewrite.*|root|alias|try_files|index|autoindex.*|internal|proxy_pass|proxy_redirect|.*_pass|proxy_.*|uwsgi.*|fastcgi.*|scgi.*|grpc.*|memcached.*|mirror.*|limit_.*|stub_status|upstream|merge_slashes|underscores_in_headers|chunked.*|dav_.*|disable_symlinks|resolver|recursive.*|absolute.*|break|charset.*|default_type|types.*|override_charset",
        "code": r"include|load_module|lua.*|js_.*|perl.*|.*_by_lua.*|njs.*|sub_filter.*|addition.*|add_.*_body|ssi.*|xslt.*|image_filter.*|env|user|worker.*|pid|error_log|access_log|log_.*|open_log.*|pcre.*|daemon|master.*|mail|stream|http|events|.*_temp_path|.*_store.*|.*_file",
    },
    values={"unseen": r"\$|://", "code": r"(^| )/"},
)
"""The website's server. Times, buffers and compression are for everybody; who is answered what, and how a client is known,
is this program's."""
