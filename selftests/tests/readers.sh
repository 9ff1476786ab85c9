#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Does what the kernel shows of kbtf_test.ko, which has standalone BTF, serve other programs as any BTF does? Beside this
# script is expected/, with what each program has to say: bpftool's from the BTF that `kbtf rebase --renumber-only` makes,
# pahole's from DWARF. The programs are in /shared, with their libraries.

here=$(dirname "$(readlink -f "$0")")
expected=$here/expected
shown=/sys/kernel/btf/kbtf_test
made=$(mktemp -d)
points=0
failed=0

# by PROGRAM ARGUMENT...
by() {
    program=/shared/$1
    shift
    /shared/lib/ld-linux-x86-64.so.2 --library-path /shared/lib "$program" "$@"
}

# point NAME COMMAND...: with what the command said, if it fails.
point() {
    name=$1
    shift
    points=$((points + 1))
    if "$@" >"$made/said" 2>&1; then
        echo "ok $points $name"
    else
        sed 's/^/# /' "$made/said" | head -n 40
        echo "not ok $points $name"
        failed=1
    fi
}

loaded() {
    insmod "$here/kbtf_test.ko" && cmp "$expected/btf" "$shown"
}

bpftool_reads_file() {
    by bpftool -B /sys/kernel/btf/vmlinux btf dump file "$shown" format c >"$made/c" &&
        diff "$expected/bpftool" "$made/c"
}

# Through its id, from the kernel.
bpftool_reads_id() {
    id=$(by bpftool btf list | sed -n 's/^\([0-9]*\): name \[kbtf_test\] .*/\1/p')
    [ -n "$id" ] && by bpftool -B /sys/kernel/btf/vmlinux btf dump id "$id" format c >"$made/c" &&
        diff "$expected/bpftool" "$made/c"
}

pahole_reads() {
    by pahole --btf_base /sys/kernel/btf/vmlinux -F btf -C kbtf_test_item,kbtf_test_count "$shown" >"$made/structs" &&
        diff "$expected/pahole" "$made/structs"
}

bpftrace_lists() {
    by bpftrace -lv 'fentry:kbtf_test:kbtf_test_mix' >"$made/listed"
    cat "$made/listed"
    for argument in 'struct kbtf_test_item \* item' 'a' 'b' 'c' 'd'; do
        grep -q "$argument\$" "$made/listed" || return 1
    done
}

# Arguments and members of three structs, one of them behind a pointer and with bit-fields.
bpftrace_traces() {
    # shellcheck disable=SC2016  # bpftrace's own
    by bpftrace -c "/bin/busybox sh $here/trigger" -e '
        fentry:kbtf_test:kbtf_test_mix {
            printf("%s %d %d %d %d %d %s\n", args.item->label, args.item->id, args.item->weight, args.item->place.x,
                args.b, args.c, args.item->next->label);
        }
        fexit:kbtf_test:kbtf_test_visit { printf("%d\n", retval - args.task->pid); }' >"$made/traced"
    cat "$made/traced"
    grep -qx 'first 1000 500 -7 -3 60000 next' "$made/traced" && grep -qx 1000 "$made/traced"
}

# What is said of any module that is not the kernel's own may be said, and what 7.2 says of how programs find tracefs. The
# guest's results are in the log as well.
log_is_silent() {
    dmesg | sed 's/^\[[^]]*\] *//' >"$made/log"
    tail -n "+$(($(wc -l <"$made/log.before") + 1))" "$made/log" |
        grep -vE '^kbtf: |^kbtf_test: (loading out-of-tree module taints kernel|module verification failed)' |
        grep -v '^NOTICE: Automounting of tracing to debugfs is deprecated' >"$made/new"
    cat "$made/new"
    [ ! -s "$made/new" ]
}

mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
echo 'echo 1000 >/sys/module/kbtf_test/parameters/trigger' >"$here/trigger"
dmesg | sed 's/^\[[^]]*\] *//' >"$made/log.before"
echo "KTAP version 1"
echo "1..8"
point "sysfs has the expected bytes" loaded
point "bpftool reads the file" bpftool_reads_file
point "bpftool reads it by id" bpftool_reads_id
point "pahole reads the file" pahole_reads
point "bpftrace lists arguments" bpftrace_lists
point "bpftrace reads arguments and members" bpftrace_traces
point "the module goes" rmmod kbtf_test
point "the log is silent" log_is_silent
exit "$failed"
