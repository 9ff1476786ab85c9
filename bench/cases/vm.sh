# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A virtual machine without acceleration, from the command to its result: a module is loaded, and its BTF is
# compared with what sysfs has.

case_vm() {
    local release kernel ko
    release=$(<"$CACHE/kernels/6.1/release")
    kernel=$CACHE/kernels/6.1/image/boot/vmlinuz-$release
    # As it ships; it needs no other.
    ko=$CACHE/kernels/6.1/image/lib/modules/$release/kernel/net/core/pktgen.ko
    btf_of "$ko" "$WORK/module.btf"
    printf '\n## A module in a virtual machine (TCG): from start to summary\n' | say
    field_begin
    contender "kbtf vm run" "$KBTF vm run -q --accel tcg --kernel $kernel --module $ko"
    contender "a script with busybox" "$BENCH/vm-plain.sh $kernel $ko $WORK/module.btf"
    race 10
    table
    goal_time "a script with busybox" 1
}
