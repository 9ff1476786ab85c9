#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Does a machine show in what kbtf makes? Of the inputs beside this script it makes, in a guest with a Debian system,
# what stage.sh had it make on the host: there are another kernel, processor, user land, host name and number of
# processors, other directories and file times. The environment may name KBTF and BASE, the kernel's BTF.
#
#   same_bytes.sh            makes all of it again, compares it with expected/, prints KTAP
#   same_bytes.sh make DIR   makes it in DIR

set -eu
inputs=$(dirname "$(readlink -f "$0")")/inputs
: "${KBTF:=kbtf}" "${BASE:=/sys/kernel/btf/vmlinux}"

# make_all DIR
make_all() {
    for object in "$inputs"/*.bpf.o; do
        name=$(basename "$object" .bpf.o)
        "$KBTF" gen skeleton -q -L "$object" >"$1/$name.lskel.h"
        "$KBTF" gen module -q -o "$1/$name" "$object"
        "$KBTF" gen selftest -q "$1/$name"
        "$KBTF" gen object "$1/$name.linked.o" "$object"
    done
    for module in "$inputs"/*.ko; do
        name=$(basename "$module" .ko)
        "$KBTF" encode -q --base "$BASE" --detached "$1/$name.split.btf" "$module"
        "$KBTF" encode -q --standalone --detached "$1/$name.standalone.btf" "$module"
    done
    # What may be executed here would count as a test of the guest's.
    find "$1" -type f -exec chmod 0644 {} +
}

if [ "${1-}" = make ]; then
    make_all "$2"
    exit
fi

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
make_all "$made"
cd "$(dirname "$inputs")/expected"
echo "KTAP version 1"
find . -type f | sort >"$made.names"
echo "1..$(($(wc -l <"$made.names") + 1))"
points=0
failed=0
# point NAME COMMAND...
point() {
    name=$1
    shift
    points=$((points + 1))
    if "$@"; then
        echo "ok $points $name"
    else
        echo "not ok $points $name"
        failed=1
    fi
}
point "the same files" sh -c "cd '$made' && find . -type f | sort | cmp - '$made.names'"
while read -r file; do point "$file" cmp "$file" "$made/$file"; done <"$made.names"
rm "$made.names"
exit "$failed"
