# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Modules of 6.1, a process each, on a base that the peer made itself.


modules_folder() { echo "$CACHE/kernels/6.1/dbg/usr/lib/debug/lib/modules/$(<"$CACHE/kernels/6.1/release")"; }

# The commands: MODULE OUT OPTION...
# What kernel builds run, word for word.
role_module() {
    echo "$WORK/bin/pahole -J ${*:3} --btf_features=$FEATURES --lang_exclude=rust --btf_base=$MODULE_BASE --btf_encode_detached=$2 $1"
}
kbtf_module() {
    echo "$KBTF encode ${*:3} --base $MODULE_BASE --features $FEATURES --lang-exclude rust --detached $2 $1"
}
pahole_module() {
    echo "$PAHOLE_132 -J ${*:3} --btf_features=$FEATURES --lang_exclude=rust --btf_base=$MODULE_BASE --btf_encode_detached=$2 $1"
}
old_pahole_module() {
    echo "$PAHOLE_124 -J ${*:3} --btf_gen_floats --lang_exclude=rust --btf_base=$WORK/base-1.24.btf --btf_encode_detached=$2 $1"
}

# bases: those of pahole 1.32 and 1.24, made once a run.
bases() {
    [ ! -e "$WORK/base-1.24.btf" ] || return 0
    $(pahole_vmlinux "$(vmlinux_of 6.1)" "$MODULE_BASE") >/dev/null 2>&1 || die "pahole 1.32 makes no base"
    "$CACHE/peers/bin/pahole-1.24" -J --btf_gen_floats --lang_exclude=rust \
        --btf_encode_detached="$WORK/base-1.24.btf" "$(vmlinux_of 6.1)" >/dev/null 2>&1 || die "pahole 1.24 makes no base"
}

one_module() {
    local ko
    ko=$(modules_folder)/kernel/$1
    printf '\n## %s, %d KiB, on the base of the peer\n' "${1##*/}" "$(($(stat -c %s "$ko") / 1024))" | say
    field_begin
    contender "kbtf as pahole" "$(role_module "$ko" "$WORK/kbtf.btf")"
    contender "kbtf encode" "$(kbtf_module "$ko" "$WORK/kbtf.btf")"
    contender "kbtf encode --no-cache" "$(kbtf_module "$ko" "$WORK/kbtf.btf" --no-cache)"
    contender "pahole 1.32" "$(pahole_module "$ko" "$WORK/pahole.btf")"
    contender "pahole 1.32 -j2" "$(pahole_module "$ko" "$WORK/pahole.btf" -j2)"
    contender "pahole 1.24" "$(old_pahole_module "$ko" "$WORK/pahole-1.24.btf")"
    race 6 1
    table
    goal_time "pahole 1.32" 1/9
    goal_memory "pahole 1.32" 0.7
    sizes "$WORK/kbtf.btf" "pahole 1.32" "$WORK/pahole.btf"
}

case_module() {
    local ko
    bases
    one_module net/sctp/sctp.ko
    one_module fs/overlayfs/overlay.ko
    ko=$(modules_folder)/kernel/fs/overlayfs/overlay.ko
    # One thread: callgrind runs threads one after the other, and counts their waiting.
    field_begin
    contender "kbtf as pahole" "$(role_module "$ko" "$WORK/kbtf.btf" -j1)"
    contender "kbtf encode -j1" "$(kbtf_module "$ko" "$WORK/kbtf.btf" -j 1)"
    contender "kbtf encode -j1 --no-cache" "$(kbtf_module "$ko" "$WORK/kbtf.btf" -j 1 --no-cache)"
    contender "pahole 1.32" "$(pahole_module "$ko" "$WORK/pahole.btf")"
    contender "pahole 1.24" "$(old_pahole_module "$ko" "$WORK/pahole-1.24.btf")"
    instructions
}

# loop COMMAND LIST OPTION...: a shell script of COMMAND for each module of LIST; prints what to run.
loop() {
    local ko script
    script=$(mktemp "$WORK/loop.XXXXXX")
    mkdir -p "$script.out"
    while read -r ko; do
        echo "$("$1" "$(modules_folder)/$ko" "$script.out/${ko##*/}.btf" "${@:3}") || exit 1"
    done <"$2" >"$script"
    echo "sh $script"
}

# module_list: all of them, read once so that nobody pays for the disk.
module_list() {
    [ -e "$WORK/all" ] || {
        (cd "$(modules_folder)" && find kernel -name '*.ko' | sort) >"$WORK/all"
        (cd "$(modules_folder)" && xargs cat <"$WORK/all" >/dev/null)
    }
}

case_modules() {
    # shellcheck disable=SC2034  # measure.sh reads it
    local PEAKS=1 step
    bases
    module_list
    step=$(($(wc -l <"$WORK/all") / 112))
    awk -v n="$step" '(NR - 1) % n == 0 && kept++ < 112' "$WORK/all" >"$WORK/112"
    printf '\n## %d modules, a process each\n' "$(wc -l <"$WORK/112")" | say
    field_begin
    contender "kbtf as pahole" "$(loop role_module "$WORK/112")"
    contender "kbtf encode" "$(loop kbtf_module "$WORK/112")"
    contender "kbtf encode --no-cache" "$(loop kbtf_module "$WORK/112" --no-cache)"
    contender "pahole 1.32" "$(loop pahole_module "$WORK/112")"
    contender "pahole 1.24" "$(loop old_pahole_module "$WORK/112")"
    race 5
    table
    goal_time "pahole 1.32" 1/9
    goal_memory "pahole 1.32" 0.7
}
