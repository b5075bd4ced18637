"""Images of Cyrus that nobody has published."""

from __future__ import annotations

from tests.support.images import REFUSED, Change, Mutant, added, both, swap, swap_like, without

INIT, SETTINGS, SERVICES = "/init.sh", "/etc/imapd.conf", "/etc/cyrus.conf"


def settings(
    name: str, change: Change, refused: str | None = None, generation: str = "b", lab: str = ""
) -> Mutant:
    return Mutant(name, {SETTINGS: change}, refused, generation, lab=lab)


def services(
    name: str, change: Change, refused: str | None = None, generation: str = "b", lab: str = ""
) -> Mutant:
    return Mutant(name, {SERVICES: change}, refused, generation, lab=lab)


LOOK = 'runuser -u "$ID" -- cyr_info conf-lint'


def unlooked(name: str, change: Change, refused: str) -> Mutant:
    """The image's init does not look at its settings itself."""
    return Mutant(name, {SETTINGS: change, INIT: swap(LOOK, "")}, refused)


def within(*lines: str) -> Change:
    return swap("SERVICES {\n", "SERVICES {\n" + "".join(f"    {line}\n" for line in lines))


def reordered(text: str) -> str:
    """Services in another order."""
    before, _, rest = text.partition("SERVICES {\n")
    inside, _, after = rest.partition("}\n")
    return (
        before
        + "SERVICES {\n"
        + "".join(f"{line}\n" for line in reversed(inside.splitlines()))
        + "}\n"
        + after
    )


OTHER_NAMES = swap_like(r"^    (http|imap|sieve|lmtp) ", r"    our\1 ")
SIEVE = r"^ *sieve .*$"
SASLAUTHD = 'runuser -u "$ID" -- /usr/sbin/saslauthd -m /run/saslauthd -a httpform &'
MUTANTS = [
    services("the sieve line unpadded", swap_like(SIEVE, "sieve cmd=timsieved listen=4190 prefork=0")),
    services("services in another order", reordered),
    services("services of other names", OTHER_NAMES, lab="calendars"),
    services("listeners of this host alone", swap("0.0.0.0:", "127.0.0.1:"), lab="mail"),
    services("listeners of IPv6", swap_like(r'listen=0\.0\.0\.0:(\d+) +proto="tcp"', r'listen="[::]:\1" proto="tcp6"')),
    services("delivery that wants a password", swap('cmd="lmtpd -a"', 'cmd="lmtpd"')),
    services("a public listener of its own", within('publicsieve cmd="timsieved" listen=0.0.0.0:4191')),
    services("another service at our port", within('pop3 cmd="pop3d" listen=0.0.0.0:4191 proto="tcp"')),
    services("one more service", within('pop3 cmd="pop3d" listen=0.0.0.0:11110 proto="tcp"')),
    services("no IMAP", swap_like(r"^    imap .*\n", ""), "no imapd at port 11143", lab=REFUSED),
    services("no calendars", swap_like(r"^    http .*\n", ""), "no httpd at port 11080"),
    services("delivery at another port", swap("0.0.0.0:11024", "0.0.0.0:2003"), "no lmtpd at port 11024", lab=REFUSED),
    services("delivery by a socket", swap("listen=0.0.0.0:11024", 'listen="/run/cyrus/lmtp"'), "no lmtpd at port 11024"),
    services("IMAP that begins with TLS", swap('cmd="imapd"  ', 'cmd="imapd -s"'), "no imapd at port 11143", lab=REFUSED),
    services("no Sieve", swap_like(SIEVE + r"\n", ""), "no timsieved at port 4190"),
    services("two lists of services", lambda text: text + "SERVICES {\n}\n", "has 2 sections of services"),
    settings("anybody may log in", swap("sasl_pwcheck_method: saslauthd", "sasl_pwcheck_method: alwaystrue"), lab="passwords"),
    settings("anybody may log in to one service", added("imap_sasl_pwcheck_method: alwaystrue", "imap_allowanonymouslogin: yes")),
    settings("guests", added("allowanonymouslogin: yes")),
    settings("another administrator", swap("admins: IMAP_ADMIN_LOGIN", "admins: IMAP_ADMIN_LOGIN root")),
    settings("passwords over TLS alone", swap("allowplaintext: yes", "allowplaintext: no")),
    settings("passwords over TLS alone at one service", added("http_allowplaintext: no")),
    settings("the public listener takes passwords", added("publicsieve_allowplaintext: yes", "PublicSieve_tls_versions: tls1_0")),
    settings("another bundle", swap("cyrus-imapd.bundle.pem", "tls.pem")),
    settings("TLS is not switched on", swap("# WITH_TLS tls_server", "# TLS tls_server")),
    settings("another layout of the spool", swap("hashimapspool: 1", "hashimapspool: 0")),
    settings("domains are not told apart", swap("virtdomains: userid", "virtdomains: off")),
    settings("mail to new people is refused", added("autocreate_post: 0", "autocreate_quota: -1"), lab="first delivery"),
    settings("quotas of another size", swap("autocreate_quota: 5242880", "autocreate_quota: 1048576"), generation="a"),
    settings("a continued line", swap("autocreate_inbox_folders: Drafts | Trash | Sent", "smtp_backend: \\\nsendmail"), generation="a"),
    settings("keys with capitals and blanks before", swap("allowplaintext: yes", "  AllowPlaintext:  no")),
    settings("an option that nobody knows", added("jmap_future: 1")),
    settings("state elsewhere", swap("configdirectory: /var/lib/imap", "configdirectory: /opt/app-root/imap"), "keep mail or its state at", lab=REFUSED),
    settings("mail elsewhere", swap("partition-default: /var/spool/imap/", "partition-default: /opt/app-root/mail"), "which is on no volume"),
    settings("scripts elsewhere", swap("sievedir: /var/lib/imap/sieve", "sievedir: /opt/app-root/sieve"), "which is on no volume"),
    settings("a list of mailboxes that ends with the container", added("mboxlist_db_path: /run/cyrus/db/mailboxes.db"), "which is on no volume"),
    settings("no partition", swap("defaultpartition: default", "defaultpartition: main"), "no place for mailboxes"),
    settings("no calendars among the modules", swap("httpmodules: caldav carddav", "httpmodules: carddav"), "would serve no caldav"),
    settings("mail elsewhere on a volume", swap("partition-default: /var/spool/imap/", "partition-default: /var/lib/imap/mail"), "look in '/var/lib/imap/mail' and not in /var/spool/imap", lab=REFUSED),
    settings("scripts elsewhere on a volume", swap("/var/lib/imap/sieve", "/var/lib/imap/scripts"), "look in '/var/lib/imap/scripts'"),
    settings("a partition of another name", swap("default: /var/spool/imap/", "main: /var/spool/imap/"), "no place for mailboxes", generation="a"),
    settings("a second partition by default", both(swap("defaultpartition: default", "defaultpartition: main"), swap("partition-default: /", "partition-main: /")), r"look in '' and not in /var/spool/imap \(partition-default\)"),
    settings("folders of another depth", added("fulldirhash: yes", "sieveusehomedir: yes")),
    settings("whichever way to log in", without("sasl_mech_list: PLAIN LOGIN"), lab="passwords"),
    settings("passwords asked elsewhere", swap("/run/saslauthd/mux", "/run/sasl2/mux"), generation="a"),
    services("a service with settings of its own", swap('cmd="imapd"  ', 'cmd="imapd -C /etc/front.conf"'), "imap would read /etc/front.conf", lab=REFUSED),
    Mutant("nobody who asks for passwords", {INIT: without(SASLAUTHD)}, "no saslauthd listens", lab=REFUSED),
    Mutant("nobody to ask for passwords", {INIT: swap_like(r"^sed .* /etc/saslauthd\.conf\n", "")}, "left 'APP_SERVICES_DOMAIN' in /etc/saslauthd.conf", "a", lab=REFUSED),
    Mutant("an age that nobody fills in", {INIT: swap_like(r'^sed .*EXPIRY_DELAY.*\n', "")}, "left 'EXPIRY_DELAY' in /etc/cyrus.conf"),
    services("nothing is mended at a start", without('recover       cmd="ctl_cyrusdb -r"'), r"would not run ctl_cyrusdb -r \(START\)"),
    services("nothing is kept for mending", swap_like(r"^    checkpoint .*\n", ""), "would not run ctl_cyrusdb -c"),
    services("nothing that was deleted goes", swap_like(r"^.*cyr_expire.*\n", ""), "would not run cyr_expire -E"),
    services("messages that were deleted stay", swap_like(r"^    expungeprune .*\n", ""), "would not run cyr_expire -X"),
    services("mailboxes that were deleted stay", swap_like(r"^    deleteprune .*\n", ""), "would not run cyr_expire -D"),
    services("what was deleted goes by other words", swap_like(r"cyr_expire -E 4 -X", "/usr/sbin/cyr_expire -vE4 -X")),
    services("a variable of a command", swap('cmd="tls_prune"', 'cmd="env TZ_DIR=/x tls_prune"')),
    settings("no free and busy times", swap(" freebusy", ""), "would serve no freebusy"),
    settings("what is deleted is gone at once", both(swap("expunge_mode: delayed", "expunge_mode: immediate"), swap("delete_mode: delayed", "delete_mode: immediate"))),
    Mutant("another file among the settings", {SETTINGS: added("@include: /etc/more.conf"), INIT: swap(LOOK, "echo imap_sasl_pwcheck_method: alwaystrue > /etc/more.conf")}, "has '@include: /etc/more.conf'"),
    Mutant("passwords of this system", {INIT: swap("-a httpform", "-a pam")}, "asked of others than the web application"),
    Mutant("a comment about passwords", {"/etc/saslauthd.conf": added("# see KOLAB_DOCS")}),
    Mutant("settings of another name beside their letter", {INIT: swap("-D -p", "-D -C/etc/imapd.yaml -p")}, "has written no /etc/imapd.yaml"),
    Mutant("services of another name behind a letter", {INIT: swap("-D -p", "-DM /etc/services.conf -p")}, "which this stack does not read"),
    Mutant("another file of the process beside its letter", {INIT: swap("-p /var/run/master.pid", "-p/run/cyrus/master.pid")}),
    unlooked("an option twice", added("servername: imap"), "option 'servername' was specified twice"),
    unlooked("a place that nobody fills in", added("postmaster: POST_MASTER"), "the image left 'postmaster: POST_MASTER'"),
    Mutant("another start", {INIT: swap_like(r"^    exec runuser.*$", '    exec /usr/libexec/master -D')}),
    Mutant("a start that is not the last line", {INIT: swap('    exec runuser -u "$ID" --', '    runuser -u "$ID" --')}),
    Mutant("another file of the process", {INIT: swap("-p /var/run/master.pid", "-p /run/cyrus/master.pid")}),
    Mutant("a start in the background", {INIT: swap("master -D", "master -d")}, "leaves the container without it", lab=REFUSED),
    Mutant("another daemon", {INIT: swap("/usr/libexec/master -D", "/usr/libexec/supervisor -D")}, "hands over to"),
    Mutant("no settings", {INIT: swap(LOOK, "rm /etc/imapd.conf")}, "has written no /etc/imapd.conf"),
    Mutant("settings of another name", {INIT: swap("-D -p", "-D -C /etc/imapd.yaml -p")}, "has written no /etc/imapd.yaml"),
]  # fmt: skip
