#!/bin/bash
# Makes and updates the tables once the database at $DB_HOST, port KOLAB_DATABASE_PORT, can be reached.
source /kolab/entry/adjust.sh
until (exec 3<>"/dev/tcp/$DB_HOST/$KOLAB_DATABASE_PORT") 2> /dev/null; do sleep 3; done
# The role `shell` runs the migrations and then a shell. With arguments that is a script of the image's own.
at_daemon /kolab/entry/schema.sh bash /bin/bash -- '?*'
source /kolab/entry/rootless.sh
# A rehearsal changes nothing.
# shellcheck disable=SC2034 # the init reads it
[ "${KOLAB_TASK-}" != rehearse ] || RUN_MIGRATIONS=false
run_init /opt/app-root/src/init.sh shell
