#!/bin/sh
# Runs Go tests on other kernels, in virtual machines: tools/vmtest.sh -h tells more, and docs/kernel-matrix.md all. It works from any directory, also
# of another project, and takes the packages to be of that.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
mkdir -p "$top/bin"
# Two runs at once must not write one file. Where nothing changed, go leaves the copy as it is, which is fast.
new=$(mktemp "$top/bin/vmtest.XXXXXX")
trap 'rm -f "$new"' EXIT
trap 'exit 1' INT TERM HUP
cp -p "$top/bin/vmtest" "$new" 2>/dev/null || rm -f "$new"
(cd "$top" && CGO_ENABLED=0 go build -buildvcs=false -o "$new" ./internal/testvm/vmtest)
mv -f "$new" "$top/bin/vmtest"
trap - EXIT INT TERM HUP
exec "$top/bin/vmtest" "$@"
