# shellcheck shell=sh
# Module files where the image has them; the echo module is Debian's extra.
# Debian links the folder to the one of the .so files.
rm -f /usr/share/nginx/modules /etc/nginx/sites-enabled/*
mkdir /usr/share/nginx/modules
for module in mail stream; do
  echo "load_module /usr/lib/nginx/modules/ngx_${module}_module.so;" > /usr/share/nginx/modules/$module.conf
done
mkdir -p /var/log/nginx /etc/nginx/default.d
for folder in /etc/nginx /run /var/log/nginx /var/lib/nginx; do chown -R 1001:0 $folder; chmod -R g=u $folder; done
