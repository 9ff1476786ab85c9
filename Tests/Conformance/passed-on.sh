# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: the BTF that kbtf says libbpf passes to kernels for BPF objects is what the host's libbpf passes on,
# byte for byte.

# passed_on NAME KERNEL-BTF OBJECT...: to a kernel that knows all kinds of clang's, and to two that do not.
passed_on() {
    local name=$1 kernel=$2 dir=$WORK/passed-on/$1 bad=0 release object out
    shift 2
    mkdir -p "$dir"
    # glibc warns of functions for name services, which are not used.
    gcc -O2 -Wall -Wextra -static -o "$dir/passed-on" "$HERE/passed-on.c" \
        -Wl,--wrap=syscall,--wrap=btf__load_vmlinux_btf,--wrap=__bpf_core_types_are_compat,--no-warnings -lbpf -lelf -lz
    for release in 6.12 5.15 5.4; do
        mkdir -p "$dir/$release"
        for object; do
            out=$dir/$release/$(basename "$object").btf
            timeout 60 "$dir/passed-on" "$release" "$kernel" "$object" "$out" >"$out.words" 2>&1 || : >"$out"
            echo "$object $out"
        done >"$dir/$release.list"
        "$COMPARE" passed-on "$release" "$dir/$release.list" >"$dir/$release.compared" 2>&1 || bad=1
    done
    verdict "$name passed on" "$bad" "$(tail -q -n 1 "$dir"/*.compared | tr '\n' ';')"
}
