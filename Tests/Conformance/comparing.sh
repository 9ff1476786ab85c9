#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the parts of run.sh share: where kernels lie, how a verdict is printed, and comparing BTF with what pahole made, by
# kbtf-conformance (COMPARE).

SAMPLE=100

# pahole 1.32 overlooks some functions of ambiguous address; FunctionSymbolNames.swift says which.
BLIND_SPOT=pahole-ambiguity-blind-spot
# pahole 1.32 tags wrong kfuncs once .BTF_ids is sorted; KfuncFlags.swift says how.
# It takes functions in several places for such without code; ScatteredFunctions.swift says how that shows.
VMLINUX_RULES=$BLIND_SPOT,goes-with-function,pahole-flags-by-symbol,pahole-ranges-without-code
# Variables that it leaves out, repeats or puts into another section; VariableRules.swift proves each.
VARIABLE_RULES=pahole-declared-without-length,pahole-overlapping-variables,pahole-start-of-section
VARIABLE_RULES+=,pahole-section-of-relocatable

failures=0
started=0

# verdict NAME 0|1 DETAIL
verdict() {
    local word=PASS
    [ "$2" = 0 ] || { word=FAIL; failures=$((failures + 1)); }
    printf '%-28s %s  %4ss  %s\n' "$1" "$word" "$((SECONDS - started))" "$3" | tee -a "$WORK/table"
    started=$SECONDS
}

release_of() { cat "$CACHE/kernels/$1/release"; }
vmlinux_of() { echo "$CACHE/kernels/$1/dbg/usr/lib/debug/boot/vmlinux-$(release_of "$1")"; }
modules_of() { echo "$CACHE/kernels/$1/dbg/usr/lib/debug/lib/modules/$(release_of "$1")"; }

# list_of SERIES: the modules, relative to their root.
list_of() { (cd "$(modules_of "$1")" && find . -name '*.ko' -printf '%P\n' | sort); }

# shipped_of SERIES: the modules' root as they were shipped, uncompressed; guests-inputs.sh brings those of 7.2 and 7.3.
shipped_of() {
    local from=$CACHE/kernels/$1/image-ko
    [[ $1 != 7.* ]] || from=$CACHE/vm/$1/shipped
    [ -d "$from" ] || from=$CACHE/kernels/$1/image/lib/modules/$(release_of "$1")
    echo "$from"
}

# sample SERIES: $SAMPLE of them, evenly spread.
sample() {
    local count
    count=$(list_of "$1" | wc -l)
    list_of "$1" | awk -v n="$((count > SAMPLE ? count / SAMPLE : 1))" -v max="$SAMPLE" \
        '(NR - 1) % n == 0 && kept++ < max'
}

# encode SERIES NAME OPTIONS...: all modules, into $WORK/SERIES/NAME/, with a ledger.
encode() {
    local dir=$WORK/$1/$2 from
    from=$(modules_of "$1")/kernel
    shift 2
    mkdir -p "$dir"
    "$KBTF" encode -j "$JOBS" --lang-exclude rust --detached-dir "$dir" --ledger "$dir.ledger" "$@" "$from" \
        2>"$dir.messages"
}

# compare_with SERIES NAME BASE_A BASE_B ORACLE SUFFIX OPTIONS...: what encode made against
# ORACLE/MODULE SUFFIX; the output goes to $WORK/SERIES/NAME.compared.
compare_with() {
    local out=$WORK/$1/$2 base_a=$3 base_b=$4 oracle=$5 suffix=$6 from
    from=$(modules_of "$1")
    list_of "$1" | while read -r ko; do
        echo "$out/${ko##*/}.btf $oracle/$ko$suffix $out.ledger $from/$ko"
    done >"$out.list"
    shift 6
    "$COMPARE" compare --jobs "$JOBS" --base-a "$base_a" --base-b "$base_b" "$@" "$out.list" >"$out.compared" 2>&1
}

# field FILE WORD: the number after WORD in the last line of an output of compare.
field() { tail -n 1 "$1" | tr ' ' '\n' | awk -v w="$2" 'f { print; exit } $0 == w { f = 1 }'; }

# rules FILE: "rule count, rule count", as compare counted them.
rules() { awk '$1 == "rule" { printf "%s%s %s", sep, $2, $3; sep = ", " }' "$1"; }

# summary FILE: the numbers of an output of compare.
summary() {
    local by_rule
    by_rule=$(field "$1" by-rule)
    [ -n "$(field "$1" pairs)" ] || { head -n 1 "$1"; return; }
    printf '%s modules: %s equal, %s by rule, %s different, %s unreadable; repeats of base %s (oracle: %s in all)' \
        "$(field "$1" pairs)" "$(field "$1" equal)" "${by_rule:-0}" "$(field "$1" different)" \
        "$(field "$1" unreadable)" "$(field "$1" repeats-of-base)" "$(field "$1" oracle-repeats)"
}

# differences FILE: kinds of types of which the two have not the same.
differences() {
    awk '$1 == "kind" { both += $4; own += $6; other += $8; changed += $10
            if ($6 + $8 + $10) kinds = kinds " " $2 }
        END { printf "%d types in both, %d only ours, %d only pahole, %d changed%s", both, own, other, changed, \
            kinds ? ":" kinds : "" }' "$1"
}

# encoded SERIES NAME: whether every module gave BTF.
encoded() { [ "$(list_of "$1" | wc -l)" = "$(find "$WORK/$1/$2" -name '*.btf' | wc -l)" ]; }
