#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches every libbpf that Debian has, for libraries.sh and skeletons.sh, besides what peers.sh makes:
#
#   $CACHE/libbpf/NAME/usr/     headers and shared library: 1.1 (bookworm), 1.4 (its backports), 1.5 (trixie), 1.7 (sid),
#                               1.8 (from the source of sid's kernel), 1.8-7.3 (from that of Linux 7.3)
#   $CACHE/peers/bin/bpftool-7.8-7.3    bpftool of Linux 7.3, from whichever suite has it
#
# Needs the network only for what is missing; installs nothing on the host. Needs root (chroot).

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SID=$CACHE/peers/sid

# packaged NAME SUITE
packaged() {
    local dir=$CACHE/libbpf/$1 tmp package
    [ ! -e "$dir/usr" ] || return 0
    status "fetching libbpf $1 of $2"
    echo "$(debian_uri) $2" | private_apt "libbpf-$2" amd64
    mkdir -p "$CACHE/libbpf"
    tmp=$(fresh "$dir")
    for package in libbpf1 libbpf-dev; do APT_CONFIG=$CACHE/apt-libbpf-$2/apt.conf fetch "$package" "$tmp"; done
    [ -e "$(echo "$tmp"/usr/lib/*/libbpf.so."$1".*)" ] || die "$2 has another libbpf: $(cd "$tmp"/usr/lib/* && echo libbpf.so.*)"
    rm -rf "$dir"
    mv "$tmp" "$dir"
}

# from_kernel NAME SERIES: built in sid's root, by its compiler for its libc.
from_kernel() {
    local dir=$CACHE/libbpf/$1 package=linux-source-$2 tmp work=$SID/tmp/libbpf
    [ ! -e "$dir/usr" ] || return 0
    status "building libbpf $1 from $package"
    mkdir -p "$CACHE/libbpf"
    tmp=$(fresh "$dir")
    fetch "$package" "$tmp/package"
    rm -rf "$work"
    mkdir -p "$work"
    xz -T0 -dc "$tmp/package/usr/src/$package.tar.xz" |
        tar -C "$work" --strip-components=1 -xf - \
            "$package"/tools/{lib,include,build,scripts,arch} "$package"/{scripts,kernel/bpf}
    chroot "$SID" make -s -j"$(nproc)" -C /tmp/libbpf/tools/lib/bpf DESTDIR=/tmp/libbpf/out prefix=/usr \
        libdir=/usr/lib/x86_64-linux-gnu install install_headers >"$tmp.log" 2>&1 ||
        { tail -n 20 "$tmp.log" >&2; die "libbpf of $package does not build"; }
    [ -e "$work/out/usr/lib/x86_64-linux-gnu/libbpf.so.${1%-*}.0" ] || die "$package has another libbpf"
    rm -rf "$tmp" "$tmp.log" "$dir"
    mkdir "$dir"
    mv "$work/out/usr" "$dir/usr"
    rm -rf "$work"
}

# later_bpftool SERIES: runs through sid's dynamic loader, as those of peers.sh.
later_bpftool() {
    local dir=$CACHE/peers/bpftool-$1 tmp version name=$CACHE/peers/bin/bpftool-7.8-$1
    [ ! -x "$name" ] || return 0
    version=$(apt-cache madison bpftool | awk -v series="+$1" 'index($3, series) && !n++ { print $3 }')
    [ -n "$version" ] || die "no bpftool of Linux $1 in apt's lists"
    status "fetching bpftool $version"
    tmp=$(fresh "$dir")
    fetch "bpftool=$version" "$tmp"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    by_sid "$dir/usr/sbin/bpftool" "$name.new"
    mv "$name.new" "$name"
}

lock
packaged 1.1 bookworm
packaged 1.4 bookworm-backports
packaged 1.5 trixie
packaged 1.7 sid
echo "$(debian_uri) sid" | private_apt sid amd64
APT_CONFIG=$CACHE/apt-sid/apt.conf from_kernel 1.8 7.2
APT_CONFIG=$(later_apt)
export APT_CONFIG
from_kernel 1.8-7.3 7.3
later_bpftool 7.3
status "every libbpf ready"
