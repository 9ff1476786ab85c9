#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches what booting kernels takes, besides what inputs.sh and peers.sh make:
#
#   $CACHE/vm/6.12/other-base      kernel with BTF, of another ABI of the series
#   $CACHE/vm/7.2/other-base       kernel with BTF, of the same release for all machines, not only clouds
#   $CACHE/vm/7.2/vmlinuz          sid's kernel: the one in kernels/7.2
#   $CACHE/vm/7.2/shipped/         all its modules, uncompressed: kernel/...
#   $CACHE/vm/7.2/debug/           their debug files: kernel/...
#
# Needs the network only for what is missing; installs nothing on the host.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SID=$CACHE/peers/sid

# base_from RELEASE FILE: the vmlinux, of BTF alone, in the headers of a release.
base_from() {
    local tmp
    tmp=$(fresh "$2")
    fetch_some "linux-headers-$1" "$tmp/headers" grep '/vmlinux$'
    mv "$tmp/headers/usr/src/linux-headers-$1/vmlinux" "$2"
    rm -rf "$tmp"
}

# The oldest ABI that the archive has is the one that differs most.
another_abi() {
    local dir=$CACHE/vm/6.12 release
    [ ! -e "$dir/other-base" ] || return 0
    release=$(apt-cache search --names-only '^linux-headers-6\.12\..*-cloud-amd64$' |
        sed 's/^linux-headers-\(.*\) - .*/\1/' | sort -V | grep -vxF "$(<"$CACHE/kernels/6.12/release")" | head -n 1)
    # With one ABI there is nothing to compare.
    [ -n "$release" ] || { status "6.12: no other ABI in the archive"; return 0; }
    status "6.12: fetching the types of $release"
    mkdir -p "$dir"
    base_from "$release" "$dir/other-base"
}

another_flavour() {
    local dir=$CACHE/vm/7.2 release
    [ ! -e "$dir/other-base" ] || return 0
    release=$(<"$CACHE/kernels/7.2/release")
    status "7.2: fetching the types of ${release/-cloud/}"
    mkdir -p "$dir"
    base_from "${release/-cloud/}" "$dir/other-base"
}

sid_kernel() {
    local dir=$CACHE/vm/7.2 release tmp
    release=$(<"$CACHE/kernels/7.2/release")
    [ "$(cat "$dir/release" 2>/dev/null)" != "$release" ] || return 0
    status "7.2: fetching $release and its modules"
    mkdir -p "$dir"
    tmp=$(fresh "$dir/all")
    fetch "linux-binary-unsigned-$release" "$tmp/binary"
    fetch "linux-modules-$release" "$tmp/modules"
    (cd "$tmp/modules/usr/lib/modules/$release" && find kernel -name '*.ko.xz') | while read -r ko; do
        mkdir -p "$tmp/shipped/$(dirname "$ko")"
        xz -dc "$tmp/modules/usr/lib/modules/$release/$ko" >"$tmp/shipped/${ko%.xz}"
    done
    fetch_some "linux-image-$release-dbg" "$tmp/dbg" grep '\.ko$'
    rm -rf "$dir"/{shipped,debug,vmlinuz}
    mv "$tmp/binary/usr/lib/modules/$release/vmlinuz.unsigned" "$dir/vmlinuz"
    mv "$tmp/shipped" "$dir/shipped"
    mv "$tmp/dbg/usr/lib/debug/lib/modules/$release" "$dir/debug"
    rm -rf "$tmp"
    echo "$release" >"$dir/release"
    status "7.2: ready, $(find "$dir/shipped" -name '*.ko' | wc -l) modules, $(du -sh "$dir" | cut -f1)"
}

# The headers lie in sid's root, for modules are built with sid's compiler.
sid_headers() {
    local release tmp package
    release=$(<"$CACHE/kernels/7.2/release")
    [ ! -d "$SID/usr/src/linux-headers-$release" ] || return 0
    status "7.2: fetching headers of $release into the sid root"
    tmp=$(fresh "$SID/kbtf-headers")
    for package in "linux-headers-$release" \
        $(apt-cache depends "linux-headers-$release" | sed -nE 's/^ *Depends: (linux-(headers|kbuild)-.*)$/\1/p'); do
        fetch "$package" "$tmp/root"
    done
    cp -a "$tmp/root/usr/." "$SID/usr/"
    rm -rf "$tmp"
}

lock
another_abi
export APT_CONFIG=$CACHE/apt-sid/apt.conf
another_flavour
sid_headers
sid_kernel
