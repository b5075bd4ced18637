# shellcheck shell=bash
# The image's init waits for the first migration alone. Horizon would then migrate beside the seed Job, and both would make
# the same tables. Accounts come last.
source /kolab/entry/client.sh
accounts() { MYSQL_PWD=$DB_PASSWORD client -N -B -u "$DB_USERNAME" -h "$DB_HOST" "$DB_DATABASE" -e 'SELECT COUNT(*) > 0 FROM users'; }
if [ "${KOLAB_TASK-}" = rehearse ]; then
  # It has no way to the database: the image's init shall take the tables for made, and not wait for what never comes.
  for KOLAB_NAME in mysql mariadb /usr/bin/mysql /usr/bin/mariadb; do eval "$KOLAB_NAME() { echo 1; }"; done
  KOLAB_SLEPT=0
  sleep() {
    [ $((KOLAB_SLEPT += 1)) -le 60 ] || fail "the image's init waits for something that a rehearsal has no way to: it differs from the one this stack was made for"
    command sleep "$@"
  }
else
  until [ "$(accounts 2> /dev/null)" = 1 ]; do echo "entry: waiting for the seed Job"; sleep 3; done
fi
