# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What kbtf does with BTF that is already there, beside the kbtf of before (before.sh), which no other tool does: `check` of
# all modules that 6.1 ships, `rebase` of the same modules' standalone BTF, `diff` of the kernels of 6.1 and 6.12.

# against_before LIMIT: a race of $OURS, the words after the program.
against_before() {
    field_begin
    contender kbtf "$KBTF $OURS"
    contender "kbtf of before" "$BEFORE $OURS"
    race 5 2
    table
    goal_time "kbtf of before" "$1"
}

case_check() {
    local modules
    modules=$CACHE/kernels/6.1/image/lib/modules/$(<"$CACHE/kernels/6.1/release")
    printf '\n## check of %d modules as shipped\n' "$(find "$modules" -name '*.ko' | wc -l)" | say
    OURS="check --base $CACHE/kernels/6.1/vmlinux.btf $modules"
    against_before 1/2
    instructions
}

case_rebase() {
    bases
    module_list
    mkdir -p "$WORK/standalone" "$WORK/moved"
    "$KBTF" encode --quiet --standalone --features "$FEATURES" --lang-exclude rust \
        --detached-dir "$WORK/standalone" "$(modules_folder)/kernel" || die "kbtf fails to encode"
    printf '\n## rebase of %d standalone modules\n' "$(find "$WORK/standalone" -name '*.btf' | wc -l)" | say
    OURS="rebase --quiet --base $MODULE_BASE --detached-dir $WORK/moved $(find "$WORK/standalone" -name '*.btf' | sort | xargs)"
    against_before 1/2
}

case_diff() {
    printf '\n## diff of the kernels of 6.1 and 6.12\n' | say
    # Exit status 1 says that they differ.
    printf '#!/bin/sh\n"$@" >/dev/null || [ $? = 1 ]\n' >"$WORK/differ"
    chmod +x "$WORK/differ"
    field_begin
    contender kbtf "$WORK/differ $KBTF diff $CACHE/kernels/6.1/vmlinux.btf $CACHE/kernels/6.12/vmlinux.btf"
    contender "kbtf of before" "$WORK/differ $BEFORE diff $CACHE/kernels/6.1/vmlinux.btf $CACHE/kernels/6.12/vmlinux.btf"
    race 5 2
    table
    goal_time "kbtf of before" 1/2
}
