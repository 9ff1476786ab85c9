#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches what real builds of modules and kernels need, besides what inputs.sh and peers.sh make:
#
#   $CACHE/kbuild/<series>/usr/src/        headers of the kernel in kernels/<series>, 6.1 with its vmlinux
#   $CACHE/kbuild/<series>/build           link to the directory to give to make -C
#   $CACHE/kbuild/<series>/testmod/        the kernel's own test modules, from its source
#   $CACHE/kbuild/linux-6.12/              the source of a kernel to be built; others with --source SERIES, only
#   $SID/kbtf/headers                      release of the 7.2 headers, unpacked in sid's root
#   $SID/kbtf/{testmod,libbpf}/            the test modules of 7.2; libbpf 1.8
#   $SID/kbtf-7.3/{headers,testmod}        the same of 7.3
#
# Needs the network only for what is missing; installs nothing on the host.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SID=$CACHE/peers/sid
SELFTESTS=tools/testing/selftests/bpf

# packages_of RELEASE: the headers, and what they lie on.
packages_of() {
    local common kbuild
    common=$(apt-cache depends "linux-headers-$1" | sed -n 's/^ *Depends: \(linux-headers-.*-common\)$/\1/p')
    kbuild=$(apt-cache depends "linux-headers-$1" | sed -n 's/^ *Depends: \(linux-kbuild-.*\)$/\1/p')
    [ -n "$common" ] && [ -n "$kbuild" ] || die "linux-headers-$1: cannot tell its other parts"
    echo "linux-headers-$1" "$common" "$kbuild"
}

# some_source PACKAGE DIR PATH...: these paths of a kernel's source.
some_source() {
    local package=$1 dir=$2
    shift 2
    fetch "$package" "$dir.package"
    mkdir -p "$dir"
    xz -T0 -dc "$dir.package/usr/src/$package.tar.xz" |
        tar -C "$dir" --strip-components=1 -xf - "${@/#/$package/}"
    rm -rf "$dir.package"
}

# headers SERIES: for the host.
headers() {
    local series=$1 dir=$CACHE/kbuild/$1 release tmp package src
    release=$(<"$CACHE/kernels/$series/release")
    [ "$(cat "$dir/release" 2>/dev/null)" != "$release" ] || return 0
    status "$series: fetching headers of $release"
    tmp=$(fresh "$dir")
    for package in $(packages_of "$release"); do fetch "$package" "$tmp/root"; done
    mv "$tmp/root/usr" "$tmp/"
    # Debian has no usr/lib beside usr/src in 6.1's package, but links from lib.
    [ ! -d "$tmp/root/lib" ] || cp -a "$tmp/root/lib/." "$tmp/usr/lib/"
    rm -rf "$tmp/root"
    src=$tmp/usr/src/linux-headers-$release
    # The one absolute path in it.
    sed -i "s|/usr/src/|$dir/usr/src/|" "$src/Makefile"
    [ -e "$src/vmlinux" ] ||
        ln -s "$CACHE/kernels/$series/dbg/usr/lib/debug/boot/vmlinux-$release" "$src/vmlinux"
    ln -s "usr/src/linux-headers-$release" "$tmp/build"
    some_source "linux-source-$series" "$tmp/source" "$SELFTESTS/bpf_testmod"
    mv "$tmp/source/$SELFTESTS/bpf_testmod" "$tmp/testmod"
    rm -rf "$tmp/source"
    echo "$release" >"$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    status "$series: headers ready, $(du -sh "$dir" | cut -f1)"
}

# headers_in_sid SERIES DIR: modules of 7.2 and later want sid's compiler and libc, so all of it lies inside that root,
# where absolute paths fit.
headers_in_sid() {
    local series=$1 dir=$2 release tmp package compiler
    release=$(<"$CACHE/kernels/$series/release")
    [ "$(cat "$dir/headers" 2>/dev/null)" != "$release" ] || return 0
    status "$series: fetching headers of $release into the sid root"
    tmp=$(fresh "$dir")
    for package in $(packages_of "$release"); do
        fetch "$package" "$tmp/root"
    done
    cp -a "$tmp/root/usr/." "$SID/usr/"
    rm -rf "$tmp/root"
    some_source "linux-source-$series" "$tmp/source" "$SELFTESTS/test_kmods" "$SELFTESTS/bpf_experimental.h"
    mv "$tmp/source/$SELFTESTS" "$tmp/testmod"
    rm -rf "$tmp/source"
    mkdir "$tmp/libbpf"
    cp -a "$CACHE/peers/libbpf-1.8"/libbpf.so* "$tmp/libbpf/"
    compiler=$(sed -n 's/^override CROSS_COMPILE.*//; s/.*\(gcc-[0-9]*\).*/\1/p' "$SID/usr/src/linux-headers-$release/.kernelvariables" | head -n 1)
    # Backports are built with the compiler of their own suite, which sid still has.
    # The apt in use here is configured by a file that the root does not have, and its lists were dropped.
    chroot "$SID" sh -c "command -v ${compiler:-gcc}" >/dev/null ||
        chroot "$SID" env -u APT_CONFIG sh -c \
            'apt-get -qq update && apt-get -qq -y --no-install-recommends install "$1"' sh "$compiler" >/dev/null ||
        die "the sid root has no ${compiler:-gcc}, which $series was built with"
    echo "$release" >"$tmp/headers"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    status "$series: headers ready"
}

source_of_kernel() {
    local package=linux-source-$1 dir=$CACHE/kbuild/linux-$1 tmp
    [ ! -e "$dir/Makefile" ] || return 0
    status "$1: unpacking the kernel's source"
    tmp=$(fresh "$dir")
    fetch "$package" "$tmp.package"
    xz -T0 -dc "$tmp.package/usr/src/$package.tar.xz" | tar -C "$tmp" --strip-components=1 -xf -
    rm -rf "$tmp.package"
    mv "$tmp" "$dir"
    status "$1: source ready, $(du -sh "$dir" | cut -f1)"
}

# other_source SERIES: that is in another suite than the host's.
other_source() {
    case $1 in
    6.*) ;;
    7.2)
        echo "$(debian_uri) sid" | private_apt sid amd64
        local -x APT_CONFIG=$CACHE/apt-sid/apt.conf
        ;;
    *)
        APT_CONFIG=$(later_apt)
        export APT_CONFIG
        ;;
    esac
    source_of_kernel "$1"
}

lock
if [ "${1-}" = --source ]; then
    other_source "$2"
    exit
fi
headers 6.1
headers 6.12
source_of_kernel 6.12
(
    echo "$(debian_uri) sid" | private_apt sid amd64
    export APT_CONFIG=$CACHE/apt-sid/apt.conf
    headers_in_sid 7.2 "$SID/kbtf"
    APT_CONFIG=$(later_apt)
    headers_in_sid 7.3 "$SID/kbtf-7.3"
)
status "all inputs for builds ready"
