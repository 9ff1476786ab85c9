# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Virtual machines without acceleration, from the command to its result: a module is loaded, and its BTF is
# compared with what sysfs has. kbtf has run a guest with that kernel before, as `race` does to measure memory.

# A script of a guest for each of these modules; prints what to run.
guest_each() { # OPTION...
    local ko script
    script=$(mktemp "$WORK/guests.XXXXXX")
    while read -r ko; do
        echo "$KBTF vm run -q --accel tcg $* --kernel $VM_KERNEL --module $ko || exit 1"
    done <"$WORK/guest-modules" >"$script"
    echo "sh $script"
}

case_vm() {
    local release modules ko
    release=$(<"$CACHE/kernels/6.1/release")
    VM_KERNEL=$CACHE/kernels/6.1/image/boot/vmlinuz-$release
    modules=$CACHE/kernels/6.1/image/lib/modules/$release/kernel
    # As it ships; it needs no other.
    ko=$modules/net/core/pktgen.ko
    btf_of "$ko" "$WORK/module.btf"
    printf '\n## A module in a virtual machine (TCG): from start to summary\n' | say
    field_begin
    contender "kbtf vm run" "$KBTF vm run -q --accel tcg --kernel $VM_KERNEL --module $ko"
    contender "kbtf vm run --no-snapshot" "$KBTF vm run -q --accel tcg --no-snapshot --kernel $VM_KERNEL --module $ko"
    contender "a script with busybox" "$WORK/bin/vm-plain.sh $VM_KERNEL $ko $WORK/module.btf"
    race 10
    table
    goal_time "a script with busybox" 1/6

    find "$modules/net/ipv4" "$modules/net/sched" -name 'tcp_*.ko' -o -name 'sch_*.ko' | sort | head -n 20 >"$WORK/guest-modules"
    printf '\n## %d modules, each in a guest of its own\n' "$(wc -l <"$WORK/guest-modules")" | say
    field_begin
    contender "kbtf vm run" "$(guest_each)"
    contender "kbtf vm run --no-snapshot" "$(guest_each --no-snapshot)"
    race 3
    table
    goal_time "kbtf vm run --no-snapshot" 1/8
}
