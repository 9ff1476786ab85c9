#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Makes the programs to compare with, as one-word commands:
#
#   $CACHE/peers/bin/pahole-1.24             the host's own
#   $CACHE/peers/bin/pahole-1.32             sid's, with libbpf 1.8
#   $CACHE/peers/bin/pahole-1.32-libbpf17    sid's as it is
#   $CACHE/peers/bin/bpftool-7.8             sid's
#   $CACHE/peers/sid/                        a root of suite sid, with a compiler
#   $CACHE/peers/libbpf-1.8/                 built from sid's kernel source
#
# sid's programs run through sid's own dynamic loader, not in a chroot, so that
# the host's paths mean the same to them. Needs root (mmdebstrap, chroot).

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PEERS=$CACHE/peers
SID=$PEERS/sid
LIBBPF=$PEERS/libbpf-1.8
LOADER=$SID/lib64/ld-linux-x86-64.so.2
SID_LIBS=$SID/lib/x86_64-linux-gnu:$SID/usr/lib/x86_64-linux-gnu

sid_root() {
    local tmp
    [ ! -d "$SID" ] || return 0
    tmp=$(fresh "$SID")
    mmdebstrap --quiet --mode=root --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
        --include=pahole,bpftool,gcc,make,python3,bc,flex,bison,libssl-dev,libelf-dev,zlib1g-dev,perl,kmod,cpio,xz-utils \
        sid "$tmp" "deb [signed-by=$DEBIAN_KEYRING] $(debian_uri) sid main"
    mv "$tmp" "$SID"
    status "sid root ready, $(du -sh "$SID" | cut -f1)"
}

libbpf() {
    local tmp work source
    [ ! -d "$LIBBPF" ] || return 0
    echo "$(debian_uri) sid" | private_apt sid amd64
    local -x APT_CONFIG=$CACHE/apt-sid/apt.conf
    source=$(apt-cache search --names-only '^linux-source-[0-9.]+$' | cut -d' ' -f1 | sort -V | tail -n 1)
    [ -n "$source" ] || die "no kernel source in sid"
    status "building libbpf from $source"
    tmp=$(fresh "$LIBBPF")
    fetch "$source" "$tmp/package"
    # Inside the sid root, because it is built with sid's compiler and libc.
    work=$SID/tmp/libbpf
    rm -rf "$work"
    mkdir -p "$work"
    xz -T0 -dc "$tmp/package/usr/src/$source.tar.xz" |
        tar -C "$work" --strip-components=1 -xf - \
            "$source"/tools/{lib,include,build,scripts,arch} "$source"/{scripts,kernel/bpf}
    chroot "$SID" make -s -j"$(nproc)" -C /tmp/libbpf/tools/lib/bpf >"$tmp/log" 2>&1 ||
        { tail -n 20 "$tmp/log" >&2; die "libbpf does not build"; }
    cp -a "$work"/tools/lib/bpf/libbpf.so* "$tmp/"
    rm -rf "$work" "$tmp/package"
    [ -e "$tmp/libbpf.so.1.8.0" ] || die "$source has another libbpf: $(cd "$tmp" && echo libbpf.so.*)"
    mv "$tmp" "$LIBBPF"
    status "libbpf 1.8 ready"
}

# wrapper NAME COMMAND...
wrapper() {
    local name=$1
    shift
    {
        echo '#!/bin/sh'
        echo 'unset PAHOLE_VMLINUX_BTF_FILENAME'
        printf 'exec'
        printf " '%s'" "$@"
        echo ' "$@"'
    } >"$PEERS/bin/.$name"
    chmod +x "$PEERS/bin/.$name"
    mv "$PEERS/bin/.$name" "$PEERS/bin/$name"
}

# expect NAME VERSION: what the wrapper runs is what its name says.
expect() {
    local got
    got=$("$PEERS/bin/$1" --version)
    got=${got%%$'\n'*}
    case $got in
    *v"$2" | *v"$2".*) ;;
    *) die "$1 --version says $got" ;;
    esac
}

# bound_libbpf LIBRARY_PATH: the libbpf which pahole is bound to there.
bound_libbpf() {
    readlink -f "$("$LOADER" --library-path "$1" --list "$SID/usr/bin/pahole" | awk '/libbpf/ { print $3 }')"
}

lock
mkdir -p "$PEERS/bin"
sid_root
libbpf

host_pahole=$(command -v pahole) || die "the host has no pahole"
wrapper pahole-1.24 "$host_pahole"
wrapper pahole-1.32 "$LOADER" --library-path "$LIBBPF:$SID_LIBS" "$SID/usr/bin/pahole"
wrapper pahole-1.32-libbpf17 "$LOADER" --library-path "$SID_LIBS" "$SID/usr/bin/pahole"
wrapper bpftool-7.8 "$LOADER" --library-path "$SID_LIBS" "$SID/usr/sbin/bpftool"

expect pahole-1.24 1.24
expect pahole-1.32 1.32
expect pahole-1.32-libbpf17 1.32
expect bpftool-7.8 7.8
with=$(bound_libbpf "$LIBBPF:$SID_LIBS")
without=$(bound_libbpf "$SID_LIBS")
[ "$with" = "$(readlink -f "$LIBBPF/libbpf.so.1.8.0")" ] || die "pahole-1.32 is bound to $with"
case $without in
"$(readlink -f "$SID")"/*/libbpf.so.1.7.*) ;;
*) die "pahole-1.32-libbpf17 is bound to $without" ;;
esac
status "peers ready"
