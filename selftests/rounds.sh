#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# rounds.sh DIR: generates kernel modules from BPF objects, and the tests that count what they
# leave behind: nothing, however often they are loaded and unloaded, and wherever loading fails.
# Afterwards DIR/tests can be passed to `kbtf vm run --test`. No compiler may warn (W=1).
# Configured by the environment, as stage.sh: KBTF, BASE, HEADERS, INSIDE; and
#
#   ROUNDS          how often each module is loaded and unloaded (100)
#   FEW             not empty: one module of each kind, and no sweep over full hooks and little memory

set -euo pipefail
export LC_ALL=C

folder=$(realpath -m "$1")
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
: "${KBTF:?}" "${BASE:?}" "${HEADERS:?}"
INSIDE=${INSIDE-} ROUNDS=${ROUNDS:-100} FEW=${FEW-}
# The builds must not join the calling make's build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BTF_BASE M V O
unset "${!KBUILD_@}"

# kbuild does not support blanks in paths.
if [ -n "$INSIDE" ]; then work=$(mktemp -d "$INSIDE/kbtf-selftest.XXXXXX"); else work=$(mktemp -d); fi
trap 'rm -rf "$work"' EXIT
rm -rf "$folder/tests"
mkdir -p "$folder/tests"/{rounds,hooks} "$work"/{plain,listed}

make -s -C "$here" O="$folder/build" VMLINUX="$BASE" KBTF="$KBTF" preload \
    "$folder"/build/tests/preload_{modules,hooks,steps}
progs=$folder/build/progs

# Each in a directory of its own, all in one build.
# module NAME OBJECT OPTIONS...
module() {
    local name=$1 object=$2
    shift 2
    "$KBTF" gen module -q --name "$name" "$@" -o "$work/plain/$name" "$progs/$object.bpf.o"
}
# expect LINE: see tests/preload_modules.c
expect() { echo "$*" >>"$folder/tests/rounds/list"; }
attach() {
    module "$@"
    expect attach "$1.ko"
}
# fails ERRNO OBJECT
fails() {
    module "$2" "unloadable/$2"
    expect fails "$1" "$2.ko"
}

expect rounds "$ROUNDS"
attach policy preload/policy
attach fallback preload/events --mode preload
if [ -z "$FEW" ]; then
    for object in iterators events variables guard sleepable; do attach "$object" "preload/$object"; done
    attach held preload/policy --no-attach policy_open --no-attach policy_kill
    attach published preload/iterators --publish list_maps=maps.debug,list_progs
    "$KBTF" gen skeleton -L -P --own-types "$progs/preload/variables.bpf.o" name headed >"$work/headed.h"
    "$KBTF" gen module -q --mode preload -o "$work/plain/headed" "$work/headed.h"
    expect attach headed.ko
    # EACCES
    fails 13 refused
    # ENOMEM
    fails 12 too_large
    # ENOENT
    fails 2 no_function
    fails 2 no_variable
    # The module whose function it would attach to.
    expect needs kbtf_test.ko
    mkdir "$work/target"
    cp -r "$here/modules/kbtf_test" "$work/target/"
else
    module published preload/iterators --publish list_maps=maps.debug,list_progs
fi
fails 2 no_tracepoint
module keeping preload/events --mode stay --stay links
expect keep keeping.ko
module staying preload/variables --mode stay
expect stay staying.ko
# Competes with published.ko for the hook.
module rival preload/iterators --publish list_maps,list_progs
"$KBTF" gen module -q --name listed --mode preload -o "$work/listed/listed" "$progs/preload/events.bpf.o"
cp -r "$here/modules/kbtf_preload_list" "$work/listed/"

# built DIR OPTIONS...: builds all modules in it, silently
built() {
    local where=${work#"$INSIDE"}/$1 name
    for name in "$work/$1"/*/; do echo "obj-m += $(basename "$name")/"; done >"$work/$1/Kbuild"
    shift
    set -- -s -C "$HEADERS" M="$where" CONFIG_DEBUG_INFO_BTF_MODULES= "$@" modules
    if [ -n "$INSIDE" ]; then
        # objtool and make need /proc.
        # shellcheck disable=SC2016  # the inner shell expands these
        unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$INSIDE" make "$@"
    else
        make "$@"
    fi 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
    [ ! -s "$work/said" ] || { cat "$work/said" >&2; echo "the build is to say nothing" >&2; exit 1; }
}
built plain W=1
built listed W=1

if [ -z "$FEW" ]; then
    built target
    "$KBTF" encode -q --base "$BASE" "$work/target/kbtf_test/kbtf_test.ko"
fi

# put TEST PROGRAM MODULE...
put() {
    local test=$folder/tests/$1 name
    cp "$folder/build/tests/$2" "$test/"
    shift 2
    for name; do strip --strip-debug -o "$test/$name.ko" "$work"/*/"$name/$name.ko"; done
}
put hooks preload_hooks published rival listed kbtf_preload_list
mapfile -t names < <(sed -n 's/.* \([a-z_]*\)\.ko$/\1/p' "$folder/tests/rounds/list")
put rounds preload_modules "${names[@]}"
if [ -z "$FEW" ]; then
    mkdir "$folder/tests/steps"
    put steps preload_steps policy
    echo policy.ko >"$folder/tests/steps/module"
fi
find "$folder/tests" -name '*.ko' -exec chmod a-x {} +
