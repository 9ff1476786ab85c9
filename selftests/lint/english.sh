#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# english.sh [FILE...]: finds phrases that we do not write (phrases.txt) in documentation, manual pages, messages,
# help and comments, and comments of Swift that are longer than the code's limit. Prints file, line and what to
# write instead. Without arguments it checks every file of the repository.

set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
export LC_ALL=C

phrases=selftests/lint/phrases.txt
limit=$(sed -nE 's/.*"lineLength": *([0-9]+).*/\1/p' .swift-format)

if [ $# -gt 0 ]; then
    files=("$@")
else
    # Corpora and goldens are data; the licence is not ours to word.
    mapfile -t files < <(git ls-files --cached --others --exclude-standard -- \
        '*.md' '*.1' '*.swift' '*.c' '*.h' '*.sh' '*.bash' '*.mk' Makefile '*/Makefile' kbuild/kbtf-make |
        grep -vE '^Tests/.*(Corpus|Goldens|Data)/|^selftests/lint/')
fi

# A phrase may continue on the next line, so each line is searched together with the start of the following one. Code
# blocks of Markdown and what stands in backticks are quotations.
awk -v phrases="$phrases" -v limit="$limit" '
function complain(number, text) {
    printf "%s:%d: %s\n", file, number, text > "/dev/stderr"
    failed = 1
}
# Returns the text of a line: comments and strings of code, without comment marks and quotations.
function prose(line,    part, count, text, i) {
    if (file ~ /\.md$/) {
        if (line ~ /^```/) fenced = !fenced
        if (fenced || line ~ /^```/) return ""
    } else if (file !~ /\.1$/ && line !~ /^[ \t]*(\/\/|\/?\*|#)/) {
        gsub(/\\"/, "", line)
        count = split(line, part, "\"")
        for (i = 2; i <= count; i += 2) text = text part[i] " | "
        if (match(line, /[ \t](\/\/|\/\*|#) .*/)) text = text substr(line, RSTART)
        line = text
    }
    gsub(/`[^`]*`/, "`", line)
    gsub(/\\\([^ ]*\)|\$[a-z_]+|\$[{(][^ ]*/, "`", line)
    sub(/^[ \t]*(\/\/\/?|\/?\*|#|\.\\")[ \t]+/, "", line)
    return tolower(line)
}
function check(number, line, following,    rest, i, start, text) {
    text = " " line " " following " "
    if (text !~ any) return
    for (i = 1; i <= count; i++) {
        rest = text
        start = 0
        while (match(rest, "[^a-z0-9_-](" pattern[i] ")[^a-z0-9_-]")) {
            if (start + RSTART <= length(line)) {
                complain(number, "\"" substr(rest, RSTART + 1, RLENGTH - 2) "\": write " better[i])
                break
            }
            start += RSTART
            rest = substr(rest, RSTART + 1)
        }
    }
}
function finish() {
    if (held) check(heldNumber, heldText, "")
    held = 0
}
BEGIN {
    while ((getline entry < phrases) > 0) {
        if (entry ~ /^#/ || entry == "") continue
        split(entry, field, /\t+/)
        count++
        pattern[count] = field[1]
        better[count] = field[2]
        any = any (any == "" ? "" : "|") field[1]
    }
    if (!count) {
        print "english.sh: no phrases in " phrases > "/dev/stderr"
        failed = 1
        exit
    }
}
FNR == 1 {
    finish()
    file = FILENAME
    fenced = 0
}
{
    text = prose($0)
    if (held) check(heldNumber, heldText, substr(text, 1, 40))
    held = 1
    heldNumber = FNR
    heldText = text
    # Tables, and what is indented further, are not wrapped. A single word, such as a link, cannot be.
    if (file ~ /\.swift$/ && length($0) > limit && $0 ~ /^[ \t]*\/\/\/? (- |  )?[^ \t|]+[ \t]/)
        complain(FNR, "comment of " length($0) " columns: write at most " limit)
}
END {
    finish()
    exit failed
}' "${files[@]}"
