# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# BTF of 6.1's vmlinux, printed to /dev/null.

# one_dump TITLE KBTF_OPTIONS BPFTOOL_OPTION BPFTOOL_END
one_dump() {
    printf '\n## vmlinux of %s as %s\n' "$(<"$CACHE/kernels/6.1/release")" "$1" | say
    field_begin
    contender kbtf "$KBTF dump $2 $CACHE/kernels/6.1/vmlinux.btf"
    contender "bpftool 7.8" "$BPFTOOL $3 btf dump file $CACHE/kernels/6.1/vmlinux.btf $4"
    race 5 1
    table
    goal_time "bpftool 7.8" 1/4
    goal_memory "bpftool 7.8" 1.0
}

case_dump() {
    one_dump C "--format c --like-bpftool" "" "format c"
    one_dump JSON "--format json" -j ""
    one_dump raw "--format raw" "" ""
}
