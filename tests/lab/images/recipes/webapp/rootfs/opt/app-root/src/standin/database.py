"""MariaDB as the web application uses it: its own tables, with the columns that Postfix, Amavis and scripts read."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import pymysql

MIGRATIONS = {
    "2014_10_12_000000_create_users_table": """
        CREATE TABLE users (
          id BIGINT UNSIGNED PRIMARY KEY, email VARCHAR(191) NOT NULL UNIQUE, password VARCHAR(255), role VARCHAR(16),
          status SMALLINT NOT NULL DEFAULT 0, tenant_id BIGINT UNSIGNED,
          created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL, deleted_at TIMESTAMP NULL)""",
    "2019_09_23_071701_create_domains_table": """
        CREATE TABLE domains (
          id BIGINT UNSIGNED PRIMARY KEY, namespace VARCHAR(191) NOT NULL UNIQUE, status SMALLINT NOT NULL DEFAULT 0,
          type SMALLINT NOT NULL DEFAULT 0, tenant_id BIGINT UNSIGNED,
          created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL, deleted_at TIMESTAMP NULL)""",
    "2021_12_28_103243_create_policy_ratelimit_tables": """
        CREATE TABLE policy_ratelimit_wl (
          id BIGINT AUTO_INCREMENT PRIMARY KEY, whitelistable_id BIGINT NOT NULL, whitelistable_type VARCHAR(191) NOT NULL,
          created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL, UNIQUE (whitelistable_id, whitelistable_type))""",
    "2020_02_26_000000_create_user_aliases_table": """
        CREATE TABLE user_aliases (
          id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, user_id BIGINT UNSIGNED NOT NULL,
          alias VARCHAR(191) NOT NULL UNIQUE, created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL,
          FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)""",
    "2020_06_04_140800_create_ip4nets_table": """
        CREATE TABLE ip4nets (
          id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, rir_name VARCHAR(8) NOT NULL, net_number VARBINARY(4) NOT NULL,
          net_mask TINYINT UNSIGNED NOT NULL, net_broadcast VARBINARY(4) NOT NULL, country VARCHAR(2),
          serial BIGINT UNSIGNED NOT NULL, created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL,
          KEY (net_number, net_broadcast))""",
    "2021_12_10_100000_create_groups_tables": """
        CREATE TABLE `groups` (
          id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, email VARCHAR(191) NOT NULL UNIQUE,
          status SMALLINT NOT NULL DEFAULT 0, members MEDIUMTEXT, tenant_id BIGINT UNSIGNED,
          created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL, deleted_at TIMESTAMP NULL)""",
    "2025_09_01_100000_create_group_members_table": """
        CREATE TABLE group_members (
          id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, group_id BIGINT UNSIGNED NOT NULL,
          email VARCHAR(191) NOT NULL, UNIQUE (group_id, email))""",
    "2022_01_25_100000_create_shared_folders_table": """
        CREATE TABLE shared_folders (
          id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, email VARCHAR(191) NOT NULL UNIQUE, type VARCHAR(8) NOT NULL,
          status SMALLINT NOT NULL DEFAULT 0, tenant_id BIGINT UNSIGNED,
          created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL, deleted_at TIMESTAMP NULL)""",
    "2022_01_25_100001_create_shared_folder_settings_table": """
        CREATE TABLE shared_folder_settings (
          id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, shared_folder_id BIGINT UNSIGNED NOT NULL,
          `key` VARCHAR(191) NOT NULL, value MEDIUMTEXT, UNIQUE (shared_folder_id, `key`))""",
    "2022_05_13_100000_create_shared_folder_aliases_table": """
        CREATE TABLE shared_folder_aliases (
          id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, shared_folder_id BIGINT UNSIGNED NOT NULL,
          alias VARCHAR(191) NOT NULL UNIQUE)""",
    "2019_09_17_102628_create_sku_entitlements": """
        CREATE TABLE entitlements (
          id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, kind VARCHAR(8) NOT NULL,
          entitleable_id BIGINT UNSIGNED NOT NULL, sku VARCHAR(64) NOT NULL, wallet_id VARCHAR(36) NOT NULL,
          KEY (kind, entitleable_id))""",
    "2019_09_17_102627_create_wallets": """
        CREATE TABLE wallets (id VARCHAR(36) PRIMARY KEY, user_id BIGINT UNSIGNED NOT NULL UNIQUE)""",
    "2021_03_25_144554_create_oauth_access_tokens_table": """
        CREATE TABLE oauth_access_tokens (
          id VARCHAR(100) PRIMARY KEY, user_id BIGINT UNSIGNED, revoked TINYINT(1) NOT NULL DEFAULT 0)""",
    "2021_03_25_144555_create_oauth_clients_table": """
        CREATE TABLE oauth_clients (
          id CHAR(36) PRIMARY KEY, name VARCHAR(191) NOT NULL, secret VARCHAR(100), redirect TEXT NOT NULL,
          password_client TINYINT(1) NOT NULL DEFAULT 0, created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL)""",
}
"""Name of a migration, as rows of table `migrations` -> what it makes."""


def connect() -> Any:
    """A connection, by the variables of the contract."""
    return pymysql.connect(
        host=os.environ["DB_HOST"],
        port=int(os.environ.get("DB_PORT") or 3306),
        user=os.environ["DB_USERNAME"],
        password=os.environ["DB_PASSWORD"],
        database=os.environ["DB_DATABASE"],
        autocommit=True,
        connect_timeout=10,
        read_timeout=30,
    )


def rows(sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All rows of one statement, on a connection of its own."""
    connection = connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, tuple(values))
            return list(cursor.fetchall())
    finally:
        connection.close()


def wait() -> None:
    """Return when the database answers, however long that takes."""
    while True:
        try:
            rows("SELECT 1")
        except pymysql.err.Error as error:
            print(f"db:ping: {error.args[-1]}", flush=True)
            time.sleep(1)
        else:
            return


def migrate() -> None:
    """Make what is missing, in order, and note it."""
    rows(
        "CREATE TABLE IF NOT EXISTS migrations (id INT AUTO_INCREMENT PRIMARY KEY, migration VARCHAR(255), batch INT)"
    )
    done = {name for (name,) in rows("SELECT migration FROM migrations")}
    batch = rows("SELECT COALESCE(MAX(batch), 0) + 1 FROM migrations")[0][0]
    for name, sql in MIGRATIONS.items():
        if name not in done:
            rows(sql)
            rows("INSERT INTO migrations (migration, batch) VALUES (%s, %s)", (name, batch))
            print(f"  {name} DONE", flush=True)


def drop_all() -> None:
    """What migrate:fresh begins with."""
    connection = connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
            cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
            for (table,) in cursor.fetchall():
                cursor.execute(f"DROP TABLE `{table}`")
    finally:
        connection.close()
