# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: kernels answer as `kbtf attach` predicts. For each series a guest loads a program for every function
# of the kernel, and tries to attach 300 programs of each type in all; ATTACH_SEED chooses others. Another guest loads
# the programs of attach/programs.bpf.c by libbpf, which either fail as `kbtf check --attach` says, or do not.

: "${ATTACH_SEED:=17}"

# attach_predict SERIES NAME OPTIONS...: the prediction in NAME.json
attach_predict() {
    local series=$1 name=$2
    shift 2
    # A name in full with the answer no would fail; there are none.
    "$KBTF" attach -q --json --target "$CACHE/boot/$series/vmlinuz" --release "$(<"$CACHE/boot/$series/release")" "$@" \
        >"$WORK/attach/$series/$name.json" 2>>"$WORK/attach/$series/messages"
}

# attach_modules SERIES: some modules as they shipped, none of which needs another.
attach_modules() {
    local from name
    from=$CACHE/boot/$1/modules
    for name in net/sched/sch_htb fs/overlayfs/overlay crypto/ccm drivers/block/loop; do
        find "$from/kernel/${name%/*}" -name "${name##*/}.ko"
    done
}

# attach_boot SERIES NAME OPTIONS...: the test in the directory NAME; its lines that begin with # in NAME.told.
attach_boot() {
    local series=$1 dir=$WORK/attach/$1
    "$KBTF" vm run --kernel "$CACHE/boot/$series/vmlinuz" --cpus 1 --append lsm=bpf --timeout 1800 --test-timeout 1700 \
        --test "$dir/$2" --log "$dir/$2.log" "${@:3}" >"$dir/$2.ktap" 2>"$dir/$2.err" || true
    tr -d '\r' <"$dir/$2.log" | sed -n 's/.*# \(differs: .*\|log: .*\|tried .*\|program .*\)/\1/p' >"$dir/$2.told"
}

# attach_guest SERIES NAME MOST: tries what is in NAME.tries; at most MOST of 100 may differ.
attach_guest() {
    local series=$1 name=$2 most=$3 dir=$WORK/attach/$1 bad=0 tried differing
    mkdir -p "$dir/$name"
    mv "$dir/$name.tries" "$dir/$name/tries"
    cp "$WORK/attach/tries" "$dir/$name/attach"
    attach_boot "$series" "$name" "${@:4}"
    tried=$(sed -n 's/^tried \([0-9]*\):.*/\1/p' "$dir/$name.told" | tail -n 1)
    differing=$(sed -n 's/^tried .*, \([0-9]*\) differ$/\1/p' "$dir/$name.told" | tail -n 1)
    [ -n "$tried" ] && [ "$((differing * 100))" -le "$((tried * most))" ] || bad=1
    verdict "$series attach, $name" "$bad" "${tried:-no} tries, ${differing:-?} differ"
}

# attach_programs SERIES: what `kbtf check --attach` says of each object, against what becomes of it.
attach_programs() {
    local series=$1 dir=$WORK/attach/$1 bad=0
    mkdir -p "$dir/programs"
    cp -r "$WORK/attach/objects" "$dir/programs/"
    cp "$WORK/attach/programs" "$dir/programs/attach"
    # Some have errors.
    "$KBTF" check -q --json --attach "$CACHE/boot/$series/vmlinuz" "$dir/programs/objects"/*.o \
        >"$dir/programs.json" 2>>"$dir/messages" || true
    attach_boot "$series" programs
    python3 "$HERE/attach/programs.py" "$dir/programs.json" "$dir/programs.told" >"$dir/programs.compared" || bad=1
    verdict "$series check --attach" "$bad" "$(tail -n 1 "$dir/programs.compared")"
}

attach_series() {
    local series=$1 dir=$WORK/attach/$1 way module modules=() name
    mkdir -p "$dir"
    for way in fentry fexit fmod_ret lsm tp_btf iter freplace; do
        attach_predict "$series" "$way" --program "$way"
    done
    for way in fentry fexit lsm; do attach_predict "$series" "$way.s" --program "$way" --sleepable; done
    python3 "$HERE/attach/attach.py" load "$dir/fentry.json" >"$dir/all.tries"
    attach_guest "$series" all 0
    python3 "$HERE/attach/attach.py" some "$ATTACH_SEED" 300 "$dir"/{fentry,fexit,fmod_ret,lsm,tp_btf,iter}.json \
        >"$dir/some.tries"
    python3 "$HERE/attach/attach.py" some "$ATTACH_SEED" 60 "$dir"/{freplace,fentry.s,fexit.s,lsm.s}.json \
        >>"$dir/some.tries"
    attach_guest "$series" some 1
    for module in $(attach_modules "$series"); do
        name=$(basename "$module" .ko)
        attach_predict "$series" "$name" --module "$module"
        attach_predict "$series" "$name-fexit" --program fexit --module "$module"
        python3 "$HERE/attach/attach.py" some "$ATTACH_SEED" 100 "$dir/$name.json" "$dir/$name-fexit.json" \
            >>"$dir/modules.tries"
        modules+=(--module "$module")
    done
    attach_guest "$series" modules 1 "${modules[@]}"
    attach_programs "$series"
}

run_attach() {
    local series name
    bash "$HERE/boot-inputs.sh" --symbols "${GENERATIONS[@]}" >/dev/null || die "boot-inputs.sh failed"
    mkdir -p "$WORK/attach/objects"
    gcc -O2 -Wall -Wextra -Werror -static -I"$HERE" -o "$WORK/attach/tries" "$HERE/attach/tries.c"
    gcc -O2 -Wall -Wextra -static -o "$WORK/attach/programs" "$HERE/attach/programs.c" -Wl,--no-warnings -lbpf -lelf -lz
    while read -r name; do
        clang-16 -target bpf -mcpu=v3 -O2 -g -Wall -Werror -Wno-unused-value -D"CASE_$name" \
            -c "$HERE/attach/programs.bpf.c" -o "$WORK/attach/objects/$name.o"
    done < <(sed -n 's/^#ifdef CASE_//p' "$HERE/attach/programs.bpf.c")
    for series in "${GENERATIONS[@]}"; do attach_series "$series"; done
}
