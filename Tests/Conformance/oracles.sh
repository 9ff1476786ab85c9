#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Makes what pahole 1.32 with libbpf 1.8 says of the fetched kernels, under
# $CACHE/oracles/<series>/:
#
#   vmlinux-legacy.btf, vmlinux-default.btf   the base, once for each feature list
#   vmlinux-full.btf                          ... with all that pahole offers
#   legacy/<module>.btf, default/<module>.btf modules split on the base of that list
#   standalone/<module>.btf                   modules without a base, legacy features
#
# of 7.2 vmlinux-default.btf, vmlinux-full.btf, default/ and full/, of 7.3 the first and the third, of 6.1-amd64 the first two;
# and under $CACHE/oracles/6.1-<arch>/:
#
#   standalone-legacy/<module>.btf, standalone-default/<module>.btf
#
# <module> is the path below .../lib/modules/<release>, as kernel/fs/fuse/fuse.ko.
# The file `failed` of each directory lists the modules without a result:
# module, exit status and message, with tabs between.
#
# Needs inputs.sh and peers.sh to have run; works without the network.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=features.sh
source "$(dirname "${BASH_SOURCE[0]}")/features.sh"

PAHOLE=$CACHE/peers/bin/pahole-1.32
export PAHOLE

# base SERIES NAME FEATURES
base() {
    local dir=$CACHE/oracles/$1 out=$CACHE/oracles/$1/vmlinux-$2.btf release
    [ ! -e "$out" ] || return 0
    release=$(<"$CACHE/kernels/$1/release")
    mkdir -p "$dir"
    SECONDS=0
    "$PAHOLE" -J -j2 --lang_exclude=rust --btf_features="$3" --btf_encode_detached="$dir/.tmp.btf" \
        "$CACHE/kernels/$1/dbg/usr/lib/debug/boot/vmlinux-$release"
    mv "$dir/.tmp.btf" "$out"
    status "$1: vmlinux-$2.btf, $(stat -c %s "$out") bytes, $SECONDS s"
}

# encode MODULE OUT FEATURES BASE: runs in a shell of its own, in the directory of
# the modules. BASE is empty for none. Without a result, prints why.
encode() {
    local ko=$1 out=$2/$1.btf message code=0
    mkdir -p "$(dirname "$out")"
    message=$("$PAHOLE" -J --lang_exclude=rust --btf_features="$3" --btf_encode_detached="$out" \
        ${4:+--btf_base="$4"} "$ko" 2>&1) || code=$?
    if [ "$code" -ne 0 ] || [ ! -s "$out" ]; then
        rm -f "$out"
        printf '%s\t%s\t%s\n' "$ko" "$code" "$(tr '\t\n' '  ' <<<"$message")"
    elif [ -n "$message" ]; then
        printf '%s\t%s\n' "$ko" "$(tr '\t\n' '  ' <<<"$message")" >&2
    fi
}
export -f encode

# modules SERIES NAME FEATURES [BASE]
modules() {
    local dir=$CACHE/oracles/$1/$2 tmp release
    [ ! -d "$dir" ] || return 0
    release=$(<"$CACHE/kernels/$1/release")
    mkdir -p "$CACHE/oracles/$1"
    tmp=$(fresh "$dir")
    SECONDS=0
    cd "$CACHE/kernels/$1/dbg/usr/lib/debug/lib/modules/$release"
    # shellcheck disable=SC2016  # the inner shell expands these
    find kernel -name '*.ko' | sort |
        xargs -P2 -I{} bash -c 'encode "$@"' encode {} "$tmp" "$3" "${4-}" >"$tmp/.failed" 2>"$tmp/messages"
    sort "$tmp/.failed" >"$tmp/failed"
    rm "$tmp/.failed"
    mv "$tmp" "$dir"
    status "$1: $2, $(find "$dir" -name '*.btf' | wc -l) modules, $(wc -l <"$dir/failed") failed," \
        "$(wc -l <"$dir/messages") with messages, $(du -sh "$dir" | cut -f1), $SECONDS s"
}

split_and_whole() {
    local out=$CACHE/oracles/$1
    base "$1" legacy "$LEGACY"
    base "$1" default "$DEFAULT"
    base "$1" full "$FULL"
    modules "$1" legacy "$LEGACY" "$out/vmlinux-legacy.btf"
    modules "$1" default "$DEFAULT" "$out/vmlinux-default.btf"
    modules "$1" standalone "$LEGACY"
}

lock
[ -x "$PAHOLE" ] || die "run peers.sh first"
split_and_whole 6.1
for arch in arm64 s390x; do
    modules "6.1-$arch" standalone-legacy "$LEGACY"
    modules "6.1-$arch" standalone-default "$DEFAULT"
done
split_and_whole 6.12
for series in 7.2 6.1-amd64; do
    base "$series" default "$DEFAULT"
    base "$series" full "$FULL"
done
modules 7.2 default "$DEFAULT" "$CACHE/oracles/7.2/vmlinux-default.btf"
modules 7.2 full "$FULL" "$CACHE/oracles/7.2/vmlinux-full.btf"
# What its build asks pahole for.
base 7.3 default "$DEFAULT"
modules 7.3 default "$DEFAULT" "$CACHE/oracles/7.3/vmlinux-default.btf"
status "all oracles ready"
