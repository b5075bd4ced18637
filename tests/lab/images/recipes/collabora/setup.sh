# shellcheck shell=sh
mkdir -p /opt/cool/child-roots
chown -R 1001:0 /etc/coolwsd /opt/cool && chmod -R g=u /etc/coolwsd /opt/cool
