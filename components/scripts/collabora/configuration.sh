# shellcheck shell=bash
# coolwsd's file, tag by tag: hosts are a list there, to which options only add.

# without_hosts FILE: FILE without the hosts that may have documents opened. Their list is there, and empty: without it every
# host would be allowed.
without_hosts() {
  local rest out='' path='' tag name body before found=''
  # A > in quotes ends no tag.
  local tags="^([^][:space:]/>]+)(([^>\"']|\"[^\"]*\"|'[^']*')*)>"
  local none='<alias_groups mode="groups"></alias_groups>'
  rest=$(< "$1")
  while [[ $rest == *'<'* ]]; do
    before=${rest%%'<'*} rest=${rest#*'<'}
    is_host "$path" || out+=$before
    case $rest in
      '!--'*) through '-->'; continue ;;
      '![CDATA['*) through ']]>'; is_host "$path" || out+="<$body"; continue ;;
      ['!?']*) through '>'; out+="<$body"; continue ;;
      /*)
        through '>'
        name=${body#/} name=${name%>} name=${name%%[[:space:]]*}
        [ "${path##*/}" = "$name" ] || fail "$1 has a </$name> where it has no <$name>: the image differs from the one this stack was made for"
        [[ $path != */storage/wopi ]] || out+=$none
        is_host "$path" || out+="</$name>"
        path=${path%/*}
        continue
        ;;
    esac
    [[ $rest =~ $tags ]] || fail "$1 has a tag that does not end: the image differs from the one this stack was made for"
    tag=${BASH_REMATCH[0]} name=${BASH_REMATCH[1]} body=${BASH_REMATCH[2]}
    rest=${rest:${#tag}} path+=/$name
    [[ $path != */storage/wopi ]] || found=1
    is_host "$path" || out+="<$name${body%/}>"
    # An element that is one tag ends as if it were two.
    case $body in */) rest="</$name>$rest" ;; esac
  done
  [ -z "$path" ] || fail "$1 has a <${path##*/}> without its </${path##*/}>: the image differs from the one this stack was made for"
  [ -n "$found" ] || fail "$1 has no element wopi: who may have documents opened stands elsewhere"
  printf '%s\n' "$out" > "$1"
}

# is_host PATH: what stands there is one of wopi's hosts, or their list
is_host() { case $1/ in */storage/wopi/host/* | */storage/wopi/alias_groups/*) ;; *) return 1 ;; esac; }

# through END: BODY is what without_hosts has yet to read up to END, which is read
through() {
  [[ $rest == *"$1"* ]] || fail "the configuration has a < without its $1: the image differs from the one this stack was made for"
  body=${rest%%"$1"*}$1 rest=${rest#*"$1"}
}
