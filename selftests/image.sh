#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# image.sh [--update] [SERIES]...: builds bootable Debian images for the kernel series 6.1, 6.12, 7.2 and 7.3
# (default: all).
# docs/vm.md describes their use. Each is in a directory of the cache, $CACHE/debian/SERIES:
#
#   release       the kernel's
#   root/         the tree: kernel, headers, compiler, make, bpftool, kbtf, and the guest tests
#   disk.ext4     the same as a disk, which `kbtf vm run --image debian` boots
#   packages      its packages, with versions
#
# The tests are in root/usr/local/lib/kbtf/selftests, a directory for each. Their modules are compiled in that
# tree, by its own compiler.
#
# A series is rebuilt if its packages, this script, kbtf or the tests have changed; if only the last two have, the
# output of mmdebstrap is kept. The archive is asked for packages when something is built, and with --update; until
# then an image stays as it is. Nothing is installed on the host, and nothing is mounted except /proc in the tree.
# Needs root (mmdebstrap, chroot) and, to build something, the network. KBTF names the binary.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(dirname "$here")
# shellcheck source-path=SCRIPTDIR source=../Tests/Conformance/common.sh
source "$repo/Tests/Conformance/common.sh"

: "${KBTF:=$repo/.build/release/kbtf}"
IMAGES=$CACHE/debian
LIBRARY=usr/local/lib/kbtf/selftests
ROLES=/usr/local/libexec/kbtf
# Images do not depend on the date.
EPOCH=1700000000
UUID=6b627466-0000-4000-8000-000000000000

suite_of() {
    case $1 in
    6.1 | 6.12) echo bookworm ;;
    7.2) echo sid ;;
    # From experimental, sid or the backports, whichever has the newest, and all else from sid.
    7.3) echo experimental ;;
    *) die "no such series: $1 (6.1 6.12 7.2 7.3)" ;;
    esac
}

# sources_of SUITE: "URI CODENAME", one per line.
sources_of() {
    local found
    # Of the host, whatever apt is in use.
    unset APT_CONFIG
    [ "$1" != experimental ] || { sources_of sid && echo "$(debian_uri) trixie-backports"; }
    found=$(debian_sources | awk -v suite="$1" 'substr($2, 1, length(suite)) == suite')
    echo "${found:-$(debian_uri) $1}"
}

# choose SERIES: the newest kernel of it that has headers, and related packages; sets variables of the caller.
choose() {
    local pattern=${1//./\\.} candidate
    release=''
    # A release candidate has no third number.
    for candidate in $(apt-cache search --names-only "^linux-headers-$pattern[^0-9].*cloud-amd64\$" |
        sed 's/^linux-headers-\(.*\) - .*/\1/' | sort -rV); do
        case $1 in
        7.*) kernel=("linux-binary-unsigned-$candidate" "linux-modules-$candidate") ;;
        *) kernel=("linux-image-$candidate-unsigned") ;;
        esac
        apt-cache show "${kernel[@]}" >/dev/null 2>&1 || continue
        release=$candidate
        break
    done
    [ -n "$release" ] || die "$1: no kernel with headers in the lists of $suite"
    packages=("linux-headers-$release" make bpftool kmod libc6-dev iproute2 procps)
    # For modules built for another kernel than the running one: an old ABI of the series, another flavour.
    other=''
    case $1 in
    6.12) other=$(apt-cache search --names-only "^linux-headers-$pattern\\..*-cloud-amd64\$" |
        sed 's/^linux-headers-\(.*\) - .*/\1/' | sort -V | grep -vxF "$release" | head -n 1) ;;
    7.*) other=${release/-cloud/} ;;
    esac
    [ -z "$other" ] || packages+=("linux-headers-$other")
}

# closure: every package of the image, with its version.
closure() {
    apt-get install -s --no-install-recommends '?essential' "${packages[@]}" "${kernel[@]}" 2>/dev/null |
        sed -nE 's/^Inst ([^ ]+) \(([^ ]+).*/\1 \2/p' | sort
}

digest() { sha256sum | cut -d' ' -f1; }

# The inputs of the tree, the additional inputs of the tests, and what determines both, which is known immediately.
# This script counts without its comments.
tree_digest() { { echo "$EPOCH" && declare -f choose make_tree && closure; } | digest; }
tests_digest() {
    {
        cat "$KBTF"
        echo "$EPOCH $UUID $LIBRARY $ROLES"
        declare -f make_tests make_disk
        cd "$repo" || exit
        find kbuild Sources/Skeleton/Selftest selftests/{Makefile,lib.mk,stage.sh,modules,progs,tests} -type f | sort | xargs sha256sum
    } | digest
}

all_digest() { { declare -f choose make_tree && cat "$CACHE/apt-image-$suite/lists/"*InRelease && echo "$1"; } | digest; }

# make_tree DIR
make_tree() {
    local dir=$1 uri codename package deb
    while read -r uri codename; do
        echo "deb [signed-by=$DEBIAN_KEYRING] $uri $codename main"
    done < <(sources_of "$suite") |
        SOURCE_DATE_EPOCH=$EPOCH APT_CONFIG='' mmdebstrap --quiet --mode=root --variant=essential --architectures=amd64 \
            --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
            --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
            --include="$(IFS=,; echo "${packages[*]}")" "${suite/experimental/sid}" "$dir" -
    # Unpacked, not installed: installing a kernel builds an initramfs, and pulls in the tools for that.
    for package in "${kernel[@]}"; do
        deb=$(fresh "$dir.deb")
        download "$package" "$deb"
        dpkg --fsys-tarfile "$deb"/*.deb | tar -C "$dir" --keep-directory-symlink -xf -
        rm -rf "$deb"
    done
    depmod -b "$dir" "$release"
    # Copied from the host by mmdebstrap.
    rm -f "$dir/etc/resolv.conf"
    echo kbtf >"$dir/etc/hostname"
}

# make_tests DIR SERIES: adds kbtf and the tests to the tree.
make_tests() {
    local root=$1/root stage=$1/stage headers=/usr/src/linux-headers-$release log=$1/stage.log
    rm -rf "$root"/usr/local/{bin,lib,libexec,share}/* "$stage"
    make -s -C "$repo" install DESTDIR="$root" PREFIX=/usr/local RELEASEFLAGS=--version SWIFT=true KBTF="$KBTF" >"$log" 2>&1 ||
        { tail -n 5 "$log" >&2; die "$2: kbtf cannot be installed into the image"; }
    # Virtual machines do not run inside virtual machines.
    rm -rf "$root$ROLES"/{kbtf-vm,guest-init-*}
    strip "$root/usr/local/bin/kbtf"
    chroot "$root" "$ROLES/pahole" --version >>"$log" 2>&1 ||
        die "$2: kbtf does not run in the image; is it linked with shared libraries? make setup build"
    # 6.1 has none; the boot image serves as one. Outside the tree the link is dangling.
    [ -e "$root$headers/vmlinux" ] || ln -sfn "/boot/vmlinuz-$release" "$root$headers/vmlinux"
    BASE=$(kernel_of "$root") HEADERS=$headers INSIDE=$root ROLES=$ROLES \
        OTHER_HEADERS=${other:+/usr/src/linux-headers-$other} \
        OTHER_BASE=${other:+$root/usr/src/linux-headers-$other/vmlinux} \
        REFUSED=$([[ $2 = 7.* ]] && echo 22 || echo 0) KBTF=$KBTF \
        "$here/stage.sh" "$stage" >>"$log" 2>&1 || { tail -n 5 "$log" >&2; die "$2: the guest tests cannot be made"; }
    mkdir -p "$root/$LIBRARY"
    cp -r "$stage/tests/." "$root/$LIBRARY/"
    # The cache of bases that kbtf used in there.
    rm -rf "$stage" "$root/root/.cache"
}

# The boot image in a tree.
kernel_of() {
    local path
    for path in "$1/boot/vmlinuz-$release" "$1/usr/lib/modules/$release"/vmlinuz{,.unsigned}; do
        [ ! -f "$path" ] || { echo "$path"; return; }
    done
    die "no image of $release below $1"
}

# make_disk ROOT FILE: the tree as a file system. No loop device, no mount.
make_disk() {
    local kib
    find "$1" -newermt "@$EPOCH" -exec touch -h -d "@$EPOCH" {} +
    # Room for its tables; it is never written to.
    kib=$(du -sk --apparent-size "$1" | cut -f1)
    : >"$2"
    E2FSPROGS_FAKE_TIME=$EPOCH mke2fs -q -t ext4 -L kbtf -U "$UUID" -m 0 -O '^has_journal,^resize_inode' -b 4096 \
        -E "hash_seed=$UUID,root_owner=0:0" -d "$1" "$2" "$((kib + kib / 4 + 65536))k"
}

# has SERIES: its image is up to date, according to the package lists.
has() {
    local dir=$IMAGES/$1 all
    [ -z "$update" ] && [ -e "$dir/made-from" ] || return 1
    all=$(all_digest "$tests" 2>/dev/null) && [ "$(<"$dir/made-from")" = "$all" ]
}

image() {
    local series=$1 dir=$IMAGES/$1 suite tests tree had tmp release other kernel packages
    suite=$(suite_of "$series") tests=$(tests_digest)
    if has "$series"; then
        status "$series: have $(<"$dir/release")"
        return 0
    fi
    [ "$(id -u)" = 0 ] || die "making images needs root (mmdebstrap and chroot)"
    (sources_of "$suite") | private_apt "image-$suite" amd64
    export APT_CONFIG=$CACHE/apt-image-$suite/apt.conf
    choose "$series"
    tree=$(tree_digest)
    read -r had _ < <(cat "$dir/digest" 2>/dev/null) || true
    if [ "${had-}" != "$tree" ] || [ -n "$update" ]; then
        # The lists may be outdated, and the archive keeps only current packages.
        apt-get -qq update || die "apt-get update failed for $suite"
        choose "$series"
        tree=$(tree_digest)
    fi
    if [ "${had-}" != "$tree" ]; then
        status "$series: making a tree of $suite with $release"
        tmp=$(fresh "$dir")
        make_tree "$tmp/root"
        closure >"$tmp/packages"
        echo "$release" >"$tmp/release"
        rm -rf "$dir"
        mv "$tmp" "$dir"
        echo "$tree" >"$dir/digest"
        status "$series: tree ready, $(wc -l <"$dir/packages") packages, $(du -sh "$dir/root" | cut -f1)"
    fi
    if [ "$(<"$dir/digest")" != "$tree $tests" ]; then
        # A partial image must not count as built.
        echo "$tree" >"$dir/digest"
        make_tests "$dir" "$series"
        make_disk "$dir/root" "$dir/.disk.ext4"
        mv "$dir/.disk.ext4" "$dir/disk.ext4"
        echo "$tree $tests" >"$dir/digest"
    fi
    all_digest "$tests" >"$dir/made-from"
    status "$series: image ready, $(find "$dir/root/$LIBRARY" -mindepth 1 -maxdepth 1 | wc -l) tests, $(du -h "$dir/disk.ext4" | cut -f1)"
}

command -v mmdebstrap >/dev/null || die "there is no mmdebstrap: make setup-peers"
[[ $CACHE != *[[:space:]]* ]] || die "the cache folder's path has a blank in it"
KBTF=$(readlink -f "$KBTF")
lock
mkdir -p "$IMAGES"
update=''
if [ "${1-}" = --update ]; then
    update=yes
    shift
fi
[ $# -gt 0 ] || set -- 6.1 6.12 7.2 7.3
for series; do (image "$series"); done
