# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What a process costs that does nothing.

case_start() {
    local numbers
    printf '\n## Start: --version\n' | say
    field_begin
    contender kbtf "$KBTF --version"
    contender "pahole 1.32" "$PAHOLE_132 --version"
    contender "pahole 1.24" "$PAHOLE_124 --version"
    race 5 0.2
    table
    numbers=$(jq -r "$JQ_DEFINITIONS"'.[0] | "\(.times | median * 1000) \(.times | min * 1000) \(unrest)"' "$WORK/race.json")
    # shellcheck disable=SC2086  # three numbers
    goal "milliseconds to start" 4 $numbers
    instructions
}
