#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Builds modules of Linux 6.1 with clang 16, for ledger.sh:
#
#   $CACHE/clang-6.1/modules/*.ko    with debug information, without BTF
#   $CACHE/clang-6.1/release         releases of the source and of the compiler
#
# The configuration is that of the installed headers. Needs the network, half an hour and 4 GB of disk the first
# time; the source is removed in the end. Installs nothing.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
DIR=$CACHE/clang-6.1
# Small modules, many with per-CPU variables.
FOLDERS=(net/netfilter/ipvs net/rds net/sctp net/openvswitch net/xfrm net/netfilter/ipset net/batman-adv net/tipc drivers/md crypto)

clang_make() { make -s -C "$1" CC=clang-16 KBUILD_MODPOST_WARN=1 -j "$(nproc)" "${@:2}"; }

lock
[ ! -e "$DIR/release" ] || { status "have $(<"$DIR/release")"; exit 0; }
headers=/usr/src/linux-headers-$("$REPO/selftests/setup.sh" --release)
[ -r "$headers/.config" ] || die "$headers/.config is missing (make setup)"
command -v clang-16 >/dev/null || die "clang-16 is missing (make setup)"
tmp=$(fresh "$DIR")
status "fetching the source"
fetch linux-source-6.1 "$tmp/package"
source=$tmp/source
mkdir -p "$source" "$tmp/modules"
xz -T0 -dc "$tmp/package/usr/src/linux-source-6.1.tar.xz" | tar -C "$source" --strip-components=1 -xf -
cp "$headers/.config" "$source/.config"
# What would need keys, pahole or GCC; DWARF 5, where addresses have indexes.
(cd "$source" && scripts/config -d MODULE_SIG -d DEBUG_INFO_BTF -d GCC_PLUGINS -d DEBUG_INFO_NONE \
    -d DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT -e DEBUG_INFO_DWARF5 --set-str SYSTEM_TRUSTED_KEYS '')
clang_make "$source" olddefconfig >"$tmp/log" 2>&1 && clang_make "$source" modules_prepare >>"$tmp/log" 2>&1 ||
    { tail -n 5 "$tmp/log" >&2; die "modules_prepare failed"; }
for folder in "${FOLDERS[@]}"; do
    status "building $folder"
    clang_make "$source" M="$folder" modules >>"$tmp/log" 2>&1 || { tail -n 5 "$tmp/log" >&2; die "$folder does not build"; }
    find "$source/$folder" -name '*.ko' -exec cp -t "$tmp/modules" {} +
done
printf '%s, %s\n' "$(make -s -C "$source" kernelversion)" "$(clang-16 --version | head -n 1)" >"$tmp/release"
rm -rf "$source" "$tmp/package"
rm -rf "$DIR"
mv "$tmp" "$DIR"
status "ready, $(find "$DIR/modules" -name '*.ko' | wc -l) modules, $(du -sh "$DIR" | cut -f1)"
