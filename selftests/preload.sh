#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# preload.sh DIR: generates kernel modules from the BPF objects in progs/preload, in all modes,
# each with the test that `kbtf gen selftest` writes for it. Afterwards DIR/tests can be passed
# to `kbtf vm run --test`, and DIR/modules has the modules' directories. Configured by the
# environment, as stage.sh: KBTF, BASE, HEADERS, INSIDE; and
#
#   FEW             not empty: the policy, and one module each that publishes and stays

set -euo pipefail
export LC_ALL=C

folder=$(realpath -m "$1")
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
: "${KBTF:?}" "${BASE:?}" "${HEADERS:?}"
INSIDE=${INSIDE-} FEW=${FEW-}
# The builds must not join the calling make's build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BTF_BASE M V O
unset "${!KBUILD_@}"

# kbuild does not support blanks in paths.
if [ -n "$INSIDE" ]; then work=$(mktemp -d "$INSIDE/kbtf-selftest.XXXXXX"); else work=$(mktemp -d); fi
trap 'rm -rf "$work"' EXIT
rm -rf "$folder/tests" "$folder/modules"
mkdir -p "$folder/tests" "$folder/modules"

make -s -C "$here" O="$folder/build" VMLINUX="$BASE" KBTF="$KBTF" preload "$folder/build/preload/guard_loader"

# All names differ, because some stay loaded.
# made CASE OBJECT OWN OPTIONS...: a module's directory, with its test and OWN.own.c
made() {
    local name=$1 object=$2 own=$3
    shift 3
    "$KBTF" gen module -q "$@" -o "$work/$name" "$folder/build/progs/preload/$object.bpf.o"
    "$KBTF" gen selftest -q "$work/$name"
    cp "$here/preload/$own.own.c" "$work/$name/selftest/own.c"
    [ ! -e "$here/progs/preload/$object.h" ] || cp "$here/progs/preload/$object.h" "$work/$name/selftest/"
    # Before anything is built in the directory.
    sh "$work/$name/selftest/text_test.sh" >"$work/said" || { cat "$work/said" >&2; exit 1; }
}
# case_of CASE OBJECT OPTIONS...
case_of() {
    made "$1" "$2" "$2" "${@:3}"
    echo "obj-m += $1/" >>"$work/Kbuild"
}
export KBTF
case_of policy policy
case_of published iterators --publish list_maps=maps.debug,list_progs=progs.debug --name published
case_of stay-module variables --mode stay --stay module --name stays
if [ -z "$FEW" ]; then
    for object in iterators events variables guard sleepable; do case_of "$object" "$object"; done
    case_of preload events --mode preload --name listed
    case_of stay-links policy --mode stay --stay links --name links
fi
made logged iterators logged --name logged
# built DIR ARGUMENTS...: by kbuild, without compiler warnings.
built() {
    local dir=${1#"$INSIDE"}
    shift
    set -- -s -C "$HEADERS" M="$dir" "$@" W=1 CONFIG_DEBUG_INFO_BTF_MODULES= modules
    if [ -n "$INSIDE" ]; then
        # objtool and make need /proc.
        # shellcheck disable=SC2016  # the inner shell expands these
        unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$INSIDE" make "$@"
    else
        make "$@"
    fi 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
    [ ! -s "$work/said" ] || { cat "$work/said" >&2; echo "the build is to say nothing" >&2; exit 1; }
}
built "$work"
# The variables are for all modules of a build.
built "$work/logged" LOG_LEVEL_list_maps=2 LOG_LEVEL_BTF=1
for source in "$work"/*/; do
    name=$(basename "$source")
    make -s -C "$source/selftest" stage
    mv "$source/selftest/stage" "$folder/tests/$name"
    if [ "$name" = guard ]; then
        install -m 644 "$folder/build/preload/guard_loader" "$folder/tests/guard/"
    fi
    mv "$source" "$folder/modules/$name"
done
