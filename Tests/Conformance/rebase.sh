#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# CHECKS=rebase, for run.sh to source. For every module of two kernels:
#
#   rebase       standalone BTF put onto a base is what encoding on that base gives, by meaning
#   again        doing it once more changes nothing
#   renumber     --renumber-only: sound, and by meaning the standalone BTF
#   fit          shipped BTF fits its own base, and not one of another build
#   moved        split BTF taken from one build of a kernel to another is what standalone BTF gives there
#   crossed      shipped BTF of 6.12 moved to 6.1 is sound there, and moved back by meaning what it was
#   in place     the same bytes go into modules, with their .BTF_ids
#   time         beside what pahole takes for encoding

# rebase_of SERIES NAME BASE [KIND]: a difference is allowed of types of KIND that encoding has and nothing uses.
rebase_of() {
    local series=$1 name=$2 base=$3 kind=${4-} dir=$WORK/$1/rebase-$2 bad=0 same=0 file
    mkdir -p "$dir"/{split,whole,out}
    "$KBTF" encode -q -j "$JOBS" --features "$LEGACY" --base "$base" --detached-dir "$dir/split" \
        "$(modules_of "$series")/kernel" 2>"$dir/messages" || bad=1
    "$KBTF" encode -q -j "$JOBS" --features "$LEGACY" --standalone --detached-dir "$dir/whole" \
        "$(modules_of "$series")/kernel" 2>>"$dir/messages" || bad=1
    find "$dir/whole" -name '*.btf' | sort | xargs "$KBTF" rebase -q -j "$JOBS" --base "$base" \
        --detached-dir "$dir/out" 2>>"$dir/messages" || bad=1
    [ ! -s "$dir/messages" ] || bad=1
    for file in "$dir"/split/*; do
        echo "$dir/out/${file##*/}.btf $file"
        ! cmp -s "$file" "$dir/out/${file##*/}.btf" || same=$((same + 1))
    done >"$dir/list"
    "$COMPARE" compare --jobs "$JOBS" --base-a "$base" --base-b "$base" "$dir/list" >"$dir/compared" 2>&1 ||
        only_missing "$dir/compared" "$kind" || bad=1
    [ "$(list_of "$series" | wc -l)" = "$(field "$dir/compared" pairs)" ] || bad=1
    verdict "$series rebase $name" "$bad" \
        "$(summary "$dir/compared"); $same of them the same bytes${kind:+; $(kind_counts "$dir/compared" "$kind")}"

    # In place, on what is rebased already.
    bad=0
    (cd "$dir/out" && sha256sum -- *) >"$dir/sums"
    find "$dir/out" -name '*.btf' | sort | xargs "$KBTF" rebase -j "$JOBS" --base "$base" 2>"$dir/again" || bad=1
    (cd "$dir/out" && sha256sum --quiet -c "$dir/sums") >&2 || bad=1
    same=$(grep -c 'already fits' "$dir/again") || true
    [ "$same" = "$(wc -l <"$dir/sums")" ] || bad=1
    verdict "$series again $name" "$bad" "$same of $(wc -l <"$dir/sums") already fit, and are as they were"
}

# only_missing COMPARED KINDS: nothing differs but types of KINDS that the oracle alone has.
only_missing() {
    [ -n "$2" ] && [ "$(field "$1" unreadable)" = 0 ] && [ "$(field "$1" repeats-of-base)" = 0 ] &&
        awk -v kinds=" $2 " '$1 == "kind" && ($6 + $10 || $8 && !index(kinds, " " $2 " ")) { bad = 1 } END { exit bad }' "$1"
}

# kind_counts COMPARED KIND
kind_counts() { awk -v k="$2" '$1 == "kind" && $2 == k { print $4, k, "in both,", $8, "that nothing uses are missing" }' "$1"; }

# rebase_renumber: what it gives is sound; its types in bpftool's words, less the shift, are those of the
# standalone BTF.
rebase_renumber() {
    local series=$1 base=$CACHE/oracles/$1/vmlinux-legacy.btf whole=$WORK/$1/rebase-legacy/whole out=$WORK/$1/renumber bad=0 file count=0 shift
    mkdir -p "$out"
    shift=$("$BPFTOOL" btf dump file "$base" | awk -F'[][]' '/^\[/ { n = $2 } END { print n }')
    sample "$series" | sed "s|.*/\(.*\)|$whole/\1.btf|" | sort | xargs "$KBTF" rebase --renumber-only \
        -j "$JOBS" --base "$base" --detached-dir "$out" 2>"$out.messages" || bad=1
    for file in "$out"/*; do
        "$BPFTOOL" -B "$base" btf dump file "$file" | unshifted "$shift" >"$out.types"
        "$BPFTOOL" btf dump file "$whole/$(basename "$file" .btf)" | cmp -s - "$out.types" &&
            [ -s "$out.types" ] && count=$((count + 1)) || bad=1
    done
    "$KBTF" check --base "$base" "$out"/* >"$out.checked" 2>&1 || bad=1
    verdict "$series renumber" "$bad" \
        "$count have the types of the standalone BTF, $(grep -c ': sound' "$out.checked") sound"
}

# unshifted N: all ids above 0 less N.
unshifted() { perl -pe "s/(^\\[|type_id=)(\\d+)/\$1 . (\$2 ? \$2 - $1 : 0)/ge"; }

rebase_fit() {
    local series=$1 from bad=0 out=$WORK/$1/fit fits
    from=$(shipped_of "$series")/kernel
    "$KBTF" rebase -j "$JOBS" --dry-run --base "$CACHE/kernels/$series/vmlinux.btf" "$from" >"$out" 2>"$out.messages" || bad=1
    fits=$(grep -c 'already fits' "$out") || true
    [ "$fits" = "$(find "$from" -name '*.ko' | wc -l)" ] || bad=1
    ! "$KBTF" rebase -j "$JOBS" --dry-run --base "$CACHE/oracles/$series/vmlinux-legacy.btf" "$from" \
        >"$out.other" 2>"$out.refused" || bad=1
    ! grep -q 'already fits' "$out.other" || bad=1
    [ "$(grep -c 'which was not built against' "$out.refused")" = "$fits" ] || bad=1
    verdict "$series fit" "$bad" \
        "$fits shipped modules fit their base; $(grep -c 'already fits' "$out.other" || true) of them another build's"
}

# rebase_moved: split BTF taken from one base to another build of the kernel is what standalone BTF gives there.
rebase_moved() {
    local series=$1 from=$CACHE/oracles/$1/vmlinux-legacy.btf base=$CACHE/oracles/$1/vmlinux-default.btf dir=$WORK/$1/moved bad=0 file
    mkdir -p "$dir"/{moved,direct}
    find "$WORK/$series/rebase-legacy/split" -name '*.btf' | sort |
        xargs "$KBTF" rebase -q -j "$JOBS" --from "$from" --base "$base" --detached-dir "$dir/moved" 2>"$dir/messages" || bad=1
    find "$WORK/$series/rebase-legacy/whole" -name '*.btf' | sort |
        xargs "$KBTF" rebase -q -j "$JOBS" --base "$base" --detached-dir "$dir/direct" 2>>"$dir/messages" || bad=1
    for file in "$dir"/direct/*; do echo "$dir/moved/${file##*/} $file"; done >"$dir/list"
    "$COMPARE" compare --jobs "$JOBS" --base-a "$base" --base-b "$base" "$dir/list" >"$dir/compared" 2>&1 || bad=1
    [ "$(list_of "$series" | wc -l)" = "$(field "$dir/compared" pairs)" ] || bad=1
    verdict "$series moved" "$bad" "$(summary "$dir/compared")"
}

# rebase_crossed: to an older kernel, where nearly everything differs, and back.
rebase_crossed() {
    local a=$CACHE/kernels/6.1/vmlinux.btf b=$CACHE/kernels/6.12/vmlinux.btf dir=$WORK/6.12/crossed bad=0 ko
    mkdir -p "$dir"/{there,back}
    find "$(shipped_of 6.12)/kernel" -name '*.ko' | sort | awk 'NR % 10 == 0' >"$dir/modules"
    xargs "$KBTF" rebase -q -j "$JOBS" --from "$b" --base "$a" --detached-dir "$dir/there" <"$dir/modules" || bad=1
    "$KBTF" check --base "$a" "$dir"/there/*.btf >"$dir/checked" 2>&1 || bad=1
    "$KBTF" rebase -q -j "$JOBS" --from "$a" --base "$b" --detached-dir "$dir/back" "$dir"/there/*.btf || bad=1
    while read -r ko; do echo "$dir/back/${ko##*/}.btf.btf $ko"; done <"$dir/modules" >"$dir/list"
    # Types that nothing uses and that 6.1 has as well are 6.1's on the way, and do not come back.
    "$COMPARE" compare --jobs "$JOBS" --base-a "$b" --base-b "$b" "$dir/list" >"$dir/compared" 2>&1 ||
        only_missing "$dir/compared" "ARRAY CONST PTR" || bad=1
    verdict "6.12 crossed" "$bad" \
        "$(grep -c ': sound' "$dir/checked") sound on 6.1; back again $(summary "$dir/compared"); $(kind_counts "$dir/compared" ARRAY)"
}

rebase_in_place() {
    local dir=$WORK/6.1/in-place base=$CACHE/oracles/6.1/vmlinux-legacy.btf bad=0 ko count=0 name
    mkdir -p "$dir"
    while read -r ko; do
        name=${ko##*/}
        cp "$(modules_of 6.1)/$ko" "$dir/$name"
        "$KBTF" encode -q --features "$LEGACY" --standalone "$dir/$name" &&
            "$KBTF" rebase -q --base "$base" "$dir/$name" && btf_of "$dir/$name" "$dir/$name.btf" &&
            cmp -s "$dir/$name.btf" "$WORK/6.1/rebase-legacy/out/$name.btf.btf" && count=$((count + 1)) || bad=1
        rm -f "$dir/$name"
    done < <(sample 6.1 | awk 'NR % 10 == 0')
    verdict "6.1 in place" "$bad" "$count modules hold the same bytes"
}

# rebase_time: one process each, as a build calls them.
rebase_time() {
    local dir=$WORK/6.1/time base=$CACHE/oracles/6.1/vmlinux-legacy.btf whole=$WORK/6.1/rebase-legacy/whole bad=0 start ours theirs ko
    mkdir -p "$dir"
    sample 6.1 >"$dir/modules"
    start=$(date +%s%N)
    while read -r ko; do
        "$KBTF" rebase -q --base "$base" --detached "$dir/out.btf" "$whole/${ko##*/}.btf" || bad=1
    done <"$dir/modules"
    ours=$((($(date +%s%N) - start) / 1000))
    start=$(date +%s%N)
    while read -r ko; do
        "$CACHE/peers/bin/pahole-1.32" -J --lang_exclude=rust --btf_features="$LEGACY" --btf_base="$base" \
            --btf_encode_detached="$dir/pahole.btf" "$(modules_of 6.1)/$ko" || bad=1
    done <"$dir/modules"
    theirs=$((($(date +%s%N) - start) / 1000))
    [ "$ours" -lt "$theirs" ] || bad=1
    verdict "6.1 time" "$bad" "$(awk -v a="$ours" -v b="$theirs" -v n="$(wc -l <"$dir/modules")" \
        'BEGIN { printf "%.1f ms a module, pahole encodes it in %.1f ms: 1/%.1f", a / n / 1000, b / n / 1000, b / a }')"
}

run_rebase() {
    local series
    for series in 6.1 6.12; do
        rebase_of "$series" legacy "$CACHE/oracles/$series/vmlinux-legacy.btf"
        # Arrays are flat in this base: an array that only its own entry in DWARF and a larger one mention
        # becomes part of the larger one.
        rebase_of "$series" shipped-base "$CACHE/kernels/$series/vmlinux.btf" ARRAY
        rebase_renumber "$series"
        rebase_moved "$series"
        rebase_fit "$series"
    done
    rebase_crossed
    rebase_in_place
    rebase_time
}
