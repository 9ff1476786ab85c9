#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: five kernels against pahole 1.32 with libbpf 1.8, for each list of features: sound, equal in meaning but
# for faults of pahole, each proven from the file, not larger, same bytes with one job and two; and the modules of 7.2
# and 7.3.

# vmlinux SERIES NAME FEATURES [RULES]
vmlinux() {
    local series=$1 name=vmlinux-$2 rules=$VMLINUX_RULES${4:+,$4} elf bad=0 ours theirs target=()
    local out=$WORK/$1/$name.btf oracle=$CACHE/oracles/$1/$name.btf
    elf=$(vmlinux_of "$series")
    # Kernels before 7.2 do not accept all of these features, so kbtf refuses them for such a vmlinux.
    [ "$2" != full ] || [ "$series" = 7.2 ] || target=(--target 7.2)
    "$KBTF" encode -j "$JOBS" "${target[@]}" --features "$3" --lang-exclude rust --ledger "$out.ledger" --detached "$out" "$elf" \
        2>"$out.messages" || bad=1
    "$KBTF" check "$out" >"$out.checked" 2>&1 && grep -q ': sound' "$out.checked" || bad=1
    echo "$out $oracle $out.ledger $elf" >"$out.list"
    "$COMPARE" compare --base-a none --base-b none --functions-by-rule --rules "$rules" "$out.list" \
        >"$out.compared" 2>&1 || bad=1
    # Several static variables may have the same name and type.
    ours=$(field "$out.compared" own-repeats)
    [ -n "$ours" ] && [ "$ours" -le "$(field "$out.compared" oracle-repeats)" ] || bad=1
    ours=$(field "$out.compared" bytes)
    theirs=$(field "$out.compared" oracle-bytes)
    [ -n "$ours" ] && [ "$ours" -le "$theirs" ] || bad=1
    if [ -e "$out" ]; then
        verdict "$series $name" "$bad" \
            "$(differences "$out.compared")$(rules "$out.compared" | sed 's/^./; &/'); $ours of $theirs bytes"
    else
        verdict "$series $name" "$bad" "$(head -n 1 "$out.messages")"
    fi
}

# vmlinux_same_bytes RUNS: so often with one job and with two.
vmlinux_same_bytes() {
    local bad=0 i jobs out=$WORK/6.1/same.btf elf sums
    elf=$(vmlinux_of 6.1)
    : >"$out.sums"
    for ((i = 0; i < $1; i++)); do
        for jobs in 1 2; do
            rm -f "$out"
            "$KBTF" encode -j "$jobs" --features "$DEFAULT" --lang-exclude rust --detached "$out" "$elf" \
                2>>"$out.messages" && sha256sum "$out" >>"$out.sums" || bad=1
        done
    done
    sums=$(sort -u "$out.sums" | wc -l)
    [ "$sums" = 1 ] && [ "$(wc -l <"$out.sums")" = $((2 * $1)) ] || bad=1
    cmp -s "$out" "$WORK/6.1/vmlinux-default.btf" || bad=1
    verdict "6.1 vmlinux same-bytes" "$bad" "$1 times -j1 and -j2: $sums outcome(s)"
}

run_vmlinux() {
    local series
    for series in 6.1 6.12; do vmlinux "$series" legacy "$LEGACY"; done
    for series in 6.1 6.12 7.2 6.1-amd64; do
        vmlinux "$series" default "$DEFAULT"
        vmlinux "$series" full "$FULL" "$VARIABLE_RULES"
    done
    vmlinux_same_bytes 10
    split 7.2 default "$DEFAULT"
    split 7.2 full "$FULL" "$VARIABLE_RULES"
    vmlinux 7.3 default "$DEFAULT"
    split 7.3 default "$DEFAULT"
}
