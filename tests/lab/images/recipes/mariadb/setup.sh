# shellcheck shell=sh
# The image's group is 0: OpenShift gives containers any user, but always that group.
mkdir -p /var/lib/mysql/data /run/mysqld
chown -R 27:0 /var/lib/mysql /run/mysqld && chmod -R g=u /var/lib/mysql /run/mysqld
rm -rf /etc/mysql/mariadb.conf.d /etc/mysql/conf.d
