#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Holds kbtf against other programs over whole real kernels:
#
#   shipped      every module of two kernels, against the BTF that it shipped with (pahole 1.24)
#   legacy       the same modules against pahole 1.32 with libbpf 1.8, features of Debian's kernels
#   default      ... with the features that newer kernels ask for
#   standalone   ... without a base; also modules of arm64 and s390x (big-endian)
#   witness      what bpftool prints as C of our BTF and of pahole's
#   dies         the stream of DWARF entries, against libdw
#   same-bytes   one job, two jobs, another folder
#   no-base      standalone BTF is read without a base, by bpftool and by kbtf
#   vmlinux      four kernels against pahole 1.32 with libbpf 1.8, for each list of features: sound,
#                equal in meaning but for faults of pahole, each proven from the file, not larger, same bytes with one job and two
#   target       --target of releases, on a few modules and a vmlinux of 6.1, against pahole with the features that
#                are left; kernels take their own BTF and that of their modules, by the rules that kbtf has for them
#   kbuild       modules built out of tree for 6.1, 6.12 and 7.2 with kbtf as PAHOLE and RESOLVE_BTFIDS, against
#                the same builds with the kernel's own tools; kbuild.sh has it
#   kernel       a small kernel, likewise; kernel.sh
#   ids          .BTF_ids and the 7.2 build's steps, against the kernels' own tool; ids.sh has it
#
#   rebase       standalone BTF put onto bases, split BTF moved from one to another; rebase.sh has it
#   distill      distilled and relocated, against libbpf and pahole; distill.sh has it
#   guests       BPF programs attach by our BTF, in virtual machines of three kernels; guests.sh has it
#   images       the same in Debian images of the three
#   arm64, s390x kernels of other machines take the BTF of some of their modules; machines.sh has it
#   small        a kernel whose own BTF kbtf made runs them as well
#   preload      modules made of BPF objects load, work and go, likewise
#   modules      they come and go a hundred times, and fail at every step, and leave nothing behind; modules.sh has it
#   load         every module that ships with them loads with our BTF in its place, likewise
#   objects      BPF objects are taken and refused, and linked, as bpftool 7.1 does; objects.sh has it
#   skeletons    light skeletons of BPF objects, against bpftool 7.1's: bytes, and what 6.1 and 6.12 have when both have
#                loaded; skeletons.sh has it
#
# CHECKS picks among 6.1, 6.12 (all that is about their modules), foreign, dies, same-bytes, vmlinux, target,
# kbuild, kernel, ids, rebase, distill, guests, images, arm64, s390x, small, preload, modules, load, objects and skeletons; without it all are run. Prints one line per check, PASS or FAIL; exit status 1 when one failed. What each
# compared is kept under $CACHE/conformance until the next run.
#
# KBTF names the release build of kbtf, as make does; the other program is built beside it.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
: "${KBTF:=$REPO/.build/release/kbtf}"
SCRATCH=${KBTF%/release/kbtf}
COMPARE=$SCRATCH/tools/release/kbtf-conformance
BPFTOOL=$CACHE/peers/bin/bpftool-7.8
WORK=$CACHE/conformance
JOBS=$(nproc)
SAMPLE=100
export BPFTOOL KBTF CACHE

LEGACY=var,float,enum64,decl_tag,type_tag
DEFAULT=encode_force,var,float,enum64,decl_tag,type_tag,optimized_func,consistent_func
FULL=default,decl_tag_kfuncs,attributes,global_var,layout
# How BTF of pahole 1.24 differs from today's, as docs/ledger.md tells: clones that it did not
# know, functions that it did not leave out, one FUNC for each unit.
SHIPPED_RULES=suffixed-symbol,ambiguous-address,unexpected-register,reordered-parameters
SHIPPED_RULES+=,inconsistent-prototype,one-function-per-name,inlined-twin,goes-with-function
# pahole 1.32 overlooks some functions of ambiguous address; FunctionSymbolNames.swift says which.
BLIND_SPOT=pahole-ambiguity-blind-spot
# pahole 1.32 tags wrong kfuncs once .BTF_ids is sorted; KfuncFlags.swift says how.
# It takes functions in several places for such without code; ScatteredFunctions.swift says how that shows.
VMLINUX_RULES=$BLIND_SPOT,goes-with-function,pahole-flags-by-symbol,pahole-ranges-without-code
# Variables that it leaves out, repeats or puts into another section; VariableRules.swift proves each.
VARIABLE_RULES=pahole-declared-without-length,pahole-overlapping-variables,pahole-start-of-section
VARIABLE_RULES+=,pahole-section-of-relocatable
# Modules with such a function, when last counted: release and number.
declare -A BLIND_SPOTS=([6.1.0-56-cloud-amd64]=6 [6.12.117+deb12-cloud-amd64]=2)

failures=0

# verdict NAME 0|1 DETAIL
verdict() {
    local word=PASS
    [ "$2" = 0 ] || { word=FAIL; failures=$((failures + 1)); }
    printf '%-28s %s  %4ss  %s\n' "$1" "$word" "$((SECONDS - started))" "$3" | tee -a "$WORK/table"
    started=$SECONDS
}

release_of() { cat "$CACHE/kernels/$1/release"; }
vmlinux_of() { echo "$CACHE/kernels/$1/dbg/usr/lib/debug/boot/vmlinux-$(release_of "$1")"; }
modules_of() { echo "$CACHE/kernels/$1/dbg/usr/lib/debug/lib/modules/$(release_of "$1")"; }

# list_of SERIES: the modules, relative to their root.
list_of() { (cd "$(modules_of "$1")" && find . -name '*.ko' -printf '%P\n' | sort); }

# sample SERIES: $SAMPLE of them, evenly spread.
sample() {
    local count
    count=$(list_of "$1" | wc -l)
    list_of "$1" | awk -v n="$((count > SAMPLE ? count / SAMPLE : 1))" -v max="$SAMPLE" \
        '(NR - 1) % n == 0 && kept++ < max'
}

# encode SERIES NAME OPTIONS...: all modules, into $WORK/SERIES/NAME/, with a ledger.
encode() {
    local dir=$WORK/$1/$2 from
    from=$(modules_of "$1")/kernel
    shift 2
    mkdir -p "$dir"
    "$KBTF" encode -j "$JOBS" --lang-exclude rust --detached-dir "$dir" --ledger "$dir.ledger" "$@" "$from" \
        2>"$dir.messages"
}

# compare_with SERIES NAME BASE_A BASE_B ORACLE SUFFIX OPTIONS...: what encode made against
# ORACLE/MODULE SUFFIX; the output goes to $WORK/SERIES/NAME.compared.
compare_with() {
    local out=$WORK/$1/$2 base_a=$3 base_b=$4 oracle=$5 suffix=$6 from
    from=$(modules_of "$1")
    list_of "$1" | while read -r ko; do
        echo "$out/${ko##*/}.btf $oracle/$ko$suffix $out.ledger $from/$ko"
    done >"$out.list"
    shift 6
    "$COMPARE" compare --jobs "$JOBS" --base-a "$base_a" --base-b "$base_b" "$@" "$out.list" >"$out.compared" 2>&1
}

# field FILE WORD: the number after WORD in the last line of an output of compare.
field() { tail -n 1 "$1" | tr ' ' '\n' | awk -v w="$2" 'f { print; exit } $0 == w { f = 1 }'; }

# rules FILE: "rule count, rule count", as compare counted them.
rules() { awk '$1 == "rule" { printf "%s%s %s", sep, $2, $3; sep = ", " }' "$1"; }

# summary FILE: the numbers of an output of compare.
summary() {
    local by_rule
    by_rule=$(field "$1" by-rule)
    [ -n "$(field "$1" pairs)" ] || { head -n 1 "$1"; return; }
    printf '%s modules: %s equal, %s by rule, %s different, %s unreadable; repeats of base %s (oracle: %s in all)' \
        "$(field "$1" pairs)" "$(field "$1" equal)" "${by_rule:-0}" "$(field "$1" different)" \
        "$(field "$1" unreadable)" "$(field "$1" repeats-of-base)" "$(field "$1" oracle-repeats)"
}

# encoded SERIES NAME: whether every module gave BTF.
encoded() { [ "$(list_of "$1" | wc -l)" = "$(find "$WORK/$1/$2" -name '*.btf' | wc -l)" ]; }

# --- The checks ---

shipped() {
    local series=$1 out=$WORK/$1/shipped from bad=0 ours theirs
    from=$CACHE/kernels/$series/image-ko
    [ -d "$from" ] || from=$CACHE/kernels/$series/image/lib/modules/$(release_of "$series")
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
export WORK

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

# vmlinux SERIES NAME FEATURES [RULES]
vmlinux() {
    local series=$1 name=vmlinux-$2 rules=$VMLINUX_RULES${4:+,$4} elf bad=0 ours theirs
    local out=$WORK/$1/$name.btf oracle=$CACHE/oracles/$1/$name.btf
    elf=$(vmlinux_of "$series")
    "$KBTF" encode -j "$JOBS" --features "$3" --lang-exclude rust --ledger "$out.ledger" --detached "$out" "$elf" \
        2>"$out.messages" || bad=1
    "$KBTF" check "$out" >"$out.checked" 2>&1 && grep -q ': sound' "$out.checked" || bad=1
    echo "$out $oracle $out.ledger $elf" >"$out.list"
    "$COMPARE" compare --base-a none --base-b none --functions-by-rule --rules "$rules" "$out.list" \
        >"$out.compared" 2>&1 || bad=1
    # Static variables of one name and type may well come more than once.
    ours=$(field "$out.compared" own-repeats)
    [ -n "$ours" ] && [ "$ours" -le "$(field "$out.compared" oracle-repeats)" ] || bad=1
    ours=$(field "$out.compared" bytes)
    theirs=$(field "$out.compared" oracle-bytes)
    [ -n "$ours" ] && [ "$ours" -le "$theirs" ] || bad=1
    if [ -e "$out" ]; then
        verdict "$series $name" "$bad" \
            "$(differences "$out.compared")$(rules "$out.compared" | sed 's/^./; &/'); $ours of $theirs bytes"
    else
        verdict "$series $name" "$bad" "$(head -n 1 "$out.messages")"
    fi
}

# differences FILE: kinds of types of which the two have not the same.
differences() {
    awk '$1 == "kind" { both += $4; own += $6; other += $8; changed += $10
            if ($6 + $8 + $10) kinds = kinds " " $2 }
        END { printf "%d types in both, %d only ours, %d only pahole, %d changed%s", both, own, other, changed, \
            kinds ? ":" kinds : "" }' "$1"
}

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

# vmlinux_same_bytes RUNS: so often with one job and with two.
vmlinux_same_bytes() {
    local bad=0 i jobs out=$WORK/6.1/same.btf elf sums
    elf=$(vmlinux_of 6.1)
    : >"$out.sums"
    for ((i = 0; i < $1; i++)); do
        for jobs in 1 2; do
            rm -f "$out"
            "$KBTF" encode -j "$jobs" --features "$DEFAULT" --lang-exclude rust --detached "$out" "$elf" \
                2>>"$out.messages" && sha256sum "$out" >>"$out.sums" || bad=1
        done
    done
    sums=$(sort -u "$out.sums" | wc -l)
    [ "$sums" = 1 ] && [ "$(wc -l <"$out.sums")" = $((2 * $1)) ] || bad=1
    cmp -s "$out" "$WORK/6.1/vmlinux-default.btf" || bad=1
    verdict "6.1 vmlinux same-bytes" "$bad" "$1 times -j1 and -j2: $sums outcome(s)"
}

# shellcheck source=kbuild.sh
source "$HERE/kbuild.sh"
# shellcheck source=kernel.sh
source "$HERE/kernel.sh"
# shellcheck source=ids.sh
source "$HERE/ids.sh"
# shellcheck source=rebase.sh
source "$HERE/rebase.sh"
# shellcheck source=distill.sh
source "$HERE/distill.sh"
# shellcheck source=guests.sh
source "$HERE/guests.sh"
# shellcheck source=modules.sh
source "$HERE/modules.sh"
# shellcheck source=objects.sh
source "$HERE/objects.sh"
# shellcheck source=skeletons.sh
source "$HERE/skeletons.sh"
# shellcheck source=machines.sh
source "$HERE/machines.sh"

# --- ---

[[ $CACHE != *[[:space:]]* ]] || die "the cache folder's path has a blank in it"
for step in inputs peers oracles; do
    bash "$HERE/$step.sh" >/dev/null || die "$step.sh failed"
done
make -C "$REPO" SCRATCH="$SCRATCH" build tools >"$CACHE/conformance.build" 2>&1 ||
    { tail -n 20 "$CACHE/conformance.build" >&2; die "kbtf does not build"; }

# Which checks belong to a word of CHECKS.
run_modules() {
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

run_vmlinux() {
    local series
    for series in 6.1 6.12; do vmlinux "$series" legacy "$LEGACY"; done
    for series in 6.1 6.12 7.2 6.1-amd64; do
        vmlinux "$series" default "$DEFAULT"
        vmlinux "$series" full "$FULL" "$VARIABLE_RULES"
    done
    vmlinux_same_bytes 10
    split 7.2 default "$DEFAULT"
    split 7.2 full "$FULL" "$VARIABLE_RULES"
}

run_target() {
    local series modules
    # Without float, enum64 and tags; without enum64 and tags; without enum64 and type tags; with all.
    target 5.10 encode_force,var,optimized_func,consistent_func
    target 5.15 encode_force,var,float,optimized_func,consistent_func
    target 5.16 encode_force,var,float,decl_tag,optimized_func,consistent_func
    target 6.1 "$DEFAULT"
    for series in 6.1 6.12; do
        modules=$CACHE/kernels/$series/image-ko
        [ -d "$modules" ] || modules=$CACHE/kernels/$series/image/lib/modules/$(release_of "$series")
        takes "$series" "$modules"
    done
    takes 7.2 "$(modules_of 7.2)"
}

lock
rm -rf "$WORK"
mkdir -p "$WORK"/{6.1,6.12,7.2,6.1-amd64,6.1-arm64,6.1-s390x}
SECONDS=0
started=0
for check in ${CHECKS:-6.1 6.12 foreign dies same-bytes vmlinux target kbuild kernel ids rebase distill guests images arm64 s390x small preload modules load objects skeletons}; do
    case $check in
    6.1 | 6.12) run_modules "$check" ;;
    foreign) run_foreign ;;
    dies) dies ;;
    same-bytes) same_bytes ;;
    vmlinux) run_vmlinux ;;
    target) run_target ;;
    kbuild) run_kbuild ;;
    kernel) run_kernel ;;
    ids) run_ids ;;
    rebase) run_rebase ;;
    distill) run_distill ;;
    guests) run_guests ;;
    images) run_images ;;
    arm64 | s390x) run_machines "$check" ;;
    small) run_small ;;
    preload) run_preload ;;
    modules) run_preload_modules ;;
    load) run_load ;;
    objects) run_objects ;;
    skeletons) run_skeletons ;;
    *) die "no such check: $check (6.1 6.12 foreign dies same-bytes vmlinux target kbuild kernel ids rebase distill guests images arm64 s390x small preload modules load objects skeletons)" ;;
    esac
done
echo "$failures of $(wc -l <"$WORK/table") checks failed, $SECONDS s; details in the cache folder, under conformance/"
[ "$failures" = 0 ]
