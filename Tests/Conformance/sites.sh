#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh. Modules that clang 16, GCC 12 (Linux 6.1) and GCC 16 (7.2) compiled: sites.py finds each inlined call
# of their debug information in .BTF.inline, with the places of its parameters, and nothing else there.

# sites_of NAME < paths of files
sites_of() {
    local dir=$WORK/sites/$1 bad=0
    local -a files
    mapfile -t files
    mkdir -p "$dir"
    "$KBTF" encode -j "$JOBS" --standalone --features default,inline --force --detached-dir "$dir" "${files[@]}" 2>"$dir.messages" || bad=1
    /usr/bin/python3 "$HERE/sites.py" "$dir" "${files[@]}" >"$dir.counted" 2>&1 || bad=1
    verdict "sites $1" "$bad" "$(tail -n 1 "$dir.counted")"
}

run_sites() {
    bash "$HERE/ledger-inputs.sh" >/dev/null || die "ledger-inputs.sh failed"
    find "$CACHE/clang-6.1/modules" -name '*.ko' -size -3M | sort | head -n 40 | sites_of "clang 16"
    find "$(modules_of 6.1)" -name '*.ko' -size -3M | sort | head -n 40 | sites_of "GCC 12"
    find "$(modules_of 7.2)" -name '*.ko' | sort | head -n 40 | sites_of "GCC 16"
}
