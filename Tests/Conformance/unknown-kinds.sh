#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: 200 seeded BTFs with kinds that nobody knows, with layouts right and wrong, beside bpftool 7.8.
#
#   unknown-kinds   listings are what the generator says, and bpftool's; wrong layouts are one error and no output;
#                   info and check name the kinds; modules on such a base can be read, and not moved

# unknown_listing FILE [OPTIONS...]: kbtf's, without what bpftool does not print of unknown kinds.
unknown_listing() {
    "$KBTF" dump "${@:2}" "$1" | sed -E 's/UNKNOWN\([0-9]+\)/UNKNOWN/; /^\[[0-9]+\] UNKNOWN /s/ vlen=[0-9]+$//'
}

# one_error COMMAND...: it fails with one error and prints nothing else.
one_error() {
    local words status=0
    words=$("$@" 2>&1 >"$WORK/unknown/output") || status=$?
    [ "$status" = 1 ] && [ ! -s "$WORK/unknown/output" ] && [ "$(grep -c '^kbtf: ' <<<"$words")" = 1 ]
}

# unknown_module BTF OUT: an ELF file with it.
unknown_module() {
    objcopy --add-section .BTF="$1" --set-section-flags .BTF=alloc,readonly "$WORK/unknown/empty.o" "$2"
}

# unknown_one NUMBER OURS THEIRS: nothing, or what is wrong.
unknown_one() {
    local at=$WORK/unknown/$1 file=$WORK/unknown/$1.btf theirs=read
    "$BPFTOOL" btf dump file "$file" >"$at.theirs" 2>/dev/null || theirs=refused
    [ "$3" = either ] || [ "$theirs" = "$3" ] || echo "bpftool: $theirs"
    [ "$theirs" = refused ] || [ "$3" = either ] || cmp -s "$at.theirs" "$at.raw" || echo "bpftool lists something else"
    if [ "$2" = refused ]; then
        one_error "$KBTF" dump "$file" || echo "dump: not one error"
        ! "$KBTF" dump --json "$file" >"$at.json" 2>/dev/null || echo "dump --json: read"
        jq -es 'length == 1 and .[0].error != null' "$at.json" >/dev/null || echo "dump --json: not one error"
        ! "$KBTF" check "$file" >/dev/null 2>&1 || echo "check: sound"
        return
    fi
    unknown_listing "$file" | cmp -s - "$at.raw" || echo "another listing"
    "$KBTF" dump --json "$file" | jq -e '[.types[] | select(.kind | startswith("UNKNOWN"))] | length > 0' >/dev/null ||
        echo "dump --json"
    "$KBTF" info "$file" | grep -q 'sound but for UNKNOWN(' || echo info
    "$KBTF" check -v "$file" | grep -q 'warning M0: UNKNOWN(' || echo check
    [ -e "$at.split.btf" ] || return 0
    unknown_listing "$at.split.btf" --base "$file" | cmp -s - "$at.split.raw" || echo "another listing of the split BTF"
    [ "$theirs" = refused ] || "$BPFTOOL" -B "$file" btf dump file "$at.split.btf" | cmp -s - "$at.split.raw" ||
        echo "bpftool lists other split BTF"
    unknown_module "$at.split.btf" "$at.ko"
    cp "$at.ko" "$at.kept"
    for command in rebase distill; do
        one_error "$KBTF" "$command" --base "$file" "$at.ko" && cmp -s "$at.ko" "$at.kept" || echo "$command: not one error"
    done
}

run_unknown_kinds() {
    local dir=$WORK/unknown number ours theirs why words bad=0 count=0
    mkdir -p "$dir"
    python3 "$HERE/unknown-kinds.py" "$dir"
    echo | cc -x c -c -o "$dir/empty.o" -
    while read -r number ours theirs why; do
        count=$((count + 1))
        words=$(unknown_one "$number" "$ours" "$theirs")
        [ -z "$words" ] || { bad=$((bad + 1)); sed "s/^/$number, $why: /" <<<"$words"; }
    done <"$dir/list" >"$dir/wrong"
    [ "$count" = 200 ] || bad=1
    verdict unknown-kinds "$((bad != 0))" "$count BTFs and $(find "$dir" -name '*.split.btf' | wc -l) on them, $bad wrong"
}
