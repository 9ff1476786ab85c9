#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Shared by the scripts of this directory: `source` it, do not run it.
# Everything fetched or made lives in one cache directory; nothing is installed.

set -euo pipefail

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/kbtf
export LC_ALL=C
# pahole would take a base from here without being asked.
unset PAHOLE_VMLINUX_BTF_FILENAME

die() {
    echo "$0: $*" >&2
    exit 1
}

# One line per milestone, on the terminal and in $CACHE/STATUS.
status() {
    printf '%s %s: %s\n' "$(date +%H:%M:%S)" "$(basename "$0" .sh)" "$*" | tee -a "$CACHE/STATUS"
}

# Two runs of one script must not build the same directory at once.
# The lock is held on descriptor 9 until the script ends.
lock() {
    mkdir -p "$CACHE"
    exec 9>"$CACHE/$(basename "$0" .sh).lock"
    flock -n 9 || die "already running"
}

# An empty directory beside TARGET (same file system, so that the rename at the
# end is atomic). What an interrupted run left behind is thrown away.
fresh() {
    local tmp
    tmp=$(dirname "$1")/.tmp.$(basename "$1")
    rm -rf "$tmp"
    mkdir -p "$tmp"
    echo "$tmp"
}

# Where the host's own configuration finds Debian: "URI CODENAME", one a line.
debian_sources() {
    # shellcheck disable=SC2016  # the fields are apt's, not the shell's
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(CODENAME)' 'Identifier: Packages' |
        awk '$1 == "Debian" && $2 == "main" { print $3, $4 }' | sort -u
}

# The URI of the main archive (not of updates or security).
debian_uri() {
    local codename uri
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    uri=$(debian_sources | awk -v c="$codename" '$2 == c && !n++ { print $1 }')
    [ -n "$uri" ] || die "no Debian source of suite $codename in apt's configuration"
    echo "$uri"
}

DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# private_apt NAME ARCH < "URI SUITE" lines
# An apt of its own under $CACHE/apt-NAME, for another architecture or suite;
# use it as APT_CONFIG=$CACHE/apt-NAME/apt.conf.
private_apt() {
    local dir=$CACHE/apt-$1 arch=$2 tmp uri suite
    [ ! -e "$dir/apt.conf" ] || { cat >/dev/null; return 0; }
    tmp=$(fresh "$dir")
    mkdir -p "$tmp"/{etc/sources.list.d,etc/apt.conf.d,etc/preferences.d,lists/partial,cache/archives/partial}
    cp "$DEBIAN_KEYRING" "$tmp/keyring.gpg"
    : >"$tmp/status"
    while read -r uri suite; do
        echo "deb [arch=$arch signed-by=$dir/keyring.gpg] $uri $suite main"
    done >"$tmp/etc/sources.list"
    cat >"$tmp/apt.conf" <<CONF
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Dir::Etc "$dir/etc";
Dir::State "$dir";
Dir::State::lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir/cache";
CONF
    rm -rf "$dir"
    mv "$tmp" "$dir"
    APT_CONFIG=$dir/apt.conf apt-get -qq update || { rm -rf "$dir"; die "apt-get update failed for $1"; }
}

# later_apt: the configuration of an apt for the suites that may have a kernel which sid has not, and that were built
# with sid's pahole, as our peers: what it made can be compared. The highest version counts, whichever suite it is in.
later_apt() { apt_of_suites with-experimental sid experimental; }

# newest_apt: the same with the backports. Their kernels are made by an older pahole, and do as kernels to ask.
newest_apt() { apt_of_suites with-backports sid experimental trixie-backports; }

# apt_of_suites NAME SUITE...
apt_of_suites() {
    local name=$1 uri preferences=$CACHE/apt-$1/etc/preferences.d/highest
    # Of the host, whatever apt is in use.
    uri=$(unset APT_CONFIG && debian_uri)
    printf "$uri %s\n" "${@:2}" | private_apt "$name" amd64
    # Otherwise apt would rather take what sid has, and from experimental nothing.
    printf 'Package: *\nPin: release o=*\nPin-Priority: 500\n' >"$preferences.new"
    mv "$preferences.new" "$preferences"
    echo "$CACHE/apt-$name/apt.conf"
}

# download PACKAGE DIR: into the empty directory DIR.
download() { (cd "$2" && apt-get -qq -o APT::Sandbox::User=root download "$1"); }

# fetch PACKAGE DIR: download, unpack, forget the archive.
fetch() {
    local deb
    deb=$(fresh "$2.deb")
    download "$1" "$deb"
    mkdir -p "$2"
    dpkg -x "$deb"/*.deb "$2"
    rm -rf "$deb"
}

# fetch_some PACKAGE DIR COMMAND...: of its members, those that COMMAND chooses from their names.
# An unpacked kernel with debug information takes gigabytes.
fetch_some() {
    local package=$1 dir=$2 deb
    shift 2
    deb=$(fresh "$dir.deb")
    download "$package" "$deb"
    mkdir -p "$dir"
    dpkg --fsys-tarfile "$deb"/*.deb | tar -tf - | sort | "$@" >"$deb/chosen"
    dpkg --fsys-tarfile "$deb"/*.deb | tar -C "$dir" -xf - -T "$deb/chosen"
    rm -rf "$deb"
}

# machine_of ARCH: the name in `uname -m` of what Debian calls ARCH.
machine_of() {
    case $1 in
    amd64) echo x86_64 ;;
    arm64) echo aarch64 ;;
    i386) echo i686 ;;
    ppc64el) echo ppc64le ;;
    loong64) echo loongarch64 ;;
    *) echo "$1" ;;
    esac
}

# triplet_of ARCH: what its compilers' names begin with.
triplet_of() {
    case $1 in
    armhf) echo arm-linux-gnueabihf ;;
    mipsel) echo mipsel-linux-gnu ;;
    mips64el) echo mips64el-linux-gnuabi64 ;;
    ppc64el) echo powerpc64le-linux-gnu ;;
    *) echo "$(machine_of "$1")-linux-gnu" ;;
    esac
}

# install_in ROOT PACKAGE...: by the root's own apt, whatever apt is in use here.
install_in() {
    local root=$1
    shift
    # shellcheck disable=SC2016  # the inner shell expands it
    chroot "$root" env -u APT_CONFIG DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get -qq update && apt-get -qq -y --no-install-recommends install "$@"' sh "$@" >/dev/null
}

# by_sid PROGRAM FILE: FILE becomes a program that runs PROGRAM with the loader and libraries of sid's root (peers.sh).
by_sid() {
    local sid=$CACHE/peers/sid
    printf "#!/bin/sh\nexec '%s' --library-path '%s' '%s' \"\$@\"\n" "$sid/lib64/ld-linux-x86-64.so.2" \
        "$sid/lib/x86_64-linux-gnu:$sid/usr/lib/x86_64-linux-gnu" "$1" >"$2"
    chmod +x "$2"
}

# section ELF NAME: "offset size" in decimal of the section; fails without one.
section() {
    local at
    at=$(readelf -SW "$1" | sed -E 's/^ *\[ *[0-9]+\] *//' | awk -v n="$2" '$1 == n && $2 == "PROGBITS" { print $4, $5 }')
    [ -n "$at" ] || return 1
    echo "$((16#${at% *})) $((16#${at#* }))"
}

# bytes FILE OFFSET SIZE
bytes() { dd if="$1" bs=1M iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none; }

# content FILE SECTION: to standard output; nothing without it.
content() {
    local at
    ! at=$(section "$1" "$2") || bytes "$1" "${at% *}" "${at#* }"
}

# btf_of ELF OUT: the content of its .BTF.
btf_of() {
    local at
    at=$(section "$1" .BTF) || return 1
    bytes "$1" "${at% *}" "${at#* }" >"$2"
}

# unpack_vmlinuz VMLINUZ OUT: the payload of a bzImage, which its setup header locates.
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
