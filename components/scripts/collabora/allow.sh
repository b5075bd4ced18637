# shellcheck shell=bash
# Sourced by the image's init: documents of Chwala may be opened, and no others.
replace /etc/coolwsd/coolwsd.xml 1 '        ALLOWED_HOSTS_GROUPS' \
  "        <group><host desc=\"Chwala\" allow=\"true\">$KOLAB_WOPI_HOST</host></group>"
