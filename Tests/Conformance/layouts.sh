#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: `kbtf dump --layout` of every vmlinux, against pahole's listing of the same BTF.

run_layouts() {
    local series dir bad
    for series in 6.1 6.12 7.2 7.3; do
        dir=$WORK/$series/layouts bad=0
        mkdir -p "$dir"
        "$KBTF" dump --layout "$(vmlinux_of "$series")" >"$dir/ours" || bad=1
        "$CACHE/peers/bin/pahole-1.32" -F btf "$(vmlinux_of "$series")" >"$dir/pahole" || bad=1
        python3 "$(dirname "${BASH_SOURCE[0]}")/layouts.py" "$dir/ours" "$dir/pahole" >"$dir/compared" || bad=1
        verdict "layouts of $series" "$bad" "$(tail -n 1 "$dir/compared")"
    done
}
