#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: what `kbtf gen min-core-btf` writes, in guests whose kernel shows no BTF.
#
#   min-core-btf   objects that name structs of modules load with it, find the members where `kbtf dump --layout` has
#                  them, and do not load without it

MINCORE=$WORK/min-core-btf

# Module, struct, member, and the member's type.
MINCORE_OBJECTS=(
    "fs/nfs/nfs nfs_server rsize unsigned"
    "fs/xfs/xfs xfs_mount m_ail void*"
    "fs/btrfs/btrfs btrfs_fs_info generation unsigned~long~long"
)

# layout_of BASE FILE STRUCT [MEMBER]: the offset of the member, or the struct's size, in bytes.
layout_of() {
    "$KBTF" dump --layout --json --base "$1" "$2" "struct $3" |
        jq --arg member "${4-}" '.layouts[0] | if $member == "" then .size else (.members[] | select(.path == $member) | .offset_bits / 8) end'
}

# mincore_object DIR MODULE STRUCT MEMBER TYPE: the object, its BTF, and a line of what it has to find.
mincore_object() {
    local dir=$1 module=$2 name=$3 base=$4
    clang-16 -g -O2 -target bpf -DTYPE="$name" -DMEMBER="$5" -DMEMBER_TYPE="${6//\~/ }" \
        -I"/usr/include/$(uname -m)-linux-gnu" -c "$HERE/min-core-btf/module.bpf.c" -o "$dir/$name.bpf.o" &&
        "$KBTF" gen min-core-btf -q --kernel "$base" --module "$module" --output "$dir/$name.btf" "$dir/$name.bpf.o" &&
        echo "$name $(layout_of "$base" "$module" "$name" "$5") $(layout_of "$base" "$module" "$name")" \
            "$(layout_of "$base" "$base" task_struct pid)" >>"$dir/expected"
}

mincore_guest() {
    local series=$1 dir=$MINCORE/$1 bad=0 module name member type object
    mkdir -p "$dir"
    {
        for object in "${MINCORE_OBJECTS[@]}"; do
            read -r module name member type <<<"$object"
            mincore_object "$dir" "$(find "$(shipped_of "$series")" -path "*/$module.ko")" "$name" \
                "$CACHE/kernels/$series/vmlinux.btf" "$member" "$type" || bad=1
        done
        gcc -O1 -Wall -Wextra -Werror "$HERE/min-core-btf/loader.c" -static -lbpf -lelf -lz -o "$dir/loader" || bad=1
        chmod a-x "$dir"/*.o "$dir"/*.btf
        "$KBTF" vm run --kernel "$(kernel_of "$series")" --test "$dir" --log "$MINCORE/$series.log" >"$MINCORE/$series.ktap" || bad=1
    } 2>"$MINCORE/$series.err"
    verdict "$series min-core-btf" "$bad" "$(points "$MINCORE/$series.ktap"); $(wc -c "$dir"/*.btf | tail -n 1 | awk '{ print $1 }') bytes of BTF for ${#MINCORE_OBJECTS[@]} objects$([ "$bad" = 0 ] || tail -n 1 "$MINCORE/$series.err")"
}

run_min_core_btf() {
    local series
    mkdir -p "$MINCORE"
    for series in 6.1 6.12; do mincore_guest "$series"; done
}
