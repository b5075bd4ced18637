#!/bin/bash
# Whom the web application's rate limits leave alone. What it reads on Postfix' way is this table, of domains and users;
# RATELIMIT_WHITELIST is not read there (upstream: src/app/Policy/RateLimit.php, verifyRequest). Of domains it holds those
# of the stack file and no others; of users the sender of system mail and alerts, and whom administrators add.
set -eu
source /kolab/entry/client.sh
domains="''"
for domain in $KOLAB_UNLIMITED_DOMAINS; do domains="$domains, '$domain'"; done
MYSQL_PWD=$DB_PASSWORD client -N -B -u "$DB_USERNAME" -h "$DB_HOST" "$DB_DATABASE" <<SQL
INSERT IGNORE INTO policy_ratelimit_wl (whitelistable_id, whitelistable_type, created_at, updated_at)
  SELECT id, 'App\\\\Domain', NOW(), NOW() FROM domains WHERE namespace IN ($domains);
INSERT IGNORE INTO policy_ratelimit_wl (whitelistable_id, whitelistable_type, created_at, updated_at)
  SELECT id, 'App\\\\User', NOW(), NOW() FROM users WHERE email = '$MAIL_USERNAME';
DELETE FROM policy_ratelimit_wl
  WHERE whitelistable_type = 'App\\\\Domain' AND whitelistable_id NOT IN (SELECT id FROM domains WHERE namespace IN ($domains));
SQL
