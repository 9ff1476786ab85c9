#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Tests kbtf in the place of PAHOLE and RESOLVE_BTFIDS, as installed, in real builds of the sample module with
# the kernel's own makefiles. Prints TAP. KBTF names the binary, RELEASE the headers (default: setup's).

set -uo pipefail
export LC_ALL=C

root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
kbtf=$(readlink -f "${KBTF:-$root/.build/release/kbtf}")
release=${RELEASE:-$("$root/selftests/setup.sh" --release)}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kbtf
# The build under test must not take part in the one that runs the test.
unset MAKEFLAGS MFLAGS MAKELEVEL KBTF BTF_BASE KBTF_BASE M V
unset "${!KBUILD_@}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
module=$work/sample
ko=$module/kbtf_sample.ko
log=$work/log
headers=$work/headers

kind() { "$kbtf" info --json "${2:-$ko}" --base "$1" | sed -n 's/.*"kind" *: *"\([a-z]*\)".*/\1/p' | head -n 1; }
bytes() { sha256sum <"$1"; }
# shellcheck source=selftests/tap.sh
source "$root/selftests/tap.sh"

image=$cache/images/$release/boot/vmlinuz-$release
[ -e "$image" ] || image=/boot/vmlinuz-$release
[ -e "/lib/modules/$release/build/Makefile" ] || bail "no headers for $release"
[ -e "$image" ] || bail "no kernel image of $release"
[ -x "$kbtf" ] || bail "no kbtf at $kbtf"
echo "TAP version 13"

# What `make install` does, from a binary that is there.
make -s -C "$root" install DESTDIR="$work/dest" PREFIX=/opt/kbtf RELEASEFLAGS=--version SWIFT=true KBTF="$kbtf" >"$log" 2>&1
check "installation" is $? 0
roles=$work/dest/opt/kbtf/libexec/kbtf
check "pahole is installed" is "$("$roles/pahole" --version)" v1.32
check "resolve_btfids is installed" test -x "$roles/resolve_btfids"
check "resolve_btfids knows itself" is "$("$roles/resolve_btfids" 2>/dev/null; echo $?)" 129

# Headers with a vmlinux among them: 6.1's have none, and the image that boots will do.
cp -r "/lib/modules/$release/build/" "$headers"
for link in scripts tools; do
    ln -sfn "$(readlink -f "/lib/modules/$release/build/$link")" "$headers/$link"
done
ln -sf "$(readlink -f "$image")" "$headers/vmlinux"
cp -r "$root/selftests/modules/kbtf_sample" "$module"

build() {
    find "$module" -name '*.ko' -delete
    make -C "$headers" M="$module" PAHOLE="$roles/pahole" RESOLVE_BTFIDS="$roles/resolve_btfids" "$@" modules \
        >"$work/out" 2>"$log"
}
sets() { "$kbtf" ids "$@" 2>&1; }
# bare COMMAND...: in a world without /proc, as a chroot may be.
bare() { unshare -rm sh -c 'mount -t tmpfs none /proc && exec "$@"' bare "$@" 2>"$log"; }

build
check "a build succeeds" is $? 0
check "without a word" is "$(cat "$log")" ""
check "its line is kbuild's" grep -qF "  BTF [M] $ko" "$work/out"
check "the module has split BTF" is "$(kind "$image")" split
check "which is sound" "$kbtf" check -q --base "$image" "$ko"
check "its kfuncs have ids" grep -Eq 'FUNC kbtf_sample_sum +0x0 +filled' <(sets --base "$image" "$ko")
split=$(bytes "$ko")

cp "$ko" "$work/bare.ko"
if bare true; then
    KBTF_BASE='' bare "$roles/pahole" -J --btf_base "$image" "$work/bare.ko"
    check "without /proc pahole works" is "$? $(kind "$image" "$work/bare.ko")" "0 standalone"
    check "without a word" is "$(cat "$log")" ""
else
    skip "without /proc pahole works" "unshare -rm: $(head -n 1 "$log")"
fi

build BTF_BASE=
check "an empty BTF_BASE makes standalone BTF" is "$? $(kind "$image")" "0 standalone"
check "without a word" is "$(cat "$log")" ""
check "which is sound" "$kbtf" check -q "$ko"
check "and its kfuncs have ids" grep -Eq 'FUNC kbtf_sample_sum +0x0 +filled' <(sets "$ko")
cp "$ko" "$work/other.ko"

build BTF_BASE="--btf_base ../other.ko"
check "another base, seen from the module's folder" is "$?" 0
check "gives split BTF that is not the kernel's" differ "$(bytes "$ko")" "$split"
check "but sound on that base" "$kbtf" check -q --base "$work/other.ko" "$ko"

KBTF_BASE='' build
check "KBTF_BASE in the environment" is "$? $(kind "$image")" "0 standalone"

build BTF_BASE="$work/none"
check "a base that is not there fails the build" not test -e "$ko"
check "and says so" says "$work/none: no such file, given as the base in BTF_BASE"

build
check "and all is as it was" is "$(bytes "$ko")" "$split"
echo "1..$points"
