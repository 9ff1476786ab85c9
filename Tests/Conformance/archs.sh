#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: the kernel and forty modules of each machine but amd64 (archs-inputs.sh), against pahole 1.32 with
# default features. The kernel, the modules without a base and the modules on their kernel are equal in meaning but for
# what named rules prove from the file, and no BTF has a definition twice.

ARGUMENT_RULES=result-in-memory,pahole-knows-no-registers,pahole-parameter-without-register,pahole-struct-as-argument

# arch_pairs DIR NAME FILE...: encodes files with both, by the options $ours and $theirs, and lists what to compare.
arch_pairs() {
    local dir=$1 name=$2 file out
    shift 2
    mkdir -p "$dir/$name" "$dir/oracle/$name"
    "$KBTF" encode -j "$JOBS" -q --features "$DEFAULT" --lang-exclude rust "${ours[@]}" --detached-dir "$dir/$name" \
        --ledger "$dir/$name.ledger" "$@" 2>"$dir/$name.messages" || bad=1
    for file; do
        out=$dir/oracle/$name/${file##*/}.btf
        "$CACHE/peers/bin/pahole-1.32" -J --lang_exclude=rust --btf_features="$DEFAULT" "${theirs[@]}" \
            --btf_encode_detached="$out" "$file" >"$out.messages" 2>&1 || true
        # It does not know the relocations of mips64el, which have three types each.
        ! grep -q 'error decoding cu' "$out.messages" || continue
        echo "$dir/$name/${file##*/}.btf $out $dir/$name.ledger $file"
    done >"$dir/$name.list"
}

# arch_verdict DIR NAME BASE_A BASE_B OPTIONS...
arch_verdict() {
    local dir=$1 name=$2 base_a=$3 base_b=$4 twice found='pahole reads none of them'
    shift 4
    if [ -s "$dir/$name.list" ]; then
        "$COMPARE" compare --jobs "$JOBS" --base-a "$base_a" --base-b "$base_b" "$@" "$dir/$name.list" >"$dir/$name.compared" 2>&1 || bad=1
        found="$(summary "$dir/$name.compared"); $(rules "$dir/$name.compared")"
    fi
    find "$dir/$name" -name '*.btf' | sort | xargs "$KBTF" check ${base_a:+$([ "$base_a" = none ] || echo "--base=$base_a")} >"$dir/$name.checked" 2>&1 || bad=1
    twice=$(grep -c 'D1' "$dir/$name.checked") || true
    [ "$twice" = 0 ] || bad=1
    verdict "${dir##*/} $name" "$bad" "$(grep -c ': sound' "$dir/$name.checked") sound, $twice with a definition twice; $found"
}

run_archs() {
    local in
    bash "$HERE/archs-inputs.sh" || { verdict "archs" 1 "archs-inputs.sh failed"; return; }
    for in in "$CACHE"/kernels/arch-*; do arch "${in##*/arch-}" "$in/dbg"; done
}

# arch NAME FILES
arch() {
    local dir=$WORK/archs/$1 kernel bad modules ours theirs
    mkdir -p "$dir"
    # bookworm's libdw does not know loongarch.
    if [ "$1" = loong64 ]; then
        by_sid "$(readlink -f "$COMPARE")" "$dir/compare"
        local -x COMPARE=$dir/compare
    fi
    kernel=$(find "$2" -name 'vmlinux*' -type f)
    mapfile -t modules < <(find "$2" -name '*.ko' | sort)
    bad=0 ours=(--standalone) theirs=()
    arch_pairs "$dir" vmlinux "$kernel"
    arch_verdict "$dir" vmlinux none none --functions-by-rule --rules "$VMLINUX_RULES,$ARGUMENT_RULES"
    bad=0
    arch_pairs "$dir" standalone "${modules[@]}"
    arch_verdict "$dir" standalone none none --functions-by-rule --rules "$BLIND_SPOT,goes-with-function,$ARGUMENT_RULES,$VARIABLE_RULES,pahole-percpu-of-relocatable"
    bad=0 ours=(--base "$dir/vmlinux/${kernel##*/}.btf") theirs=("--btf_base=$dir/oracle/vmlinux/${kernel##*/}.btf")
    arch_pairs "$dir" split "${modules[@]}"
    arch_verdict "$dir" split "${ours[1]}" "${theirs[0]#*=}" --functions-by-rule --rules "$BLIND_SPOT,goes-with-function,$ARGUMENT_RULES,$VARIABLE_RULES,pahole-percpu-of-relocatable"
}
