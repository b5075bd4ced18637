"""Environment variables of containers, and annotations of pods."""

from __future__ import annotations

from model.extra.language import Language
from model.extra.variables import OWN

# Credentials in an address, a private key, or a word such as "password" with what it is. Agents fetch %%env_X%% and ENC[x]
# from elsewhere.
_TOLD = (
    r"(?i:://[^/\s@]+@|-----BEGIN|\b(basic|bearer) [a-z0-9+/=._-]{8}"
    r"|(passw|passphrase|secret|token|credential|api_?key|private_?key)[a-z0-9_.-]*[\"']?\s*[:=]\s*[\"']?(?!%%env_|ENC\[)[^\"'\s])"
)

ENVIRONMENT = Language(
    own="|".join(("KOLAB_.*", *sorted(OWN))),
    harmless={"LANG|LC_[A-Z]+": r"[A-Za-z0-9_.@-]{1,30}"},
    kept={
        "secret": r"(?i:(?!.*_expiry$).*(passw|passphrase|secret|token|credential|_key|apikey|dsn|_pem|private|debug).*|key|.*_key_.*|(.*_)?(pw|pwd|pass))",
        "code": r"(?i:PATH|LD_.*|BASH.*|ENV|SHELL.*|PS[0-9]|PROMPT_.*|IFS|CDPATH|GLOBIGNORE|POSIXLY.*|PYTHON.*|PERL.*|RUBY.*|NODE_.*|NPM_.*|PHP.*|JAVA.*|_JAVA.*|JDK_.*|GCONV.*|LOCPATH|NLSPATH|GETCONF.*|MALLOC.*|GLIBC.*|.*_PRELOAD|.*_LIBRARY_PATH|HOME|USER|LOGNAME|TMPDIR|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN|SSLKEYLOGFILE|OPENSSL_.*|SSL_.*|CURL_.*|GIT_.*|EDITOR|PAGER|GODEBUG"
        r"|PGP_(AGENT|GPGCONF)|(?!DISABLED_).*_PLUGINS?|.*_(BINARY|FLAGS|OPTIONS|OPTS|PARAMS|PARAMETERS|ARGS|CONF|CONFIG|COMMAND|CMD|SCRIPT|HOOK|HANDLER|FORMATTER))",
        "client": r"(?i:.*proxy.*|(?!SIGNUP_).*_ips?|turn_.*|.*announced.*|.*forwarded.*)",
        "relay": r"(?i:MYNETWORKS.*|.*RELAY.*|(?!MYSQL_).*ALLOW.*|.*TRUST.*|.*WHITELIST.*)",
        "plaintext": r"(?i:.*(TLS|SSL|HTTPS|AUTH|VERIFY|INSECURE|PLAIN|SECURE|PASSPORT).*|(LDAP|SESSION|MFA|BCRYPT)_.*|.*_(DN|SSO)|DISABLED_PLUGINS|(VERIFICATION|SIGNUP)_CODE_.*)",
        "delivery": r"(?i:.*(_HOST|_PORT|_URL|_URI|_SERVER|_ENDPOINT|_BACKEND|_DESTINATION|_DOMAIN)|(APP|DB|REDIS|IMAP|SMTP|MAIL|SERVICES|DNS|SPAM|VIRUS|RATELIMIT|MEMCACHED?)_.*|LMTP.*|.*_PATH|.*_(HOSTS|SERVERS|URLS|URIS|SOCKET)|.*_(E?MAILS|RECIPIENTS)|MESSAGE_.*|MUPDATE.*|SERVERLIST)",
        "data": r"(?i:.*(_DIR|_DIRECTORY|_FOLDER|_DATABASE|_BUCKET|_DISK|_VOLUME|DATADIR).*|(VGW|ROOT|RCLONE|MINIO|RESTIC)_.*|(.*_)?EXPIRY_DELAY|SHARED_FOLDERS|MYSQL_RUNNING_AS_.*)",
    },
    values={"secret": _TOLD},
)
"""Variables of a container. The time zone is none of the harmless ones: databases and backups count in UTC."""


def _word(words: str) -> str:
    """Keys that have one of these words in them; `ip` is none of description's."""
    return rf"(?i:(.*[^a-z0-9])?({words})([^a-z0-9].*)?)"


ANNOTATIONS = Language(
    own=r"pulumi\.com/.*|kolab\.org/.*|(.*\.)?kubernetes\.io/(restartedAt|change-cause|default-container)",
    harmless={
        r"prometheus\.io/(scrape|port|path|scheme)": r"[a-z0-9/._-]{1,80}",
        r"cluster-autoscaler\.kubernetes\.io/safe-to-evict": "true|false",
        r"backup\.velero\.io/backup-volumes(-excludes)?": r"[a-z0-9,.-]{1,300}",
        r"(reloader\.stakater\.com|co\.elastic\.logs|ad\.datadoghq\.com|fluentbit\.io)/(?!.*(script|command|exec))[a-z0-9._-]{1,60}": rf"(?!.*(\$|{_TOLD})).{{0,300}}",
    },
    kept={
        "code": r"(.*\.)?(apparmor\.security\.beta|seccomp\.security\.alpha)\.kubernetes\.io/.*|.*(capabilit|katacontainers).*|"
        + _word(
            "seccomp|apparmor|selinux|runtime|privileged|sysctls?|crio|cri-o|untrusted|kata|gvisor|devices?|hooks?|scripts?|[a-z]*commands?"
        ),
        "client": r"(.*\.)?(istio\.io|linkerd\.io|kuma\.io|consul\.hashicorp\.com|openservicemesh\.io|cilium\.io|projectcalico\.org|cni\.cncf\.io|multus.*|metallb\.(io|universe\.tf)|antrea\.io|ovn\.org|kubeovn.*)/.*|"
        + _word("sidecars?|inject(ed|ion|or)?|networks?|networking|ips?|ipam|ipv[46]|bandwidth|proxy"),
        "secret": r"(?i:.*(passw|secret|token|credential).*)",
        "delivery": r"scheduler\..*|(.*\.)?kubernetes\.io/(psp|limit-ranger|config\..*)|container\..*",
    },
    values={"secret": _TOLD},
)
"""Annotations of pods, by which others learn what to do with them."""
