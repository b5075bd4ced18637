# shellcheck shell=bash
# Sourced by the image's init, which goes on when its user may make no tables, and would end as if there were any.
MYSQL_PWD=$DB_RC_PASSWORD mysql --host="$DB_HOST" --user="$DB_RC_USERNAME" \
  --execute="CREATE TABLE IF NOT EXISTS kolab_may_create (id INT PRIMARY KEY); DROP TABLE kolab_may_create" \
  "$DB_RC_DATABASE" || fail "user $DB_RC_USERNAME cannot make tables in database $DB_RC_DATABASE on $DB_HOST: create both there, and grant the user all rights on the database"
