#!/bin/sh
# release-notes.sh VERSION: prints the section of CHANGELOG.md for VERSION; fails when there is none.
set -eu
awk -v version="$1" '
  /^## / { inside = index($0, "## [" version "]") == 1; next }
  inside { print; found = 1 }
  END { exit !found }
' CHANGELOG.md
