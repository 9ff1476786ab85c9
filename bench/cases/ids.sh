# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# kbtf as `resolve_btfids`, beside the tools of those kernels: ids of a vmlinux filled in where they are, and the steps that
# a module of 7.2 and 7.3 takes from its debug information to .BTF and .BTF_ids.

# in_place SERIES: each run has a vmlinux of its own that the linker could have left.
in_place() {
    local elf blank=$WORK/blank-$1 file=$WORK/filled-$1
    elf=$(readlink -f "$(vmlinux_of "$1")")
    "$SCRATCH/tools/release/kbtf-conformance" blank-ids --base none "$elf" "$blank" >/dev/null 2>&1 || die "no ids in $elf"
    printf '\n## resolve_btfids on the vmlinux of %s, %d MiB\n' "$(<"$CACHE/kernels/$1/release")" \
        "$(($(stat -c %s "$blank") / 1048576))" | say
    field_begin
    PREPARE="cp $blank $file"
    contender "kbtf as resolve_btfids" "$WORK/bin/resolve_btfids $file"
    contender "resolve_btfids of $1" "$(unwrapped "resolve_btfids-$1") $file"
    race 5 0
    table
    goal_time "resolve_btfids of $1" 1.0
    rm -f "$blank" "$file"
}

# piped SERIES FEATURES
piped() {
    local series=$1 from=$CACHE/kernels/$1-modules ko debug base=$WORK/base-$1.btf who
    btf_of "$(vmlinux_of "$series")" "$base"
    ko=$(while read -r ko; do ! section "$from/shipped/$ko" .BTF_ids >/dev/null || echo "$ko"; done <"$from/list" | sed -n 1p)
    debug=$from/debug/usr/lib/debug/lib/modules/$(<"$from/release")/$ko
    mkdir -p "$WORK/pipe-$series"
    "$SCRATCH/tools/release/kbtf-conformance" blank-ids --base "$base" --without-btf "$from/shipped/$ko" "$WORK/pipe-$series/module.ko" >/dev/null 2>&1 || die "no ids in $ko"
    printf '\n## %s of %s: pahole, then resolve_btfids\n' "${ko##*/}" "$series" | say
    field_begin
    for who in kbtf theirs; do
        {
            case $who in
            kbtf) echo "set -- $WORK/bin/pahole $WORK/bin/resolve_btfids" ;;
            *) echo "set -- '$PAHOLE_132' '$(unwrapped "resolve_btfids-$series")'" ;;
            esac
            echo "\$1 -J --btf_features=$2 --lang_exclude=rust --btf_base=$base --btf_encode_detached=$WORK/pipe-$series/$who.btf $debug &&"
            echo "\$2 --btf_base $base --btf $WORK/pipe-$series/$who.btf $WORK/pipe-$series/module.ko"
        } >"$WORK/pipe-$series/$who"
    done
    contender "kbtf in both roles" "sh $WORK/pipe-$series/kbtf"
    contender "that kernel's tools" "sh $WORK/pipe-$series/theirs"
    race 5 1
    table
    goal_time "that kernel's tools" 1/4
}

case_ids() {
    bash "$CONFORMANCE/ids-inputs.sh" >/dev/null || die "ids-inputs.sh failed"
    in_place 6.1
    in_place 6.12
}

case_pipeline() {
    bash "$CONFORMANCE/ids-inputs.sh" >/dev/null || die "ids-inputs.sh failed"
    piped 7.2 "$FEATURES,decl_tag_kfuncs,attributes"
    piped 7.3 "$FEATURES"
}
