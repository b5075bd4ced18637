# shellcheck shell=bash
# Stands in for the commands by which the image's init calls Laravel, however it does: `php ... ./artisan COMMAND`,
# `./artisan COMMAND`, either by its path, by a command that runs others, or by a shell.
# A program of the image's that calls them is not seen.
laravel() {
  local text=" ${*:2} "
  endangers "$@"
  case $text in
    *' octane:start '* | *' horizon '*) exec "$@" ;;
    *' migrate '* | *' data:init '*)
      # A rehearsal changes nothing.
      [ "${KOLAB_TASK-}" != rehearse ] || return 0
      # The image goes on when one fails, and serves it as if nothing had happened.
      command "$@" || fail "'${*:2}' failed; nothing is served: its own words stand above"
      ;;
    # A rehearsal has no way to what they wait for.
    *' db:ping '* | *' status:health '*) [ "${KOLAB_TASK-}" = rehearse ] || command "$@" ;;
    *) command "$@" ;;
  esac
}

# endangers COMMAND...: the image's check for an empty database takes any failure for "empty". Here there are accounts
# (wait.sh), and nothing that makes or fills tables anew is run, nor a script that does.
endangers() {
  local word found='' destroys='migrate:(fresh|refresh|reset|rollback)|db:(wipe|seed)|migrate[^;&|]*--seed'
  for word in "${@:2}"; do
    [ ! -f "$word" ] || ! grep -EqsI -e "$destroys" -- "$word" || found=1
  done
  [[ -z $found && ! "$*" =~ $destroys ]] || fail "the image would drop or overwrite what the database holds, and was not let to: ${*:2}"
}

for KOLAB_NAME in {,/bin/,/usr/bin/}{php,bash,sh} {,./,/opt/app-root/src/}artisan timeout sudo "${KOLAB_RUNNERS[@]}"; do
  eval "$KOLAB_NAME() { laravel $KOLAB_NAME \"\$@\"; }"
done
