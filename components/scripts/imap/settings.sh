# shellcheck shell=bash
# Sourced by start.sh: imapd.conf by its keys (imapd.conf(5)). An option that is there twice stops Cyrus.
declare -A OWN

# told KEY: what the image's file says, without blanks around it
told() {
  awk -v key="$1" '{ name = tolower($0); sub(/^[ \t]+/, "", name); sub(/[ \t]*:.*/, "", name) }
    name == key { sub(/^[^:]*:[ \t]*/, ""); sub(/[ \t]+$/, ""); print; exit }' "$SETTINGS"
}
only() { OWN[$1]=$2; }
unless_told() { [ -n "$(told "$1")" ] || only "$1" "$2"; }

# Passwords: asked of the web application alone. Cyrus takes them without TLS from the proxy, the webmail and the web
# application, which speak none; from outside it does not.
only sasl_pwcheck_method saslauthd
only sasl_saslauthd_path /run/saslauthd/mux
# Whoever asks it needs the password itself.
only sasl_mech_list 'PLAIN LOGIN'
only allowanonymouslogin no
only allowplaintext yes
only admins "$IMAP_ADMIN_LOGIN"
only proxyservers "$IMAP_ADMIN_LOGIN"
only tls_server_cert "$KOLAB_BUNDLE"
only tls_server_key "$KOLAB_BUNDLE"
OWN[publicsieve_allowplaintext]=no
OWN[publicsieve_tls_versions]='tls1_2 tls1_3'
# How names and files of mailboxes are made: with other answers the mail that is there would not be found.
only virtdomains userid
only unixhierarchysep 1
only altnamespace 1
only hashimapspool 1
only fulldirhash 0
only sieveusehomedir 0
# autocreate_post: without it, mail for a user who never logged in is refused for good ("550 Mailbox unknown"). It does
# nothing without a quota (KiB), which images of generation B do not name.
only autocreate_post 1
[[ $(told autocreate_quota) =~ ^[0-9]+$ ]] || only autocreate_quota 5242880
# What is deleted can be brought back for days (docs/how-to/back-up-and-restore.md).
only expunge_mode delayed
only delete_mode delayed
unless_told autocreate_inbox_folders 'Drafts | Trash | Sent'
unless_told autocreate_subscribe_folders 'Drafts | Trash | Sent'
# Roundcube's tags are annotations that Cyrus must not know beforehand.
only annotation_allow_undefined 1
# The image has no sendmail. Without a way out a vacation note is lost, and a redirected message stays here alone.
only smtp_backend host
only smtp_host "$KOLAB_ANSWERS/noauth"

# What another file says would be told from none of ours, and stop Cyrus or undo them.
included=$(grep -Em 1 '^[[:space:]]*@' "$SETTINGS" || true)
[ -z "$included" ] || fail "$SETTINGS has '$included', and this stack reads no other file$DIFFERS"

# Ours alone: a service may have an option of its own in its name.
write_settings() {
  local kept key
  kept=$(awk -v keys=" ${!OWN[*]} " -v names="$(cyrus_conf list | awk '{ printf "%s ", $1 }')" '
    BEGIN { count = split(names, service, " ") }
    again { again = /\\$/; next }
    /^[ \t]*[A-Za-z]/ {
      name = tolower($0); sub(/^[ \t]+/, "", name); sub(/[ \t]*:.*/, "", name)
      gone = index(keys, " " name " ")
      for (i = 1; i <= count; i++)
        if (index(name, tolower(service[i]) "_") == 1) gone = gone || index(keys, " " substr(name, length(service[i]) + 2) " ")
      if (gone) { again = /\\$/; next }
    }
    { print }' "$SETTINGS")
  {
    printf '%s\n' "$kept"
    for key in "${!OWN[@]}"; do printf '%s: %s\n' "$key" "${OWN[$key]}"; done | sort
  } > "$SETTINGS"
}
