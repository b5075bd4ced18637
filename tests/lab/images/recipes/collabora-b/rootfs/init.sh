#!/bin/bash
# The newer Collabora: the allowed hosts get in by way of a file, each with an alias.
contract-check || exit $?
for HOST in $ALLOWED_HOSTS; do
    cat >> /tmp/groups <<EOF
<group>
    <host desc="hostname to allow or deny." allow="true">$HOST</host>
    <alias desc="regex pattern of aliasname." allow="true">roundcube</alias>
</group>
EOF
done
sed -i "/ALLOWED_HOSTS_GROUPS/r /tmp/groups" /etc/coolwsd/coolwsd.xml
sed -i "s|ALLOWED_HOSTS_GROUPS||" /etc/coolwsd/coolwsd.xml
sed -i -e "s|SERVER_NAME|<server_name type='string' default=''>$SERVER_NAME</server_name>|" /etc/coolwsd/coolwsd.xml
exec /usr/bin/coolwsd --version --o:child_root_path=/opt/cool/child-roots --o:logging.color=false --o:stop_on_config_change=true
