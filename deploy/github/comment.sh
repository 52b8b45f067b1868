#!/bin/sh
# Keeps one comment on a pull request up to date: comment.sh FILE
#
# In (environment): GH_TOKEN, REPOSITORY (owner/name), NUMBER of the pull request. The first line of FILE marks the comment.
set -eu

file=${1:?usage: comment.sh FILE}
mark=$(head -n 1 "$file")
# Apart from what looks through it, so that a list that cannot be had is no list without our comment.
known=$(gh api --paginate "repos/$REPOSITORY/issues/$NUMBER/comments" --jq ".[] | select(.body | startswith(\"$mark\")) | .id")
existing=$(printf '%s\n' "$known" | head -n 1)
if [ -n "$existing" ]; then
    gh api --method PATCH "repos/$REPOSITORY/issues/comments/$existing" --field "body=@$file" --silent
else
    gh api --method POST "repos/$REPOSITORY/issues/$NUMBER/comments" --field "body=@$file" --silent
fi
