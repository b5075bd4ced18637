# shellcheck shell=bash
# Sourced. The volume of dumps, whose folders are called after the time at which they were made.
dumps=${KOLAB_DUMPS:-/dumps}

# numbered: "NUMBER FOLDER" of each dump, the one that was made last first. Where a clock was wrong, that is not the order of
# their names. Dumps of an earlier release have no number.
numbered() {
  find "$dumps" -maxdepth 1 -name '20*Z' | while read -r each; do
    echo "$(cat "$each/number" 2> /dev/null || echo 0) $each"
  done | sort -k 1,1nr -k 2,2r
}
newest_first() { numbered | cut -d ' ' -f 2-; }
