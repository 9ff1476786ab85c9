# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Measuring, for the cases: `source` it. A case names its contenders, kbtf first, lets them race, and
# prints tables and goals of what is then in $WORK/race.json: one object a contender,
# {name, times, processor, kib}, in seconds and KiB.

# Runs to take the peak memory from.
PEAKS=3
# Medians that far above minima, or one thread that took so much longer than it computed, tell of
# others at work.
UNREST=1.25

# unwrapped PEER: the command, behind its wrapper if peers.sh wrote one: a shell is no part of the peer.
unwrapped() {
    local peer=$CACHE/peers/bin/$1
    [ "$(head -c 2 "$peer")" = '#!' ] || { echo "$peer"; return; }
    sed -n "/^exec/ { s/^exec //; s/ \"\$@\"\$//; s/'//g; p; }" "$peer"
}

# PREPARE runs before each run, and is not measured.
field_begin() { LABELS=(); COMMANDS=(); PREPARE=; }

# contender LABEL COMMAND: words without blanks, as hyperfine -N splits a command at them.
contender() { LABELS+=("$1"); COMMANDS+=("$2"); }

# peak COMMAND...: KiB and seconds, each the median. Fails as the command does.
peak() {
    local i
    for ((i = 0; i < PEAKS; i++)); do
        $PREPARE
        /usr/bin/time -f '%M %e' -o "$WORK/peak.$i" "$@" >/dev/null 2>"$WORK/peak.messages" || return 1
    done
    for i in 1 2; do
        sed -s '$!d' "$WORK"/peak.[0-9]* | cut -d' ' -f"$i" | sort -n | sed -n "$(((PEAKS + 1) / 2))p"
    done | paste -sd' '
    rm "$WORK"/peak.[0-9]*
}

# race ROUNDS [SECONDS]: each contender in each of ROUNDS rounds, all of them in turn, so that a machine that
# slows down slows all of them; in a turn once, or as often as SECONDS hold, so that what is short is not
# judged by a moment. One that fails is left out, and it is said.
race() {
    local rounds=${RUNS:-$1} seconds=${2:-0} i j words labels=() commands=() runs=() memory=() measured
    for i in "${!COMMANDS[@]}"; do
        read -ra words <<<"${COMMANDS[i]}"
        if measured=$(peak "${words[@]}"); then
            labels+=("${LABELS[i]}")
            commands+=("${COMMANDS[i]}")
            memory+=("${measured% *}")
            runs+=("$(awk -v all="$seconds" -v one="${measured#* }" \
                'BEGIN { n = int(all / (one > 0.001 ? one : 0.001)); print (n > 1 ? n : 1) }')")
        else
            printf '\n%s fails: %s\n' "${LABELS[i]}" "$(head -n 1 "$WORK/peak.messages")" | say
            [ "$i" != 0 ] || die "kbtf fails: ${COMMANDS[i]}"
        fi
    done
    rm -f "$WORK"/turn.*
    for ((i = 0; i < rounds; i++)); do
        for j in "${!commands[@]}"; do
            hyperfine -N ${PREPARE:+--prepare "$PREPARE"} --runs "${runs[j]}" --style none --export-json "$WORK/turn.$j.$i" "${commands[j]}" \
                >/dev/null 2>"$WORK/hyperfine" || { cat "$WORK/hyperfine" >&2; die "hyperfine failed"; }
        done
    done
    for j in "${!commands[@]}"; do
        jq -s --arg name "${labels[j]}" --argjson kib "${memory[j]}" 'map(.results[0]) | {
            name: $name,
            times: map(.times) | add,
            processor: (map(.user + .system) | add / length),
            kib: $kib }' "$WORK"/turn."$j".*
    done | jq -s . >"$WORK/race.json"
}

# shellcheck disable=SC2016  # the variables are those of jq
JQ_DEFINITIONS='
    def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
    def places($n): pow(10; $n) as $p | . * $p | round / $p;
    def duration: if . >= 1 then "\(places(2)) s" else "\(. * 1000 | places(1)) ms" end;
    def of($name): map(select(.name == $name)) | first;
    def unrest: [(.times | median) / (.times | min),
        if .name | test("^pahole [0-9.]+$") then (.times | median) / .processor else 1 end] | max;'

# table: of the race, with kbtf set against each of the others.
table() {
    {
        echo
        echo "| | median | min | processor time | peak memory | runs |"
        echo "|---|---|---|---|---|---|"
        jq -r "$JQ_DEFINITIONS"'
            (.[] | "| \(.name) | \(.times | median | duration) | \(.times | min | duration) | \(.processor | duration) |"
                + " \(.kib / 1024 | places(1)) MiB | \(.times | length) |"),
            (.[0] as $a | .[1:][] | "| \($a.name) / \(.name) | \(($a.times | median) / (.times | median) | places(3)) |"
                + " \(($a.times | min) / (.times | min) | places(3)) | \($a.processor / .processor | places(3)) |"
                + " \($a.kib / .kib | places(3)) | |")' "$WORK/race.json"
    } | say
}

# goal TEXT LIMIT NUMBER [MINIMA [UNREST]]: prints whether NUMBER is at most LIMIT, and that of the minima too.
goal() {
    awk -v text="$1" -v limit="$2" -v a="$3" -v b="${4:-$3}" -v both="${4:+1}" -v unrest="${5:-1}" -v most="$UNREST" 'BEGIN {
        split(limit, part, "/")
        bound = part[2] ? part[1] / part[2] : limit
        printf "\nGoal: %s at most %s: **%s** ", text, limit, a <= bound && b <= bound ? "yes" : "no"
        printf both ? "(medians %.3g, minima %.3g)" : "(%.3g)", a, b
        if (unrest > most) printf "; **unsteady** by a factor of %.2f: measure again on an idle machine", unrest
        print ""
    }' | say
}

# goal_time PEER LIMIT, goal_memory PEER LIMIT: kbtf against that contender, if it ran.
goal_time() {
    local numbers
    numbers=$(jq -r --arg peer "$1" "$JQ_DEFINITIONS"'. as $all | .[0] as $a | of($peer) | select(.)
        | "\(($a.times | median) / (.times | median)) \(($a.times | min) / (.times | min)) \($all | map(unrest) | max)"' \
        "$WORK/race.json")
    # shellcheck disable=SC2086  # three numbers
    [ -z "$numbers" ] || goal "time against $1" "$2" $numbers
}

goal_memory() {
    local number
    number=$(jq --arg peer "$1" "$JQ_DEFINITIONS"'.[0].kib as $a | of($peer) | select(.) | $a / .kib' "$WORK/race.json")
    [ -z "$number" ] || goal "memory against $1" "$2" "$number"
}

# sizes OURS PEER THEIRS: the goal that BTF is not larger.
sizes() {
    local a b
    a=$(stat -c %s "$1")
    b=$(stat -c %s "$3")
    printf '\nGoal: BTF not larger than that of %s: **%s** (%d of %d bytes)\n' \
        "$2" "$([ "$a" -le "$b" ] && echo yes || echo no)" "$a" "$b" | say
}

# instructions: of each contender, one run each, in millions.
instructions() {
    local i words count
    {
        echo
        echo "| | million instructions (callgrind) |"
        echo "|---|---|"
        for i in "${!COMMANDS[@]}"; do
            read -ra words <<<"${COMMANDS[i]}"
            valgrind --tool=callgrind --callgrind-out-file=/dev/null "${words[@]}" >/dev/null 2>"$WORK/callgrind" || true
            count=$(sed -n 's/.*Collected : \([0-9]*\)$/\1/p' "$WORK/callgrind")
            echo "| ${LABELS[i]} | $(awk -v n="$count" 'BEGIN { print n ? sprintf("%.1f", n / 1e6) : "not measured" }') |"
        done
    } | say
}
