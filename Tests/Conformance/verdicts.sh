#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: what kbtf says a kernel will answer, against what 6.1, 6.12, 7.2 and 7.3 answer.
#
# Each kernel is given thousands of BTFs (Tests/TestSupport/Verdicts) in one guest: random graphs of types; each kind
# with each field at its limits; special fields; that of shipped modules, plain and distilled, and of BPF objects; and
# seeded mutants of all. Compared are verdict, errno, type and words. VERDICT_SEED chooses other mutants and graphs.
# KEEP=1 replaces the answers in Tests/KbtfTests/Data, which `make test` replays without a guest.

: "${VERDICT_SEED:=0}"

# verdict_guest SERIES DIR: a small module whose BTF verdicts.c replaces, and the guest's other files.
verdict_guest() {
    local series=$1 root=$2 ko
    mkdir -p "$root"/{proc,sys,dev}
    ko=$(find "$CACHE/boot/$series/modules" -name 'crc-itu-t.ko' | head -n 1)
    printf x >"$root/../dummy"
    objcopy --strip-debug --remove-section .BTF --remove-section .BTF_ids "$ko" "$root/template.ko"
    objcopy --add-section .BTF="$root/../dummy" --add-section .BTF.base="$root/../dummy" "$root/template.ko"
    echo crc_itu_t >"$root/name"
    cc -O2 -Wall -static -o "$root/init" "$HERE/verdicts.c"
}

# verdict_files SERIES DIR: some of the smaller modules, most as they shipped, some distilled, and BPF objects.
verdict_files() {
    local series=$1 dir=$2 base=$CACHE/boot/$1/vmlinux.btf list ko
    mkdir -p "$dir"/{modules,distilled}
    list=$(find "$CACHE/boot/$series/modules" -name '*.ko' -printf '%s %p\n' | sort -n | awk 'NR % 6 == 0 { print $2 }' |
        head -n 100)
    while read -r ko; do
        section "$ko" .BTF >/dev/null || continue
        if [ "$(find "$dir/distilled" -type f | wc -l)" -lt 40 ]; then cp "$ko" "$dir/distilled/"; else cp "$ko" "$dir/modules/"; fi
    done <<<"$list"
    "$KBTF" distill -q --force --base "$base" "$dir/distilled"
    make -s -C "$REPO/selftests" O="$dir/build" VMLINUX="$base" KBTF="$KBTF" preload \
        $(cd "$REPO/selftests" && printf "$dir/build/%s.bpf.o " $(find progs -maxdepth 1 -name '*.bpf.c' | sed 's/\.bpf\.c$//'))
}

# verdict_answers DIR KERNEL: what the kernel answers to DIR/root/cases, to DIR/answers.
verdict_answers() {
    local dir=$1
    (cd "$dir/root" && find . | cpio -o -H newc --quiet) >"$dir/initrd"
    # Its own init, and a second serial line: kbtf vm has one.
    timeout 3600 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 2048 -nodefaults -display none -no-reboot \
        -kernel "$2" -initrd "$dir/initrd" \
        -append "console=ttyS0 loglevel=4 panic=-1 oops=panic no_timer_check log_buf_len=4M nowatchdog rcupdate.rcu_cpu_stall_suppress=1" \
        -serial file:"$dir/console" -serial file:"$dir/answers" 2>"$dir/qemu"
}

verdicts() {
    local series=$1 dir=$WORK/verdicts/$1 boot=$CACHE/boot/$1 release bad=0 files asked
    release=$(<"$boot/release")
    mkdir -p "$dir"
    {
        verdict_guest "$series" "$dir/root" && verdict_files "$series" "$dir"
    } >"$dir/made" 2>&1 || { verdict "verdicts $series" 1 "$(tail -n 1 "$dir/made")"; return; }
    mapfile -t files < <(find "$dir"/{modules,distilled,build} -name '*.ko' -o -name '*.bpf.o' | sort)
    asked=(--seed "$VERDICT_SEED" "$release" "$boot/vmlinux.btf")
    {
        "$COMPARE" verdict-cases "${asked[@]}" "$dir/root/cases" "${files[@]}"
    } >"$dir/made" 2>&1 || { verdict "verdicts $series" 1 "$(tail -n 1 "$dir/made")"; return; }
    # shellcheck disable=SC2046  # no blanks in their names
    [ "$series" != "${GENERATIONS[0]}" ] || passed_on selftests "$boot/vmlinux.btf" $(find "$dir/build" -name '*.bpf.o')
    verdict_answers "$dir" "$boot/vmlinuz" || bad=1
    "$COMPARE" verdicts "${asked[@]}" "$dir/answers" "$dir/kept" "${files[@]}" >"$dir/compared" 2>&1 || bad=1
    [ -z "${KEEP-}" ] || gzip -9nc "$dir/kept" >"$REPO/Tests/KbtfTests/Data/verdicts-$series.gz"
    verdict "verdicts $series" "$bad" "$(tail -n 1 "$dir/compared")"
}

run_verdicts() {
    local series
    bash "$HERE/boot-inputs.sh" "${GENERATIONS[@]}" >/dev/null || die "boot-inputs.sh failed"
    for series in "${GENERATIONS[@]}"; do verdicts "$series"; done
}
