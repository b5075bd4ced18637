# shellcheck shell=sh
# Files belong to 1001 and group 0, as in OpenShift-style images.
mkdir -p /opt/app-root/src/storage /opt/app-root/src/bootstrap/cache /etc/pki/ca-trust/extracted
chown -R 1001:0 /opt/app-root /etc/pki/ca-trust && chmod -R g=u /opt/app-root && chmod -R 777 /etc/pki/ca-trust/extracted
# Files as upstream names its migrations: what they make stands in the stand-in, and only their names count here.
mkdir -p /opt/app-root/src/database/migrations
sed -nE 's/^ {4}"([0-9]{4}(_[0-9]+){3}_[a-z0-9_]+)": """$/\1/p' /opt/app-root/src/standin/database.py | while read -r name; do
  touch "/opt/app-root/src/database/migrations/$name.php"
done
