#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh. Modules that clang 16, GCC 12 (Linux 6.1) and GCC 16 (7.2) compiled: ledger.py finds each of their
# functions and per-CPU variables in the BTF or in the ledger.

# ledger_of NAME < paths of modules
ledger_of() {
    local dir=$WORK/ledger/$1 bad=0
    local -a modules
    mapfile -t modules
    mkdir -p "$dir"
    "$KBTF" encode -j "$JOBS" --standalone --detached-dir "$dir" --ledger "$dir.ledger" "${modules[@]}" 2>"$dir.messages" || bad=1
    /usr/bin/python3 "$HERE/ledger.py" "$dir" "$dir.ledger" "${modules[@]}" >"$dir.counted" 2>&1 || bad=1
    verdict "ledger $1" "$bad" "$(tail -n 1 "$dir.counted")"
}

# with_per_cpu_first COUNT: so many of the paths, those of modules with a per-CPU section before others.
with_per_cpu_first() {
    local path
    while read -r path; do
        if section "$path" .data..percpu >/dev/null; then echo "0 $path"; else echo "1 $path"; fi
    done | sort -s -k1,1 | awk -v count="$1" 'NR <= count { print $2 }'
}

run_ledger() {
    bash "$HERE/ledger-inputs.sh" >/dev/null || die "ledger-inputs.sh failed"
    find "$CACHE/clang-6.1/modules" -name '*.ko' | sort | with_per_cpu_first 70 | ledger_of "clang 16"
    find "$(modules_of 6.1)" -name '*.ko' -size -3M | sort | with_per_cpu_first 70 | ledger_of "GCC 12"
    find "$(modules_of 7.2)" -name '*.ko' | sort | with_per_cpu_first 60 | ledger_of "GCC 16"
}
