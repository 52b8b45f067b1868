#!/bin/sh
# Installs one released version of tidegate: install.sh VERSION FOLDER
#
# TIDEGATE_RELEASES is the address under which each version has a folder `vVERSION` with its archives and SHA256SUMS; what was downloaded
# is compared with its sum before anything is put into FOLDER. Needs curl, tar and sha256sum.
set -eu

version=${1:?usage: install.sh VERSION FOLDER}
folder=${2:?usage: install.sh VERSION FOLDER}
releases=${TIDEGATE_RELEASES:?set TIDEGATE_RELEASES to the address of the releases}
version=${version#v}

case $(uname -m) in
    x86_64) processor=amd64 ;;
    aarch64 | arm64) processor=arm64 ;;
    *)
        echo "error: there is no binary for $(uname -m); build one with \`cargo build --release\`" >&2
        exit 2
        ;;
esac

name=tidegate-$version-linux-$processor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in "$name.tar.gz" SHA256SUMS; do
    curl --fail --silent --show-error --location --retry 3 --output "$work/$file" "$releases/v$version/$file" || {
        echo "error: cannot download $releases/v$version/$file" >&2
        exit 2
    }
done
(cd "$work" && grep "  $name.tar.gz\$" SHA256SUMS | sha256sum --check --quiet --strict -) || {
    echo "error: $name.tar.gz is not the file that was released; nothing is installed" >&2
    exit 2
}
tar -xzf "$work/$name.tar.gz" -C "$work"
mkdir -p "$folder"
# In one step, so that a run beside this one never meets half a binary.
cp "$work/$name/tidegate" "$folder/.tidegate.$$"
mv "$folder/.tidegate.$$" "$folder/tidegate"
"$folder/tidegate" --version
