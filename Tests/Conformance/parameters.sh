#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: parameters of modules of `kbtf gen module --param`, in guests of four kernels. Uses guests.sh.
#
#   parameters   constants and a map's size are what the user sets, or what the object says; what is out of range is
#                refused, with a line, before anything is loaded

parameters() {
    local series=$1 bad=0 dir=$GUESTS/parameters-$1 root
    root=$(root_of "$series")/tuned
    rm -rf "$root"
    mkdir -p "$dir/test" "$(dirname "$root")"
    {
        clang-16 -g -O2 -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$HERE/parameters/tuned.bpf.c" -o "$dir/tuned.bpf.o" &&
            "$KBTF" gen module -q --param limit:1..100 --param offset --param strict --param step --param tag \
                --param size=tuned_flows:1..4096 -o "$root" "$dir/tuned.bpf.o" &&
            build "$series" make -s -C "$(seen "$series" "$(readlink -f "$(headers_of "$series")")")" \
                M="$(seen "$series" "$root")" W=1 CONFIG_DEBUG_INFO_BTF_MODULES= modules &&
            cp "$root/tuned.ko" "$dir/test/" &&
            gcc -O1 -Wall -Wextra -Werror "$HERE/parameters/tuned.c" -static -lbpf -lelf -lz -o "$dir/test/tuned"
    } >"$dir.made" 2>&1 && [ "$(modinfo -F parm "$dir/test/tuned.ko" | wc -l)" = 6 ] ||
        { verdict "$series parameters" 1 "$(tail -n 1 "$dir.made")"; return; }
    without_version_note "$dir.made"
    ! grep -q warning "$dir.made" || bad=1
    booted "$series" parameters "$dir/test" || bad=1
    rm -rf "$root"
    grep -q 'tuned: limit: 101 is not within 1..100' "$GUESTS/$series-parameters.log" || bad=1
    verdict "$series parameters" "$bad" "$(points "$GUESTS/$series-parameters.ktap")"
}

run_parameters() {
    local series
    guests_inputs
    for series in "${GENERATIONS[@]}"; do parameters "$series"; done
}
