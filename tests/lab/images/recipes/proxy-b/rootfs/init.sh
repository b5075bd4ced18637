#!/bin/bash
# The newer generation: who asks for calendars is first asked who he is, and a variable chooses the backend, which nginx
# then asks for exactly that. Mail may speak TLS 1.3.
contract-check || exit $?
conf=/etc/nginx/nginx.conf
rm -f $conf
cat > $conf <<'EOF'
worker_processes auto;
error_log stderr info;
pid /run/nginx.pid;
include /usr/share/nginx/modules/*.conf;
events { worker_connections 1024; }
http {
    access_log /dev/stdout combined;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    sendfile on;
    keepalive_timeout 65;
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
EOF
# A name that a variable holds is asked of this server, wherever this image runs.
cat >> $conf <<EOF
    resolver 192.168.1.1 valid=10s;
    map \$dav_backend \$backend_url {
        default $DAV_BACKEND$DAV_PATH;
        alternative $DAV_ALTERNATIVE_BACKEND$DAV_ALTERNATIVE_PATH;
    }
    include /etc/nginx/conf.d/*.conf;
EOF

# Header lines of the location table, by what upstream sends with each kind.
address='proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;'
host='proxy_set_header Host $host;'
plain="$host $address"
standard="proxy_redirect off; $plain proxy_set_header X-Forwarded-Host \$host; proxy_set_header X-Forwarded-Proto \$scheme; proxy_no_cache 1; proxy_cache_bypass 1;"
upgrade='proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;'
office='proxy_set_header Host $http_host;'
socket="$office proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection Upgrade; proxy_read_timeout 36000s;"
where() { printf '        location %s { proxy_pass %s; %s }\n' "$1" "$2" "$3" >> $conf; }

cat >> $conf <<EOF
    server {
        listen 6080 default_server;
        listen 6443 default_server ssl;
        listen [::]:6443 ssl ipv6only=on;
        ssl_certificate $SSL_CERTIFICATE;
        ssl_certificate_key $SSL_CERTIFICATE_KEY;
        server_name $APP_WEBSITE_DOMAIN;
        root /usr/share/nginx/html;
        include /etc/nginx/default.d/*.conf;
        location = /health { access_log off; default_type application/json; return 200 '{"status":"UP"}'; }
        location /healthz { return 200; }
        error_page 404 /404.html;
        error_page 500 502 503 504 /50x.html;
        location = /50x.html { }
EOF
if [[ -n ${ELEMENT_BACKEND:-} ]]; then
  where /element/ "$ELEMENT_BACKEND" "$host proxy_set_header X-Forwarded-For \$remote_addr;"
  where '~ ^(/_matrix|/_synapse/client)' "$MATRIX_BACKEND" "$host client_max_body_size 50M;"
fi
where / "$WEBAPP_BACKEND" "$standard client_max_body_size 11m;"
where /meetmedia "$MEET_BACKEND" "$upgrade $host"
where /meetmedia/api "$MEET_BACKEND" "$standard"
where "$WEBMAIL_PATH" "$ROUNDCUBE_BACKEND" "$standard"
where /chwala "$ROUNDCUBE_BACKEND" "$standard"
where /Microsoft-Server-ActiveSync "$ROUNDCUBE_BACKEND" "$plain proxy_send_timeout 910s; proxy_read_timeout 910s;"
if [[ -n ${NEXTCLOUD_BACKEND:-} ]]; then
  where /nextcloud/ "$NEXTCLOUD_BACKEND" "$standard client_max_body_size 10G; proxy_request_buffering off;"
fi
asked='auth_request /auth; auth_request_set $dav_backend $upstream_http_davbackend;'
where '~* ^/\.well-known/(caldav|carddav)' '$backend_url' "$asked proxy_redirect http:// \$scheme://; $plain"
where /dav '$backend_url' "$asked $plain"
where /freebusy "$FREEBUSY_BACKEND$FREEBUSY_PATH" "$plain"
for path in /browser /hosting/discovery /hosting/capabilities; do where "^~ $path" "$COLLABORA_BACKEND" "$office"; done
where '~ ^/cool/(.*)/ws$' "$COLLABORA_BACKEND" "$socket"
where '~ ^/(c|l)ool' "$COLLABORA_BACKEND" "$office"
where '^~ /cool/adminws' "$COLLABORA_BACKEND" "$socket"
where '= /auth' "$WEBAPP_BACKEND/api/webhooks/nginx-httpauth" "internal; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; proxy_set_header X-Original-URI \$request_uri; $address"

cat >> $conf <<EOF
    }
}
mail {
    server_name $APP_WEBSITE_DOMAIN;
    auth_http $WEBAPP_BACKEND/api/webhooks/nginx;
    proxy_pass_error_message on;
    proxy_smtp_auth on;
    xclient off;
    ssl_certificate $SSL_CERTIFICATE;
    ssl_certificate_key $SSL_CERTIFICATE_KEY;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    ssl_ciphers HIGH:!aNULL:!MD5;
    server {
        listen 6143;
        protocol imap;
        proxy on;
        starttls on;
    }
    server {
        listen 6144 proxy_protocol;
        protocol imap;
        proxy on;
        starttls on;
        auth_http $WEBAPP_BACKEND/api/webhooks/nginx-roundcube;
    }
    server {
        listen 6465 ssl;
        protocol smtp;
        proxy on;
    }
    server {
        listen 6587;
        protocol smtp;
        proxy on;
        starttls on;
    }
    server {
        listen 6993 ssl;
        protocol imap;
        proxy on;
    }
}
stream {
    server { listen 6190; proxy_pass $SIEVE_BACKEND; }
}
EOF

if [[ ${1:-} == validate ]]; then
    exec nginx -t
else
    exec nginx -g "daemon off;"
fi
