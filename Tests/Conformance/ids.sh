#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The checks of .BTF_ids, for run.sh, which sources this and has the helpers:
#
#   selftest   the kernels' own test of resolve_btfids, of four kernels, with ours in the tool's place
#   refill     modules of 6.1 and 6.12 and a vmlinux, their ids blanked, filled in again by the kernel's tool and by
#              ours: both give what shipped, byte for byte
#   pipeline   200 modules each of 7.2 and 7.3 from their debug files through the steps of gen-btf.sh: types as shipped,
#              ids for the same names; beside the kernel's tool the same bytes (7.3: types), and the same types when
#              distilled
#   kernel     vmlinux of 7.2 and 7.3 likewise

# The kernel's tool of a series.
theirs() { "$CACHE/peers/bin/resolve_btfids-$1" "${@:2}"; }
ours() { "$IDS/bin/resolve_btfids" "$@"; }

# ids_selftest SERIES
ids_selftest() {
    # Three lists of six ids, one of them with a count. 7.3 adds two sets of seven functions, four of them with flags.
    local series=$1 dir=$IDS/selftest-$1 source=$CACHE/sources/$1/tools bad=0 count=0 expected=19
    [ "$series" != 7.3 ] || expected=$((19 + 2 * (2 + 7 + 4)))
    local tests=$source/testing/selftests/bpf object=resolve_btfids.test.o
    mkdir -p "$dir/linux"
    cp "$source/include/linux/btf_ids.h" "$dir/linux/"
    (
        cd "$dir" &&
            clang-16 -target bpf -g -O2 -c "$tests/progs/btf_data.c" -o btf_data.bpf.o &&
            gcc -g -Du32=__u32 -Ds32=__s32 -I"$HERE/ids-selftest" -I. -c "$tests/prog_tests/resolve_btfids.c" -o "$object" &&
            ours --btf btf_data.bpf.o "$object" &&
            # The builds of newer tests go on with this; older ones have done with it.
            { [[ $series != 7.* ]] || ours --patch_btfids "$object.BTF_ids" "$object"; } &&
            gcc "$object" -lbpf -o test &&
            ./test
    ) >"$dir/messages" 2>&1 || bad=1
    count=$(content "$dir/$object" .BTF_ids | od -An -v -tu4 | tr -s ' ' '\n' | grep -c '[1-9]' || true)
    [ "$count" = "$expected" ] || bad=1
    verdict "$series ids selftest" "$bad" "$count words filled in$(sed 's/^/; /' "$dir/messages" | tail -n 1)"
}

# refill SERIES WHAT BASE FILE...: blanks and fills in each; counts those that are as shipped.
refill() {
    local series=$1 what=$2 base=$3 file dir=$IDS/refill-$1 options=() bad=0 count=0 ids=0
    shift 3
    mkdir -p "$dir"
    [ "$base" = none ] || options=(-b "$base")
    for file; do
        section "$file" .BTF_ids >/dev/null || continue
        count=$((count + 1))
        "$COMPARE" blank-ids --base "$base" "$file" "$dir/theirs" >>"$dir/messages" 2>&1 || bad=1
        cp "$dir/theirs" "$dir/ours"
        ! cmp -s <(content "$dir/ours" .BTF_ids) <(content "$file" .BTF_ids) || bad=1
        theirs "$series" "${options[@]}" "$dir/theirs" >>"$dir/messages" 2>&1 || bad=1
        ours "${options[@]}" "$dir/ours" >>"$dir/messages" 2>&1 || bad=1
        cmp <(content "$dir/ours" .BTF_ids) <(content "$dir/theirs" .BTF_ids) >>"$dir/messages" 2>&1 || bad=1
        cmp <(content "$dir/ours" .BTF_ids) <(content "$file" .BTF_ids) >>"$dir/messages" 2>&1 || bad=1
        ids=$((ids + $(content "$file" .BTF_ids | wc -c) / 4))
    done
    rm -f "$dir/ours" "$dir/theirs"
    [ "$count" -gt 0 ] || bad=1
    verdict "$series ids refill" "$bad" "$count $what, $ids words, as the kernel's tool and as shipped"
}

# features_of SERIES: those that its build asks pahole for. Since 7.3 the kernel's tool describes kernel functions.
features_of() { if [ "$1" = 7.2 ]; then echo "$DEFAULT,decl_tag_kfuncs,attributes"; else echo "$DEFAULT"; fi; }

# same_output SERIES OURS THEIRS: raw BTF. Since 7.3 both deduplicate what they add, each in its order.
same_output() {
    if [ "$1" = 7.2 ]; then cmp "$2" "$3"; else "$KBTF" diff --base "$IDS/pipeline-$1/vmlinux.btf" "$2" "$3"; fi
}

# same_filled DIR NAME [SUFFIX]: the .BTF_ids of both, if the module has it.
same_filled() { [ ! -e "$1/theirs${3-}/$2.BTF_ids" ] || cmp "$1"/{ours,theirs}"${3-}/$2.BTF_ids"; }

# step SERIES NAME PROGRAM OPTIONS...: the tool over all modules of the pipeline, each with its BTF, into NAME/.
step() {
    local name=$2 program=$3 ko dir=$IDS/pipeline-$1
    shift 3
    mkdir -p "$dir/$name"
    for ko in "$dir"/ko/*.ko; do
        ln -s "$ko" "$dir/$name/"
        "$program" "$@" --btf_base "$dir/vmlinux.btf" --btf "$dir/encoded/${ko##*/}.btf" "$dir/$name/${ko##*/}" \
            >"$dir/$name/${ko##*/}.messages" 2>&1 || echo "$ko: $name"
    done
}

# known_difference SERIES COMPARED: nothing but a pointer in kvm.ko of 7.3 differs. Its struct is more complete than that of
# vmlinux, but the unit that has the pointer does not know that, and comes before those that do.
known_difference() {
    [ "$1" = 7.3 ] && [ "$(field "$2" unreadable)" = 0 ] &&
        [ "$(sed -n 's|^DIFFERENT .*/||p' "$2")" = kvm.ko.BTF ] &&
        [ "$(grep -cE '^(PTR|STRUCT|UNION|FUNC|ENUM|VAR|TYPEDEF|DECL_TAG|TYPE_TAG|DATASEC).*: ' "$2")" = 3 ] &&
        [ "$(grep -c '^PTR struct kvm_x86_ops \*: only in [AB]$' "$2")" = 2 ]
}

# pipeline SERIES
pipeline() {
    local series=$1 from=$CACHE/kernels/$1-modules dir=$IDS/pipeline-$1 release ko name bad=0 count same=0 ids=0 filled=0
    local debug tool=$CACHE/peers/bin/resolve_btfids-$1
    release=$(<"$from/release")
    debug=$from/debug/usr/lib/debug/lib/modules/$release
    mkdir -p "$dir"/{ko,encoded}
    btf_of "$(vmlinux_of "$series")" "$dir/vmlinux.btf"
    # As the linker left them: without BTF, ids not filled in.
    while read -r ko; do
        "$COMPARE" blank-ids --base "$dir/vmlinux.btf" --without-btf "$from/shipped/$ko" "$dir/ko/${ko##*/}" || bad=1
        echo "$dir/ours/${ko##*/}.BTF $from/shipped/$ko $dir/ledger $debug/$ko"
    done <"$from/list" >"$dir/compare.list" 2>"$dir/messages"
    "$KBTF" encode -j "$JOBS" --base "$dir/vmlinux.btf" --sysroot "$from/debug" --features "$(features_of "$series")" \
        --detached-dir "$dir/encoded" --ledger "$dir/ledger" "$dir/ko" 2>>"$dir/messages" || bad=1
    step "$series" ours ours >>"$dir/messages"
    "$COMPARE" compare --jobs "$JOBS" --base-a "$dir/vmlinux.btf" --base-b "$dir/vmlinux.btf" --functions-by-rule \
        --rules "$BLIND_SPOT,goes-with-function,pahole-percpu-of-relocatable" "$dir/compare.list" >"$dir/compared" 2>&1 ||
        known_difference "$series" "$dir/compared" || bad=1
    count=$(field "$dir/compared" pairs)
    [ "$count" = 200 ] || bad=1
    verdict "$series pipeline" "$bad" "$(summary "$dir/compared"); $(rules "$dir/compared")"

    bad=0
    while read -r ko; do
        section "$from/shipped/$ko" .BTF_ids >/dev/null || continue
        ids=$((ids + 1))
        name=$dir/ours/${ko##*/}
        cp "$dir/ko/${ko##*/}" "$dir/whole.ko"
        objcopy --add-section ".BTF=$name.BTF" "$dir/whole.ko" && ours --patch_btfids "$name.BTF_ids" "$dir/whole.ko" || bad=1
        cmp -s <("$COMPARE" ids --base "$dir/vmlinux.btf" "$dir/whole.ko") \
            <("$COMPARE" ids --base "$dir/vmlinux.btf" "$from/shipped/$ko") && filled=$((filled + 1))
    done <"$from/list" 2>>"$dir/messages"
    [ "$ids" -gt 0 ] && [ "$filled" = "$ids" ] || bad=1
    verdict "$series pipeline, ids" "$bad" "$filled of $ids modules with ids name what those shipped name"

    bad=0
    step "$series" theirs "$tool" >>"$dir/messages"
    for ko in "$dir"/ko/*.ko; do
        name=${ko##*/}
        same_output "$series" "$dir"/{ours,theirs}/"$name.BTF" && cmp <(sort "$dir/ours/$name.messages") <(sort "$dir/theirs/$name.messages") &&
            same_filled "$dir" "$name" && same=$((same + 1))
    done >>"$dir/messages" 2>&1
    [ "$same" = "$count" ] || bad=1
    verdict "$series pipeline, bytes" "$bad" "$same of $count as the kernel's tool: .BTF, .BTF_ids, warnings"

    bad=0 same=0
    step "$series" ours-distilled ours --distill_base >>"$dir/messages"
    step "$series" theirs-distilled "$tool" --distill_base >>"$dir/messages"
    for ko in "$dir"/ko/*.ko; do
        name=${ko##*/}
        cmp <(distilled_text "$dir/ours-distilled/$name") <(distilled_text "$dir/theirs-distilled/$name") &&
            cmp <(sort "$dir/ours-distilled/$name.messages") <(sort "$dir/theirs-distilled/$name.messages") &&
            same_filled "$dir" "$name" -distilled &&
            same=$((same + 1))
    done >>"$dir/messages" 2>&1
    [ "$same" = "$count" ] || bad=1
    verdict "$series pipeline, distilled" "$bad" "$same of $count as the kernel's tool: types, their ids, .BTF_ids, warnings"
}

# distilled_text ELF: the types of ELF.BTF over ELF.BTF.base, as bpftool has them.
distilled_text() {
    "$BPFTOOL" btf dump file "$1.BTF.base" && "$BPFTOOL" -B "$1.BTF.base" btf dump file "$1.BTF" || echo "cannot read $1.BTF"
}

# ids_kernel SERIES
ids_kernel() {
    local series=$1 dir=$IDS/kernel-$1 elf bad=0
    elf=$(readlink -f "$(vmlinux_of "$series")")
    mkdir -p "$dir"
    "$COMPARE" blank-ids --base none "$elf" "$dir/vmlinux" >"$dir/messages" 2>&1 || bad=1
    # From the file as it shipped: flags in sorted sets go by the names of old ids.
    "$KBTF" encode -j "$JOBS" --features "$(features_of "$series")" --detached "$dir/encoded" \
        --ledger "$dir/ledger" "$elf" 2>>"$dir/messages" || bad=1
    ours --btf "$dir/encoded" "$dir/vmlinux" 2>>"$dir/messages" || bad=1
    mv "$dir/vmlinux.BTF" "$dir/ours.BTF"
    mv "$dir/vmlinux.BTF_ids" "$dir/ours.BTF_ids"
    ln -s "$elf" "$dir/shipped"
    ours --btf "$dir/encoded" "$dir/shipped" 2>>"$dir/messages" || bad=1
    cmp "$dir/ours.BTF" "$dir/shipped.BTF" && cmp "$dir/ours.BTF_ids" "$dir/shipped.BTF_ids" || bad=1
    theirs "$series" --btf "$dir/encoded" "$dir/vmlinux" 2>>"$dir/messages" || bad=1
    cmp "$dir/ours.BTF_ids" "$dir/vmlinux.BTF_ids" || bad=1
    if [ "$series" = 7.2 ]; then
        cmp <("$BPFTOOL" btf dump file "$dir/ours.BTF") <("$BPFTOOL" btf dump file "$dir/vmlinux.BTF")
    else
        "$KBTF" diff "$dir/ours.BTF" "$dir/vmlinux.BTF" >>"$dir/messages"
    fi || bad=1
    echo "$dir/ours.BTF $elf $dir/ledger $elf" >"$dir/compare.list"
    "$COMPARE" compare --base-a none --base-b none --functions-by-rule --rules "$VMLINUX_RULES" "$dir/compare.list" \
        >"$dir/compared" 2>&1 || bad=1
    rm -f "$dir/vmlinux"
    verdict "$series kernel, pipeline" "$bad" "$(differences "$dir/compared"); $(rules "$dir/compared"); ids as the kernel's tool"
}

run_ids() {
    local series
    IDS=$WORK/ids
    mkdir -p "$IDS/bin"
    ln -sf "$(readlink -f "$KBTF")" "$IDS/bin/resolve_btfids"
    bash "$HERE/ids-inputs.sh" >/dev/null || die "ids-inputs.sh failed"
    for series in 6.1 6.12 7.2 7.3; do ids_selftest "$series"; done
    for series in 6.1 6.12; do
        mapfile -t modules < <(find "$(shipped_of "$series")" -name '*.ko' | sort)
        refill "$series" modules "$CACHE/kernels/$series/vmlinux.btf" "${modules[@]}"
    done
    refill 6.12 vmlinux none "$(vmlinux_of 6.12)"
    for series in 7.2 7.3; do
        pipeline "$series"
        ids_kernel "$series"
    done
}
