#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches what booting kernels takes, besides what inputs.sh, peers.sh and kbuild-inputs.sh make:
#
#   $CACHE/vm/6.12/other/          headers of another ABI of the series; other/build leads to the directory for make -C,
#                                  which has a kernel's types (vmlinux). Absent when the archive has but one ABI
#   $CACHE/vm/7.*/other-headers    the same of the same release for all machines, not only clouds: where in sid's root
#   $CACHE/vm/7.*/vmlinuz          the kernel in kernels/7.2, or 7.3
#   $CACHE/vm/7.*/shipped/         all its modules, uncompressed: kernel/...
#   $CACHE/vm/7.*/debug/           their debug files: kernel/...
#
# Needs the network only for what is missing; installs nothing on the host.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SID=$CACHE/peers/sid

# parts_of RELEASE: its headers, and what they lie on.
parts_of() {
    echo "linux-headers-$1"
    apt-cache depends "linux-headers-$1" | sed -nE 's/^ *Depends: (linux-(headers|kbuild)-.*)$/\1/p'
}

# The oldest ABI that the archive has is the one that differs most.
another_abi() {
    local dir=$CACHE/vm/6.12/other release tmp package
    [ ! -e "$dir/build" ] || return 0
    release=$(apt-cache search --names-only '^linux-headers-6\.12\..*-cloud-amd64$' |
        sed 's/^linux-headers-\(.*\) - .*/\1/' | sort -V | grep -vxF "$(<"$CACHE/kernels/6.12/release")" | head -n 1)
    [ -n "$release" ] || { status "6.12: no other ABI in the archive"; return 0; }
    status "6.12: fetching headers of $release"
    mkdir -p "$(dirname "$dir")"
    tmp=$(fresh "$dir")
    for package in $(parts_of "$release"); do fetch "$package" "$tmp"; done
    # The one absolute path in it.
    sed -i "s|/usr/src/|$dir/usr/src/|" "$tmp/usr/src/linux-headers-$release/Makefile"
    ln -s "usr/src/linux-headers-$release" "$tmp/build"
    rm -rf "$dir"
    mv "$tmp" "$dir"
}

# another_flavour SERIES: in sid's root, for modules are compiled there; what they lie on kbuild-inputs.sh put there.
another_flavour() {
    local series=$1 release tmp file=$CACHE/vm/$1/other-headers
    release=$(<"$CACHE/kernels/$series/release")
    release=${release/-cloud/}
    [ ! -d "$SID/usr/src/linux-headers-$release" ] || [ "$(cat "$file" 2>/dev/null)" != "/usr/src/linux-headers-$release" ] || return 0
    status "$series: fetching headers of $release into the sid root"
    mkdir -p "$(dirname "$file")"
    tmp=$(fresh "$SID/kbtf-headers")
    fetch "linux-headers-$release" "$tmp/root"
    cp -a "$tmp/root/usr/src/." "$SID/usr/src/"
    rm -rf "$tmp"
    echo "/usr/src/linux-headers-$release" >"$file"
}

# kernel_with_modules SERIES
kernel_with_modules() {
    local series=$1 dir=$CACHE/vm/$1 release tmp
    release=$(<"$CACHE/kernels/$series/release")
    [ "$(cat "$dir/release" 2>/dev/null)" != "$release" ] || return 0
    status "$series: fetching $release and its modules"
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
    status "$series: ready, $(find "$dir/shipped" -name '*.ko' | wc -l) modules, $(du -sh "$dir" | cut -f1)"
}

lock
another_abi
(
    export APT_CONFIG=$CACHE/apt-sid/apt.conf
    another_flavour 7.2
    kernel_with_modules 7.2
    APT_CONFIG=$(later_apt)
    another_flavour 7.3
    kernel_with_modules 7.3
)
status "all inputs for guests ready"
