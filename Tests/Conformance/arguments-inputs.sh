#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches what calling functions in kernels of several machines takes, besides sid's root of peers.sh; for each, by Debian's
# name of the machine, a kernel of sid:
#
#   $CACHE/arguments/<arch>/release
#   $CACHE/arguments/<arch>/boot/vmlinuz-<release>
#   $SID/usr/src/linux-headers-<release>    what modules for it are compiled with, and in that root the compiler
#
# arguments-inputs.sh ARCH... Needs the network only for what is missing; installs nothing on the host.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SID=$CACHE/peers/sid

# headers_of RELEASE: of its packages, those that the root does not have.
headers_of() {
    local package
    for package in "linux-headers-$1" \
        $(apt-cache depends "linux-headers-$1" | sed -nE 's/^ *Depends: (linux-headers-.*-common|linux-kbuild-.*)$/\1/p'); do
        case $package in
        linux-kbuild-*) [ -d "$SID/usr/lib/$package" ] || echo "$package" ;;
        *) [ -d "$SID/usr/src/$package" ] || echo "$package" ;;
        esac
    done
}

# in_root PACKAGE: into sid's root; the programs of linux-kbuild are those of the root's own machine.
in_root() {
    local tmp apt=$APT_CONFIG
    tmp=$(fresh "$SID/kbtf-arguments")
    case $1 in linux-kbuild-*) apt=$CACHE/apt-sid/apt.conf ;; esac
    APT_CONFIG=$apt fetch "$1" "$tmp/root"
    cp -a "$tmp/root/usr/." "$SID/usr/"
    rm -rf "$tmp"
}

# compiler RELEASE: the one that the headers name.
compiler() {
    local file=$SID/usr/src/linux-headers-$1/.kernelvariables prefix gcc
    prefix=$(sed -n 's/^override CROSS_COMPILE = //p' "$file")
    gcc=$(sed -n 's/^CC = .*\(gcc-[0-9]*\).*/\1/p' "$file")
    chroot "$SID" sh -c "command -v $prefix$gcc" >/dev/null || install_in "$SID" "$gcc-${prefix%-}" ||
        die "the sid root has no $prefix$gcc"
}

# arch NAME PATTERN
arch() {
    local name=$1 dir=$CACHE/arguments/$1 apt=$1-sid release tmp package
    [ "$name" != amd64 ] || apt=sid
    echo "$(debian_uri) sid" | private_apt "$apt" "$name"
    local -x APT_CONFIG=$CACHE/apt-$apt/apt.conf
    if [ ! -e "$dir/release" ]; then
        release=$(apt-cache pkgnames linux-headers- | sed -nE "s/^linux-headers-($2)\$/\1/p" | sort -rV | head -n 1)
        [ -n "$release" ] || die "no kernel for $name in apt's lists"
        status "$name: fetching $release"
        tmp=$(fresh "$dir")
        package=linux-binary-unsigned-$release
        apt-cache show "$package" >/dev/null 2>&1 || package=linux-binary-$release
        fetch "$package" "$tmp/root"
        mkdir "$tmp/boot"
        find "$tmp/root" -type f -name 'vmlinu[xz]*' -exec mv {} "$tmp/boot/vmlinuz-$release" \;
        rm -rf "$tmp/root"
        [ -e "$tmp/boot/vmlinuz-$release" ] || die "$package has no kernel"
        echo "$release" >"$tmp/release"
        rm -rf "$dir"
        mv "$tmp" "$dir"
    fi
    release=$(<"$dir/release")
    for package in $(headers_of "$release"); do in_root "$package"; done
    compiler "$release"
    status "$name: ready, $release"
}

lock
for word; do
    case $word in
    amd64) arch amd64 '7\..*-cloud-amd64' ;;
    arm64) arch arm64 '7\..*[0-9]-arm64' ;;
    ppc64el) arch ppc64el '7\..*-powerpc64le' ;;
    riscv64) arch riscv64 '7\..*-riscv64' ;;
    loong64) arch loong64 '7\..*-loong64' ;;
    *) die "no such machine: $word" ;;
    esac
done
