#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# setup.sh            install what building and testing need, with the newest
#                     libbpf that the machine's suites offer, and unpack the
#                     kernel image that belongs to the installed headers
# setup.sh --peers    install what the conformance tests and benchmarks need
# setup.sh --machines install what booting kernels of other machines and comparing compilers needs
# setup.sh --browser  install what looking at pages needs
# setup.sh --release  print the release of those headers
#
# Does nothing, and needs neither root nor network, if nothing is missing. The image
# is unpacked to images/<release> in the cache directory, never to the host's /boot.

set -euo pipefail
export LC_ALL=C

IMAGES=${XDG_CACHE_HOME:-$HOME/.cache}/kbtf/images
HEADERS=linux-headers-cloud-$(dpkg --print-architecture)
PACKAGES=(
    bc binutils build-essential clang-16 cpio e2fsprogs kmod make pkg-config qemu-system-x86 xz-utils
    libbpf-dev libdw-dev libelf-dev liblz4-dev liblzma-dev libzstd-dev python3 zlib1g-dev
    "$HEADERS"
)
PEERS=(bison bpftool busybox-static flex hyperfine jq lz4 mmdebstrap pahole python3-pyelftools strace time valgrind zstd)
MACHINES=(
    gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm
    gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
    gcc-i686-linux-gnu libc6-dev-i386-cross
    gcc-mips64el-linux-gnuabi64 libc6-dev-mips64el-cross qemu-system-mips
    gcc-mipsel-linux-gnu libc6-dev-mipsel-cross
    gcc-powerpc64le-linux-gnu libc6-dev-ppc64el-cross qemu-system-ppc
    gcc-riscv64-linux-gnu libc6-dev-riscv64-cross qemu-system-misc
    gcc-s390x-linux-gnu libc6-dev-s390x-cross
)
COMPILERS=(clang-19 csmith libcsmith-dev)
BROWSER=(chromium fonts-dejavu-core)

die() {
    echo "setup: $*" >&2
    exit 1
}

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

# The meta-package of the headers depends on those of one release.
release() { dpkg-query -W -f '${Depends}\n' "$HEADERS" 2>/dev/null | sed -n 's/^linux-headers-\([^ ,]*\).*/\1/p'; }

sudo=()
# need_root COMMAND: the command to suggest to users who cannot become root here.
need_root() {
    if [ "$(id -u)" = 0 ]; then
        return 0
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo=(sudo)
    else
        die "not root, and no sudo; run this as root:
    apt-get update && $1"
    fi
}

apt() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >&2; }

# Package lists may be missing or old: fetched only after a first try.
install_packages() {
    local missing=() name
    for name; do
        installed "$name" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    need_root "apt-get install --no-install-recommends ${missing[*]}"
    echo "setup: installing ${missing[*]}" >&2
    if apt-get install -s --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
        apt install --no-install-recommends "${missing[@]}" && return 0
    fi
    apt update
    apt install --no-install-recommends "${missing[@]}"
}

# candidates: the versions of libbpf-dev in the machine's suites, newest first,
# without those that apt's preferences forbid.
candidates() {
    apt-cache policy libbpf-dev | sed -nE 's/^ (\*\*\*|   ) ([^ ]+) ([0-9]+)$/\2 \3/p' |
        awk '$2 > 0 { print $1 }'
}

# What loaders of BPF objects can do depends on libbpf (docs/bpf-objects.md). Backports
# are installed only by request, so the newest version is named; not one that would
# remove packages, or whose dependencies the suites do not have.
newest_libbpf() {
    local have version
    have=$(dpkg-query -W -f '${Version}' libbpf-dev)
    for version in $(candidates); do
        dpkg --compare-versions "$version" gt "$have" || break
        apt-get install -s --no-install-recommends "libbpf-dev=$version" "libbpf1=$version" 2>/dev/null |
            awk '/^Inst libbpf-dev / { found = 1 } /^Remv / { removes = 1 } END { exit !found || removes }' || continue
        if ! (need_root "") 2>/dev/null; then
            echo "setup: libbpf $version is available, and $have works as well; as root:" \
                "apt-get install libbpf-dev=$version libbpf1=$version" >&2
            return
        fi
        need_root ""
        echo "setup: installing libbpf $version instead of $have; after a build with the old one: make clean" >&2
        apt install --no-install-recommends "libbpf-dev=$version" "libbpf1=$version"
        return
    done
}

# download PACKAGE VERSION: that version, or else the newest, to the current directory.
download() {
    local options=(-qq)
    [ "$(id -u)" != 0 ] || options+=(-o APT::Sandbox::User=root)
    apt-get "${options[@]}" download "$1=$2" 2>/dev/null || apt-get "${options[@]}" download "$1" 2>/dev/null
}

fetch_image() {
    local release=$1 version=$2 folder name
    folder=$(mktemp -d "$IMAGES/.tmp.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    (
        cd "$folder"
        for name in "linux-image-$release-unsigned" "linux-image-$release"; do
            ! download "$name" "$version" || break
        done
        set -- ./*.deb
        [ -f "$1" ] || exit 1
        dpkg -x "$1" root
        [ -r "root/boot/vmlinuz-$release" ] || exit 1
        echo "$version" >root/headers-version
        rm -rf "${IMAGES:?}/$release"
        mv root "$IMAGES/$release"
    ) || { rm -rf "$folder"; return 1; }
    rm -rf "$folder"
}

# An update of the headers without a new release name has other BTF, so
# the version is compared as well.
image() {
    local release version
    release=$(release)
    version=$(dpkg-query -W -f '${Version}' "linux-headers-$release")
    [ "$(cat "$IMAGES/$release/headers-version" 2>/dev/null)" != "$version" ] || return 0
    echo "setup: fetching the kernel image of $release" >&2
    mkdir -p "$IMAGES"
    exec 9>"$IMAGES/.lock"
    flock 9
    [ "$(cat "$IMAGES/$release/headers-version" 2>/dev/null)" != "$version" ] || return 0
    ! fetch_image "$release" "$version" || return 0
    # Gone from the archive, or the lists are old: newer headers have an image.
    need_root "apt-get install --no-install-recommends $HEADERS"
    apt update
    apt install --no-install-recommends "$HEADERS"
    release=$(release)
    version=$(dpkg-query -W -f '${Version}' "linux-headers-$release")
    fetch_image "$release" "$version" || die "no package holds the kernel image of $release"
}

command -v dpkg-query >/dev/null || die "knows Debian and its kind only"
case ${1-} in
--release)
    release
    ;;
--peers)
    install_packages "${PEERS[@]}"
    ;;
--machines)
    install_packages "${MACHINES[@]}" "${COMPILERS[@]}"
    ;;
--browser)
    install_packages "${BROWSER[@]}"
    ;;
'')
    command -v swift >/dev/null || die "no swift in PATH: kbtf needs the Swift 6.3 toolchain"
    install_packages "${PACKAGES[@]}"
    newest_libbpf
    image
    ;;
*)
    die "unknown argument: $1"
    ;;
esac
