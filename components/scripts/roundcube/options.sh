# shellcheck shell=bash disable=SC2034 # other files read what this one finds
# told WORD...: what Apache is told on its command line (httpd: server/main.c, and `-k` of its modules for processes):
# KOLAB_FOREGROUND is set where it stays. Fails for a command that only looks at something, or ends one that runs.
told() {
  local word rest
  KOLAB_FOREGROUND=''
  while [ $# -gt 0 ]; do
    word=${1#-}
    shift
    while [ -n "$word" ]; do
      case $word in
        X*) KOLAB_FOREGROUND=yes word=${word:1}; continue ;;
        T*) word=${word:1}; continue ;;
        [CcDdEefk]*) rest=${word:1} ;;
        *) return 1 ;;
      esac
      [ -n "$rest" ] || { rest=${1-}; [ $# = 0 ] || shift; }
      case ${word:0:1}$rest in DFOREGROUND | DNO_DETACH) KOLAB_FOREGROUND=yes ;; kstop | kgraceful-stop) return 1 ;; esac
      word=''
    done
  done
}
# called NAME WORD...: the image's init calls Apache
called() {
  if told "${@:2}"; then kolab_handed_over "$@"; else command "$@"; fi
}
