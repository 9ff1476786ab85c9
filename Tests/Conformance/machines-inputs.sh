#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Fetches what compiling guest tests for other machines takes, besides what arguments-inputs.sh brings, by Debian's name of
# the machine:
#
#   $CACHE/vm/libraries-<arch>    static libbpf, libelf, zlib and libzstd of sid
#   $SID/usr/<triplet>            the C library, in sid's root of peers.sh
#
# machines-inputs.sh ARCH... Needs the network only for what is missing; installs nothing on the host.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

SID=$CACHE/peers/sid

# libraries ARCH
libraries() {
    local dir=$CACHE/vm/libraries-$1 tmp package
    [ ! -d "$dir" ] || return 0
    echo "$(debian_uri) sid" | private_apt "$1-sid" "$1"
    mkdir -p "$CACHE/vm"
    tmp=$(fresh "$dir")
    for package in libbpf-dev libelf-dev zlib1g-dev libzstd-dev; do
        APT_CONFIG=$CACHE/apt-$1-sid/apt.conf fetch "$package" "$tmp"
    done
    mv "$tmp" "$dir"
}

# c_library ARCH
c_library() {
    local package=libc6-dev-$1-cross
    chroot "$SID" dpkg-query -W "$package" >/dev/null 2>&1 || install_in "$SID" "$package" ||
        die "the sid root has no $package"
}

lock
bash "$(dirname "${BASH_SOURCE[0]}")/arguments-inputs.sh" "$@"
for word; do
    libraries "$word"
    c_library "$word"
    status "$word: ready"
done
