#!/bin/bash
# Collabora. The substitution of the allowed hosts fails as upstream's does: sed wants one line, and gets several.
contract-check || exit $?
GROUPSSTRING=""
for HOST in $ALLOWED_HOSTS; do
    GROUPSSTRING="$GROUPSSTRING
<group><host allow=\"true\">$HOST</host></group>"
done
sed -i -e "s|ALLOWED_HOSTS_GROUPS|$GROUPSSTRING|" /etc/coolwsd/coolwsd.xml
sed -i -e "s|SERVER_NAME|<server_name type=\"string\">$SERVER_NAME</server_name>|" /etc/coolwsd/coolwsd.xml
exec /usr/bin/coolwsd --o:child_root_path=/opt/cool/child-roots --o:stop_on_config_change=true
