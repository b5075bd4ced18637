# shellcheck shell=bash
# Sourced when the migrations of the image's init are over. It goes on when one fails; what counts are the tables that the
# image's own files of SQL make, and the version that the last of its updates leaves in the table `system`.
rehearsed
source /kolab/entry/client.sh

asked() { MYSQL_PWD=$DB_RC_PASSWORD client -N -B --host="$DB_HOST" --user="$DB_RC_USERNAME" "$DB_RC_DATABASE" --execute="$1"; }

# judge FOLDER OTHERWISE: the tables of an SQL folder are there and up to date, or OTHERWISE says which are not
judge() {
  local initial=$1/mysql.initial.sql table missing='' name have newest
  [ -r "$initial" ] || return 0
  while read -r table; do
    case " $KOLAB_TABLES " in *" $table "*) ;; *) missing+=" $table" ;; esac
  done < <(grep -oiE '^[^-]*CREATE TABLE (IF NOT EXISTS )?`?[a-z0-9_]+' "$initial" | grep -oE '[A-Za-z0-9_]+$')
  [ -z "$missing" ] || { "$2" "the migration has not made the tables$missing of $initial: why stands above"; return 0; }
  name=$(grep -oE "'[a-z0-9-]+-version'" "$initial" | head -n 1)
  for newest in "$1"/mysql/[0-9]*.sql; do :; done
  newest=${newest##*/} newest=${newest%.sql}
  case $name/$newest in /* | *'*') return 0 ;; esac
  have=$(asked "SELECT value FROM system WHERE name = $name")
  [[ -n $have && ! $have < $newest ]] || "$2" "the tables of $1 are of version '$have' and not of $newest: the update failed, and why stands above"
}

cd /opt/app-root/src || exit
KOLAB_TABLES=$(asked 'SHOW TABLES') || fail "the migration is over, and database $DB_RC_DATABASE on $DB_HOST does not answer"
KOLAB_TABLES=${KOLAB_TABLES//$'\n'/ }
[ -r roundcubemail/SQL/mysql.initial.sql ] || fail "the image has no roundcubemail/SQL: it differs from the one this stack was made for"
for KOLAB_FOLDER in roundcubemail/SQL syncroton/docs/SQL roundcubemail/plugins/libkolab/SQL roundcubemail/plugins/calendar/drivers/kolab/SQL; do
  judge "$KOLAB_FOLDER" fail
done
# The image makes those of the other plugins, and updates none of them.
for KOLAB_FOLDER in chwala/doc/SQL roundcubemail/plugins/*/SQL roundcubemail/plugins/*/drivers/kolab/SQL; do judge "$KOLAB_FOLDER" warn; done
echo 'entry: the tables of the webmail are those of this image'
exit 0
