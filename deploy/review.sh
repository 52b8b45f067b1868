#!/bin/sh
# Reviews a change: findings of the new state, and what it opens and closes compared with REVIEW_BASE.
#
# In (environment): REVIEW_PATH, REVIEW_BASE (a git revision; empty compares nothing), REVIEW_CLUSTER (a snapshot or empty),
# REVIEW_DIALECT, REVIEW_FAIL_ON, REVIEW_OUT (a folder), REVIEW_ANNOTATIONS (a format for standard output: github, concise, text).
# Out: check.sarif, codequality.json, junit.xml, comment.md in REVIEW_OUT. Where GITHUB_OUTPUT is set, the result goes there and the
# script ends in 0; else it ends as the worse of both commands: 0 clean, 1 findings, 2 an error.
set -u

path=${REVIEW_PATH:-.}
out=${REVIEW_OUT:-tidegate-review}
mkdir -p "$out" || exit 2
# What an earlier run left says nothing of this one, and reports inside the reviewed folder are no manifests of it.
rm -f "$out/check.sarif" "$out/codequality.json" "$out/junit.xml" "$out/check.md" "$out/diff.md" "$out/comment.md"
printf '*\n' >"$out/.tidegateignore" || exit 2
set --
[ -z "${REVIEW_CLUSTER:-}" ] || set -- --cluster "$REVIEW_CLUSTER"
dialect=${REVIEW_DIALECT:-auto}

tidegate check "$path" "$@" --dialect "$dialect" \
    -o "${REVIEW_ANNOTATIONS:-concise}" -o "sarif=$out/check.sarif" -o "gitlab=$out/codequality.json" \
    -o "junit=$out/junit.xml" -o "markdown=$out/check.md"
checked=$?

base=${REVIEW_BASE:-}
# Forty digits in each place would make a comment hard to read.
case $base in
    '' | *[!0-9a-f]*) ;;
    *) base=$(git rev-parse --verify --quiet --short "$base^{commit}" || echo "$base") ;;
esac
compared=0
if [ -n "$base" ]; then
    tidegate diff "$base:$path" "$path" "$@" --old-dialect "$dialect" --new-dialect "$dialect" \
        --fail-on "${REVIEW_FAIL_ON:-none}" -o "markdown=$out/diff.md"
    compared=$?
fi

{
    # The first line is how the comment is found again.
    echo '<!-- tidegate -->'
    # What was compared in part would read as if nothing else changed.
    [ "$compared" -ge 2 ] || [ ! -f "$out/diff.md" ] || grep -v '^<!-- tidegate' "$out/diff.md"
    [ "$compared" -lt 2 ] || printf '\n**The change could not be compared.** The log of the job says why.\n'
    [ ! -f "$out/check.md" ] || { echo; grep -v '^<!-- tidegate' "$out/check.md"; }
    [ "$checked" -lt 2 ] || printf '\n**Some files could not be checked.** The log of the job says which.\n'
} >"$out/comment.md"

code=$checked
[ "$compared" -le "$code" ] || code=$compared
if [ -n "${GITHUB_OUTPUT:-}" ]; then
    case $code in 0) result=clean ;; 1) result=findings ;; *) result=error ;; esac
    printf 'code=%s\nresult=%s\n' "$code" "$result" >>"$GITHUB_OUTPUT"
    # The action asks whether there is something to upload; a step's condition cannot look outside of the checkout.
    [ ! -f "$out/check.sarif" ] || printf 'sarif=true\n' >>"$GITHUB_OUTPUT"
    [ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$out/comment.md" >>"$GITHUB_STEP_SUMMARY"
    exit 0
fi
exit "$code"
