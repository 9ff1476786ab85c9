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

# The payload of a bzImage, which its setup header locates.
unpack_vmlinuz() {
    local sectors offset size with
    field() { od -An -t "u$2" -j "$3" -N "$2" "$1" | tr -d ' '; }
    sectors=$(field "$1" 1 $((0x1f1)))
    offset=$(((sectors + 1) * 512 + $(field "$1" 4 $((0x248)))))
    size=$(field "$1" 4 $((0x24c)))
    case $(od -An -t x1 -j "$offset" -N 4 "$1" | tr -d ' ') in
    1f8b*) with=gzip ;;
    28b52ffd) with=zstd ;;
    fd377a58) with=xz ;;
    02214c18) with=lz4 ;;
    *) return 1 ;;
    esac
    # The length of the kernel follows the stream in the last four bytes.
    [ "$with" = gzip ] || size=$((size - 4))
    bytes "$1" "$offset" "$size" | "$with" -dcq >"$2"
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

# Sixty modules are enough to see another word size, byte order or relocation.
foreign() {
    local arch=$1 pattern=$2 dir=$CACHE/kernels/6.1-$1 tmp release step
    [ ! -e "$dir/release" ] || { status "6.1-$arch: have $(<"$dir/release")"; return 0; }
    debian_sources | private_apt "$arch" "$arch"
    local -x APT_CONFIG=$CACHE/apt-$arch/apt.conf
    release=$(newest "$pattern")
    [ -n "$release" ] || die "no kernel for $arch in apt's lists"
    status "6.1-$arch: fetching $release"
    tmp=$(fresh "$dir")
    fetch "linux-image-$release-dbg" "$tmp/all"
    (cd "$tmp/all" && find . -name '*.ko' -printf '%P\n' | sort) >"$tmp/list"
    step=$(($(wc -l <"$tmp/list") / 60))
    awk -v n="$((step ? step : 1))" '(NR - 1) % n == 0 && kept++ < 60' "$tmp/list" |
        tar -C "$tmp/all" -cf "$tmp/chosen.tar" -T -
    mkdir "$tmp/dbg"
    tar -C "$tmp/dbg" -xf "$tmp/chosen.tar"
    rm -rf "$tmp/all" "$tmp/list" "$tmp/chosen.tar"
    echo "$release" >"$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    status "6.1-$arch: ready, $release, $(find "$dir/dbg" -name '*.ko' | wc -l) modules, $(du -sh "$dir" | cut -f1)"
}

lock
series 6.1 '6\.1\..*-cloud-amd64'
series 6.12 '6\.12\..*-cloud-amd64'
foreign arm64 '6\.1\..*-cloud-arm64'
foreign s390x '6\.1\..*-s390x'
status "all inputs ready"
