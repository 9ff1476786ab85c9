# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# All modules of 6.1: one kbtf, and a loop of pahole, both writing a file for each.

case_batch() {
    # shellcheck disable=SC2034  # measure.sh reads it
    local PEAKS=1
    bases
    module_list
    mkdir -p "$WORK/batch"
    printf '\n## %d modules: one kbtf, a loop of pahole\n' "$(wc -l <"$WORK/all")" | say
    field_begin
    contender kbtf "$KBTF encode --quiet --base $MODULE_BASE --features $FEATURES --lang-exclude rust --detached-dir $WORK/batch $(modules_folder)/kernel"
    contender "pahole 1.32" "$(loop pahole_module "$WORK/all")"
    race 3
    table
    goal_time "pahole 1.32" 1/50
    goal_memory "pahole 1.32" 1.0
    [ "$(find "$WORK/batch" -name '*.btf' | wc -l)" = "$(wc -l <"$WORK/all")" ] || die "kbtf wrote fewer files than there are modules"
}
