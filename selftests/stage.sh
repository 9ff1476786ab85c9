#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# stage.sh DIR: builds the guest tests for one kernel. Afterwards DIR/tests can be
# passed to `kbtf vm run --test`: a directory for each test, with its program and
# the module that it loads. Configured by the environment:
#
#   KBTF            the kbtf to test
#   BASE            the kernel that will be booted: its vmlinux, vmlinuz or BTF
#   TYPES           BTF with the types that BPF programs are compiled with; default: BASE
#   HEADERS         its headers
#   OTHER_BASE      another build of it, whose modules are adapted by distilling; none: no such tests
#   OTHER_HEADERS   the headers of that build
#   REFUSED         the errno with which it refuses a module whose BTF is for another kernel; 0: loads it without BTF
#   VMLINUX_BTF     the kernel's BTF, if the bytes that it shows are to be compared
#   STANDALONE      not empty: the kernel renumbers standalone BTF itself
#   INSIDE          a root for compiling modules that contains HEADERS and OTHER_HEADERS; none: this system
#   MACHINE         the machine of the kernel, as uname -m, if it is not this one; then HEADERS name its compiler, and
#                   these are required:
#   COMPILER        the compiler in INSIDE for its programs
#   LIBRARIES       a root with its static libbpf, libelf, zlib and libzstd
#   ROLES           the directory in that root with kbtf's names for kernel builds: also tests modules whose BTF the
#                   kernel's own makefiles generated through them, and that kbtf gives the same bytes there as here.
#                   Requires a vmlinux in HEADERS

set -euo pipefail
export LC_ALL=C

folder=$(realpath -m "$1")
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
: "${KBTF:?}" "${BASE:?}" "${HEADERS:?}"
OTHER_BASE=${OTHER_BASE-} OTHER_HEADERS=${OTHER_HEADERS-} REFUSED=${REFUSED:-0} INSIDE=${INSIDE-}
ROLES=${ROLES-} STANDALONE=${STANDALONE-} MACHINE=${MACHINE-}
# The builds must not join the calling make's build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BTF_BASE M V O
unset "${!KBUILD_@}"

# kbuild does not support blanks in paths.
work=$(mktemp -d)
trap 'rm -rf "$work" ${inside:+"$inside"}' EXIT
rm -rf "$folder/tests" "$folder/modules"
mkdir -p "$folder/tests" "$folder/modules"

# compiled HEADERS NAME ARGUMENT...: builds kbtf_test.ko for them with make ARGUMENTS, as $work/NAME.ko; for the NAME
# `made` with kbtf-make.
compiled() {
    local headers=$1 name=$2 source=$work/$2 make=make
    shift 2
    if [ -n "$INSIDE" ]; then
        inside=$(mktemp -d "$INSIDE/kbtf-selftest.XXXXXX")
        source=$inside
        cp "$here"/modules/kbtf_test/*.[ch] "$here/modules/kbtf_test/Kbuild" "$source/"
        if [ "$name" = made ]; then
            cp "$BASE" "$source/base"
            set -- "$@" BTF_BASE="${source#"$INSIDE"}/base"
            cp "$here/../kbuild/kbtf-make" "$source/"
            cp "$KBTF" "$source/kbtf"
            make=${source#"$INSIDE"}/kbtf-make
        fi
        # objtool and make need /proc.
        # shellcheck disable=SC2016  # the inner shell expands these
        KBTF=${source#"$INSIDE"}/kbtf \
            unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$INSIDE" \
            "$make" -s -C "$headers" M="${source#"$INSIDE"}" "$@" modules
    else
        mkdir "$source"
        cp "$here"/modules/kbtf_test/*.[ch] "$here/modules/kbtf_test/Kbuild" "$source/"
        if [ "$name" = made ]; then
            make=$here/../kbuild/kbtf-make
            set -- "$@" BTF_BASE="$(readlink -f "$BASE")"
        fi
        KBTF=$KBTF "$make" -s -C "$headers" M="$source" "$@" modules
    fi
    cp "$source/kbtf_test.ko" "$work/$name.ko"
    if [ -n "$INSIDE" ]; then
        rm -rf "$inside"
        inside=
    fi
}

# module NAME FROM: a copy to be encoded.
module() { cp "$work/$2.ko" "$folder/modules/$1.ko"; }

# put TEST PROGRAM [MODULE]
put() {
    mkdir "$folder/tests/$1"
    cp "$folder/build/tests/$2" "$folder/tests/$1/"
    [ -z "${3-}" ] || "$strip" --strip-debug -o "$folder/tests/$1/kbtf_test.ko" "$folder/modules/$3.ko"
}

# programs ARGUMENT...: builds them with make ARGUMENTS.
programs() { make -s -C "$here" O="$folder/build" VMLINUX="${TYPES:-$BASE}" KBTF="$KBTF" "$@"; }

# The programs of another machine, with BPF objects that are made here.
foreign_programs() {
    local root libraries
    rm -rf "$folder/build/tests"
    programs MACHINE="$MACHINE" progs
    inside=$(mktemp -d "$INSIDE/kbtf-selftest.XXXXXX")
    root=${inside#"$INSIDE"}
    libraries=$(cd "$LIBRARIES" && echo usr/lib/*-linux-gnu)
    mkdir -p "$inside/Sources/Skeleton"
    cp -a "$here" "$inside/selftests"
    cp -a "$here/../Sources/Skeleton/Selftest" "$inside/Sources/Skeleton/"
    cp -a "$folder/build" "$inside/build"
    cp -a "$LIBRARIES" "$inside/libraries"
    chroot "$INSIDE" make -s -C "$root/selftests" O="$root/build" VMLINUX= MACHINE="$MACHINE" \
        CC="$COMPILER -isystem $root/libraries/usr/include -L$root/libraries/$libraries" \
        TEST_LDLIBS='-static -lbpf -lelf -lz -lzstd -Wl,--no-warnings'
    cp -a "$inside/build/tests" "$folder/build/"
    rm -rf "$inside"
    inside=
}

without_btf=CONFIG_DEBUG_INFO_BTF_MODULES=
strip=strip
if [ -n "$MACHINE" ]; then
    : "${INSIDE:?}" "${COMPILER:?}" "${LIBRARIES:?}"
    strip=${COMPILER%-gcc*}-strip
    foreign_programs
else
    programs
fi

compiled "$HEADERS" this "$without_btf"
compiled "$HEADERS" made
cd "$folder/modules"
module split this
module made made
module standalone this
module unmarked this
"$KBTF" encode -q --base "$BASE" split.ko
"$KBTF" encode -q --standalone standalone.ko
"$KBTF" encode -q --standalone --no-mark unmarked.ko
cp standalone.ko rebased.ko
"$KBTF" rebase -q --base "$BASE" rebased.ko
cp standalone.ko renumbered.ko
"$KBTF" rebase -q --renumber-only --base "$BASE" renumbered.ko
put split module_btf split
put made module_btf made
put rebased module_btf rebased
put renumbered own_types renumbered
if [ -n "$STANDALONE" ]; then
    for test in module_btf own_types damaged_btf unmarked; do
        case $test in
        damaged_btf) put "standalone-$test" "$test" unmarked ;;
        unmarked) put standalone-unmarked own_types unmarked ;;
        *) put "standalone-$test" "$test" standalone ;;
        esac
        "$KBTF" rebase -q --renumber-only --base "$BASE" --detached "$folder/tests/standalone-$test/kbtf_test.ko.btf" standalone.ko
    done
    strip --strip-debug -o "$folder/tests/standalone-damaged_btf/split.ko" split.ko
fi
put programs programs
put trampolines trampolines split
put lsm lsm
put activity activity
put kernel kernel_btf
[ -z "${VMLINUX_BTF-}" ] || cp "$VMLINUX_BTF" "$folder/tests/kernel/vmlinux.btf"

if [ -n "$ROLES" ]; then
    roles=(PAHOLE="$ROLES/pahole" RESOLVE_BTFIDS="$ROLES/resolve_btfids")
    compiled "$HEADERS" inside "${roles[@]}"
    compiled "$HEADERS" inside-standalone "${roles[@]}" BTF_BASE=
    module inside inside
    module inside-rebased inside-standalone
    "$KBTF" rebase -q --base "$BASE" inside-rebased.ko
    put inside module_btf inside
    put inside-rebased module_btf inside-rebased

    make -s -C "$here" O="$folder/build" VMLINUX="${TYPES:-$BASE}" KBTF="$KBTF" preload
    same=$folder/tests/same_bytes
    mkdir -p "$same"/{inputs,expected}
    cp "$folder"/build/progs/preload/*.bpf.o "$work/this.ko" "$same/inputs/"
    cp "$here/tests/same_bytes.sh" "$same/"
    KBTF=$KBTF BASE=$BASE "$same/same_bytes.sh" make "$same/expected"
fi

[ -n "$OTHER_BASE" ] || exit 0
compiled "$OTHER_HEADERS" other "$without_btf"
module distilled other
module foreign this
"$KBTF" encode -q --base "$OTHER_BASE" distilled.ko foreign.ko
"$KBTF" distill -q --base "$OTHER_BASE" distilled.ko
put distilled module_btf distilled
touch "$folder/tests/distilled/other-build"
put foreign refused foreign
echo "$REFUSED" >"$folder/tests/foreign/expected"
