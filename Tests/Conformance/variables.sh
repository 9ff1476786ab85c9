#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: the variables of a vmlinux, alone, as split BTF on the BTF that ships with it. Uses guests.sh.
#
#   variables   they are those that encoding with global_var has more than the base, nothing else is there, and a BPF
#               program finds two of them in the BTF of a module

# variable_places BTF BASE: each variable of a section, with section, offset and size.
variable_places() {
    "$KBTF" dump --format json ${2:+--base "$2"} "$1" | python3 -c '
import json, sys
types = {t["id"]: t for t in json.load(sys.stdin)["types"]}
for t in types.values():
    if t["kind"] == "DATASEC":
        for v in t["vars"]:
            print(t["name"], v["offset"], v["size"], types[v["type_id"]]["name"])' | sort
}

variables() {
    local series=$1 bad=0 dir=$GUESTS/variables-$1 vmlinux base detail
    vmlinux=$(vmlinux_of "$series")
    base=$(base_file "$series")
    rm -rf "$dir"
    mkdir -p "$dir"/{test,module}
    {
        "$KBTF" encode --only-variables --base "$base" --detached "$dir/vars.btf" "$vmlinux" &&
            "$KBTF" encode -j 1 --only-variables --base "$base" --detached "$dir/again.btf" "$vmlinux" &&
            "$KBTF" encode --features default,global_var --base "$base" --detached "$dir/all.btf" "$vmlinux" &&
            "$KBTF" check -q --base "$base" "$dir/vars.btf" &&
            cmp "$dir/vars.btf" "$dir/again.btf"
    } >"$dir.messages" 2>&1 || bad=1
    variable_places "$dir/vars.btf" "$base" >"$dir/vars"
    variable_places "$dir/all.btf" "$base" >"$dir/all"
    variable_places "$base" >"$dir/known"
    comm -23 "$dir/all" "$dir/known" | cmp - "$dir/vars" >>"$dir.messages" 2>&1 && [ -s "$dir/vars" ] || bad=1
    ! "$KBTF" dump --base "$base" "$dir/vars.btf" | grep -qE '^\[[0-9]+\] FUNC' || bad=1
    detail="$(wc -l <"$dir/vars") variables, $(stat -c %s "$dir/vars.btf") bytes"

    echo 'obj-m := kbtf_vars.o' >"$dir/module/Kbuild"
    printf '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n' >"$dir/module/kbtf_vars.c"
    {
        make -s -C "$(headers_of "$series")" M="$dir/module" CONFIG_DEBUG_INFO_BTF_MODULES= modules &&
            objcopy --strip-debug --add-section .BTF="$dir/vars.btf" "$dir/module/kbtf_vars.ko" "$dir/test/kbtf_vars.ko" &&
            clang-16 -g -O2 -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$HERE/variables/seen.bpf.c" \
                -o "$dir/test/seen.bpf.o" &&
            gcc -O1 -Wall -Wextra -Werror "$HERE/variables/seen.c" -static -lbpf -lelf -lz -o "$dir/test/seen"
    } >>"$dir.messages" 2>&1 || bad=1
    chmod a-x "$dir"/test/*.{ko,o}
    booted "$series" variables "$dir/test" || bad=1
    verdict "$series variables" "$bad" "$detail; $(points "$GUESTS/$series-variables.ktap")"
}

# The two whose modules the host's compiler builds.
run_variables() {
    local series
    guests_inputs
    for series in 6.1 6.12; do variables "$series"; done
}
