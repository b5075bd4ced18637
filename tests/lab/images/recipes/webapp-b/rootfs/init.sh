#!/bin/bash
# The newer web application in one of its roles: PHP's limits come from variables, and an empty table of countries is filled.
set -e
set -x
cd /opt/app-root/src/
/update.sh
sed -i -e "s/MAX_FILESIZE/$MAX_FILESIZE/" -e "s/MEMORY_LIMIT/$MEMORY_LIMIT/" /etc/php.ini
if [[ ! -f resources/countries.php ]]; then
    ./artisan data:countries
fi
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

    worker|WORKER)
        ./artisan migrate --force || :
        exec ./artisan queue:work
    ;;

    *)
        exec sleep 10000
    ;;
esac
