"""Cyrus IMAP: mailboxes, delivery, CalDAV and CardDAV, ManageSieve. Exactly one instance, ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components import entry
from components.daemon import DaemonComponent, Pod, Site
from components.entry import Replace
from components.pods import Container, Placement, Privileges, Probe, from_claim, from_config, from_secret
from model import topology
from model.settings import Volume
from model.sizing import Size

ADMIN = "cyrus-admin"
_CERTIFICATE = "/kolab/certificate"
_BUNDLE = "/etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem"

_PRIVILEGES = Privileges(
    uid=0,
    capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"),
    reason="init starts as root, gives the volumes to uid 1001 and drops to it with runuser; KILL passes SIGTERM on to it",
)

_SIEVE = '    sieve       cmd="timsieved"      listen=0.0.0.0:4190                      proto="tcp"          prefork=0'
_ADJUSTMENTS = (
    # The image's listener takes passwords before TLS, for the webmail. The public one is ours and does not.
    entry.replace_in(
        "/etc/cyrus.conf",
        Replace(
            _SIEVE,
            f'{_SIEVE}\n    publicsieve cmd="timsieved"      listen=0.0.0.0:{topology.IMAP.port("sieve-tls").number}       proto="tcp" prefork=0',
        ),
    ),
    # autocreate_post: without it, mail for a user who never logged in is refused for good ("550 Mailbox unknown").
    "printf '%s\\n' 'publicsieve_allowplaintext: no' 'publicsieve_tls_versions: tls1_2 tls1_3' 'autocreate_post: 1' >> /etc/imapd.conf",
    f"chown 1001 {_BUNDLE} && chmod 600 {_BUNDLE}",
)
# Cyrus reads the bundle again for new sessions when its master (not PID 1) gets HUP; open sessions live on. It is
# put in place whole: a session may begin at any moment.
_WATCH = entry.Watch(
    _CERTIFICATE,
    f"(umask 077; cat {_CERTIFICATE}/tls.crt {_CERTIFICATE}/tls.key > {_BUNDLE}.new)"
    f' && chown 1001 {_BUNDLE}.new && mv {_BUNDLE}.new {_BUNDLE} && kill -HUP "$(cat /var/run/master.pid)"',
)
_START = '    exec runuser -u "$ID" -- /usr/libexec/master -D -p /var/run/master.pid'

_READY = """\
#!/bin/bash
# Answers as a client would: TCP connects even while every Cyrus process is stopped.
set -e
exec 3<>/dev/tcp/127.0.0.1/11143
read -r -t 3 line <&3; [[ $line == '* OK'* ]]
printf 'a NOOP\\r\\n' >&3
read -r -t 3 line <&3; [[ $line == 'a OK'* ]]
exec 4<>/dev/tcp/127.0.0.1/11024
read -r -t 3 line <&4; [[ $line == 220* ]]
"""

_ALIVE = """\
#!/bin/bash
# A dead saslauthd leaves its socket behind and nobody can log in. Its own "NO" is an answer: it lives.
/kolab/entry/ready.sh && { testsaslauthd -u probe -p probe 2>&1 || true; } | grep -q NO
"""

_STOP = """\
#!/bin/bash
# PID 1 (runuser) kills everything two seconds after SIGTERM. Cyrus' master, told directly, finishes first.
pid=$(cat /var/run/master.pid)
working() { # whether a process that the master began has not ended
  local stat line
  for stat in /proc/[0-9]*/stat; do
    { read -r line < "$stat"; } 2>/dev/null && [[ ${line##*) } == [!ZX]" $pid "* ]] && return 0
  done
  return 1
}
kill -TERM "$pid"
while kill -0 "$pid" 2>/dev/null; do
  sleep 0.2
  # While a client waits to be served the master does not notice that its processes have ended, and would spin until
  # the grace period is over (cyrus-imapd before 3.13: master/master.c takes no SIGCHLD there). It keeps nothing itself.
  working || { sleep 1; working || kill -KILL "$pid" 2>/dev/null; }
done
"""


@dataclass(frozen=True, kw_only=True)
class ImapArgs:
    """Inputs of Imap. `certificate` is the Secret for the public ManageSieve name."""

    image: str
    size: Size
    mailboxes: Volume
    state: Volume
    certificate: pulumi.Input[str]
    placement: Placement
    edge: bool
    host_ports: Mapping[str, int]


class Imap(DaemonComponent):
    """Cyrus on its two volumes. Reached at topology.IMAP."""

    def __init__(
        self, name: str, site: Site, args: ImapArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.IMAP, name, site, opts)
        start = Replace(_START, "\n".join((*_ADJUSTMENTS, _START)))
        scripts = self.config(
            "entry",
            {
                "entry.sh": entry.script("/init.sh", [entry.QUIET, start], watch=_WATCH),
                "ready.sh": _READY,
                "alive.sh": _ALIVE,
                "stop.sh": _STOP,
            },
        )
        mailboxes = self.claim("mailboxes", args.mailboxes)
        state = self.claim("state", args.state)
        self.serve()
        ready = ("/bin/bash", f"{entry.PATH}/ready.sh")
        container = Container(
            name="imap",
            image=args.image,
            size=args.size,
            privileges=_PRIVILEGES,
            command=entry.COMMAND,
            env={
                "IMAP_ADMIN_LOGIN": ADMIN,
                "APP_SERVICES_DOMAIN": topology.WEBAPP.name,
                "SERVICES_PORT": str(topology.WEBAPP.port("http").number),
                "SERVERNAME": topology.IMAP.name,
                "MAXLOGINS_PER_USER": "50",
                # Roundcube's tags are annotations that Cyrus must not know beforehand.
                "WITH_TAGS": "true",
                "WITH_TLS": "true",
                "SSL_CERTIFICATE": f"{_CERTIFICATE}/tls.crt",
                "SSL_CERTIFICATE_KEY": f"{_CERTIFICATE}/tls.key",
                # Required beside WITH_TLS; any readable PEM will do since no client certificates are asked for.
                "TLS_SERVER_CA_FILE": f"{_CERTIFICATE}/tls.crt",
            },
            mounts=[
                from_config("entry", entry.PATH, scripts, mode=0o555),
                from_secret("certificate", _CERTIFICATE, args.certificate),
                from_claim("mailboxes", "/var/spool/imap", mailboxes),
                from_claim("state", "/var/lib/imap", state),
            ],
            ports=self.daemon.ports,
            host_ports=args.host_ports,
            # chown -R walks the whole spool at each start.
            startup=Probe(command=ready, timeout=10).until_up(1800),
            readiness=Probe(command=ready, timeout=10),
            liveness=Probe(
                command=("/bin/bash", f"{entry.PATH}/alive.sh"), period=30, timeout=20, failures=4
            ),
            pre_stop=("/bin/bash", f"{entry.PATH}/stop.sh"),
        )
        self.stateful_set(Pod(containers=[container], placement=args.placement, edge=args.edge, grace=180))
        self.register_outputs({})
