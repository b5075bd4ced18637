# shellcheck shell=bash
# Stands in for the commands by which the image's init calls Laravel, `php ... ./artisan COMMAND` or `./artisan COMMAND`.
artisan() {
  case " ${*:2} " in
    *' octane:start '* | *' horizon '*) exec "$@" ;;
    # The image's check for an empty database takes any failure for "empty".
    *' migrate:fresh '* | *' migrate:refresh '* | *' migrate:reset '* | *' db:wipe '*)
      fail "the image would drop every table of the database, and was not let to: ${*:2}"
      ;;
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
php() { artisan php "$@"; }
./artisan() { artisan ./artisan "$@"; }
