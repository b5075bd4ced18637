# shellcheck shell=bash
# Sourced by start.sh: the image's lists of restrictions, from which single ones are taken and to which others are added.

# reworked LIST: without what refuses the null sender, or holds everybody's mail back. One to a line.
reworked() {
  local word table
  set -f
  # shellcheck disable=SC2086 # words are meant
  set -- ${1//,/ }
  while [ $# -gt 0 ]; do
    word=$1
    shift
    case $word in
    check_*_access)
      table=${1-}
      [ $# = 0 ] || shift
      [ "$table" != static:HOLD ] || continue
      # Bounces, delivery reports and vacation answers come from <> (RFC 5321, section 4.5.5).
      if [ "$word" = check_sender_access ] && [[ $table != *mysql:* ]]; then
        case $(postmap -q '<>' "$table" 2> /dev/null || true) in
        '' | OK* | DUNNO*) ;;
        *) continue ;;
        esac
      fi
      echo "$word $table"
      ;;
    check_policy_service | reject_rbl_client | reject_rhsbl_*) echo "$word ${1-}"; [ $# = 0 ] || shift ;;
    *) echo "$word" ;;
    esac
  done
  set +f
}

# The image's lists at port 25. Its check of senders in our name is what a stranger cannot get around.
values=() own=()
for service in $INBOUND; do
  for stage in client helo sender recipient data end_of_data; do
    name=smtpd_${stage}_restrictions
    list=$(told "$service" "$name")
    [[ $list != *[{}]* ]] || fail "$name of $service has braces, which this stack does not read: the image differs from the one this stack was made for"
    new=$(reworked "$list")
    if [ "$stage" = sender ] && ! grep -Eqx 'reject_(unauthenticated_)?sender_login_mismatch' <<< "$new"; then
      # After those who may: at the end of the permits that the list begins with.
      new=$(awk 'BEGIN { put = "reject_unauthenticated_sender_login_mismatch" }
        put != "" && $1 != "permit_mynetworks" { print put; put = "" } NF { print } END { if (put != "") print put }' <<< "$new")
    fi
    [ -n "$new" ] || continue
    # A value in master.cf has no spaces in all versions of Postfix.
    values+=("kolab_${stage}_restrictions = ${new//$'\n'/, }")
    own+=("$service/inet/$name=\$kolab_${stage}_restrictions")
  done
done
[ ${#own[@]} = 0 ] || { postconf -e "${values[@]}"; postconf -P "${own[@]}"; }
