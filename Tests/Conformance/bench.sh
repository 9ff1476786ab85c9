#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Times kbtf beside pahole 1.32 with libbpf 1.8 on modules of Debian's 6.1 kernel, both in one
# hyperfine run and without a shell, and takes the peak memory of each. The base is the one which that
# pahole made. Prints the results and writes them to bench/RESULTS.md.
#
# Nothing depends on the outcome: exit status 1 only when something could not be measured.
# KBTF names the release build of kbtf, as make does.

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPO=$(cd "$HERE/../.." && pwd)
: "${KBTF:=$REPO/.build/release/kbtf}"
PAHOLE=$CACHE/peers/bin/pahole-1.32
WORK=$CACHE/bench
BASE=$CACHE/oracles/6.1/vmlinux-legacy.btf
FEATURES=var,float,enum64,decl_tag,type_tag
RUNS=30
WARMUP=2
GOAL=0.50
RESULTS=$REPO/bench/RESULTS.md

for tool in hyperfine jq /usr/bin/time; do
    command -v "$tool" >/dev/null || die "there is no $tool: apt-get install ${tool##*/}"
done
[[ $CACHE$REPO != *[[:space:]]* ]] || die "the path of the cache or of this tree has a blank in it"
for step in inputs peers oracles; do
    bash "$HERE/$step.sh" >/dev/null || die "$step.sh failed"
done
SCRATCH=${KBTF%/release/kbtf}
swift build --package-path "$REPO" --scratch-path "$SCRATCH" -c release --static-swift-stdlib --product kbtf \
    >"$CACHE/bench.build" 2>&1 || { tail -n 20 "$CACHE/bench.build" >&2; die "kbtf does not build"; }

lock
rm -rf "$WORK"
mkdir -p "$WORK"
RELEASE=$(<"$CACHE/kernels/6.1/release")
MODULES=$CACHE/kernels/6.1/dbg/usr/lib/debug/lib/modules/$RELEASE

# What is timed: words without blanks, as hyperfine -N splits a command at them.
ours() { echo "$KBTF encode --base $BASE --features $FEATURES --lang-exclude rust --detached $WORK/ours.btf $1"; }
peers() { echo "$PAHOLE ${2-} -J --btf_features=$FEATURES --lang_exclude=rust --btf_base $BASE --btf_encode_detached=$WORK/peer.btf $1"; }

# ratio A B
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# peak COMMAND...: kilobytes of memory, the median of five runs.
peak() {
    local i
    for i in 1 2 3 4 5; do
        /usr/bin/time -v -o "$WORK/peak.$i" "$@" >/dev/null 2>&1 || die "failed: $*"
        sed -n 's/.*Maximum resident set size (kbytes): //p' "$WORK/peak.$i"
    done | sort -n | sed -n 3p
}

say() { tee -a "$WORK/RESULTS.md"; }

# row NAME JSON INDEX KILOBYTES
row() {
    jq -r --arg name "$1" --argjson index "$3" --argjson memory "$4" \
        'def one: . * 10 | round / 10;
         .results[$index] | "| \($name) | \(.median * 1000 | one) ms | \(.min * 1000 | one) ms |"
             + " \((.user + .system) * 1000 | one) ms | \($memory / 1024 | one) MiB |"' "$2"
}

# verdict MEDIAN MINIMUM UNREST: the goal is met when both ratios say so and the machine was quiet.
verdict() {
    awk -v a="$1" -v b="$2" -v u="$3" -v g="$GOAL" 'BEGIN {
        printf "goal <= %s: %s (medians %.2f, minima %.2f)", g, (a <= g && b <= g && u <= 1.25 ? "yes" : "no"), a, b
        if (u > 1.25) printf "; **unsteady** by a factor of %.2f: of no value, measure again on an idle machine", u
    }'
}

# one MODULE: a table of both.
one() {
    local ko=$MODULES/kernel/$1 json=$WORK/${1##*/}.json memory=() words median minimum unrest i
    local commands=()
    [ -e "$ko" ] || die "no such module: $1"
    commands=("$(ours "$ko")" "$(peers "$ko")" "$(peers "$ko" "-j$(nproc)")")
    hyperfine -N --warmup "$WARMUP" --runs "$RUNS" --style none --export-json "$json" "${commands[@]}" \
        >/dev/null 2>"$WORK/hyperfine" || { cat "$WORK/hyperfine" >&2; die "hyperfine failed"; }
    for i in 0 1 2; do
        read -ra words <<<"${commands[i]}"
        memory+=("$(peak "${words[@]}")")
    done
    median=$(jq '.results[0].median / .results[1].median' "$json")
    minimum=$(jq '.results[0].min / .results[1].min' "$json")
    # Medians far from minima, or one thread that took longer than it computed: others were at work.
    unrest=$(jq '[(.results[0, 1] | .median / .min), (.results[1] | .median / (.user + .system))] | max' "$json")
    say <<TABLE

## ${1##*/}, $(($(stat -c %s "$ko") / 1024)) KiB

| | median | min | processor time, mean | peak memory |
|---|---|---|---|---|
$(row kbtf "$json" 0 "${memory[0]}")
$(row "pahole 1.32" "$json" 1 "${memory[1]}")
$(row "pahole 1.32 -j$(nproc)" "$json" 2 "${memory[2]}")
| kbtf / pahole 1.32 | $(ratio "$median" 1) | $(ratio "$minimum" 1) | $(jq '(.results[0] | .user + .system) / (.results[1] | .user + .system) * 100 | round / 100' "$json") | $(ratio "${memory[0]}" "${memory[1]}") |

$(verdict "$median" "$minimum" "$unrest")
TABLE
}

# seconds FUNCTION: a process for each module of the list.
seconds() {
    local from to ko command
    from=$(date +%s%N)
    while read -r ko; do
        read -ra command < <("$1" "$MODULES/$ko")
        "${command[@]}" >/dev/null 2>&1 || die "failed: ${command[*]}"
    done <"$WORK/list"
    to=$(date +%s%N)
    awk -v d="$((to - from))" 'BEGIN { printf "%.2f", d / 1e9 }'
}

many() {
    local count step mine theirs
    (cd "$MODULES" && find kernel -name '*.ko' | sort) >"$WORK/all"
    count=$(wc -l <"$WORK/all")
    step=$((count / 112))
    awk -v n="$step" '(NR - 1) % n == 0 && kept++ < 112' "$WORK/all" >"$WORK/list"
    # Everything once beforehand, so that neither pays for the disk.
    (cd "$MODULES" && xargs cat <"$WORK/list" >/dev/null)
    mine=$(seconds ours)
    theirs=$(seconds peers)
    {
        echo
        echo "## $(wc -l <"$WORK/list") modules, one process each, one run"
        echo
        echo "kbtf $mine s, pahole 1.32 $theirs s, ratio $(ratio "$mine" "$theirs") (no goal: for scale)"
    } | say
}

start() {
    hyperfine -N --warmup "$WARMUP" --runs 50 --style none --export-json "$WORK/version.json" \
        "$KBTF --version" "$PAHOLE --version" >/dev/null 2>"$WORK/hyperfine" || die "hyperfine failed"
    {
        echo
        echo "## Start: --version"
        echo
        jq -r '.results[] | "\(.median * 10000 | round / 10) ms median, \(.min * 10000 | round / 10) ms min"' "$WORK/version.json" |
            paste -d' ' <(printf '%s\n' '- kbtf' '- pahole 1.32, with its wrapper in sh:') -
    } | say
}

say <<HEAD
<!-- SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause -->
# Time and memory beside pahole

Written by \`make bench\`, $(date -u +%Y-%m-%d). $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed q), $(nproc) processors,
Linux $(uname -r). Modules of $RELEASE, base made by that pahole from the same kernel,
features $FEATURES.
hyperfine -N, $WARMUP warm-up runs, $RUNS runs, all in one run; kbtf takes as many threads as it likes,
and pahole one unless -j says more. Load average before: $(cut -d' ' -f1 /proc/loadavg).
HEAD
one fs/overlayfs/overlay.ko
one net/sctp/sctp.ko
many
start
mkdir -p "$(dirname "$RESULTS")"
mv "$WORK/RESULTS.md" "$RESULTS"
