#!/bin/bash
# Collabora: the image's own substitution fails in sed and leaves the placeholder: any WOPI host or none, nobody knows.
source /kolab/entry/adjust.sh
copy_init /init.sh
replace "$KOLAB_INIT" 1 'sed -i -e "s|ALLOWED_HOSTS_GROUPS|$GROUPSSTRING|" /etc/coolwsd/coolwsd.xml' 'source /kolab/entry/allow.sh'

set +eu
source "$KOLAB_INIT"
