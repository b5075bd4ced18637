#!/bin/bash
# The web application in one of its roles. Same order of steps as the real image's: source, database, Redis, role.
set -e
set -x
cd /opt/app-root/src/
/update.sh
./artisan db:ping --wait
until ./artisan status:health --check Redis; do sleep 1; done
update-ca-trust || :

# Any failure counts as "not initialised", and the port is always 3306: this is the trap that wipes databases.
rows() { mysql -N -b -u "$DB_USERNAME" -p"$DB_PASSWORD" -h "$DB_HOST" "$DB_DATABASE" -e 'SELECT COUNT(*) FROM migrations'; }
empty() { local count; count=$(rows) || :; [[ ${count:-0} == 0 ]]; }

case ${KOLAB_ROLE} in
    seed|SEED)
        if empty; then
            php -dmemory_limit=512M ./artisan migrate:fresh --seed --force
        fi
    ;;

    horizon|HORIZON)
        while empty; do sleep 1; done
        php -dmemory_limit=512M ./artisan migrate --force || :
        php -dmemory_limit=512M ./artisan data:init
        exec ./artisan horizon
    ;;

    octane|OCTANE)
        while empty; do sleep 1; done
        exec ./artisan octane:start --host=0.0.0.0
    ;;

    *)
        exec sleep 10000
    ;;
esac
