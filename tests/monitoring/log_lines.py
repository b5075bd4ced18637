"""Lines as the daemons write them, and what must become of them. Formats: Postfix, Cyrus, nginx, Monolog, Apache."""

from __future__ import annotations

from typing import NamedTuple

SECRET = "Tr0ub4dor"


class Counted(NamedTuple):
    """What a line adds to the counter; all empty when it is not counted."""

    event: str = ""
    detail: str = ""
    network: str = ""


_POSTFIX = "Nov 23 07:40:00 postfix-0"

COUNTED: dict[str, tuple[str, str, Counted]] = {
    "a backup of the mail": ("imap", "backup: kept mail after 12 seconds", Counted("backup", "mail")),
    "a dump of the databases": (
        "backup-database",
        "backup: kept database after 3 seconds",
        Counted("backup", "database"),
    ),
    "a drill of the mail": (
        "drill-mail",
        "backup: drilled mail of 2026-11-26T01:40Z: 12 mailboxes, 3400 messages",
        Counted("drill", "mail"),
    ),
    "a drill of the databases": (
        "drill-database",
        "backup: drilled database of 2026-11-26T01:30Z: 93 tables, 41 accounts",
        Counted("drill", "database"),
    ),
    "a drill that failed": (
        "drill-mail",
        "backup: the drill of the mail failed: there are 11 mailboxes in place of 12",
        Counted("drill-failed"),
    ),
    "a backup that does not come back": (
        "drill-database",
        "backup: the newest backup of database does not come back: Fatal: ciphertext verification failed",
        Counted("drill-failed"),
    ),
    "a name that quotes a drill": (
        "imap",
        "Nov 23 07:40:00 imap cyrus-imapd/imap[83]: backup: the drill of the mail failed: x",
        Counted(),
    ),
    "a backup that failed": (
        "imap",
        "backup: the repository does not answer; nothing was changed",
        Counted(),
    ),
    "a name that quotes a backup": (
        "imap",
        "Nov 23 07:40:00 imap cyrus-imapd/imap[83]: backup: kept mail after 12 seconds",
        Counted(),
    ),
    "somebody of ours who sends": (
        "postfix",
        f"{_POSTFIX} postfix/submission/smtpd[123]: 4Yx9Zk2WfVz1: client=proxy[10.42.0.9], sasl_method=PLAIN, sasl_username=jane@example.org",
        Counted("submission", "jane@example.org"),
    ),
    "a virus that the filter keeps": (
        "postfix",
        f"{_POSTFIX} /usr/sbin/amavisd[31]: (00031-01-2) Blocked INFECTED (Eicar-Signature) {{DiscardedInbound,Quarantined}}, [203.0.113.7]",
        Counted("filter", "blocked infected"),
    ),
    "spam that arrives marked": (
        "postfix",
        f"{_POSTFIX} amavis[31]: (00031-01) Passed SPAM {{RelayedTaggedInbound}}, [203.0.113.7]",
        Counted("filter", "passed spam"),
    ),
    "a name that looks like the filter": (
        "postfix",
        f"{_POSTFIX} postfix/smtpd[31]: (00031-01) Blocked SPAM",
        Counted(),
    ),
    "an application without a connection": (
        "webapp",
        "[2026-11-23 07:40:00] production.ERROR: SQLSTATE[HY000] [1040] Too many connections",
        Counted("no-connection"),
    ),
    "Postfix without a connection": (
        "postfix",
        f"{_POSTFIX} postfix/proxymap[9]: warning: connect to mysql server mariadb: Too many connections",
        Counted("no-connection"),
    ),
    "a message about connections": (
        "postfix",
        f"{_POSTFIX} postfix/cleanup[9]: 4Yx9Zk2WfVz1: message-id=<too many connections@example.com>",
        Counted(),
    ),
    "a full Redis": (
        "horizon",
        "[2026-11-23 07:40:00] production.ERROR: OOM command not allowed when used memory > 'maxmemory'.",
        Counted("redis-full"),
    ),
    "a client from outside": (
        "postfix",
        f"{_POSTFIX} postfix/smtpd[123]: 4Yx9Zk2WfVz1: client=mail.example.com[203.0.113.7]",
        Counted("smtp-client", "", "public"),
    ),
    "a client over IPv6": (
        "postfix",
        f"{_POSTFIX} postfix/smtpd[123]: 4Yx9Zk2WfVz1: client=mail.example.com[2001:db8::7]",
        Counted("smtp-client", "", "public"),
    ),
    "a pod as client": (
        "postfix",
        f"{_POSTFIX} postfix/smtpd[123]: A1B2C3: client=unknown[10.42.0.1]",
        Counted("smtp-client", "", "cluster"),
    ),
    "our own node as client": (
        "postfix",
        f"{_POSTFIX} postfix/smtpd[123]: A1B2C3: client=mail.example.org[198.51.100.11]",
        Counted("smtp-client", "", "cluster"),
    ),
    "a private network as client": (
        "postfix",
        f"{_POSTFIX} postfix/smtpd[123]: A1B2C3: client=printer[192.168.7.9]",
        Counted("smtp-client", "", "private"),
    ),
    "a pod that is turned away": (
        "postfix",
        f"{_POSTFIX} postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[10.42.3.0]: 450 4.7.1 Client host rejected:"
        " cannot find your reverse hostname, [10.42.3.0]; from=<a@b.example> to=<c@example.org> proto=ESMTP helo=<x>",
        Counted("smtp-reject", "450", "cluster"),
    ),
    "submission from the proxy is no client of port 25": (
        "postfix",
        f"{_POSTFIX} postfix/submission/smtpd[9]: A1B2C3: client=unknown[10.42.0.9], sasl_method=PLAIN,"
        " sasl_username=user@example.org",
        Counted("submission", "user@example.org"),
    ),
    "mail handed back by the filter is no client of port 25": (
        "postfix",
        f"{_POSTFIX} postfix/amavis/smtpd[9]: A1B2C3: client=localhost[127.0.0.1]",
        Counted(),
    ),
    "a probe that only connects": (
        "postfix",
        f"{_POSTFIX} postfix/smtpd[9]: connect from unknown[10.42.0.1]",
        Counted(),
    ),
    "delivered to a mailbox": (
        "postfix",
        f"{_POSTFIX} postfix/lmtp[5]: A1B2C3: to=<user@example.org>, relay=imap[10.43.7.7]:11024, delay=0.2,"
        " delays=0.1/0/0/0.1, dsn=2.1.5, status=sent (250 2.1.5 Ok)",
        Counted("delivery-local", "sent"),
    ),
    "the mailbox server is away": (
        "postfix",
        f"{_POSTFIX} postfix/lmtp[5]: A1B2C3: to=<user@example.org>, relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1,"
        " status=deferred (connect to imap[10.43.7.7]:11024: Connection refused)",
        Counted("delivery-local", "deferred"),
    ),
    "handed to the filter": (
        "postfix",
        f"{_POSTFIX} postfix/lmtp[5]: A1B2C3: to=<user@example.org>, relay=127.0.0.1[127.0.0.1]:13024, delay=0.2,"
        " delays=0.1/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:13025): 250 2.0.0 Ok)",
        Counted("delivery-filter", "sent"),
    ),
    "put off by a receiver": (
        "postfix",
        f"{_POSTFIX} postfix/smtp[5]: A1B2C3: to=<a@b.example>, orig_to=<x@example.org>, relay=mx.b.example[203.0.113.9]:25,"
        " delay=3, delays=0/0/1/2, dsn=4.7.1, status=deferred (host mx.b.example said: 451 4.7.1 greylisted)",
        Counted("delivery-remote", "deferred"),
    ),
    "a wrong password at the proxy": (
        "proxy",
        '2026/11/23 07:40:00 [info] 11#11: *187 client login failed: "Invalid login or password" while in http auth'
        ' state, client: 203.0.113.9, server: 0.0.0.0:6993, login: "user@example.org"',
        Counted("auth-failure"),
    ),
    "a wrong password in the login form": (
        "proxy",
        '203.0.113.7 - - [23/Nov/2026:07:40:00 +0000] "POST /api/auth/login HTTP/2.0" 422 150 "-" "-" "-"',
        Counted("auth-failure"),
    ),
    "a guess that was braked": (
        "proxy",
        '203.0.113.7 - - [23/Nov/2026:07:40:00 +0000] "POST /api/auth/login HTTP/2.0" 429 150 "-" "-" "-"',
        Counted("auth-failure"),
    ),
    "a wrong password in the webmail": (
        "proxy",
        '203.0.113.7 - - [23/Nov/2026:07:40:00 +0000] "POST /webmail/?_task=login HTTP/1.1" 401 150 "-" "-" "-"',
        Counted("auth-failure"),
    ),
    "a wrong password of a phone": (
        "proxy",
        '203.0.113.7 - jane@example.org [23/Nov/2026:07:40:00 +0000] "OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1" 401 150 "-" "-" "-"',
        Counted("auth-failure"),
    ),
    "a wrong password of a name with spaces": (
        "proxy",
        '203.0.113.7 - jane doe [23/Nov/2026:07:40:00 +0000] "PROPFIND /dav/ HTTP/1.1" 401 150 "-" "-" "-"',
        Counted("auth-failure"),
    ),
    "a program that asks what it needs is no wrong password": (
        "proxy",
        '203.0.113.7 - - [23/Nov/2026:07:40:00 +0000] "PROPFIND /dav/ HTTP/1.1" 401 150 "-" "-" "-"',
        Counted(),
    ),
    "a right password in the login form": (
        "proxy",
        '203.0.113.7 - - [23/Nov/2026:07:40:00 +0000] "POST /api/auth/login HTTP/2.0" 200 150 "-" "-" "-"',
        Counted(),
    ),
    "a session that has ended is no wrong password": (
        "proxy",
        '203.0.113.7 - - [23/Nov/2026:07:40:00 +0000] "POST /api/auth/refresh HTTP/2.0" 401 150 "-" "-" "-"',
        Counted(),
    ),
    "a path that looks like a failed login": (
        "proxy",
        '203.0.113.7 - - [23/Nov/2026:07:40:00 +0000] "GET /?POST /api/auth/login HTTP/2.0" 401 150 "-" "-" "-"',
        Counted(),
    ),
    "a wrong password at Cyrus": (
        "imap",
        "cyrus-imapd/imap[77]: badlogin: roundcube.kolab [10.42.0.8] PLAIN [SASL(-13): authentication failure: x]",
        Counted("auth-failure"),
    ),
    "a wrong password at Postfix": (
        "postfix",
        f"{_POSTFIX} postfix/submission/smtpd[9]: warning: unknown[10.42.0.8]: SASL PLAIN authentication failed: x",
        Counted("auth-failure"),
    ),
    "the health check of saslauthd is no wrong password": (
        "imap",
        "saslauthd[12] :auth failure: [user=probe] [service=imap] [realm=] [mech=httpform] [reason=Unknown]",
        Counted(),
    ),
    "the queue's disk is full": (
        "postfix",
        f"{_POSTFIX} postfix/smtpd[9]: warning: not enough free space in mail queue: 1000 bytes < 1.5*message size limit",
        Counted("no-space"),
    ),
    "the database's disk is full": (
        "mariadb",
        "2026-11-23 7:40:00 12 [ERROR] Disk is full writing './kolab/x.MYD' (Errcode: 28 \"No space left on device\")",
        Counted("no-space"),
    ),
    "a subject about a full disk does not wake anybody": (
        "postfix",
        f"{_POSTFIX} postfix/cleanup[9]: A1B2C3: warning: header Subject: no space left on device from a[203.0.113.7]",
        Counted(),
    ),
    "a request about a full disk does not wake anybody": (
        "proxy",
        '203.0.113.7 - - [23/Nov/2026:07:40:00 +0000] "GET /no space left on device" 400 150 "-" "-" "-"',
        Counted(),
    ),
}

HIDDEN = {
    "SASL PLAIN in a verbose session": f"postfix/smtpd[9]: < unknown[10.42.0.9]: AUTH PLAIN {SECRET}AAA=",
    "the answer to SASL LOGIN": f"postfix/smtpd[9]: < unknown[10.42.0.9]: {SECRET}AAA=",
    "Postfix' own decoding": f"postfix/smtpd[9]: xsasl_cyrus_server_first: decoded initial response {SECRET}",
    "saslauthd in debug mode": f"saslauthd[12]: auth_httpform: sending webapp /api/webhooks/cyrus-sasl/ user example%2Eorg {SECRET}",
    "IMAP AUTHENTICATE": f"[C1] C: A0002 AUTHENTICATE PLAIN {SECRET}AAA=",
    "a header": f"proxying with Authorization: Bearer {SECRET}",
    "a header in JSON": f'{{"headers":{{"Authorization":"Basic {SECRET}"}}}}',
    "JSON": f'[2026-11-23 07:40:00] production.ERROR: failed {{"email":"a@b.c","password":"{SECRET} {SECRET}"}}',
    "PHP": f"array ( 'imap_admin_password' => '{SECRET}', )",
    "logfmt": f"name=console component=syncroton user=a@b.c access_token={SECRET} log=ok",
    "an environment variable": f"DB_PASSWORD={SECRET}",
    "a query string": f'10.0.0.1 - - [x] "GET /meetmedia/signaling?peerId=1&token={SECRET}&x=1 HTTP/1.1" 101 0 "-" "-"',
    "an OAuth code": f'10.0.0.1 - - [x] "GET /webmail/index.php/login/oauth?code={SECRET}&state=1 HTTP/1.1" 302 0 "-"',
    "a connection string": f"SQLSTATE: mysql://kolab:{SECRET}@mariadb/kolab refused",
}

KEPT = {
    "a delivery": COUNTED["put off by a receiver"][1],
    "a rejected client": COUNTED["a pod that is turned away"][1],
    "a failed login": COUNTED["a wrong password at the proxy"][1],
    "a line about tokens": 'name=kolabfiles component=chwala session=a410 user=a@b.c log="Refreshing the access token"',
    "a successful login": "saslauthd[12] :auth success: [user=admin] [service=imap] [realm=kolab.local] [mech=httpform]",
    "a message id": f"{_POSTFIX} postfix/cleanup[9]: A1B2C3: message-id=<abc.def@example.com>",
}
