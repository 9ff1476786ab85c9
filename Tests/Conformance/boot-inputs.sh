#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches what asking the four kernels takes, and no more: a fraction of inputs.sh, without debug information.
#
#   $CACHE/boot/<series>/release
#   $CACHE/boot/<series>/vmlinuz
#   $CACHE/boot/<series>/vmlinux.btf    its BTF
#   $CACHE/boot/<series>/modules/       as they ship, uncompressed: kernel/...
#   $CACHE/boot/<series>/System.map     with --symbols; of the package with debug information, which is fetched for it
#
# boot-inputs.sh [--symbols] SERIES... Needs the network only for what is missing; installs nothing.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# newest_image PATTERN: the highest release that matches, of which there are modules and debug information.
newest_image() {
    apt-cache search --names-only "^linux-image-$1-dbg\$" | sed -n 's/^linux-image-\(.*\)-dbg - .*/\1/p' | sort -rV | head -n 1
}

# packages RELEASE: of the kernel and its modules, in one package until 6.12.
packages() {
    if apt-cache show "linux-modules-$1" >/dev/null 2>&1; then
        echo "linux-binary-unsigned-$1 linux-modules-$1"
    else
        echo "linux-image-$1-unsigned"
    fi
}

# unpacked_modules FROM TO: kernel/..., uncompressed.
unpacked_modules() {
    local ko
    (cd "$1" && find kernel -name '*.ko*') | while read -r ko; do
        mkdir -p "$2/$(dirname "$ko")"
        case $ko in
        *.xz) xz -dc "$1/$ko" >"$2/${ko%.xz}" ;;
        *) cp "$1/$ko" "$2/$ko" ;;
        esac
    done
}

# kernel SERIES PATTERN
kernel() {
    local series=$1 dir=$CACHE/boot/$1 release tmp package image
    [ ! -e "$dir/release" ] || return 0
    release=$(newest_image "$2")
    [ -n "$release" ] || die "no kernel of series $series in apt's lists"
    status "$series: fetching $release and its modules"
    tmp=$(fresh "$dir")
    for package in $(packages "$release"); do fetch "$package" "$tmp/root"; done
    unpacked_modules "$(find "$tmp/root" -path "*/modules/$release" -type d)" "$tmp/modules"
    image=$(find "$tmp/root" -name "vmlinuz-$release" -o -name vmlinuz.unsigned)
    mv "$image" "$tmp/vmlinuz"
    rm -rf "$tmp/root"
    unpack_vmlinuz "$tmp/vmlinuz" "$tmp/vmlinux" || die "$series: cannot unpack vmlinuz"
    btf_of "$tmp/vmlinux" "$tmp/vmlinux.btf"
    rm "$tmp/vmlinux"
    echo "$release" >"$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    status "$series: ready, $(find "$dir/modules" -name '*.ko' | wc -l) modules, $(du -sh "$dir" | cut -f1)"
}

# symbols SERIES: Debian's own System.map is elsewhere a file of one line that says so.
symbols() {
    local dir=$CACHE/boot/$1 release tmp
    [ ! -e "$dir/System.map" ] || return 0
    release=$(<"$dir/release")
    status "$1: fetching the symbols of $release"
    tmp=$(fresh "$dir/symbols")
    fetch_some "linux-image-$release-dbg" "$tmp/dbg" grep -E '/System\.map(-|$)'
    find "$tmp/dbg" -name 'System.map*' -type f -exec mv {} "$dir/System.map" \;
    rm -rf "$tmp"
}

# series NAME: with the apt that has it.
series() {
    case $1 in
    6.*) kernel "$1" "${1/./\\.}\\..*-cloud-amd64" ;;
    7.2)
        echo "$(debian_uri) sid" | private_apt sid amd64
        local -x APT_CONFIG=$CACHE/apt-sid/apt.conf
        kernel 7.2 '7\.2\..*-cloud-amd64'
        ;;
    *)
        local -x APT_CONFIG
        APT_CONFIG=$(newest_apt)
        kernel "$1" "${1/./\\.}[^-]*-cloud-amd64"
        ;;
    esac
    [ -z "$with_symbols" ] || symbols "$1"
}

with_symbols=
lock
for word; do
    if [ "$word" = --symbols ]; then with_symbols=1; else series "$word"; fi
done
