#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: --target of releases, on a few modules and a vmlinux of 6.1, against pahole with the features that are
# left; kernels take their own BTF and that of their modules, by the rules that kbtf has for them.

# target RELEASE FEATURES: a few modules and the vmlinux of 6.1 for that kernel, without a base, against
# pahole with the features that kbtf's own choice is to come to.
target() {
    local dir=$WORK/6.1/target-$1 from bad=0 count=0 ko out
    from=$(modules_of 6.1)
    mkdir -p "$dir"
    : >"$dir.list"
    while read -r ko; do
        out=$dir/$((count += 1))
        "$KBTF" encode --target "$1" --standalone --lang-exclude rust --ledger "$out.ledger" --detached "$out.btf" \
            "$ko" 2>>"$dir.messages" || bad=1
        "$CACHE/peers/bin/pahole-1.32" -J --lang_exclude=rust --btf_features="$2" \
            --btf_encode_detached="$out.pahole" "$ko" >>"$dir.messages" 2>&1 || bad=1
        echo "$out.btf $out.pahole $out.ledger $ko" >>"$dir.list"
    done < <(list_of 6.1 | awk -v root="$from" 'NR % 120 == 1 { print root "/" $0 }'; vmlinux_of 6.1)
    "$COMPARE" compare --jobs "$JOBS" --base-a none --base-b none --functions-by-rule --rules "$VMLINUX_RULES" \
        "$dir.list" >"$dir.compared" 2>&1 || bad=1
    "$KBTF" check --target "$1" "$dir"/*.btf >"$dir.checked" 2>&1 || bad=1
    verdict "target $1" "$bad" "$(summary "$dir.compared"); $(rules "$dir.compared")"
}

# old_base: 20 modules of 6.1 on the BTF of its vmlinux made for 5.15, without a word about that for the modules: 5.15
# takes each, and no enum is there in the form that it refuses.
old_base() {
    local dir=$WORK/6.1/target-old-base from bad=0 count=0 taken=0 ko
    from=$(modules_of 6.1)
    mkdir -p "$dir"
    "$KBTF" encode -q --standalone --target 5.15 --detached "$dir/base" "$(vmlinux_of 6.1)" || bad=1
    : >"$dir/checked"
    while read -r ko; do
        count=$((count + 1))
        cp "$ko" "$dir/m.ko"
        "$KBTF" encode -q --base "$dir/base" "$dir/m.ko" || bad=1
        "$KBTF" check --base "$dir/base" --target 5.15 "$dir/m.ko" >>"$dir/checked" 2>&1 || bad=1
    done < <(list_of 6.1 | awk -v root="$from" 'NR % 55 == 1 && n++ < 20 { print root "/" $0 }')
    taken=$(grep -c ': Linux 5.15: module load: taken' "$dir/checked" || true)
    [ "$taken" = "$count" ] && [ "$count" = 20 ] || bad=1
    verdict "base of 5.15" "$bad" "$taken of $count modules taken"
}

# takes SERIES FILE...: the kernel takes them, on its own BTF.
takes() {
    local series=$1 base taken bad=0
    shift
    base=$(vmlinux_of "$series")
    "$KBTF" check --base "$base" --target "$base" "$base" "$@" >"$WORK/$series/takes" 2>&1 || bad=1
    # The last line of each file.
    taken=$(grep -c ': Linux [0-9.]*: .*: taken; BPF_BTF_LOAD: ' "$WORK/$series/takes" || true)
    [ "$taken" -gt 50 ] && [ "$taken" = "$(grep -c ': sound$' "$WORK/$series/takes" || true)" ] || bad=1
    verdict "$series takes its own" "$bad" "$taken files"
}

run_target() {
    local series
    # Without float, enum64 and tags; without enum64 and tags; without enum64 and type tags; with all.
    target 5.10 encode_force,var,optimized_func,consistent_func
    target 5.15 encode_force,var,float,optimized_func,consistent_func
    target 5.16 encode_force,var,float,decl_tag,optimized_func,consistent_func
    target 6.1 "$DEFAULT"
    old_base
    for series in 6.1 6.12; do takes "$series" "$(shipped_of "$series")"; done
    for series in 7.2 7.3; do takes "$series" "$(modules_of "$series")"; done
}
