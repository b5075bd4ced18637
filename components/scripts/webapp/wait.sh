# shellcheck shell=bash
# The image's init waits for the first migration alone. Horizon would then migrate beside the seed Job, and both would make
# the same tables. Accounts come last.
accounts() { MYSQL_PWD=$DB_PASSWORD mysql -N -B -u "$DB_USERNAME" -h "$DB_HOST" "$DB_DATABASE" -e 'SELECT COUNT(*) > 0 FROM users'; }
if [ "${KOLAB_TASK-}" = rehearse ]; then
  # It has no way to the database: the image's init shall take the tables for made.
  mysql() { echo 1; }
fi
until [ "$(accounts 2> /dev/null)" = 1 ]; do echo "entry: waiting for the seed Job"; sleep 3; done
