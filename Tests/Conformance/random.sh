#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: RANDOM_PROGRAMS (2000) random C programs, half of them csmith's, half of random-types.py. Their numbers are
# the seeds, from RANDOM_SEED (1) on. Four compilers make an object of each (without PIE on i386, whose debug information
# then has relocations that need a linker), and for each of these:
#
#   - kbtf encodes it, and finds its own BTF sound
#   - the compiler gives every struct, union and enum the size and the offsets that the BTF has (asserts.py)
#   - the C dump, compiled by the same compiler, has them again, and bitfields too (c-dumps.py); --like-bpftool is the
#     text of bpftool
#
# The BTF of amd64 is then loaded into kernels of 6.12 and 7.2 as a program's, and split as a module's; and once more,
# changed somewhere.

: "${RANDOM_PROGRAMS:=2000}" "${RANDOM_SEED:=1}"
RANDOM_C=$WORK/random
RANDOM_COMPILERS=("x86_64-linux-gnu-gcc" "clang-19 --target=x86_64-linux-gnu" "i686-linux-gnu-gcc -fno-pie" "s390x-linux-gnu-gcc")

# random_program SEED: on standard output.
random_program() {
    if (($1 % 2)); then
        csmith --seed "$1" --concise --packed-struct --bitfields --max-funcs 4 --max-block-depth 2
    else
        python3 "$HERE/random-types.py" "$1"
    fi
}

# random_one SEED: all of the above; a line for each fault.
random_one() {
    local dir=$RANDOM_C/$1 number compiler out
    mkdir -p "$dir"
    cd "$dir"
    random_program "$1" >program.c || { echo "$1: not made"; return 0; }
    for number in "${!RANDOM_COMPILERS[@]}"; do
        compiler=${RANDOM_COMPILERS[number]} out=$number
        # shellcheck disable=SC2086  # words
        random_checked $compiler -w -g -O2 -std=gnu11 -I/usr/include/csmith || echo "$1, $compiler: $step: $(grep -m 1 -E 'error|kbtf:|differ|compiled' log || head -n 1 log)"
        [ "$number" -lt 2 ] || rm -f "$out".*
    done
    rm -f -- *.json *.h dump.* log
}

# random_checked COMPILER...: of program.c, to $out.o and $out.btf; the step that failed in $step.
random_checked() {
    step=compiled
    "$@" -c -o "$out.o" program.c >log 2>&1 || return 1
    step=encoded
    "$KBTF" encode -q --detached "$out.btf" "$out.o" >log 2>&1 || return 1
    step=checked
    "$KBTF" check "$out.btf" >log 2>&1 || return 1
    step="as the compiler has it"
    "$BPFTOOL" -j btf dump file "$out.btf" >"$out.json" 2>log &&
        python3 -B "$HERE/asserts.py" "$out.json" program.c >asserts.h 2>log &&
        "$@" -fsyntax-only -x c asserts.h >log 2>&1 || return 1
    step=dumped
    "$KBTF" dump --format c "$out.btf" >dump.h 2>log && echo '#include "dump.h"' >dump.c &&
        "$@" -DBPF_NO_PRESERVE_ACCESS_INDEX -fno-eliminate-unused-debug-types -c -o dump.o dump.c >log 2>&1 &&
        "$KBTF" encode -q --detached dump.btf dump.o >log 2>&1 &&
        "$BPFTOOL" -j btf dump file dump.btf >dump.json 2>log &&
        python3 -B "$HERE/c-dumps.py" "$out.json" dump.json >log 2>&1 || return 1
    step="dumped like bpftool"
    "$KBTF" dump --format c --like-bpftool "$out.btf" 2>log | cmp - <("$BPFTOOL" btf dump file "$out.btf" format c 2>/dev/null) >log 2>&1
}
export -f random_program random_one random_checked

# random_kernel SERIES: the kernel's answers to all of them.
random_kernel() {
    local series=$1 dir=$RANDOM_C/kernel-$1 boot=$CACHE/boot/$1 files asked bad=0
    mkdir -p "$dir"
    verdict_guest "$series" "$dir/root" >"$dir/made" 2>&1 || { verdict "random in $series" 1 "$(tail -n 1 "$dir/made")"; return; }
    # The objects get BTF of their own, split on that kernel's.
    find "$RANDOM_C"/[0-9]* -name '0.o' -print0 | xargs -0 -n 200 "$KBTF" encode -q -j "$JOBS" --base "$boot/vmlinux.btf" >"$dir/encoded" 2>&1 || bad=1
    mapfile -t files < <(find "$RANDOM_C"/[0-9]* -name '[01].btf' -o -name '0.o' -path "$RANDOM_C/[0-9]*" | sort)
    # verdicts.sh asks about all else, and more mutants.
    asked=(--only-files 1 "$(<"$boot/release")" "$boot/vmlinux.btf")
    "$COMPARE" verdict-cases "${asked[@]}" "$dir/root/cases" "${files[@]}" >"$dir/made" 2>&1 || bad=1
    verdict_answers "$dir" "$boot/vmlinuz" || bad=1
    "$COMPARE" verdicts "${asked[@]}" "$dir/answers" "$dir/kept" "${files[@]}" >"$dir/compared" 2>&1 || bad=1
    verdict "random in $series" "$bad" "${#files[@]} files: $(tail -n 1 "$dir/compared")"
}

run_random() {
    local bad=0 series
    export HERE RANDOM_C RANDOM_COMPILERS
    mkdir -p "$RANDOM_C"
    command -v csmith >/dev/null || { verdict "random" 1 "no csmith: selftests/setup.sh --machines"; return; }
    seq "$RANDOM_SEED" "$((RANDOM_SEED + RANDOM_PROGRAMS - 1))" |
        xargs -P "$JOBS" -n 20 bash -c "$(declare -p RANDOM_COMPILERS); for seed; do (random_one \$seed); done" random >"$RANDOM_C/faults" 2>&1 || bad=1
    [ ! -s "$RANDOM_C/faults" ] || bad=1
    verdict "random" "$bad" "$RANDOM_PROGRAMS programs from $RANDOM_SEED on, ${#RANDOM_COMPILERS[@]} compilers: $(grep -c . "$RANDOM_C/faults" || true) faults $(head -n 1 "$RANDOM_C/faults")"
    bash "$HERE/boot-inputs.sh" 6.12 7.2 >/dev/null || die "boot-inputs.sh failed"
    for series in 6.12 7.2; do random_kernel "$series"; done
}
