# shellcheck shell=bash disable=SC2034 # other files read what this one finds
# nginx' configuration as statements, however its lines are written (nginx: src/core/ngx_conf_file.c, ngx_conf_read_token).
# Statement n, counted from 1, has the words ${WORDS[n]} (each with an end mark, quotes taken off), is written ${TEXT[n]},
# ends with ${ENDS[n]} (`;` or `{`), and stands in block ${IN[n]}; block 0 is the whole file. What stands in a file that is
# included stands where the include was. ${GONE[n]} is set for what shall not be written again, and ${MORE[n]} has lines to
# be written first in a block. ${OURS[n]} is set for what this stack says: in its own files, or after the line of OUR_MARK.
MARK=$'\037' OUR_MARK='# of this stack'

# read_statements FILE FOLDER: the statements of FILE; names in it that are not absolute are below FOLDER
read_statements() {
  WORDS=('') TEXT=('') ENDS=('{') IN=(0) GONE=() MORE=() OURS=() OPEN=0 WORD='' WRITTEN='' MARKED=''
  add_statements "$1" "$2"
  [ "$OPEN$WORD" = 0 ] || fail "$1 ends within a block or a statement"
}

add_statements() {
  local rest more ours=${ours-}
  case $1 in /etc/nginx/conf.d/kolab.conf | /etc/nginx/default.d/kolab.conf) ours=1 ;; esac
  # A word is quoted as a whole, or not at all; ${...} is a variable and begins no block.
  local single="^'(([^'\\\\]|\\\\.)*)'" double='^"(([^"\\]|\\.)*)"' plain='^((\$\{|\\.|[^[:space:];{\\])+)'
  while IFS= read -r rest || [ -n "$rest" ]; do
    while rest=${rest#"${rest%%[![:space:]]*}"} && [ -n "$rest" ]; do
      case $rest in
        '#'*) [ "$rest" != "$OUR_MARK" ] || MARKED=1; break ;;
        ';'*) end_statement ';' "$2"; rest=${rest:1} ;;
        '{'*) end_statement '{' "$2"; rest=${rest:1} ;;
        '}'*)
          [[ $OPEN != 0 && -z $WORD ]] || fail "$1: a } that closes nothing"
          OPEN=${IN[OPEN]} rest=${rest:1}
          ;;
        *)
          case $rest in "'"*) more=$single ;; '"'*) more=$double ;; *) more=$plain ;; esac
          if [[ $rest =~ $more ]]; then
            WRITTEN+=" ${BASH_REMATCH[0]}"
            rest=${rest:${#BASH_REMATCH[0]}}
            more=${BASH_REMATCH[1]}
            case $more in *\\*) more=${more//\\\"/\"} more=${more//\\\'/\'} more=${more//\\\\/\\} ;; esac
            WORD+=$more$MARK
          else
            IFS= read -r more || [ -n "$more" ] || fail "$1: a quote that does not end"
            rest+=$'\n'$more
          fi
          ;;
      esac
    done
  done < "$1"
}

end_statement() {
  local number=${#WORDS[@]} words=$WORD file
  [ -n "$words" ] || fail "nginx' configuration has a statement without words"
  local written=${WRITTEN:1}
  WORD='' WRITTEN=''
  if [ "${words%%"$MARK"*}" = include ] && [ "$1" = ';' ]; then
    file=${words#include"$MARK"} file=${file%"$MARK"}
    case $file in /*) ;; *) file=$2/$file ;; esac
    # What is missing stays, so that nginx names it; a pattern may match nothing.
    # shellcheck disable=SC2086 # a pattern is meant
    if compgen -G "$file" > /dev/null; then
      for file in $file; do add_statements "$file" "$2"; done
      return
    fi
    case $file in *[*?[]*) return ;; esac
  fi
  WORDS[number]=$words TEXT[number]=$written ENDS[number]=$1 IN[number]=$OPEN OURS[number]=${MARKED:-${ours-}} MARKED=''
  [ "$1" = ';' ] || OPEN=$number
}

# found BLOCK NAME: FOUND are the statements NAME that stand in BLOCK itself
found() {
  local each
  FOUND=()
  for each in "${!WORDS[@]}"; do
    [[ ${IN[each]} = "$1" && ${WORDS[each]%%"$MARK"*} = "$2" && -z ${GONE[each]-} && $each != 0 ]] || continue
    FOUND+=("$each")
  done
}

# found_below BLOCK NAME: FOUND are the statements NAME in BLOCK and in the blocks in it
found_below() {
  local each block
  FOUND=()
  for each in "${!WORDS[@]}"; do
    [[ ${WORDS[each]%%"$MARK"*} = "$2" && -z ${GONE[each]-} ]] || continue
    block=$each
    while [ "$block" != 0 ]; do
      block=${IN[block]}
      [ "$block" != "$1" ] || { FOUND+=("$each"); break; }
    done
  done
}

# words STATEMENT: ARGS are its words after the name
words() { IFS=$MARK read -r -d '' -a ARGS <<< "${WORDS[$1]}" || :; ARGS=("${ARGS[@]:1:${#ARGS[@]}-2}"); }

# value BLOCK NAME: VALUE is what NAME says in BLOCK, or in the nearest block around it that says anything; empty for nothing
value() {
  local block=$1
  VALUE=''
  while :; do
    found "$block" "$2"
    if [ ${#FOUND[@]} != 0 ]; then words "${FOUND[-1]}"; VALUE="${ARGS[*]}"; return; fi
    [ "$block" != 0 ] || return 0
    block=${IN[block]}
  done
}

# only BLOCK VALUE...: NAME=VALUE as the first word and the rest: it stands in BLOCK once, and nowhere in the blocks in it
only() {
  local each
  found_below "$1" "$2"
  for each in "${FOUND[@]}"; do GONE[each]=1; done
  MORE[$1]+="${*:2};"$'\n'
}

# not_by_image BLOCK NAME: no statement NAME of the image's is left in BLOCK or in the blocks in it
not_by_image() {
  local each
  found_below "$1" "$2"
  for each in "${FOUND[@]}"; do [ -n "${OURS[each]-}" ] || GONE[each]=1; done
}

write_statements() {
  local each block=0
  printf %s "${MORE[0]-}"
  for each in "${!WORDS[@]}"; do
    [[ $each != 0 && -z ${GONE[each]-} ]] || continue
    while [ "$block" != "${IN[each]}" ]; do printf '}\n'; block=${IN[block]}; done
    [ -z "${OURS[each]-}" ] || printf '%s\n' "$OUR_MARK"
    if [ "${ENDS[each]}" = '{' ]; then
      printf '%s {\n%s' "${TEXT[each]}" "${MORE[each]-}"
      block=$each
    else
      printf '%s;\n' "${TEXT[each]}"
    fi
  done
  while [ "$block" != 0 ]; do printf '}\n'; block=${IN[block]}; done
}
