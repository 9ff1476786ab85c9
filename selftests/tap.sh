# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Points of a test as TAP; to be sourced. If `log` is set, a failed point shows that file.

points=0
failed=0

# check NAME COMMAND...: a point, ok if the command succeeds.
check() {
    local name=$1
    shift
    points=$((points + 1))
    if "$@"; then
        echo "ok $points - $name"
    else
        echo "not ok $points - $name"
        failed=1
        [ -z "${log:-}" ] || sed 's/^/# /' "$log"
    fi
}

# skip NAME WHY: a point that cannot be tried here.
skip() {
    points=$((points + 1))
    echo "ok $points - $1 # SKIP $2"
}

# Commands for `check`.
says() { grep -qF -- "$1" "$log"; }
not() { ! "$@"; }
is() { [ "$1" = "$2" ] || { echo "# got '$1', not '$2'"; return 1; }; }
differ() { [ "$1" != "$2" ]; }

bail() {
    echo "Bail out! $*"
    exit 1
}
