#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: what kbtf says a kernel will answer, against what 6.1, 6.12, 7.2 and 7.3 answer.
#
# Each kernel is given thousands of BTFs (Tests/TestSupport/Verdicts) in one guest: seeded mutants of a module's BTF,
# of a BPF object's, of distilled modules; random graphs of types; each kind with each field at its limits; special
# fields. Compared are verdict, errno, type and words. KEEP=1 replaces the answers in Tests/KbtfTests/Data, which
# `make test` replays without a guest.

# template SERIES DIR: a small module whose BTF verdicts.c replaces, and the guest's other files.
verdict_guest() {
    local series=$1 root=$2 ko
    mkdir -p "$root"/{proc,sys,dev}
    ko=$(find "$(shipped_of "$series")" -name 'crc-itu-t.ko' | head -n 1)
    printf x >"$root/../dummy"
    objcopy --strip-debug --remove-section .BTF --remove-section .BTF_ids "$ko" "$root/template.ko"
    objcopy --add-section .BTF="$root/../dummy" --add-section .BTF.base="$root/../dummy" "$root/template.ko"
    echo crc_itu_t >"$root/name"
    cc -O2 -Wall -static -o "$root/init" "$HERE/verdicts.c"
}

# small_btfs SERIES DIR: the BTF of some small modules, a file each.
small_btfs() {
    local ko
    mkdir -p "$2"
    find "$(shipped_of "$1")" -name '*.ko' | sort | awk 'NR % 5 == 0' | while read -r ko; do
        btf_of "$ko" "$2/$(basename "$ko").btf" || rm -f "$2/$(basename "$ko").btf"
    done
    (cd "$2" && find . -type f -printf '%s %p\n' | sort -n | tail -n +61 | cut -d' ' -f2- | xargs -r rm)
}

verdicts() {
    local series=$1 dir=$WORK/verdicts/$1 release base bad=0
    release=$(release_of "$series")
    base=$(base_file "$series")
    mkdir -p "$dir"
    {
        verdict_guest "$series" "$dir/root" && small_btfs "$series" "$dir/modules" &&
            "$COMPARE" verdict-cases "$release" "$base" "$dir/root/cases" "$dir/modules"/* &&
            (cd "$dir/root" && find . | cpio -o -H newc --quiet) >"$dir/initrd"
    } >"$dir/made" 2>&1 || { verdict "verdicts $series" 1 "$(tail -n 1 "$dir/made")"; return; }
    # Its own init, and a second serial line: kbtf vm has one.
    timeout 1800 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 2048 -nodefaults -display none -no-reboot \
        -kernel "$(kernel_of "$series")" -initrd "$dir/initrd" \
        -append "console=ttyS0 loglevel=4 panic=-1 oops=panic log_buf_len=4M nowatchdog rcupdate.rcu_cpu_stall_suppress=1" \
        -serial file:"$dir/console" -serial file:"$dir/answers" 2>"$dir/qemu" || bad=1
    "$COMPARE" verdicts "$release" "$base" "$dir/answers" "$dir/kept" "$dir/modules"/* >"$dir/compared" 2>&1 || bad=1
    [ -z "${KEEP-}" ] || gzip -9nc "$dir/kept" >"$REPO/Tests/KbtfTests/Data/verdicts-$series.gz"
    verdict "verdicts $series" "$bad" "$(tail -n 1 "$dir/compared")"
}

run_verdicts() {
    local series
    guests_inputs
    for series in "${GENERATIONS[@]}"; do verdicts "$series"; done
}
