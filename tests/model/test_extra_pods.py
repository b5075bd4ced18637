"""Environment variables and annotations of an operator's own: those that have to do with a promise are known by it."""

from __future__ import annotations

import pytest

from model.extra.language import Language
from model.extra.pods import ANNOTATIONS, ENVIRONMENT
from model.rules import check
from tests.model.files import settings

READ = {
    "secret": """
        ABLY_KEY ACTIVESYNC_DEBUG APP_PASSPHRASE BIND_PW COINBASE_KEY COINBASE_WEBHOOK_SECRET COTURN_STATIC_SECRET DAV_DEBUG
        DB_FOREIGN_KEYS DEBUG_USERS FIREBASE_API_KEY IMAP_DEBUG LDAP_ADMIN_BIND_PW LDAP_HOSTED_BIND_PW LDAP_SERVICE_BIND_PW
        MEMCACHED_PASSWORD MEMCACHE_DEBUG MOLLIE_KEY OPENEXCHANGERATES_API_KEY PASSPORT_PERSONAL_ACCESS_CLIENT_SECRET
        PASSPORT_SYNAPSE_OAUTH_CLIENT_SECRET POSTMARK_TOKEN PUBLIC_KEY PUSHER_APP_KEY PUSHER_APP_SECRET SMTP_DEBUG
        SPARKPOST_SECRET SQL_DEBUG SSL_KEY STRIPE_KEY STRIPE_PUBLIC_KEY STRIPE_WEBHOOK_SECRET SYNAPSE_OAUTH_CLIENT_SECRET
        TURN_SHARED_SECRET VPN_TOKEN_SIGNING_KEY WEBHOOK_SECRET
    """,
    "code": """
        CYRUS_CONF EXTRA_PLUGINS GIT_REMOTE_SKIN_ELASTIC IMAPD_CONF LOG_PAPERTRAIL_HANDLER LOG_STDERR_FORMATTER
        MARIADB_EXTRA_FLAGS MYSQL_OPTIONS PGP_AGENT PGP_BINARY PGP_GPGCONF SA_EXTRA_CONFIG SSL_CERTIFICATE_FULLCHAIN
        extra_params
    """,
    "client": """
        IMAP_PROXY_PROTOCOL MEET_WEBRTC_LISTEN_IP PROXY_WHITELIST PUBLIC_IP TURN_LISTEN_PORT TURN_PUBLIC_IP TURN_URIS
        WITH_PROXY_PROTOCOL
    """,
    "relay": """
        ALLOWED_HOSTS_GROUPS RELAY_HOST RESTRICTED_USER_RELAY_HOST
    """,
    "plaintext": """
        BASE_DN BCRYPT_ROUNDS COINBASE_VERIFY_TLS DISABLED_PLUGINS FIREBASE_API_VERIFY_TLS IMAP_TLS LDAP_ADMIN_BIND_DN
        LDAP_ADMIN_ROOT_DN LDAP_BASE_DN LDAP_DOMAIN_BASE_DN LDAP_DOMAIN_FILTER LDAP_DOMAIN_NAME_ATTRIBUTE LDAP_FILTER
        LDAP_HOSTED_BIND_DN LDAP_HOSTED_ROOT_DN LDAP_HOSTS LDAP_LOGIN_FILTER LDAP_PORT LDAP_ROOT_DN LDAP_SERVICE_BIND_DN
        LDAP_USE_SSL LDAP_USE_TLS MFA_TOTP_DIGEST MFA_TOTP_DIGITS MFA_TOTP_INTERVAL MYSQL_ATTR_SSL_CA
        OAUTH_REFRESH_TOKEN_EXPIRY OAUTH_TOKEN_EXPIRY OCTANE_HTTPS PASSPORT_PERSONAL_ACCESS_CLIENT_ID
        PASSPORT_SYNAPSE_OAUTH_CLIENT_ID ROOT_DN SECURE_COOKIE SESSION_CONNECTION SESSION_COOKIE SESSION_DOMAIN
        SESSION_LIFETIME SESSION_SECURE_COOKIE SESSION_STORE SIGNUP_CODE_EXPIRY SIGNUP_CODE_LENGTH SYNAPSE_OAUTH_CLIENT_ID
        VERIFICATION_CODE_EXPIRY VERIFICATION_CODE_LENGTH WEBMAIL_SSO
    """,
    "delivery": """
        ACTIVESYNC_URI API_URL APP_CURRENCY APP_LOCALES APP_NAME_SHORT APP_WITH_COMPANION_APP APP_WITH_DELEGATION
        APP_WITH_LOGINAS APP_WITH_SUBSCRIPTIONS APP_WITH_USER_SEARCH AWS_URL BLOCK_OUTGOING_EMAILS
        CARDDAV_WELLKNOWN_REDIRECT_PATH DATABASE_URL DB_ROUNDCUBE_URL DB_SOCKET DNS_COPY_FROM DNS_STATIC DNS_TTL
        DYNAMODB_ENDPOINT ELEMENT_BACKEND FIREBASE_API_URL FREEBUSY_URI HOLD_INCOMING_EMAILS LOG_SLACK_WEBHOOK_URL
        MAIL_FROM_NAME MAIL_LOG_CHANNEL MAIL_REPLYTO_NAME MAIL_SENDMAIL_PATH MAIL_URL MATRIX_BACKEND MAX_SERVERS
        MEET_LISTENING_HOST MEET_PUBLIC_DOMAIN MEET_TURN_SERVER MEMCACHED_HOST MEMCACHED_PERSISTENT_ID MEMCACHED_PORT
        MEMCACHED_USERNAME MESSAGE_SIZE_LIMIT MIX_ASSET_PATH NEXTCLOUD_BACKEND OCTANE_HTTP_HOST OCTANE_SERVER
        PAPERTRAIL_PORT PAPERTRAIL_URL PUSHER_HOST PUSHER_PORT RATELIMIT_MAX_RECIPIENTS REDIS_CACHE_DB REDIS_CLIENT
        REDIS_CLUSTER REDIS_DB REDIS_PREFIX REDIS_QUEUE REDIS_URL REDIS_USERNAME SPAM_DETECTED_LEVEL SPAM_KILL_ACTION
        SPAM_KILL_LEVEL SYNC_HOST VIEW_COMPILED_PATH VIRUS_KILL_ACTION WEBMAIL_URI WITH_LEGACY_SYNC_SERVER WOPI_URI
    """,
    "data": """
        DAV_WITH_DEFAULT_FOLDERS EXPIRY_DELAY MYSQL_DATADIR_ACTION MYSQL_DATADIR_FIRST_INIT MYSQL_RUNNING_AS_SLAVE
    """,
    "unknown": """
        CACHE_PREFIX COMPANION_DOWNLOAD_LINK COMPANY_ADDRESS COMPANY_DETAILS COMPANY_EMAIL COMPANY_FOOTER COMPANY_LOGO
        COMPANY_NAME DYNAMODB_CACHE_TABLE FORCE_SKIN HORIZON_PREFIX KB_ACCOUNT_DELETE KB_ACCOUNT_SUSPENDED KB_PAYMENT_SYSTEM
        KOLABOBJECTS_COMPAT_MODE LOG_DEPRECATIONS_CHANNEL LOG_SLOW_REQUESTS MAX_FILESIZE MEMORY_LIMIT
        MYSQL_INNODB_BUFFER_POOL_SIZE MYSQL_MAX_ALLOWED_PACKET PAYMENT_METHODS_ONEOFF PAYMENT_METHODS_RECURRING
        PAYMENT_PROVIDER PGP_LENGTH PRODUCT_NAME PUSHER_APP_CLUSTER PUSHER_APP_ID PUSHER_SCHEME REFERRAL_CODE_LENGTH
        ROUTER_SCALE_SIZE SHORTCODE_CHARS SIGNUP_LIMIT_EMAIL SIGNUP_LIMIT_IP SKIP_CHOWN SQS_PREFIX SQS_QUEUE SQS_SUFFIX
        STORAGE_MIN_QTY SUPPORT_EMAIL VAT_COUNTRIES VAT_MODE VAT_RATE WITH_SYNC_SOURCE WITH_SYNC_TARGET WOAT_NS1 WOAT_NS2
    """,
}
"""Promise -> names, besides those that the program sets itself; unknown: names that no promise is about."""
CASES = [(promise, name) for promise, names in READ.items() for name in names.split()]


@pytest.mark.security
@pytest.mark.parametrize(("promise", "name"), CASES)
def test_a_variable_that_an_image_reads_is_known_by_its_promise(promise: str, name: str) -> None:
    assert ENVIRONMENT.judge(name, "x") == promise


@pytest.mark.security
@pytest.mark.parametrize(("promise", "name"), CASES)
def test_a_variable_is_known_in_either_case(promise: str, name: str) -> None:
    assert ENVIRONMENT.judge(name.lower() if name.isupper() else name.upper(), "x") == promise


@pytest.mark.security
@pytest.mark.parametrize(
    ("promise", "names"),
    [
        ("secret", "NEXT_BIND_PW FTP_PASS NEXT_DEBUG DEBUG_NEXT NEXT_DEBUG_USERS NEXT_API_KEY"),
        ("code", "NEXT_PLUGINS NEXT_BINARY NEXT_FLAGS NEXT_OPTIONS NEXT_PARAMS NEXT_EXTRA_CONFIG NEXT_CONF NEXT_COMMAND"),
        ("client", "NEXT_IP TURN_NEXT NEXT_PROXY_NEXT NEXT_ANNOUNCED_NEXT"),
        ("relay", "NEXT_RELAY ALLOW_NEXT NEXT_TRUSTED NEXT_WHITELIST"),
        ("plaintext", "NEXT_TLS_NEXT NEXT_SECURE_COOKIE NEXT_INSECURE NEXT_SSO SESSION_NEXT LDAP_NEXT"),
        ("delivery", "SPAM_NEXT VIRUS_NEXT HOLD_NEXT_EMAILS NEXT_MAX_RECIPIENTS RATELIMIT_NEXT NEXT_URL NEXT_HOSTS"),
        ("data", "NEXT_DATADIR_NEXT NEXT_EXPIRY_DELAY NEXT_DIR NEXT_BUCKET"),
    ],
)  # fmt: skip
def test_a_variable_of_the_same_kind_that_a_later_image_reads_is_known_as_well(
    promise: str, names: str
) -> None:
    assert {name: ENVIRONMENT.judge(name, "x") for name in names.split()} == dict.fromkeys(
        names.split(), promise
    )


@pytest.mark.security
@pytest.mark.parametrize(
    "name",
    [
        *(
            f"{when}.hook.{what}.velero.io/{key}"
            for when in ("pre", "post", "init", "next")
            for what in ("backup", "restore")
            for key in ("command", "container", "container-image", "container-name", "on-error", "timeout", "exec-timeout")
        ),
        "k8up.io/backupcommand",
        "k8up.syn.tools/backupcommand",
        "example.org/post-restore-command",
        "example.org/exit-hook",
        "co.elastic.logs/processors.1.script.source",
    ],
)  # fmt: skip
def test_an_annotation_by_which_something_runs_in_the_pod_is_code(name: str) -> None:
    assert ANNOTATIONS.judge(name, "x") == "code"


@pytest.mark.security
@pytest.mark.parametrize("language", [ANNOTATIONS, ENVIRONMENT], ids=["annotations", "environment"])
@pytest.mark.parametrize(
    "value",
    [
        '{"mysql": {"instances": [{"host": "db", "password": "hunter2"}]}}',
        '[{"api_key":"hunter2"}]',
        "user=datadog password=hunter2",
        "token: hunter2",
        "client-secret=hunter2",
        "https://datadog:hunter2@db.example.org/",
        "https://hunter2@sentry.example.org/1",
        "amqp://:hunter2@db",
        "Authorization: Bearer hunter2hunter2",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_a_value_that_has_a_secret_in_it_is_one_whatever_it_is_called(language: Language, value: str) -> None:
    for name in ("ad.datadoghq.com/db.checks", "co.elastic.logs/hosts", "example.org/NOTE", "NOTE"):
        assert language.judge(name, value) == "secret"
        assert "hunter2" not in str(
            check(settings("cluster", {"extra": {"annotations": {"mariadb": {name: value}}}}))
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ad.datadoghq.com/db.checks", '{"mysql": {"instances": [{"host": "%%host%%", "password": "%%env_DB_WORD%%"}]}}'),
        ("ad.datadoghq.com/db.logs", '[{"source": "mysql", "service": "tokenizer"}]'),
        ("backup.velero.io/backup-volumes-excludes", "cache"),
    ],
)  # fmt: skip
def test_an_annotation_that_names_where_a_secret_is_found_goes_through(name: str, value: str) -> None:
    assert ANNOTATIONS.judge(name, value) is None


@pytest.mark.parametrize(
    "word",
    [
        "description",
        "ownership",
        "subscription",
        "equipment",
        "multiple",
        "zip",
        "relationship",
        "participants",
        "clipping",
        "reproxying",
        "networker",
        "injective",
        "webhook-free",
        "subscript",
        "transcript",
        "katalog",
        "runtimes-owner",
        "devicename",
        "recommended",
    ],
)
def test_a_key_that_only_has_the_letters_of_a_word_in_it_is_merely_unknown(word: str) -> None:
    assert ANNOTATIONS.judge(f"example.org/{word}", "x") == "unknown"


@pytest.mark.security
@pytest.mark.parametrize(
    "word", ["ip", "IP", "pod-ip", "ips", "inject", "sidecar.inject", "network", "proxy", "bandwidth"]
)
def test_a_key_that_has_such_a_word_in_it_is_about_clients(word: str) -> None:
    assert ANNOTATIONS.judge(f"example.org/{word}", "x") == "client"
