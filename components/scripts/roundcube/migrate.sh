#!/bin/bash
# Makes and updates the tables once the database at $DB_HOST, port KOLAB_DATABASE_PORT, can be reached.
source /kolab/entry/adjust.sh
until (exec 3<>"/dev/tcp/$DB_HOST/$KOLAB_DATABASE_PORT") 2> /dev/null; do sleep 3; done
copy_init /opt/app-root/src/init.sh
quiet
# Without root's password the database and its user are there already: root would only create both.
if [ -z "${DB_ROOT_PASSWORD-}" ]; then
  replace "$KOLAB_INIT" 1 '    mysql --defaults-file=/tmp/kolab-setup-my.cnf <<EOF' $'    source /kolab/entry/may-create.sh\n    : <<EOF'
fi

set +eu
# The role `shell` runs the migrations and then a shell, which ends at once without input.
exec < /dev/null
source "$KOLAB_INIT" shell
