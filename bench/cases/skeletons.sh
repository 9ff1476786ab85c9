# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Light skeletons of the objects that Tests/Conformance/skeletons.sh compiles, a process each.

case_skeletons() {
    local object bpftool=$WORK/skeletons-bpftool kbtf=$WORK/skeletons-kbtf role=$WORK/skeletons-role HERE=$CONFORMANCE JOBS=2
    # shellcheck disable=SC2034  # skeletons.sh reads it
    local SKELETONS=$WORK/skeletons
    bash "$CONFORMANCE/skeletons-inputs.sh" >/dev/null || die "skeletons-inputs.sh failed"
    # shellcheck source-path=SCRIPTDIR source=../../Tests/Conformance/skeletons.sh
    source "$CONFORMANCE/skeletons.sh"
    mkdir -p "$SKELETONS"
    skeleton_objects >"$SKELETONS/log" 2>&1 || die "the objects do not compile: $SKELETONS/log"
    : >"$role"
    : >"$kbtf"
    : >"$bpftool"
    for object in "$SKELETONS"/objects/*.o; do
        # What one of them refuses is no race.
        "$KBTF" gen skeleton -q -L --own-types "$object" name bench >/dev/null 2>&1 &&
            "$WORK/bin/bpftool" gen skeleton -L "$object" name bench >/dev/null 2>&1 &&
            $BPFTOOL gen skeleton -L "$object" name bench >/dev/null 2>&1 || continue
        echo "$WORK/bin/bpftool gen skeleton -L $object name bench >/dev/null || exit 1" >>"$role"
        echo "$KBTF gen skeleton -q -L --own-types $object name bench >/dev/null || exit 1" >>"$kbtf"
        echo "$BPFTOOL gen skeleton -L $object name bench >/dev/null || exit 1" >>"$bpftool"
    done
    printf '\n## Light skeletons of %d objects\n' "$(wc -l <"$kbtf")" | say
    field_begin
    contender "kbtf as bpftool" "sh $role"
    contender "kbtf gen skeleton" "sh $kbtf"
    contender "bpftool 7.8" "sh $bpftool"
    race 5 1
    table
    goal_time "bpftool 7.8" 1.0
}
