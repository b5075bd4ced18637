"""Images of Amavis that nobody has published."""

from __future__ import annotations

from tests.support.images import Mutant, swap, swap_like

CONF, INIT = "/etc/amavisd/amavisd.conf", "/init.sh"


def conf(name: str, old: str, new: str, refused: str | None = None) -> Mutant:
    return Mutant(name, {CONF: swap(old, new)}, refused)


MUTANTS = [
    Mutant("other networks", {CONF: swap_like(r"(?s)^@mynetworks = .*?;", "@mynetworks = ('10.0.0.0/8');")}),
    Mutant("no networks", {CONF: swap_like(r"(?s)^@mynetworks = .*?;", "")}),
    Mutant("clients by maps", {CONF: swap_like("^1;$", "@client_ipaddr_policy = ([qw(0.0.0.0/0)] => 'MYNETS');\n1;")}),
    conf("no address", "$inet_socket_bind = '0.0.0.0';\n", ""),
    conf("all addresses", "'0.0.0.0'", "['0.0.0.0', '[::]']"),
    conf("sockets of its own", "$inet_socket_bind = '0.0.0.0';", "@listen_sockets = ('0.0.0.0:13024');", "would listen to other pods"),
    conf("a bank that signs", "'MYNETS'} = { originating => 1,", "'MYNETS'} = { originating => 1, enable_dkim_signing => 1,"),
    conf("signing spelt otherwise", "$enable_dkim_signing = ", "$enable_dkim_signing=!!1 || "),
    conf("spam bounces", "$final_spam_destiny       = ", "$final_spam_destiny = D_BOUNCE; my $other = "),
    conf("viruses kept nowhere", "$virus_admin = undef;", "$virus_quarantine_to = undef; @virus_quarantine_to_maps = (); $virus_quarantine_method = undef;"),
    conf("a bank that keeps viruses nowhere", "'MYNETS'} = { originating => 1,", "'MYNETS'} = { originating => 1, virus_quarantine_method => undef,"),
    conf("scores by tables", "$virus_admin = undef;", "@spam_tag2_level_maps = (5.0); @spam_kill_level_maps = (5.0);"),
    conf("destinies by tables", "$virus_admin = undef;", "$final_destiny_by_ccat{+CC_SPAM} = D_BOUNCE; $final_destiny_by_ccat{CC_VIRUS.',1'} = D_PASS; @spam_lovers_maps = @virus_lovers_maps = (1);"),
    conf("nothing is looked at", "$virus_admin = undef;", "@bypass_spam_checks_maps = @bypass_virus_checks_maps = (1);"),
    conf("a bank with destinies of its own", "'MYNETS'} = { originating => 1,", "'MYNETS'} = { originating => 1, final_spam_destiny => D_BOUNCE, final_virus_destiny => D_PASS, virus_lovers_maps => [1],"),
    conf("banks with scores of their own", "$virus_admin = undef;", "$policy_bank{$_}{spam_kill_level_maps} = [5] for qw(ORIGINATING MYNETS);"),
    Mutant("a bank of the world that looks at nothing", {CONF: swap_like("^1;$", "$interface_policy{'13024'} = 'WORLD'; $policy_bank{'WORLD'} = { bypass_spam_checks_maps => [1], bypass_virus_checks_maps => [1] };\n1;")}),
    conf("one port", "[13024,13026]", "[13024]", "would not listen at port 13026"),
    conf("other ports", "[13024,13026]", "[10024,13026]", "would not listen at port 13024"),
    conf("no bank of our users", "$interface_policy{'13026'} = 'ORIGINATING';", "", "would not count as that of our users"),
    conf("the world is ours", "$interface_policy{'13026'}", "$interface_policy{'13024'} = 'ORIGINATING'; $interface_policy{'13026'}", "13024 would count as that of our users"),
    conf("back by another port", "$forward_method = 'smtp:[POSTFIX_HOST]:13025'", "$forward_method = 'smtp:[POSTFIX_HOST]:10025'", "would not come back to Postfix at port 13025"),
    Mutant("no database", {CONF: swap_like(r"^@lookup_sql_dsn.*$", "")}, "would not ask the database"),
    conf("a word that nobody fills in", "$max_servers  = 2;", "$max_servers = MAX_SERVERS;", 'Bareword "MAX_SERVERS" not allowed'),
    Mutant("another start", {INIT: swap_like("^exec amavisd.*$", 'exec   /usr/sbin/amavisd -c "$CONFIG" foreground')}),
    Mutant("a start that may fail", {INIT: swap_like("^exec amavisd.*$", "amavisd -c $CONFIG foreground || exit 1")}),
    Mutant("a file of another name", {INIT: swap(CONF, "/etc/amavisd/kolab.conf")}, renamed={CONF: "/etc/amavisd/kolab.conf"}),
    Mutant("looks through another command", {INIT: swap_like("^exec amavisd.*$", r"env A=b amavisd -c $CONFIG showkeys\namavisd -c $CONFIG stop || :\n\g<0>")}),
    Mutant("a start in the background", {INIT: swap_like("^exec amavisd.*$", "exec amavisd -c $CONFIG")}, "leaves the container without it"),
    Mutant("a start beside the init", {INIT: swap_like("^exec amavisd.*$", "amavisd -c $CONFIG foreground &\nwait")}, "beside itself"),
    Mutant("a start without a file", {INIT: swap_like("^exec amavisd.*$", "exec amavisd foreground")}, "is started without -c"),
    Mutant("another daemon", {INIT: swap_like("^exec amavisd.*$", "exec rspamd -f")}, "hands over to 'rspamd -f'"),
]  # fmt: skip
