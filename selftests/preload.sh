#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# preload.sh FOLDER: makes kernel modules of the BPF objects in progs/preload, in all modes,
# each with the test that `kbtf gen selftest` writes of it. Afterwards FOLDER/tests is what
# `kbtf vm run --test` takes, and FOLDER/modules has the modules' folders. The environment
# tells what for, as it does for stage.sh: KBTF, BASE, HEADERS, INSIDE.

set -euo pipefail
export LC_ALL=C

folder=$(realpath -m "$1")
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
: "${KBTF:?}" "${BASE:?}" "${HEADERS:?}"
INSIDE=${INSIDE-}
# The builds must not take part in the one that calls this.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BTF_BASE M V O
unset "${!KBUILD_@}"

# kbuild cannot build where a path has a blank in it.
if [ -n "$INSIDE" ]; then work=$(mktemp -d "$INSIDE/kbtf-selftest.XXXXXX"); else work=$(mktemp -d); fi
trap 'rm -rf "$work"' EXIT
rm -rf "$folder/tests" "$folder/modules"
mkdir -p "$folder/tests" "$folder/modules"

make -s -C "$here" O="$folder/build" VMLINUX="$BASE" KBTF="$KBTF" preload

# What is left behind by a module that stays must not have the name of one that comes after it.
# case CASE OBJECT OPTIONS...
case_of() {
    local name=$1 object=$2
    shift 2
    "$KBTF" gen module -q "$@" -o "$work/$name" "$folder/build/progs/preload/$object.bpf.o"
    "$KBTF" gen selftest -q "$work/$name"
    cp "$here/preload/$object.own.c" "$work/$name/selftest/own.c"
}
for object in iterators events policy variables guard sleepable; do case_of "$object" "$object"; done
case_of published iterators --publish list_maps=maps.debug,list_progs=progs.debug
case_of preload events --mode preload
case_of stay-links policy --mode stay --stay links --name links
case_of stay-module variables --mode stay --stay module --name stays

for source in "$work"/*/; do
    name=$(basename "$source")
    # Before there is anything else in the folder.
    KBTF=$KBTF sh "$source/selftest/text_test.sh" >"$work/text" || { cat "$work/text" >&2; exit 1; }
    if [ -n "$INSIDE" ]; then
        # objtool and make want /proc.
        # shellcheck disable=SC2016  # the inner shell expands these
        unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$INSIDE" \
            make -s -C "$HEADERS" M="${work#"$INSIDE"}/$name" W=1 CONFIG_DEBUG_INFO_BTF_MODULES= modules
    else
        make -s -C "$source" KDIR="$HEADERS" W=1 CONFIG_DEBUG_INFO_BTF_MODULES=
    fi
    make -s -C "$source/selftest" stage
    mv "$source/selftest/stage" "$folder/tests/$name"
    mv "$source" "$folder/modules/$name"
done
