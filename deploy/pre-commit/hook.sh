#!/bin/sh
# Runs `tidegate check` on the folders that the arguments of the hook name, with a tidegate of the path if it has the version of this hook,
# else with the released binary, which is downloaded once. TIDEGATE_RELEASES names another place of released binaries.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/../Cargo.toml" | head -n 1)
if [ "$(tidegate --version 2>/dev/null || true)" = "tidegate $version" ]; then
    exec tidegate check "$@"
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tidegate/$version
if [ ! -x "$cache/tidegate" ]; then
    if [ -z "${TIDEGATE_RELEASES:-}" ]; then
        origin=$(git -C "$here" config --get remote.origin.url || true)
        TIDEGATE_RELEASES=${origin%.git}/releases/download
        export TIDEGATE_RELEASES
    fi
    sh "$here/install.sh" "$version" "$cache" >&2
fi
exec "$cache/tidegate" check "$@"
