#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: modules of `kbtf gen module` are built for four kernels without a warning (W=1), come and
# go a hundred times, and fail at every step of loading: descriptors and memory that run out one further each time,
# each hook of a policy full once, objects that the kernel refuses. Programs, maps, links, BTF and descriptors are
# counted before and after. Uses guests.sh.

preload_modules() {
    local series=$1 bad=0 dir=$GUESTS/modules-$1
    guest_environment "$series"
    bash "$REPO/selftests/rounds.sh" "$dir" >"$dir.staging" 2>&1 ||
        { verdict "$series preload modules" 1 "$(tail -n 1 "$dir.staging")"; return; }
    booted "$series" modules "$dir/tests" --memory 2048 --timeout 3600 --test-timeout 3500 || bad=1
    rm -rf "$dir"
    tr -d '\r' <"$GUESTS/$series-modules.log" | sed -n 's/.*kbtf: *# //p' >"$dir.told"
    # Nothing is skipped here, and each kind was seen.
    ! grep -q '# SKIP' "$GUESTS/$series-modules.ktap" || bad=1
    verdict "$series preload modules" "$bad" \
        "$(points "$GUESTS/$series-modules.ktap"), $(grep -c ' rounds: .* none after' "$dir.told") modules for 100 rounds, $(awk '/limits .*that were too low/ { sum += $2 } END { print sum + 0 }' "$dir.told") limits and $(sed -n 's/.*: \([0-9]*\) hooks, each full once.*/\1/p' "$dir.told") full hooks that failed"
}

run_preload_modules() {
    local series
    guests_inputs
    for series in "${GENERATIONS[@]}"; do preload_modules "$series"; done
}
