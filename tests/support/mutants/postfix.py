"""Images of Postfix that nobody has published."""

from __future__ import annotations

from tests.support.images import REFUSED, Change, Mutant, added, swap, swap_like, without

INIT, MAIN, MASTER = "/init.sh", "/etc/postfix/main.cf", "/etc/postfix/master.cf"
PEM = "/etc/pki/tls/private/postfix.pem"


def main(
    name: str, change: Change, refused: str | None = None, generation: str = "b", lab: str = ""
) -> Mutant:
    return Mutant(name, {MAIN: change}, refused, generation, lab=lab)


def master(
    name: str, change: Change, refused: str | None = None, generation: str = "b", lab: str = ""
) -> Mutant:
    return Mutant(name, {MASTER: change}, refused, generation, lab=lab)


def inner_first(text: str) -> str:
    """Services of the inside before those at ports."""
    inside = text.index("pickup ")
    return text[inside:] + text[:inside]


def told(name: str, *lines: str, refused: str | None = None) -> Mutant:
    """Lines more in main.cf."""
    return main(name, added(*lines), refused)


def at(name: str, port: str, *options: str) -> Mutant:
    """Options more of the service at a port."""
    return master(
        name, swap_like(rf"^{port}( .*)$", rf"{port}\1\n    " + " ".join(f"-o {each}" for each in options))
    )


MUTANTS = [
    main("an open relay", swap("mynetworks = MYNETWORKS", "mynetworks = 0.0.0.0/0"), lab="relaying"),
    master("an open relay at a port", swap("    -o cleanup_service_name=cleanup_inbound", "    -o mynetworks=0.0.0.0/0 -o smtpd_relay_restrictions=permit\n    -o cleanup_service_name=cleanup_inbound")),
    main("relay domains", added("relay_domains = static:all")),
    main("other restrictions for relaying", swap_like(r"^smtpd_relay_restrictions = .*$", "smtpd_relay_restrictions = permit"), lab="relaying"),
    main("clients that speak for others", added("smtpd_authorized_xclient_hosts = 0.0.0.0/0")),
    main("a proxy in front", added("smtpd_upstream_proxy_protocol = haproxy")),
    master("a proxy in front at a port", swap("smtpd_upstream_proxy_protocol=", "smtpd_upstream_proxy_protocol=haproxy")),
    main("mail that is held", swap("#check_recipient_access static:HOLD", "check_recipient_access static:HOLD")),
    main("mail that stays", added("default_transport = error:No outside emails.")),
    main("another way out", added("relayhost = [relay.example.edu]", "sender_dependent_relayhost_maps = static:[relay.example.edu]")),
    main("no null sender", swap("    permit_mynetworks,\n    reject_unknown_sender_domain", "    check_sender_access hash:/etc/postfix/sender_access,\n    permit_mynetworks,\n    reject_unknown_sender_domain"), lab="null sender"),
    main("forged senders", swap("reject_unauthenticated_sender_login_mismatch, ", ""), lab="forgery"),
    main("old TLS", added("smtpd_tls_protocols = ", "smtpd_tls_mandatory_protocols = !SSLv2"), lab="TLS"),
    master("old TLS at a port", swap("10025               inet        n       -       n       -       -       smtpd\n", "10025               inet        n       -       n       -       -       smtpd\n    -o smtpd_tls_protocols=TLSv1 -o smtpd_tls_security_level=none\n")),
    main("another certificate", swap(f"smtpd_tls_key_file = {PEM}", "smtpd_tls_key_file = /etc/pki/other.pem")),
    Mutant("a certificate of another name", {INIT: swap(PEM, "/etc/pki/tls/private/smtpd.pem"), MAIN: swap(PEM, "/etc/pki/tls/private/smtpd.pem")}),
    main("passwords over TLS alone", swap("smtpd_tls_auth_only = no", "smtpd_tls_auth_only = yes")),
    master("a port at one address", swap_like(r"^10025 ", "0.0.0.0:10025 ")),
    master("the way back unpadded", swap_like(r"^0\.0\.0\.0:13025.*$", "13025 inet n - n - 100 smtpd")),
    master("the way back at two addresses", swap_like(r"^0\.0\.0\.0:13025.*$", "[::]:13025 inet n - n - 100 smtpd\n0.0.0.0:13025 inet n - n - 100 smtpd")),
    master("another port", added("0.0.0.0:12025 inet n - n - - smtpd")),
    master("no ports of the image", swap_like(r"(?s)^0\.0\.0\.0:11587.*?(?=^pickup)", "")),
    master("the inner ports first", inner_first),
    Mutant("another start", {INIT: swap_like("^exec /usr/sbin/postfix.*$", "   exec postfix   start-fg")}),
    Mutant("a folder of logs that is made quietly", {INIT: swap("mkdir /var/log/kolab", "mkdir -p /var/log/kolab")}),
    Mutant("a policy of another name", {MAIN: swap("policy_greylist", "policy_reception"), MASTER: swap("policy_greylist", "policy_reception")}),
    master("no port for the world", swap_like("^10025 ", "10026 "), "listens at port 10025"),
    master("no port for people", swap_like("^10587 ", "10588 "), "listens at port 10587"),
    master("no way back", swap_like(r"^0\.0\.0\.0:13025", "0.0.0.0:13026"), "listens at port 13025", lab=REFUSED),
    master("unfiltered mail", swap("content_filter=smtp-amavis:[AMAVIS_HOST]:13024", "content_filter="), "and not to Amavis at port 13024", lab=REFUSED),
    master("unsigned mail", swap("content_filter=smtp-amavis:[AMAVIS_HOST]:13026", "content_filter=smtp-amavis:[AMAVIS_HOST]:13024"), "and not to Amavis at port 13026"),
    master("no way to Amavis", swap_like("^smtp-amavis unix", "to-amavis unix"), "would go through smtp-amavis, which master.cf does not have"),
    main("a policy that nobody answers", swap("policy_spf", "policy_dmarc"), "asks the policy policy_dmarc", lab=REFUSED),
    main("no policies", swap_like("(?s)check_policy_service [^,\\s]+,?", ""), "no policy of the web application"),
    main("no recipients", swap_like("(?s)^local_recipient_maps =.*?\n(?=\\S)", "local_recipient_maps =\n"), "every address would be taken"),
    main("another store", swap("local_transport = lmtp:LMTP_DESTINATION", "local_transport = local"), "would not go to Cyrus"),
    Mutant("a table of another name", {}, "virtual_alias_maps_groups.cf, which Postfix reads, is not in this image", renamed={"/etc/postfix/sql/virtual_alias_maps_groups.cf": "/etc/postfix/sql/virtual_alias_maps_lists.cf"}, lab=REFUSED),
    Mutant("an account that nobody fills in", {INIT: swap("DB_PASSWORD DB_DATABASE; done", "DB_DATABASE; done")}, "without an account of the database"),
    Mutant("a policy program of another name", {}, "kolab_policy, which master.cf runs, is not in this image", renamed={"/usr/libexec/postfix/kolab_policy": "/usr/libexec/postfix/kolab_policies"}),
    main("this host alone", added("inet_interfaces = localhost"), lab="mail"),
    main("ports that are switched off", added("master_service_disable = inet"), generation="a"),
    main("no TLS on the way out", without("smtp_tls_security_level = may")),
    main("domains of nobody", swap(" mysql:/etc/postfix/sql/mydestination.cf", ""), "mydestination asks no database", lab=REFUSED),
    main("recipients of this system", swap_like("(?s)^local_recipient_maps =.*?\n(?=\\S)", ""), "local_recipient_maps asks no database", "a"),
    main("no other names of people", swap_like("(?s)^virtual_alias_maps =.*?\n(?=\\S)", ""), "virtual_alias_maps asks no database", lab=REFUSED),
    master("a porter before port 25", swap_like(r"^10025 .* smtpd$", "10025 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd"), "would answer at 10025 with postscreen", lab=REFUSED),
    master("a service of another name", swap("cleanup_inbound unix", "cleanup_world unix"), r"hand mail to 'cleanup_inbound' \(cleanup_service_name\)", lab=REFUSED),
    master("a service that rewrites elsewhere", swap("    -o smtpd_peername_lookup=no\n", "    -o smtpd_peername_lookup=no\n    -o rewrite_service_name=rewrite_submission\n"), "hand mail to 'rewrite_submission'"),
    master("no bounces", swap_like(r"^bounce .*\n", ""), "no service bounce", "a"),
    master("tables that nobody shares", swap_like(r"^proxymap .*\n", ""), "no service proxymap"),
    Mutant("policies that know no address", {INIT: swap_like(r"^for file in /usr/libexec/postfix/kolab_.*\n", "")}, "left SERVICES_HOST in /usr/libexec/postfix/kolab_policy", lab=REFUSED),
    Mutant("nobody who asks for passwords", {INIT: without("/usr/sbin/saslauthd -m /run/saslauthd -a httpform -d &")}, "no saslauthd listens", lab=REFUSED),
    Mutant("nobody to ask for passwords", {INIT: without("fill /etc/saslauthd.conf APP_SERVICES_DOMAIN SERVICES_PORT")}, "left 'APP_SERVICES_DOMAIN'"),
    Mutant("passwords of this system", {INIT: swap("-a httpform", "-a pam")}, "asked of others than the web application"),
    Mutant("looks of other words", {INIT: swap_like("^/usr/sbin/postfix check$", "postfix -v check -v\npostfix stop || :\nenv A=b postfix -c /etc/postfix stop || :")}),
    Mutant("another folder of settings", {INIT: swap("-c /etc/postfix", "-c /etc/kolab/postfix")}, "configured in /etc/kolab/postfix"),
    Mutant("another folder of settings beside its letter", {INIT: swap("-c /etc/postfix", "-vc/etc/kolab/postfix")}, "configured in /etc/kolab/postfix"),
    told("TLS of everybody", "smtpd_tls_security_level = encrypt"),
    told("TLS before the greeting", "smtpd_tls_wrappermode = yes"),
    at("TLS on the way back", "0.0.0.0:13025", "smtpd_tls_security_level=encrypt", "smtpd_tls_wrappermode=yes"),
    at("a way back for nobody", "0.0.0.0:13025", "smtpd_data_restrictions=reject"),
    told("TLS to everybody", "smtp_tls_security_level = encrypt", "lmtp_tls_security_level = encrypt", "smtp_tls_policy_maps = static:encrypt"),
    told("TLS to everybody from the first byte", "smtp_tls_security_level = encrypt", "smtp_tls_wrappermode = yes", "lmtp_tls_wrappermode = yes"),
    master("TLS to Amavis", swap("    -o max_use=20", "    -o smtp_tls_security_level=encrypt -o smtp_tls_wrappermode=yes")),
    main("a queue elsewhere", swap("queue_directory = /var/spool/postfix", "queue_directory = /var/lib/postfix/queue"), "keep mail that waits in '/var/lib/postfix/queue'"),
    Mutant("a table that nobody makes", {INIT: without("postmap /etc/postfix/sender_access")}, "cannot read hash:/etc/postfix/sender_access"),
    told("a table of another kind", "transport_maps = btree:/etc/postfix/transport", refused="cannot read btree:/etc/postfix/transport"),
    main("settings of an older Postfix", without("compatibility_level = 2")),
    master("services with a root of their own", swap_like(r"^(\S+ +\S+ +\S+ +\S+ +)[-n] ", r"\1y ")),
    master("a port of this pod alone", swap_like(r"^10025 ", "127.0.0.1:10025 ")),
    master("ports of this pod alone", swap_like(r"^(10025|10587) ", r"[::1]:\1 ")),
    master("a port of this pod beside the one of the world", swap_like(r"^10025 ", "127.0.0.1:10025 inet n - n - - smtpd -o content_filter=\n0.0.0.0:10025 ")),
    told("a milter", "smtpd_milters = inet:127.0.0.1:8891", "non_smtpd_milters = $smtpd_milters"),
    at("a milter at a port", "10025", "smtpd_milters=inet:127.0.0.1:8891"),
    told("a filter before the queue", "smtpd_proxy_filter = 127.0.0.1:10024"),
    told("refusals that are put off", "soft_bounce = yes"),
    told("anybody is one of us", "smtpd_reject_unlisted_recipient = no"),
    at("anybody is one of us at a port", "10025", "receive_override_options=no_unknown_recipient_checks"),
    told("lists of nobody", "receive_override_options = no_address_mappings"),
    at("lists of nobody on the way back", "0.0.0.0:13025", "receive_override_options=no_header_body_checks,no_address_mappings"),
    master("no lists where mail is cleaned up", swap_like(r"^cleanup_internal .*$", r"\g<0>\n    -o virtual_alias_maps=")),
    told("passwords by another library", "smtpd_sasl_type = dovecot", "smtpd_sasl_path = private/auth"),
    told("no passwords in plain text", "smtpd_sasl_security_options = noanonymous,noplaintext"),
    main("domains of the database alone", swap_like(r"^mydestination = .* mysql:", "mydestination = mysql:")),
    Mutant("a start in the background", {INIT: swap("start-fg", "start")}, "leaves the container without it"),
]  # fmt: skip
