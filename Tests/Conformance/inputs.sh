#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches the real kernels which the conformance tests read:
#
#   $CACHE/kernels/<series>/release            the newest ABI of the series
#   $CACHE/kernels/<series>/{image,dbg}/       the two packages, unpacked
#   $CACHE/kernels/<series>/image-ko/          the shipped modules, uncompressed (6.12)
#   $CACHE/kernels/<series>/vmlinux.btf        the BTF which shipped in the kernel
#   $CACHE/kernels/<series>/modules-without-btf
#   $CACHE/kernels/6.1-<arch>/{release,dbg/}   60 modules of another architecture
#   $CACHE/kernels/7.2/{release,dbg/}          vmlinux and 60 modules of sid's kernel
#   $CACHE/kernels/7.3/{release,dbg/}          the same of the next one, from sid or experimental
#   $CACHE/kernels/6.1-amd64/{release,dbg/}    vmlinux of the kernel for all machines, not only clouds
#
# Module paths are relative to .../lib/modules/<release>. Needs the network
# only for what is missing; installs nothing.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# newest PATTERN: the highest release R with a package linux-image-R-dbg, where
# R matches PATTERN. With a second argument, linux-image-R$2 must exist too.
newest() {
    local release releases
    releases=$(apt-cache search --names-only "^linux-image-$1-dbg\$" |
        sed -n 's/^linux-image-\(.*\)-dbg - .*/\1/p' | sort -rV)
    for release in $releases; do
        [ -z "${2-}" ] || apt-cache show "linux-image-$release$2" >/dev/null 2>&1 || continue
        echo "$release"
        return 0
    done
}

modules_without_btf() {
    local root=$1
    (cd "$root" && find . -name '*.ko' -printf '%P\n' | sort | while read -r ko; do
        section "$ko" .BTF >/dev/null || echo "$ko"
    done)
}

series() {
    local name=$1 pattern=$2 dir=$CACHE/kernels/$1 tmp release modules ko
    [ ! -e "$dir/release" ] || { status "$name: have $(<"$dir/release")"; return 0; }
    release=$(newest "$pattern" -unsigned)
    [ -n "$release" ] || die "no kernel of series $name in apt's lists"
    status "$name: fetching $release"
    tmp=$(fresh "$dir")
    fetch "linux-image-$release-unsigned" "$tmp/image"
    fetch "linux-image-$release-dbg" "$tmp/dbg"

    modules=$tmp/image/lib/modules/$release
    [ -d "$modules" ] || modules=$tmp/image/usr/lib/modules/$release
    if [ -n "$(find "$modules" -name '*.ko.xz' -print -quit)" ]; then
        (cd "$modules" && find . -name '*.ko.xz' -printf '%P\n') | while read -r ko; do
            mkdir -p "$tmp/image-ko/$(dirname "$ko")"
            xz -dc "$modules/$ko" >"$tmp/image-ko/${ko%.xz}"
        done
        modules=$tmp/image-ko
    fi
    modules_without_btf "$modules" >"$tmp/modules-without-btf"

    btf_of "$tmp/dbg/usr/lib/debug/boot/vmlinux-$release" "$tmp/vmlinux.btf"
    unpack_vmlinuz "$tmp/image/boot/vmlinuz-$release" "$tmp/vmlinux.shipped" ||
        die "$name: cannot unpack vmlinuz"
    btf_of "$tmp/vmlinux.shipped" "$tmp/shipped.btf"
    cmp "$tmp/vmlinux.btf" "$tmp/shipped.btf" || die "$name: the debug vmlinux has other BTF than vmlinuz"
    rm "$tmp/vmlinux.shipped" "$tmp/shipped.btf"

    echo "$release" >"$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    status "$name: ready, $release, $(find "$dir/dbg" -name '*.ko' | wc -l) debug modules," \
        "$(wc -l <"$dir/modules-without-btf") shipped modules without BTF, $(du -sh "$dir" | cut -f1)"
}

# spread COUNT: as many of the modules among the lines, evenly spread.
spread() {
    local list
    list=$(grep '\.ko$' || true)
    awk -v total="$(wc -l <<<"$list")" -v count="$1" '
        BEGIN { step = int(total / count); if (!step) step = 1 }
        (NR - 1) % step == 0 && kept++ < count' <<<"$list"
}

# The kernel with debug information: a file, or a link and the file.
vmlinux_only() { grep -E '/vmlinux(-[^/]*)?$'; }
vmlinux_and_sixty() {
    local list
    list=$(cat)
    vmlinux_only <<<"$list"
    spread 60 <<<"$list"
}

# part NAME PATTERN COMMAND...: of a debug package, what COMMAND chooses.
part() {
    local name=$1 dir=$CACHE/kernels/$1 tmp release
    [ ! -e "$dir/release" ] || { status "$name: have $(<"$dir/release")"; return 0; }
    release=$(newest "$2")
    [ -n "$release" ] || die "no kernel for $name in apt's lists"
    status "$name: fetching $release"
    tmp=$(fresh "$dir")
    fetch_some "linux-image-$release-dbg" "$tmp/dbg" "${@:3}"
    echo "$release" >"$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    status "$name: ready, $release, $(find "$dir/dbg" -name '*.ko' | wc -l) modules, $(du -sh "$dir" | cut -f1)"
}

# Sixty modules are enough to see another word size, byte order or relocation.
foreign() {
    debian_sources | private_apt "$1" "$1"
    APT_CONFIG=$CACHE/apt-$1/apt.conf part "6.1-$1" "$2" spread 60
}

sid() {
    echo "$(debian_uri) sid" | private_apt sid amd64
    APT_CONFIG=$CACHE/apt-sid/apt.conf part "$1" "$2" vmlinux_and_sixty
}

later() { APT_CONFIG=$(later_apt) part "$1" "$2" vmlinux_and_sixty; }

lock
series 6.1 '6\.1\..*-cloud-amd64'
series 6.12 '6\.12\..*-cloud-amd64'
foreign arm64 '6\.1\..*-cloud-arm64'
foreign s390x '6\.1\..*-s390x'
sid 7.2 '7\.2\..*-cloud-amd64'
later 7.3 '7\.3[^-]*-cloud-amd64'
part 6.1-amd64 '6\.1\.[0-9-]+-amd64' vmlinux_only
status "all inputs ready"
