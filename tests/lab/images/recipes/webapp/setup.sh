# shellcheck shell=sh
# Files belong to 1001 and group 0, as in OpenShift-style images.
mkdir -p /opt/app-root/src/storage /opt/app-root/src/bootstrap/cache /etc/pki/ca-trust/extracted
chown -R 1001:0 /opt/app-root /etc/pki/ca-trust && chmod -R g=u /opt/app-root && chmod -R 777 /etc/pki/ca-trust/extracted
