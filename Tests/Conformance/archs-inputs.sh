#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches a kernel with debug information of every machine but x86-64 that Debian has one for: its vmlinux and forty of
# its modules, to $CACHE/kernels/arch-NAME, by Debian's name of the machine. Those that bookworm does not
# have come from sid. Needs the network only for what is missing; installs nothing. 6 GB of packages, 7 GB on disk.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

vmlinux_and_forty() {
    local list
    list=$(cat)
    grep -E '/vmlinux(-[^/]*)?$' <<<"$list"
    grep '\.ko$' <<<"$list" | shuf -n 40 --random-source=<(yes)
}

# arch NAME SUITE PATTERN [FOLDER]
arch() {
    local name=$1 dir=$CACHE/kernels/${4:-arch-$1} tmp release apt=$1-$2
    [ ! -e "$dir/release" ] || { status "$name: have $(<"$dir/release")"; return 0; }
    echo "$(debian_uri) $2" | private_apt "$apt" "$name"
    local -x APT_CONFIG=$CACHE/apt-$apt/apt.conf
    release=$(apt-cache search --names-only "^linux-image-$3-dbg\$" |
        sed -n 's/^linux-image-\(.*\)-dbg - .*/\1/p' | sort -rV | head -n 1)
    [ -n "$release" ] || die "no kernel for $name in apt's lists"
    status "$name: fetching $release"
    tmp=$(fresh "$dir")
    fetch_some "linux-image-$release-dbg" "$tmp/dbg" vmlinux_and_forty
    echo "$release" >"$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
    status "$name: ready, $release, $(du -sh "$dir" | cut -f1)"
}

lock
arch s390x bookworm '6\.1\..*-s390x'
arch armhf bookworm '6\.1\..*-armmp'
arch i386 bookworm '6\.1\..*-686'
arch arm64 bookworm '6\.1\..*-cloud-arm64'
arch mipsel bookworm '6\.1\..*-4kc-malta'
arch mips64el bookworm '6\.1\..*-5kc-malta'
arch ppc64el bookworm '6\.1\..*-powerpc64le'
arch riscv64 sid '7\..*-riscv64'
arch loong64 sid '7\..*-loong64'
# Debian's 6.1 for ppc64el has no BTF: for machines.sh.
arch ppc64el sid '7\..*-powerpc64le' 7.2-ppc64el
