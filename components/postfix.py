"""Postfix with Amavis beside it: receives, filters, signs, delivers, sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components import entry
from components.amavis import AmavisArgs, amavis_container
from components.daemon import DaemonComponent, Pod, Site
from components.entry import Replace
from components.mariadb import WEBAPP_DATABASE
from components.pods import Container, Placement, Privileges, Probe, from_config, from_secret, from_template
from model import topology
from model.settings import Volume
from model.sizing import Size

_CERTIFICATE = "/kolab/certificate"
_PEM = "/etc/pki/tls/private/postfix.pem"
_ALIASES = "/etc/postfix/kolab_aliases"
_VERDICTS = "/etc/postfix/kolab_verdicts"
_COMMANDS = "/etc/postfix/kolab_commands"
_NO_AUTH = "/^[[:space:]]*AUTH([[:space:]]|$)/ NO-PASSWORDS-HERE"

_REASON = "postfix set-permissions, the queue's owners and the setgid queue commands need root and these capabilities"


@dataclass(frozen=True, kw_only=True)
class Relay:
    """A smarthost, with a user name when it wants one."""

    host: str
    port: int
    username: str | None
    password: pulumi.Input[str] | None


@dataclass(frozen=True, kw_only=True)
class PostfixArgs:
    """Inputs of Postfix. `certificate` is the Secret of the MX certificate; sizes of messages are in bytes."""

    image: str
    exporter_image: str
    size: Size
    exporter_size: Size
    amavis: AmavisArgs
    domain: str
    helo: str
    database_host: str
    database_password: pulumi.Input[str]
    message_size_limit: int
    content_filter: bool
    ipv6: bool
    aliases: Mapping[str, str]
    relay: Relay | None
    certificate: pulumi.Input[str]
    queue: Volume
    filters: Volume
    replicas: int
    placement: Placement
    edge: bool
    host_ports: Mapping[str, int]
    monitored: bool


class Postfix(DaemonComponent):
    """Postfix, each replica with a queue of its own. Reached at topology.POSTFIX for submission from inside."""

    def __init__(
        self, name: str, site: Site, args: PostfixArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.POSTFIX, name, site, opts)
        scripts = self.config("entry", {"entry.sh": _script(args), "aliases": _aliases(args.aliases)})
        credentials = self.secret("credentials", _credentials(args))
        queue = self.claims("queue", args.queue, replicas=args.replicas)
        filters = self.claims("filters", args.filters, replicas=args.replicas)
        listening = [port for port in self.daemon.ports if args.monitored or port.name != "metrics"]
        self.serve(listening=listening)
        self.serve(headless="postfix-pods", listening=listening)
        containers = [
            self._postfix(args, scripts, credentials),
            amavis_container(self, args.amavis, credentials),
        ]
        if args.monitored:
            containers.append(self._exporter(args))
        self.stateful_set(
            Pod(containers=containers, placement=args.placement, edge=args.edge, grace=60),
            replicas=args.replicas,
            templates=(queue, filters),
        )
        if args.replicas > 1:
            self.disruption_budget()
        self.register_outputs({})

    def _postfix(
        self, args: PostfixArgs, scripts: pulumi.Input[str], credentials: pulumi.Input[str]
    ) -> Container:
        # A socket file alone says little, but without saslauthd the port opens and nobody can send.
        ready = (
            "/bin/bash",
            "-c",
            "test -S /run/saslauthd/mux && exec 3<>/dev/tcp/127.0.0.1/10587 && read -r -t 5 line <&3 && [[ $line == 220* ]]",
        )
        return Container(
            name="postfix",
            image=args.image,
            size=args.size,
            privileges=Privileges(
                uid=0,
                capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"),
                # The filter's pipe runs as nobody and hands mail back through setgid postdrop.
                escalation=args.content_filter,
                reason=_REASON,
            ),
            command=entry.COMMAND,
            env={
                "APP_DOMAIN": args.domain,
                "APP_SERVICES_DOMAIN": topology.WEBAPP.name,
                "SERVICES_PORT": str(topology.WEBAPP.port("http").number),
                "LMTP_DESTINATION": topology.IMAP.at("lmtp"),
                # Both the permit to hand mail back and the permit to relay. Only this pod may have either.
                "MYNETWORKS": "127.0.0.0/8",
                "AMAVIS_HOST": "127.0.0.1",
                "DB_HOST": args.database_host,
                "DB_DATABASE": WEBAPP_DATABASE,
                "DB_USERNAME": WEBAPP_DATABASE,
                "WITH_CONTENTFILTER": "true" if args.content_filter else "false",
                "SSL_CERTIFICATE": f"{_CERTIFICATE}/tls.crt",
                "SSL_CERTIFICATE_KEY": f"{_CERTIFICATE}/tls.key",
            },
            secrets=[credentials],
            mounts=[
                from_config("entry", entry.PATH, scripts, mode=0o555),
                from_secret("certificate", _CERTIFICATE, args.certificate),
                from_template("queue", "/var/spool/postfix", "spool"),
                from_template("queue", "/var/lib/postfix", "lib"),
            ],
            ports=[port for port in self.daemon.ports if port.name != "metrics"],
            host_ports=args.host_ports,
            # Waits for the imported address ranges at the very first start; see _WAIT_FOR_IMPORT.
            startup=Probe(command=ready, timeout=10).until_up(3600),
            readiness=Probe(command=ready, timeout=10),
            liveness=Probe(tcp=True, port="submission", period=30, timeout=10, failures=6),
        )

    def _exporter(self, args: PostfixArgs) -> Container:
        port = self.daemon.port("metrics")
        return Container(
            name="metrics",
            image=args.exporter_image,
            size=args.exporter_size,
            privileges=Privileges(
                uid=0,
                gid=0,
                capabilities=("DAC_OVERRIDE",),
                read_only_root=True,
                reason="Postfix shows its queue on a socket that only its own users may open",
            ),
            args=(
                f"--web.listen-address=:{port.number}",
                "--postfix.showq_path=/var/spool/postfix/public/showq",
                # Counters come from the log pipeline; no file holds the log in this pod.
                "--postfix.logfile_path=/dev/null",
            ),
            mounts=[from_template("queue", "/var/spool/postfix", "spool")],
            ports=[port],
            liveness=Probe(tcp=True, port="metrics", period=30),
        )


def _credentials(args: PostfixArgs) -> dict[str, pulumi.Input[str]]:
    found: dict[str, pulumi.Input[str]] = {"DB_PASSWORD": args.database_password}
    if args.relay and args.relay.password is not None:
        found["RELAY_PASSWORD"] = args.relay.password
    return found


_NO_SUCH_HOST = "/^5\\.4\\.4 (unable to look up host .*)$/ 4.4.3 $1"
"""Cyrus' name is always right. When half of the cluster's DNS died with a node, the rest is taken for "no such name", and
mail that was accepted would bounce."""


def _aliases(aliases: Mapping[str, str]) -> str:
    return "".join(f"{address} {mailbox}\n" for address, mailbox in sorted(aliases.items()))


_EXEC = "exec /usr/sbin/postfix -c /etc/postfix start-fg"
_REINJECTION = "0.0.0.0:13025     inet        n       -       n       -       100     smtpd"

_WAIT_FOR_IMPORT = """\
# The SPF policy defers every client whose network it does not know. Until the registries' address ranges are
# imported, an open port 25 would defer the world.
cat > /tmp/database.cf <<EOF
hosts = $DB_HOST
user = $DB_USERNAME
password = $DB_PASSWORD
dbname = $DB_DATABASE
query = SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = '%s' AND EXISTS (SELECT 1 FROM ip4nets)
EOF
chmod 600 /tmp/database.cf
until postmap -q Uptime mysql:/tmp/database.cf > /dev/null 2>&1; do
  echo "entry: waiting for data:import (table ip4nets is empty or the database does not answer); port 25 stays closed"
  sleep 5
done"""

_NOTICE_A_NEW_DATABASE = """\
# Each process of Postfix leaves a database that has failed it alone for 60 s, and defers all mail meanwhile (before
# Postfix 3.9 that is compiled in: mysql_table(5), retry_interval). New processes ask it at once. A restart is known by
# the database's own clock: connections may wait for it and then find nothing wrong.
(
  before=0
  while sleep 2; do
    # Silence makes the next answer that of a new one, too.
    uptime=$(timeout 10 postmap -q Uptime mysql:/tmp/database.cf 2> /dev/null) || { before=9999999999; continue; }
    [ "$uptime" -ge "$before" ] || postfix reload || continue
    before=$uptime
  done
) &"""


def _settings(args: PostfixArgs) -> Sequence[str]:
    """main.cf and master.cf, changed after init has written them."""
    main = {
        "myhostname": args.helo,
        "inet_protocols": "all" if args.ipv6 else "ipv4",
        "message_size_limit": str(args.message_size_limit),
        # Bounces, delivery reports and vacation answers come from <>: the image's first rule refuses them all on 25.
        "smtpd_sender_restrictions": "permit_mynetworks, reject_unknown_sender_domain, reject_unlisted_sender,"
        " reject_unauthenticated_sender_login_mismatch, reject_unauth_destination,"
        " check_policy_service unix:private/policy_spf, permit",
        # The names are the older ones on purpose: the image's Postfix is older than the ">=" form.
        "smtpd_tls_protocols": "!SSLv2,!SSLv3,!TLSv1,!TLSv1.1",
        "smtpd_tls_mandatory_protocols": "!SSLv2,!SSLv3,!TLSv1,!TLSv1.1",
        "disable_vrfy_command": "yes",
        "smtpd_etrn_restrictions": "reject",
        "virtual_alias_maps": f"texthash:{_ALIASES}, $alias_maps, mysql:/etc/postfix/sql/virtual_alias_maps.cf",
        "lmtp_delivery_status_filter": f"regexp:{_VERDICTS}",
    }
    lines = [f"postconf -e {_quote(f'{key} = {value}')}" for key, value in main.items()]
    lines += [
        # Password guessing stops here. smtpd_sasl_auth_enable=no would also stop the check against forged senders, and
        # the exceptions alone only hide AUTH: a client that tries is let in. So the command has no meaning here.
        f"echo {_quote(_NO_AUTH)} > {_COMMANDS}",
        "postconf -P '10025/inet/smtpd_sasl_exceptions_networks=static:all'"
        f" 10025/inet/smtpd_command_filter=regexp:{_COMMANDS}",
        # Broken upstream (11465) or unused (11587): the proxy is the one way to submit from outside.
        "postconf -MX 0.0.0.0:11587/inet 0.0.0.0:11465/inet",
    ]
    if args.relay:
        lines += [
            f"postconf -e {_quote(f'relayhost = [{args.relay.host}]:{args.relay.port}')}",
            "postconf -e 'smtp_tls_security_level = encrypt'",
        ]
        if args.relay.username:
            lines += [
                f"(umask 077; printf '%s %s:%s\\n' '[{args.relay.host}]:{args.relay.port}' {_quote(args.relay.username)} \"$RELAY_PASSWORD\" > /etc/postfix/relay_password)",
                "postconf -e 'smtp_sasl_auth_enable = yes' 'smtp_sasl_security_options = noanonymous' 'smtp_sasl_password_maps = texthash:/etc/postfix/relay_password'",
            ]
    return lines


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _script(args: PostfixArgs) -> str:
    start = [
        f"chown root:root {_PEM} && chmod 600 {_PEM}",
        f"cp {entry.PATH}/aliases {_ALIASES}",
        f"printf '%s\\n' {_quote(_NO_SUCH_HOST)} > {_VERDICTS}",
        # Whoever reaches this port may relay: nobody outside of the pod does.
        entry.replace_in(
            "/etc/postfix/master.cf", Replace(_REINJECTION, _REINJECTION.replace("0.0.0.0", "127.0.0.1"))
        ),
        *_settings(args),
        "/usr/sbin/postfix check",
        _WAIT_FOR_IMPORT,
        _NOTICE_A_NEW_DATABASE,
        _EXEC,
    ]
    return entry.script(
        "/init.sh",
        [Replace("mkdir /var/log/kolab", "mkdir -p /var/log/kolab"), Replace(_EXEC, "\n".join(start))],
        watch=entry.Watch(
            _CERTIFICATE,
            f"(umask 077; cat {_CERTIFICATE}/tls.crt {_CERTIFICATE}/tls.key > {_PEM}.new)"
            f" && mv {_PEM}.new {_PEM} && postfix reload",
        ),
    )
