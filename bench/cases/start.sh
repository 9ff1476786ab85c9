# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What a process costs that does nothing.

# one_start NAME PROGRAM
one_start() {
    printf '\n## Start: --version of %s\n' "$1" | say
    field_begin
    contender "$1" "$2 --version"
    contender "pahole 1.32" "$PAHOLE_132 --version"
    contender "pahole 1.24" "$PAHOLE_124 --version"
    race 5 0.2
    table
    goal_time "pahole 1.32" 1.0
    instructions
}

case_start() {
    one_start kbtf "$KBTF"
    one_start "kbtf as pahole" "$WORK/bin/pahole"
}
