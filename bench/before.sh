#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Makes the kbtf of before: that of BENCH_BEFORE, a commit of this repository, against which some goals are set.
#
#   $CACHE/bench-before/<commit>/kbtf      its release build, stripped as it is installed

# shellcheck source-path=SCRIPTDIR source=../Tests/Conformance/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../Tests/Conformance/common.sh"

REPO=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
: "${BENCH_BEFORE:=1e99d20}"

lock
dir=$CACHE/bench-before/$BENCH_BEFORE
if [ ! -e "$dir/kbtf" ]; then
    git -C "$REPO" cat-file -e "$BENCH_BEFORE^{commit}" 2>/dev/null ||
        die "commit $BENCH_BEFORE is not in this clone: git fetch --unshallow"
    status "building kbtf of $BENCH_BEFORE"
    mkdir -p "$(dirname "$dir")"
    tmp=$(fresh "$dir")
    git -C "$REPO" archive --prefix=tree/ "$BENCH_BEFORE" | tar -C "$tmp" -xf -
    # The variables of this make are not for that one.
    (
        unset MAKEFLAGS MFLAGS MAKELEVEL KBTF SCRATCH
        make -C "$tmp/tree" build >"$tmp/log" 2>&1
    ) || { tail -n 20 "$tmp/log" >&2; die "kbtf of $BENCH_BEFORE does not build"; }
    strip -o "$tmp/kbtf" "$tmp/tree/.build/release/kbtf"
    rm -rf "$tmp/tree"
    rm -rf "$dir"
    mv "$tmp" "$dir"
fi
status "kbtf of $BENCH_BEFORE ready"
