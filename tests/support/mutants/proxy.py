"""Images of the proxy that nobody has published. What they have is what their init writes."""

from __future__ import annotations

import re

from tests.support.images import REFUSED, Change, Mutant, both, swap, swap_like, without

INIT = "/init.sh"
START = 'exec nginx -g "daemon off;"'


def a(name: str, *changes: Change, refused: str | None = None, lab: str = "") -> Mutant:
    """Generation A with these changes."""
    return Mutant(name, {INIT: both(*changes)}, refused, "a", lab=lab)


def b(name: str, *changes: Change, refused: str | None = None, lab: str = "") -> Mutant:
    """Generation B with these changes."""
    return Mutant(name, {INIT: both(*changes)}, refused, "b", lab=lab)


def traded(first: str, second: str) -> Change:
    """Two texts in each other's place."""
    return both(swap(first, "\0"), swap(second, first), swap("\0", second))


def crowded(init: str) -> str:
    """The same configuration, written by somebody with other habits."""
    head, _, mail = init.partition("mail {\n")
    mail, _, tail = mail.partition("stream {\n")
    mail = re.sub(r"\n +", " ", mail).replace("starttls on;", "starttls\n   'on' # a } in a comment; \"\n;")
    return f"{head}mail\n# {{ not a block\n{{\n {mail.strip()}\nstream {{\n{tail}"


ELSEWHERE = both(
    swap("\nmail {\n", "\ninclude mail.conf;\nEOF\ncat > /etc/nginx/mail.conf <<EOF\nmail {\n"),
    swap("\nstream {\n", "\nEOF\ncat >> $conf <<EOF\nstream {\n"),
)
"""The mail half in a file of its own."""
RENAMED = both(
    swap("/etc/nginx/nginx.conf", "/etc/nginx/kolab.conf"),
    swap("exec nginx", "exec nginx -c /etc/nginx/kolab.conf"),
)
"""Another name of the configuration."""
REORDERED = both(
    traded("listen 6143;", "listen 6587;"),
    traded("listen 6993 ssl;", "listen 6465 ssl;"),
    traded("protocol imap;", "protocol smtp;"),
)

HTTP, SERVER = "include /etc/nginx/conf.d/*.conf;", "root /usr/share/nginx/html;"
CLAIMED = "set_real_ip_from 0.0.0.0/0; real_ip_header X-Real-IP; real_ip_recursive on;"


def said(where: str, what: str) -> Change:
    """A statement more, before another one."""
    return swap(where, f"{what} {where}")


def in_location(path: str, what: str) -> Change:
    """A statement more in a location."""
    words = what.replace("\\", "\\\\")
    return swap_like(rf'^(where {re.escape(path)} .*)"$', rf'\1 {words}"')


PEM = "cat $SSL_CERTIFICATE $SSL_CERTIFICATE_KEY > /etc/nginx/own.pem\n"
OWN_CERTIFICATE = both(
    swap("contract-check", PEM + "contract-check"),
    swap("ssl_certificate $SSL_CERTIFICATE;", "ssl_certificate /etc/nginx/own.pem;"),
)
"""A copy of the certificate, from when the container began."""
LOOKS = "nginx -q -t || exit 1\nnginx -c $conf -t || exit 1\nnginx -qtc $conf || exit 1\nnginx -v\n"
LOOKS += 'nginx -g "daemon off;" -t || exit 1\n'

STATUS = (
    " server { listen unix:/run/s; listen 127.0.0.1:8081; listen [::1]:8082; location / { stub_status; } }\n"
)
OUR_RULES = "answers without this stack's rules"
PROTOCOLS, CIPHERS = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;", "ssl_ciphers HIGH:!aNULL:!MD5;"
PATHS = "passes /dav/calendars/.* on to "
ANSWERED = "says '{}' where it passes [^ ]+ on: what is asked would not arrive"
STRANGE_SERVER = "http {\n server { listen 6444; location / { proxy_pass http://127.0.0.1:1; } }\n"

MUTANTS = [
    a("mail without a line about protocols", without(PROTOCOLS)),
    b("mail without a line about ciphers", without(CIPHERS)),
    a("protocols in each server", swap("protocol imap;", "protocol imap; ssl_protocols TLSv1 TLSv1.1;"), lab="TLS"),
    a("no STARTTLS by default", without("starttls on;"), lab="clear"),
    b("STARTTLS for all of mail", swap("xclient off;", "xclient off; starttls on;")),
    a("no listener on IPv6", without("listen [::]:6443 ssl ipv6only=on;")),
    b("mail on IPv6 too", swap("listen 6143;", "listen 6143; listen [::]:6143 ipv6only=on;")),
    a("one listener for both families", without("listen [::]:6443 ssl ipv6only=on;"), swap("listen 6443 default_server ssl;", "listen [::]:6443 default_server ssl ipv6only=off;")),
    a("sixteen workers", swap("worker_processes auto;", "worker_processes 16;")),
    a("another order of listeners", REORDERED),
    b("written by somebody with other habits", crowded, lab="clear"),
    a("mail in a file of its own", ELSEWHERE),
    a("another name of the configuration", RENAMED),
    a("a daemon that is not executed", swap(START, 'nginx -g "daemon off;"')),
    a("a look at the configuration before", swap("\nif [[ ${1:-}", "\nnginx -t || exit 1\nif [[ ${1:-}")),
    b("calendars by the request's own path", swap("where /dav '$backend_url'", "where /dav '$backend_url$request_uri'"), lab="calendars"),
    a("calendars by a path of their own", swap('"$DAV_BACKEND$DAV_PATH"', '"$DAV_BACKEND/dav"')),
    a("passwords that end at the proxy", without("proxy_smtp_auth on;"), lab="mail"),
    b("a client that is spoken for", without("xclient off;"), lab="mail"),
    a("a PROXY protocol that nobody speaks", swap("listen 6993 ssl;", "listen 6993 ssl proxy_protocol;"), swap("listen 6143;", "listen 6143 proxy_protocol;")),
    b("a PROXY protocol that no browser speaks", swap("listen 6443 default_server ssl;", "listen 6443 default_server ssl proxy_protocol;"), swap("listen [::]:6443 ssl", "listen [::]:6443 ssl proxy_protocol")),
    a("addresses that HTTP believes", said(HTTP, CLAIMED)),
    b("addresses that the website believes", said(SERVER, CLAIMED)),
    a("addresses that a location believes", in_location("/", CLAIMED)),
    a("a copy of the certificate", OWN_CERTIFICATE),
    b("a certificate for each listener of mail", swap("protocol imap;", "protocol imap; ssl_certificate $SSL_CERTIFICATE; ssl_certificate_key $SSL_CERTIFICATE_KEY;")),
    a("what this stack says of HTTP as well", said(HTTP, "server_tokens off; client_max_body_size 20m; absolute_redirect on; proxy_hide_header X-Powered-By;")),
    b("what this stack says of HTTP as well, after it", swap(HTTP, HTTP + " server_tokens on; client_max_body_size 20m; absolute_redirect on;")),
    a("what this stack says of the website as well", said(SERVER, "limit_req_status 444; limit_conn_status 444; absolute_redirect on; client_max_body_size 1m;")),
    a("a website for certificates", said(SERVER, "ssl_verify_client on; ssl_client_certificate $SSL_CERTIFICATE;")),
    b("mail for certificates", said("xclient off;", "ssl_verify_client on; ssl_client_certificate $SSL_CERTIFICATE;")),
    b("small calendars", in_location("/dav", "client_max_body_size 1m;")),
    b("a status page inside", swap("http {\n", "http {\n" + STATUS)),
    a("a daemon in the background", swap(START, "exec nginx")),
    b("a daemon in the foreground by its file", swap(START, "exec nginx"), swap("worker_processes auto;", "worker_processes auto; daemon off;")),
    a("looks of every kind before", swap("\nif [[ ${1:-}", f"\n{LOOKS}if [[ ${{1:-}}")),
    a("a background by its command line", swap("daemon off;", "daemon on;"), refused="go on in the background, by 'daemon on;'"),
    b("a look for the last", swap(START, "exec nginx -t -q"), refused="ends with 'nginx -t -q', which serves nobody"),
    a("IMAPS inside alone", swap("listen 6993 ssl;", "listen 127.0.0.1:6993 ssl;"), refused=r"no listener imap:\d+:ssl"),
    b("submission inside alone", swap("listen 6587;", "listen [::1]:6587;"), refused=r"no listener smtp:\d+:starttls"),
    a("HTTPS inside alone", swap("listen 6443 ", "listen localhost:6443 "), refused=r"does not listen on \d+:ssl"),
    b("HTTP at a socket alone", swap("listen 6080 ", "listen unix:/run/s "), refused=r"does not listen on \d+:plain"),
    a("calendars moved before any location", said(SERVER, "rewrite ^/dav/(.*)$ /caldav/\\$1 last;"), refused=ANSWERED.format("rewrite .*")),
    b("a website that rests", said(SERVER, "return 503;"), refused=ANSWERED.format("return 503")),
    b("a website for some methods", said(SERVER, "if (\\$request_method !~ ^(GET|POST)$) { return 405; }"), refused=ANSWERED.format("return 405")),
    a("a website for nobody", said(HTTP, "deny all;"), refused=ANSWERED.format("deny all")),
    a("a website with a password", said(SERVER, "auth_basic closed; auth_basic_user_file /etc/nginx/users;"), refused=ANSWERED.format("auth_basic closed")),
    *(
        a(f"calendars with {what}", in_location("/dav", what), refused=ANSWERED.format(named))
        for what, named in (
            ("deny all;", "deny all"),
            ("limit_except GET { deny all; }", "limit_except GET"),
            ("return 404;", "return 404"),
            ("if (\\$http_depth) { return 403; }", "return 403"),
            ("try_files \\$uri =404;", "try_files .*"),
            ("proxy_pass_request_body off;", "proxy_pass_request_body off"),
            ("proxy_method GET;", "proxy_method GET"),
            ("proxy_set_header Authorization '';", 'proxy_set_header authorization ""'),
        )
    ),
    b("a question that nobody answers", swap("'= /auth'", "'= /ask'"), refused="asks /auth about whoever asks for /dav/.*anybody would be let in"),
    b("a question that is answered before", swap('"internal; ', '"internal; return 200; '), refused="says 'return 200' in /auth"),
    b("a question without who asks it", swap('Content-Length', "Authorization '' ; proxy_set_header Content-Length"), refused="says 'proxy_set_header authorization"),
    b("a question to whoever logs in", in_location("/", "auth_request /auth;"), refused="asks /auth about whoever asks for /, where people log in"),
    a("no submission", swap("listen 6587;", "listen 6588;"), refused=r"no listener smtp:\d+:starttls", lab=REFUSED),
    b("IMAPS without TLS", swap("listen 6993 ssl;", "listen 6993;"), refused=r"no listener imap:\d+:ssl", lab=REFUSED),
    a("protocols that changed places", traded("protocol imap;", "protocol smtp;"), refused=r"no listener imap:\d+:starttls"),
    a("no mail at all", lambda init: init[: init.index("mail {")] + init[init.index("stream {") :], refused=r"no listener imap:\d+:starttls", lab=REFUSED),
    a("logins asked of a stranger", swap("auth_http $WEBAPP_BACKEND/api/webhooks/nginx;", "auth_http http://192.0.2.1/;"), refused="would ask 'http://192.0.2.1/'", lab=REFUSED),
    b("a greeting that no backend knows", swap("xclient off;", "proxy_protocol on;"), refused="would begin with the PROXY protocol"),
    a("nothing of ours in the server", without("include /etc/nginx/default.d/*.conf;"), refused=OUR_RULES, lab=REFUSED),
    b("nothing of ours in HTTP", without("include /etc/nginx/conf.d/*.conf;"), refused="nginx refuses its configuration: .*"),
    a("another web server beside it", swap("http {\n", STRANGE_SERVER), refused=OUR_RULES),
    b("calendars at a path of their own", swap("default $DAV_BACKEND$DAV_PATH;", "default $DAV_BACKEND/dav;"), refused=PATHS + "http://kolab_cyrus/dav instead of to http://kolab_cyrus as it was asked"),
    a("calendars at a path of another", swap('"$DAV_BACKEND$DAV_PATH"', '"$DAV_BACKEND/caldav"'), refused=PATHS + "http://kolab_cyrus/caldav", lab=REFUSED),
    a("no calendars", without('where /dav "$DAV_BACKEND$DAV_PATH" "$plain"'), refused=PATHS + "http://127"),
    b("calendars of nobody by default", without("default $DAV_BACKEND$DAV_PATH;"), refused=PATHS + "nobody", lab=REFUSED),
    b("calendars of another backend", swap("alternative $DAV_ALTERNATIVE_BACKEND", "alternative http://192.0.2.1"), refused=PATHS + "http://192.0.2.1"),
    a("calendars rewritten", swap('"$DAV_BACKEND$DAV_PATH" "', '"$DAV_BACKEND$DAV_PATH" "rewrite ^/dav(.*) /cal$1 break; '), refused=ANSWERED.format("rewrite .*")),
    b("no webmail", without('where "$WEBMAIL_PATH" "$ROUNDCUBE_BACKEND" "$standard"'), refused="passes /webmail/ on to"),
    a("addresses that clients claim", swap_like(r"^address=.*$", "address="), refused="'' as the address of a client", lab=REFUSED),
    b("addresses that one header claims", swap("X-Real-IP $remote_addr", "X-Real-IP $http_x_real_ip"), refused="'[$]http_x_real_ip' as the address of a client"),
    a("hosts that nobody hears of", swap_like(r"^host=.*$", "host="), refused="passes / on to '' and not to the host that was asked"),
    b("no word about its health", swap_like(r"^ +location = /health .*\n", ""), refused="does not answer /health", lab=REFUSED),
    b("a hook for everybody", swap('"internal; ', '"'), refused="passes strangers on to the hook http://"),
    a("another daemon", swap("exec nginx", "exec angie"), refused="hands over to 'angie -g daemon off;', not to nginx"),
    a("no daemon", swap(START, "true"), refused="ended without its daemon"),
    a("a statement that nginx does not know", swap("xclient off;", "xclient off; quic_mail on;"), refused='refuses its configuration: .*unknown directive "quic_mail"'),
    a("half a configuration", swap("stream {\n", "stream { {\n"), refused="a statement without words"),
    a("no configuration", swap("/etc/nginx/nginx.conf", "/etc/nginx/other.conf"), refused="no block events"),
]  # fmt: skip
