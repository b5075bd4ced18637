"""Names of accounts and databases that several daemons have to agree on."""

from __future__ import annotations

WEBAPP_DATABASE = "kolabdev"
"""Database of the web application, and its user. Postfix and Amavis read it."""

ROUNDCUBE_DATABASE = "roundcube"
"""Database of the webmail, and its user. The web application reads second factors from it."""

LEGACY_DATABASE = "kolab"
"""Database that MariaDB's image insists on, and its user. Nobody uses it."""

IMAP_ADMIN = "cyrus-admin"
"""The account with which the web application makes mailboxes."""

FILES_USER = "minio"
"""The account of MinIO, where files are ours."""

GATEWAY_USER = "kolab"
"""The account of Versity Gateway, where files are ours."""

GATEWAY_REGION = "local"
"""The region that it signs for; nobody else's."""

FILES_BUCKET = "kolab"
"""Bucket of the web application's files."""

OPERATOR = "operator"
"""User of the monitoring pages."""
