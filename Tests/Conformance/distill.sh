#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# CHECKS=distill, for run.sh to source, on 100 modules of 6.12, the first kernel here that reads .BTF.base:
#
#   distill      shipped modules distilled by kbtf, relocated by kbtf and by libbpf 1.8 (bpftool): the same types
#                under the same ids
#   pahole       the same of what pahole 1.32 distills; and by meaning what kbtf encodes distilled
#   ids          .BTF_ids follow through distilling and relocating
#   old kernel   a module of 6.1 is refused

# relocations MODULE BASE: "same", or how kbtf and libbpf differ; leaves MODULE relocated by kbtf.
relocations() {
    local theirs ours
    set -euo pipefail
    theirs=$("$BPFTOOL" -B "$2" btf dump file "$1") || { echo "bpftool refuses $1"; return; }
    "$KBTF" rebase -q --base "$2" "$1" || { echo "kbtf refuses $1"; return; }
    ours=$("$BPFTOOL" -B "$2" btf dump file "$1")
    # Less than a type is a fault of this check.
    if [ "$ours" = "$theirs" ] && [[ $ours == \[* ]]; then echo same; else echo "different $1"; fi
}

# distilled_by_pahole MODULE OUT BASE
distilled_by_pahole() {
    set -euo pipefail
    cp "$1" "$2"
    chmod u+w "$2"
    # Ids that are filled in already are those of the BTF that was shipped.
    objcopy --remove-section .BTF --wildcard --strip-symbol '__BTF_ID__*' "$2"
    LLVM_OBJCOPY=objcopy "$CACHE/peers/bin/pahole-1.32" -J --lang_exclude=rust \
        --btf_features="$DEFAULT,distilled_base" --btf_base="$3" "$2"
    objcopy --strip-debug "$2"
}
export -f relocations distilled_by_pahole
export DEFAULT

# relocated NAME BASE: all modules of a directory, by both.
relocated() {
    find "$1" -name '*.ko' | sort | xargs -P "$JOBS" -I{} bash -c 'relocations "$@"' relocations {} "$2" \
        >"$1.relocated" 2>"$1.messages" || true
    [ "$(sort -u "$1.relocated")" = same ] && [ "$(wc -l <"$1.relocated")" = "$(find "$1" -name '*.ko' | wc -l)" ]
}

count_of() { grep -c "^$2" "$1.relocated" || true; }

distill_shipped() {
    local base=$CACHE/kernels/6.12/vmlinux.btf dir=$WORK/6.12/distill bad=0 ko
    mkdir -p "$dir"
    while read -r ko; do cp "$(shipped_of 6.12)/$ko" "$dir/"; done < <(sample 6.12)
    "$KBTF" distill -q -j "$JOBS" --base "$base" "$dir" 2>"$dir.distilled" || bad=1
    for ko in "$dir"/*.ko; do section "$ko" .BTF.base >/dev/null || bad=1; done
    relocated "$dir" "$base" || bad=1
    verdict "6.12 distill" "$bad" "$(count_of "$dir" same) modules: libbpf and kbtf come to the same, different $(count_of "$dir" different)"
}

distill_pahole() {
    local base=$CACHE/oracles/6.12/vmlinux-default.btf dir=$WORK/6.12/distill-pahole ours=$WORK/6.12/distill-encoded bad=0 ko name
    mkdir -p "$dir" "$ours"
    # shellcheck disable=SC2016  # the inner shell expands these
    sample 6.12 | while read -r ko; do echo "$(modules_of 6.12)/$ko" "$dir/${ko##*/}"; done |
        xargs -P "$JOBS" -L 1 bash -c 'distilled_by_pahole "$2" "$3" "$1"' pahole "$base" 2>"$dir.pahole" || bad=1
    relocated "$dir" "$base" || bad=1
    sample 6.12 | while read -r ko; do
        name=${ko##*/}
        cp "$(modules_of 6.12)/$ko" "$ours/$name"
        chmod u+w "$ours/$name"
        objcopy --wildcard --strip-symbol '__BTF_ID__*' "$ours/$name"
        "$KBTF" encode -q --features "$DEFAULT,distilled_base" --base "$base" "$ours/$name"
        objcopy --strip-debug "$ours/$name"
        "$KBTF" rebase -q --base "$base" "$ours/$name"
        echo "$ours/$name $dir/$name"
    done >"$ours.list" 2>"$ours.messages" || bad=1
    # Distilled BTF repeats what it takes along of the base.
    "$COMPARE" compare --jobs "$JOBS" --base-a "$base" --base-b "$base" "$ours.list" >"$ours.compared" 2>&1 || true
    [ "$(field "$ours.compared" equal)" = "$(sample 6.12 | wc -l)" ] || bad=1
    verdict "6.12 distill pahole" "$bad" \
        "$(count_of "$dir" same) relocated alike, $(field "$ours.compared" equal) equal to kbtf's own by meaning"
}

distill_ids() {
    local base=$CACHE/kernels/6.12/vmlinux.btf dir=$WORK/6.12/distill-ids bad=0 ko at count=0
    mkdir -p "$dir"
    while read -r ko; do
        at=$(section "$ko" .BTF_ids) || continue
        cp "$ko" "$dir/"
        bytes "$ko" "${at% *}" "${at#* }" >"$dir/before"
        ko=$dir/${ko##*/}
        "$KBTF" distill -q --base "$base" "$ko" || bad=1
        at=$(section "$ko" .BTF_ids)
        ! bytes "$ko" "${at% *}" "${at#* }" | cmp -s - "$dir/before" || bad=1
        "$KBTF" rebase -q --base "$base" "$ko" || bad=1
        at=$(section "$ko" .BTF_ids)
        bytes "$ko" "${at% *}" "${at#* }" | cmp -s - "$dir/before" && count=$((count + 1)) || bad=1
    done < <(find "$(shipped_of 6.12)/kernel" -name '*.ko' | sort)
    [ "$count" -gt 0 ] || bad=1
    verdict "6.12 distill ids" "$bad" "$count modules have the words of .BTF_ids that they had"
}

distill_old_kernel() {
    local dir=$WORK/6.1/distill bad=0 ko=$WORK/6.1/distill/old.ko
    mkdir -p "$dir"
    cp "$(shipped_of 6.1)/$(sample 6.1 | head -n 1)" "$ko"
    sha256sum "$ko" >"$dir/sum"
    ! "$KBTF" distill --base "$CACHE/kernels/6.1/vmlinux.btf" "$ko" 2>"$dir/messages" || bad=1
    grep -q 'does not read .BTF.base, 6.11 and later do' "$dir/messages" || bad=1
    sha256sum --quiet -c "$dir/sum" || bad=1
    verdict "6.1 distill refused" "$bad" "$(head -n 1 "$dir/messages" | sed "s|.*old.ko: ||")"
}

run_distill() {
    distill_shipped
    distill_pahole
    distill_ids
    distill_old_kernel
}
