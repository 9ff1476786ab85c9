# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: kernels answer as `kbtf attach` predicts. For each series a guest loads a program for every function
# of the kernel, and tries to attach 300 programs of each type in all; ATTACH_SEED chooses others.

: "${ATTACH_SEED:=17}"

# attach_predict SERIES NAME OPTIONS...: the prediction in NAME.json
attach_predict() {
    local series=$1 name=$2
    shift 2
    # A name in full with the answer no would fail; there are none.
    "$KBTF" attach -q --json --target "$(vmlinux_of "$series")" --release "$(release_of "$series")" "$@" \
        >"$WORK/attach/$series/$name.json" 2>>"$WORK/attach/$series/messages"
}

# attach_modules SERIES: some modules as they shipped, none of which needs another.
attach_modules() {
    local from name
    from=$(shipped_of "$1")
    for name in net/sched/sch_htb fs/overlayfs/overlay crypto/ccm drivers/block/loop; do
        find "$from/kernel/${name%/*}" -name "${name##*/}.ko"
    done
}

# attach_guest SERIES NAME MOST: tries what is in NAME.tries; at most MOST of 100 may differ.
attach_guest() {
    local series=$1 name=$2 most=$3 dir=$WORK/attach/$1 bad=0 tried differing
    mkdir -p "$dir/$name"
    mv "$dir/$name.tries" "$dir/$name/tries"
    cp "$WORK/attach/tries" "$dir/$name/attach"
    "$KBTF" vm run --kernel "$(kernel_of "$series")" --cpus 1 --append lsm=bpf --timeout 900 --test-timeout 800 \
        --test "$dir/$name" --log "$dir/$name.log" "${@:4}" >"$dir/$name.ktap" 2>"$dir/$name.err" || true
    tr -d '\r' <"$dir/$name.log" | sed -n 's/.*# \(differs: .*\|log: .*\|tried .*\)/\1/p' >"$dir/$name.told"
    tried=$(sed -n 's/^tried \([0-9]*\):.*/\1/p' "$dir/$name.told" | tail -n 1)
    differing=$(sed -n 's/^tried .*, \([0-9]*\) differ$/\1/p' "$dir/$name.told" | tail -n 1)
    [ -n "$tried" ] && [ "$((differing * 100))" -le "$((tried * most))" ] || bad=1
    verdict "$series attach, $name" "$bad" "${tried:-no} tries, ${differing:-?} differ"
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
}

run_attach() {
    guests_inputs
    mkdir -p "$WORK/attach"
    gcc -O2 -Wall -Wextra -Werror -static -o "$WORK/attach/tries" "$HERE/attach/tries.c"
    local series
    for series in "${GENERATIONS[@]}"; do attach_series "$series"; done
}
