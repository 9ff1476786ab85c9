#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: every module of a kernel series.
#
#   shipped      every module of two kernels, against the BTF that it shipped with (pahole 1.24)
#   legacy       the same modules against pahole 1.32 with libbpf 1.8, features of Debian's kernels
#   default      ... with the features that newer kernels ask for
#   standalone   ... without a base; also modules of arm64 and s390x (big-endian)
#   witness      what bpftool prints as C of our BTF and of pahole's
#   dies         the stream of DWARF entries, against libdw
#   same-bytes   one job, two jobs, another directory
#   no-base      standalone BTF is read without a base, by bpftool and by kbtf

# How BTF of pahole 1.24 differs from today's, as docs/ledger.md tells: clones that it did not
# know, functions that it did not leave out, one FUNC for each unit.
SHIPPED_RULES=suffixed-symbol,ambiguous-address,unexpected-register,reordered-parameters
SHIPPED_RULES+=,inconsistent-prototype,one-function-per-name,inlined-twin,goes-with-function
# Modules with a function in the blind spot of pahole 1.32, when last counted: release and number.
declare -A BLIND_SPOTS=([6.1.0-56-cloud-amd64]=6 [6.12.117+deb12-cloud-amd64]=2)

shipped() {
    local series=$1 out=$WORK/$1/shipped from bad=0 ours theirs
    from=$(shipped_of "$series")
    local base=$CACHE/kernels/$series/vmlinux.btf
    encode "$series" shipped --base "$base" --features "$LEGACY" && encoded "$series" shipped || bad=1
    compare_with "$series" shipped "$base" "$base" "$from" "" --functions-by-rule --rules "$SHIPPED_RULES" || bad=1
    verdict "$series shipped" "$bad" "$(summary "$out.compared"); $(rules "$out.compared")"
    bad=0
    ours=$(field "$out.compared" bytes)
    theirs=$(field "$out.compared" oracle-bytes)
    [ -n "$ours" ] && [ "$ours" -le "$theirs" ] || bad=1
    verdict "$series shipped, bytes" "$bad" "${ours:-?} of ${theirs:-?}"
}

# split SERIES NAME FEATURES [RULES]
split() {
    local series=$1 name=$2 rules=$BLIND_SPOT,goes-with-function${4:+,$4} out=$WORK/$1/$2 base=$CACHE/oracles/$1/vmlinux-$2.btf bad=0 expected found
    encode "$series" "$name" --base "$base" --features "$3" && encoded "$series" "$name" || bad=1
    compare_with "$series" "$name" "$base" "$base" "$CACHE/oracles/$series/$name" .btf \
        --functions-by-rule --rules "$rules" || bad=1
    found=$(field "$out.compared" by-rule)
    expected=${BLIND_SPOTS[$(release_of "$series")]-$found}
    [ "$found" = "$expected" ] || bad=1
    verdict "$series $name" "$bad" \
        "$(summary "$out.compared"); $(rules "$out.compared") (in $expected modules when last counted)"
}

# standalone SERIES NAME FEATURES
standalone() {
    local series=$1 name=$2 bad=0
    encode "$series" "$name" --standalone --features "$3" && encoded "$series" "$name" || bad=1
    compare_with "$series" "$name" none none "$CACHE/oracles/$series/$name" .btf \
        --functions-by-rule --rules "$BLIND_SPOT,goes-with-function" || bad=1
    verdict "$series $name" "$bad" "$(summary "$WORK/$series/$name.compared"); $(rules "$WORK/$series/$name.compared")"
}

# definitions: each definition in bpftool's C, on one line, once, sorted. libbpf numbers the
# repeats of a name (`module___2`), and declares some ahead: neither is kept.
definitions() {
    awk 'BEGIN { RS = "" } { gsub(/\n/, "\001"); gsub(/___[0-9]+/, ""); if (!/^(struct|union) [^ {]*;$/) print }' | sort -u
}
export -f definitions

# One module for witness: OURS ORACLE BASE DEFINITIONS_OF_BASE.
witness_one() {
    local a b word
    set -euo pipefail
    a=$(mktemp "$WORK/tmp.XXXXXX")
    b=$(mktemp "$WORK/tmp.XXXXXX")
    "$BPFTOOL" -B "$3" btf dump file "$1" format c >"$a"
    "$BPFTOOL" -B "$3" btf dump file "$2" format c >"$b"
    # A dump has the base's types as well; less than that is a fault of this check.
    if [ "$(stat -c %s "$a")" -lt 1000000 ]; then
        word=unread
    elif cmp -s "$a" "$b"; then
        word=equal
    elif cmp -s <(definitions <"$a" | comm -23 - "$4") <(definitions <"$b" | comm -23 - "$4"); then
        word=equal-less-base
    else
        word=different
    fi
    rm "$a" "$b"
    echo "$word $1"
}
export -f witness_one

witness() {
    local series=$1 base=$CACHE/oracles/$1/vmlinux-legacy.btf dir=$WORK/$1 bad=0 out=$WORK/$1/witness
    "$BPFTOOL" btf dump file "$base" format c | definitions >"$dir/base.definitions"
    # shellcheck disable=SC2016  # the inner shell expands these
    sample "$series" | sed "s|^\(.*/\)\(.*\)\$|$dir/legacy/\2.btf $CACHE/oracles/$series/legacy/\1\2.btf|" |
        xargs -P "$JOBS" -L 1 bash -c 'witness_one "$3" "$4" "$1" "$2"' witness "$base" "$dir/base.definitions" \
            >"$out" 2>"$out.messages" || bad=1
    ! grep -qv '^equal' "$out" || bad=1
    [ "$(wc -l <"$out")" = "$(sample "$series" | wc -l)" ] || bad=1
    verdict "$series witness" "$bad" \
        "bpftool's C of both: $(awk '{ n[$1]++ } END { printf "%d equal, %d equal less what the base defines, %d different", n["equal"], n["equal-less-base"], NR - n["equal"] - n["equal-less-base"] }' "$out")"
}

dies() {
    local bad=0 files=() series ko
    for series in 6.1 6.12; do
        while read -r ko; do files+=("$(modules_of "$series")/$ko"); done < <(sample "$series")
    done
    files+=("$(vmlinux_of 6.1)")
    "$COMPARE" dies --jobs "$JOBS" "${files[@]}" >"$WORK/dies" 2>&1 || bad=1
    verdict "dies" "$bad" "$(tail -n 1 "$WORK/dies")"
}

same_bytes() {
    local bad=0 dir=$WORK/same base=$CACHE/oracles/6.1/vmlinux-legacy.btf from
    from=$(modules_of 6.1)
    mkdir -p "$dir"/{one,two,elsewhere}
    local options=(--base "$base" --features "$LEGACY" --lang-exclude rust)
    "$KBTF" encode -j 1 "${options[@]}" --detached-dir "$dir/one" "$from/kernel" 2>>"$dir/messages" || bad=1
    "$KBTF" encode -j 2 "${options[@]}" --detached-dir "$dir/two" "$from/kernel" 2>>"$dir/messages" || bad=1
    (cd "$from" && "$KBTF" encode -j 2 "${options[@]}" --detached-dir "$dir/elsewhere" kernel) 2>>"$dir/messages" || bad=1
    diff -r "$dir/one" "$dir/two" >>"$dir/messages" || bad=1
    diff -r "$dir/one" "$dir/elsewhere" >>"$dir/messages" || bad=1
    [ "$(find "$dir" -name '*.btf' | wc -l)" = "$((3 * $(list_of 6.1 | wc -l)))" ] || bad=1
    verdict "same-bytes" "$bad" "-j1, -j2, and -j2 with relative paths: $(find "$dir" -name '*.btf' | wc -l) files"
}

# loads FILE...: prints those that bpftool does not read without a base.
loads() {
    local file
    for file; do
        "$BPFTOOL" btf dump file "$file" >/dev/null 2>&1 || echo "$file"
    done
}
export -f loads

no_base() {
    local series=$1 dir=$WORK/$1/standalone bad=0 unread unsound
    # shellcheck disable=SC2016  # the inner shell expands these
    unread=$(find "$dir" -name '*.btf' | sort | xargs -P "$JOBS" -n 40 bash -c 'loads "$@"' loads | wc -l)
    find "$dir" -name '*.btf' | sort | xargs "$KBTF" check >"$dir.checked" 2>&1 || bad=1
    unsound=$(grep -cv ': sound' "$dir.checked" || true)
    [ "$unread" = 0 ] && [ "$unsound" = 0 ] && [ -s "$dir.checked" ] || bad=1
    verdict "$series no-base" "$bad" \
        "$(find "$dir" -name '*.btf' | wc -l) files: bpftool reads all but $unread; kbtf check: $(grep -c ': sound' "$dir.checked" || true) sound"
}

run_series() {
    local series=$1
    shipped "$series"
    split "$series" legacy "$LEGACY"
    split "$series" default "$DEFAULT"
    standalone "$series" standalone "$LEGACY"
    witness "$series"
    no_base "$series"
}

run_foreign() {
    local arch
    for arch in arm64 s390x; do
        standalone "6.1-$arch" standalone-legacy "$LEGACY"
        standalone "6.1-$arch" standalone-default "$DEFAULT"
    done
}
