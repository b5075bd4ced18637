# shellcheck shell=bash
# Stands in for the database's client. Without root's password the database and its user are there already, and root would
# only create both: whatever the image wants as root is not asked, but whether its user may make tables is. The image itself
# would go on without any, and the Job would be complete.
mysql() { as_root_or mysql "$@"; }
mariadb() { as_root_or mariadb "$@"; }
as_root_or() {
  local word
  [ -z "${DB_ROOT_PASSWORD-}" ] || { command "$@"; return; }
  for word in "${@:2}"; do
    case $word in
      -uroot | --user=root | root) may_create "$1"; return ;;
      --defaults-file=* | --defaults-extra-file=*)
        if grep -Eq '^[[:space:]]*user[[:space:]]*=[[:space:]]*"?root' "${word#*=}"; then may_create "$1"; return; fi
        ;;
    esac
  done
  command "$@"
}
may_create() {
  MYSQL_PWD=$DB_RC_PASSWORD command "$1" --host="$DB_HOST" --user="$DB_RC_USERNAME" \
    --execute="CREATE TABLE IF NOT EXISTS kolab_may_create (id INT PRIMARY KEY); DROP TABLE kolab_may_create" \
    "$DB_RC_DATABASE" < /dev/null || fail "user $DB_RC_USERNAME cannot make tables in database $DB_RC_DATABASE on $DB_HOST: create both there, and grant the user all rights on the database"
}
