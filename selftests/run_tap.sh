#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run_tap.sh KBTF TEST...: runs each test and shows its TAP. A test fails if one
# of its points does, if it exits with an error, or if it ends before its plan.

set -uo pipefail
export KBTF=$1
shift
failed=0
exec 3>&1
for test; do
    echo "# $test"
    output=$("$test" | while IFS= read -r line; do
        printf '%s\n' "$line" >&3
        printf '%s\n' "$line"
    done)
    status=$?
    planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' <<<"$output" | head -n 1)
    seen=$(grep -cE '^(not )?ok ' <<<"$output")
    if [ "$status" -ne 0 ] || [ "${planned:-none}" != "$seen" ] || grep -q '^not ok ' <<<"$output"; then
        echo "# $test: FAILED (exit $status, $seen of ${planned:-no} points)"
        failed=1
    fi
done
exit "$failed"
