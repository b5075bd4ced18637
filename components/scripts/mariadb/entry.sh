#!/bin/bash
# Starts Kolab's own image, whose init makes users and databases, unless the data are of a newer release.
# shellcheck source=components/scripts/mariadb/data.sh
source "${KOLAB_SCRIPTS:-/kolab/entry}/data.sh"
not_newer
# The entrypoint of sclorg's images, on which Kolab's is built.
! command -v container-entrypoint > /dev/null || exec container-entrypoint run-mysqld
exec run-mysqld
