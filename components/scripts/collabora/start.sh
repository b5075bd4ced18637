# shellcheck shell=bash
# Sourced with coolwsd's command line. Options win over its file (wsd/COOLWSD.cpp, --o), and hosts are a list in both: so
# neither the file nor the image's options name any, and ours name Chwala (wsd/HostUtil.cpp, parseWopiHost and parseAliases).
source /kolab/entry/configuration.sh
KOLAB_CONF=/etc/coolwsd/coolwsd.xml KOLAB_COMMAND=()
for KOLAB_WORD in "$@"; do
  # A name may be shortened, and ends with = or : (Poco::Util::OptionProcessor).
  case $KOLAB_WORD in
    --con*[=:]*) KOLAB_CONF=${KOLAB_WORD#--con*[=:]} ;;
    --o*[=:]*)
      # Who may have documents opened, and who is answered how, is ours alone.
      case ${KOLAB_WORD#--o*[=:]} in storage.* | net.listen=* | ssl.* | server_name=* | admin_console.*) continue ;; esac
      ;;
    -o* | --o* | --con*) fail "the image tells coolwsd '$KOLAB_WORD', which cannot be judged: it differs from the one this stack was made for" ;;
  esac
  KOLAB_COMMAND+=("$KOLAB_WORD")
done
[ -r "$KOLAB_CONF" ] || fail "$KOLAB_CONF is not in this image: it differs from the one this stack was made for"
without_hosts "$KOLAB_CONF"

KOLAB_GROUP='storage.wopi.alias_groups.group[0].host'
KOLAB_COMMAND+=('--o:storage.filesystem[@allow]=false' '--o:storage.wopi[@allow]=true'
  '--o:storage.wopi.alias_groups[@mode]=groups' "--o:$KOLAB_GROUP=$KOLAB_WOPI_HOST" "--o:${KOLAB_GROUP}[@allow]=true"
  "--o:server_name=$SERVER_NAME" --o:net.listen=any --o:ssl.enable=false --o:ssl.termination=true --o:admin_console.enable=false)

rehearsed
exec "${KOLAB_COMMAND[@]}"
