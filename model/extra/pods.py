"""Environment variables of containers, and annotations of pods."""

from __future__ import annotations

from model.extra.language import Language
from model.extra.variables import OWN

ENVIRONMENT = Language(
    own="|".join(("KOLAB_.*", *sorted(OWN))),
    harmless={"LANG|LC_[A-Z]+": r"[A-Za-z0-9_.@-]{1,30}"},
    kept={
        "secret": r"(?i:.*(passw|passphrase|secret|token|credential|_key|apikey|dsn|_pem|private).*|key|.*_key_.*)",
        "code": r"PATH|LD_.*|BASH.*|ENV|SHELL.*|PS[0-9]|PROMPT_.*|IFS|CDPATH|GLOBIGNORE|POSIXLY.*|PYTHON.*|PERL.*|RUBY.*|NODE_.*|NPM_.*|PHP.*|JAVA.*|_JAVA.*|JDK_.*|GCONV.*|LOCPATH|NLSPATH|GETCONF.*|MALLOC.*|GLIBC.*|.*_PRELOAD|.*_LIBRARY_PATH|HOME|USER|LOGNAME|TMPDIR|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN|EXTRA_CONFIG|SSLKEYLOGFILE|OPENSSL_.*|SSL_.*|CURL_.*|GIT_.*|EDITOR|PAGER|GODEBUG",
        "relay": r"MYNETWORKS.*|.*RELAY.*|.*ALLOW.*|.*TRUST.*",
        "plaintext": r".*(TLS|SSL|AUTH|VERIFY|INSECURE|PLAIN).*",
        "client": r"(?i:.*proxy.*)",
        "delivery": r".*(_HOST|_PORT|_URL|_URI|_SERVER|_ENDPOINT|_BACKEND|_DESTINATION|_DOMAIN)|APP_.*|DB_.*|REDIS_.*|IMAP_.*|SMTP_.*|MAIL_.*|LMTP.*|SERVICES_.*|.*_PATH",
        "data": r".*(_DIR|_DIRECTORY|_FOLDER|_DATABASE|_BUCKET|_DISK|_VOLUME).*|(VGW|ROOT|RCLONE|MINIO)_.*",
    },
    values={"secret": r"://[^/\s]*:[^/\s]*@|-----BEGIN"},
)
"""Variables of a container. The time zone is none of the harmless ones: databases and backups count in UTC."""

ANNOTATIONS = Language(
    own=r"pulumi\.com/.*|kolab\.org/.*|(.*\.)?kubernetes\.io/(restartedAt|change-cause|default-container)",
    harmless={
        r"prometheus\.io/(scrape|port|path|scheme)": r"[a-z0-9/._-]{1,80}",
        r"cluster-autoscaler\.kubernetes\.io/safe-to-evict": "true|false",
        r"(backup\.velero\.io|pre\.hook\.backup\.velero\.io|reloader\.stakater\.com|co\.elastic\.logs|ad\.datadoghq\.com|fluentbit\.io)/[a-z0-9._-]{1,60}": r"(?!.*\$).{0,300}",
    },
    kept={
        "client": r"(.*\.)?(istio\.io|linkerd\.io|kuma\.io|consul\.hashicorp\.com|openservicemesh\.io|cilium\.io|projectcalico\.org|cni\.cncf\.io|multus.*|metallb\.(io|universe\.tf)|antrea\.io|ovn\.org|kubeovn.*)/.*|.*(sidecar|inject|network|ip|bandwidth|proxy).*",
        "code": r"(.*\.)?(apparmor\.security\.beta|seccomp\.security\.alpha)\.kubernetes\.io/.*|.*(seccomp|apparmor|selinux|runtime|privileged|capabilit|sysctl|crio|cri-o|kata|gvisor|device).*|.*\.hook\..*",
        "secret": r"(?i:.*(passw|secret|token|credential).*)",
        "delivery": r"scheduler\..*|(.*\.)?kubernetes\.io/(psp|limit-ranger|config\..*)|container\..*",
    },
    values={"secret": r"://[^/\s]*:[^/\s]*@|-----BEGIN"},
)
"""Annotations of pods, by which others learn what to do with them."""
