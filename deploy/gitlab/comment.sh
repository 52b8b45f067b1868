#!/bin/sh
# Keeps one comment on a merge request up to date: comment.sh FILE
#
# In (environment, as GitLab sets it): CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID; TIDEGATE_TOKEN, a token with the scope `api`.
# The first line of FILE marks the comment. Needs curl and jq.
set -eu

file=${1:?usage: comment.sh FILE}
mark=$(head -n 1 "$file")
notes=$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes

ask() {
    curl --fail --silent --show-error --header "PRIVATE-TOKEN: $TIDEGATE_TOKEN" "$@"
}

note=
page=1
while [ -z "$note" ]; do
    known=$(ask "$notes?per_page=100&page=$page")
    note=$(printf '%s' "$known" | jq --raw-output --arg mark "$mark" 'map(select(.body | startswith($mark)))[0].id // empty')
    [ "$(printf '%s' "$known" | jq length)" -eq 100 ] || break
    page=$((page + 1))
done
if [ -n "$note" ]; then
    ask --request PUT --data-urlencode "body@$file" --output /dev/null "$notes/$note"
else
    ask --request POST --data-urlencode "body@$file" --output /dev/null "$notes"
fi
