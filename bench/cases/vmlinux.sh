# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A kernel (vmlinux), DWARF to BTF.

vmlinux_of() { echo "$CACHE/kernels/$1/dbg/usr/lib/debug/boot/vmlinux-$(<"$CACHE/kernels/$1/release")"; }

# kbtf_vmlinux ELF OPTION...
kbtf_vmlinux() { echo "$KBTF encode ${*:2} --features $FEATURES --lang-exclude rust --detached $WORK/kbtf.btf $1"; }

# pahole_vmlinux ELF OUT OPTION...
pahole_vmlinux() { echo "$PAHOLE_132 -J ${*:3} --btf_features=$FEATURES --lang_exclude=rust --btf_encode_detached=$2 $1"; }

# entries SERIES: how many its debug information has, counted once.
entries() {
    local file=$CACHE/kernels/$1/entries
    if [ ! -e "$file" ]; then
        "$SCRATCH/tools/release/kbtf-conformance" dies "$(vmlinux_of "$1")" | sed -n 's/^files 1 .* dies \([0-9]*\) .*/\1/p' >"$file.new"
        [ -s "$file.new" ] || die "cannot count the entries of $1"
        mv "$file.new" "$file"
    fi
    cat "$file"
}

one_vmlinux() {
    local elf
    elf=$(vmlinux_of "$1")
    cat "$elf" >/dev/null
    printf '\n## vmlinux %s: %d MiB, %d thousand entries\n' "$(<"$CACHE/kernels/$1/release")" \
        "$(($(stat -Lc %s "$elf") / 1048576))" "$(($(entries "$1") / 1000))" | say
    field_begin
    contender kbtf "$(kbtf_vmlinux "$elf")"
    contender "kbtf -j1" "$(kbtf_vmlinux "$elf" -j 1)"
    contender "pahole 1.32 -j2" "$(pahole_vmlinux "$elf" "$WORK/pahole.btf" -j2)"
    contender "pahole 1.32" "$(pahole_vmlinux "$elf" "$WORK/pahole.btf")"
    contender "pahole 1.24" "$PAHOLE_124 -J --btf_gen_floats --lang_exclude=rust --btf_encode_detached=$WORK/pahole-1.24.btf $elf"
    race 4 4
    table
    goal_time "pahole 1.32 -j2" 1/16
    goal_memory "pahole 1.32 -j2" 1/8
    sizes "$WORK/kbtf.btf" "pahole 1.32" "$WORK/pahole.btf"
}

# The large kernel against the small one, by entry.
by_entry() {
    local numbers
    printf '\n## By entry: the kernel for all machines against the one for clouds\n' | say
    field_begin
    contender "kbtf, all machines" "$(kbtf_vmlinux "$(vmlinux_of 6.1-amd64)")"
    contender "kbtf, clouds" "$(kbtf_vmlinux "$(vmlinux_of 6.1)")"
    race 6 4
    table
    numbers=$(jq -r --argjson a "$(entries 6.1-amd64)" --argjson b "$(entries 6.1)" "$JQ_DEFINITIONS"'
        map([(.times | median), (.times | min)]) as [$large, $small]
        | "\($large[0] / $a / ($small[0] / $b)) \($large[1] / $a / ($small[1] / $b)) \(map(unrest) | max)"' "$WORK/race.json")
    jq -r --argjson a "$(entries 6.1-amd64)" --argjson b "$(entries 6.1)" "$JQ_DEFINITIONS"'
        map(.times | median) as [$large, $small]
        | "\nNanoseconds an entry, medians: \($large / $a * 1e9 | places(1)) and \($small / $b * 1e9 | places(1))"' "$WORK/race.json" | say
    # shellcheck disable=SC2086  # three numbers
    goal "time by entry, against the kernel for clouds," 1.00 $numbers
    # One thread: callgrind counts what threads do while they wait.
    field_begin
    contender "kbtf -j1, all machines" "$(kbtf_vmlinux "$(vmlinux_of 6.1-amd64)" -j 1)"
    contender "kbtf -j1, clouds" "$(kbtf_vmlinux "$(vmlinux_of 6.1)" -j 1)"
    instructions
}

# What only one thread at a time can do, by instructions of one thread, and what that leaves for more of them: those who read
# share their work, one of them at a time takes in what was read, and before and after that one is alone.
shares() {
    local words
    printf '\n## Threads: what only one of them can do, kernel of %s\n' "$(<"$CACHE/kernels/6.1/release")" | say
    read -ra words <<<"$(kbtf_vmlinux "$(vmlinux_of 6.1)" -j 1)"
    valgrind --tool=callgrind --callgrind-out-file="$WORK/shares" "${words[@]}" >/dev/null 2>"$WORK/callgrind" ||
        { tail -n 3 "$WORK/callgrind" >&2; die "callgrind fails"; }
    callgrind_annotate --inclusive=yes --show-percs=no --threshold=100 "$WORK/shares" |
        awk -v goal="$WORK/share" '
            # A number: strings are compared otherwise.
            { gsub(",", "", $1); $1 += 0 }
            /PROGRAM TOTALS/ { all = $1 }
            /DWARFToBTF9EncodeRunV3all_/ && !units { units = $1 }
            /DWARFToBTF9EncodeRunV4takey/ && !taken { taken = $1 }
            END {
                if (!all || !units || !taken) exit 1
                alone = all - units
                print "\n| | million instructions | share |\n|---|---|---|"
                printf "| reading units, by all threads | %d | %.3f |\n", (units - taken) / 1e6, (units - taken) / all
                printf "| taking them in, one thread at a time | %d | %.3f |\n", taken / 1e6, taken / all
                printf "| start, symbols, layout: one thread | %d | %.3f |\n", alone / 1e6, alone / all
                print "\n| threads | time at best, of one thread |\n|---|---|"
                for (n = 1; n <= 16; n *= 2) printf "| %d | %.3f |\n", n, (alone + (units / n > taken ? units / n : taken)) / all
                print (alone + taken) / all >goal
            }' | say
    goal "the share of one thread" 1/5 "$(<"$WORK/share")"
}

case_vmlinux() {
    local series
    for series in 6.1 6.12 7.2 6.1-amd64; do one_vmlinux "$series"; done
    by_entry
    shares
}
