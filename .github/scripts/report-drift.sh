#!/bin/sh
# report-drift.sh STACK FILE: opens an issue about a stack that differs from its file, or adds to the open one.
# Reads GH_TOKEN, GITHUB_REPOSITORY and RUN_URL. The difference itself stays in the run's log: it may name addresses.
set -eu
stack=$1 file=$2
title="Stack $stack differs from its file, or cannot be compared"
body="$(printf 'The nightly comparison of `%s` ended with changes or an error: %s\n\nLast line: `%s`\n' \
  "$stack" "$RUN_URL" "$(tail -n 1 "$file" | tr -d '`' | cut -c1-200)")"
number=$(gh issue list --repo "$GITHUB_REPOSITORY" --state open --search "in:title \"$title\"" --json number --jq '.[0].number // empty')
if [ -n "$number" ]; then
  gh issue comment "$number" --repo "$GITHUB_REPOSITORY" --body "$body"
else
  gh issue create --repo "$GITHUB_REPOSITORY" --title "$title" --body "$body"
fi
