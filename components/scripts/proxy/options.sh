# shellcheck shell=bash disable=SC2034 # other files read what this one finds
# told WORD...: what nginx is told on its command line (nginx: src/core/nginx.c, ngx_get_options): KOLAB_CONF is its file, and
# KOLAB_SAID what it reads before that. Fails for a command that only looks at something, or speaks to an nginx that runs.
told() {
  local word rest
  KOLAB_CONF=/etc/nginx/nginx.conf KOLAB_SAID=''
  while [ $# -gt 0 ]; do
    word=${1#-}
    shift
    while [ -n "$word" ]; do
      case $word in
        q*) word=${word#q}; continue ;;
        [cegp]*) rest=${word:1} ;;
        *) return 1 ;;
      esac
      [ -n "$rest" ] || { rest=${1-}; [ $# = 0 ] || shift; }
      case $word in c*) KOLAB_CONF=$rest ;; g*) KOLAB_SAID=$rest ;; esac
      word=''
    done
  done
}
# called NAME WORD...: the image's init calls nginx
called() {
  if told "${@:2}"; then kolab_handed_over "$@"; else command "$@"; fi
}
