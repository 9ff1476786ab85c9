#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: a small 6.12 kernel (kbuild/config/bpf-small.config) with its modules, linked once with
# pahole 1.32 and the kernel's own resolve_btfids, and once with kbtf in the place of both. Objects are compiled
# once and kept in $CACHE/kbuild/small-6.12.

SMALL=$CACHE/kbuild/small-6.12

# small_make ARGUMENTS...: in the small kernel's folder.
small_make() { make -s -j "$JOBS" -C "$CACHE/kbuild/linux-6.12" O="$SMALL" "$@"; }

# Its configuration says which pahole it was made with; kbtf says the same.
small_config() {
    local fragment=$REPO/kbuild/config/bpf-small.config line
    mkdir -p "$SMALL"
    cmp -s "$fragment" "$SMALL/fragment" && return 0
    small_make PAHOLE="$CACHE/peers/bin/pahole-1.32" tinyconfig
    (cd "$CACHE/kbuild/linux-6.12" && scripts/kconfig/merge_config.sh -m -O "$SMALL" "$SMALL/.config" "$fragment" >/dev/null)
    small_make PAHOLE="$CACHE/peers/bin/pahole-1.32" olddefconfig
    grep '^CONFIG' "$fragment" | while read -r line; do
        grep -qxF "$line" "$SMALL/.config" || die "the kernel does not take $line"
    done
    cp "$fragment" "$SMALL/fragment"
}

# small_link ours|theirs ARGUMENTS...: links the kernel and its modules, and keeps them.
small_link() {
    local out=$WORK/kernel/$1 started=$SECONDS
    shift
    mkdir -p "$out"
    # What is linked is up to date for make, whoever made its BTF.
    rm -f "$SMALL/vmlinux"
    find "$SMALL" -name '*.ko' -delete
    small_make "$@" vmlinux modules >"$out.out" 2>"$out.err" || return 1
    cp "$SMALL/vmlinux" "$out/"
    find "$SMALL" -name '*.ko' -exec cp -t "$out" {} +
    echo "$((SECONDS - started))" >"$out.seconds"
}

# small_ids NAME: whether the .BTF_ids of theirs and ours name the same.
small_ids() {
    local who base
    for who in theirs ours; do
        base=$WORK/kernel/$who/vmlinux
        [ "$1" != vmlinux ] || base=none
        "$COMPARE" ids --base "$base" "$WORK/kernel/$who/$1" >"$WORK/kernel/$who/$1.ids" 2>&1 || return 1
    done
    cmp -s "$WORK/kernel"/{theirs,ours}/"$1.ids"
}

run_kernel() {
    local dir=$WORK/kernel bad=0 name list=$WORK/kernel/list with=0 differ=''
    bash "$HERE/kbuild-inputs.sh" >/dev/null || die "kbuild-inputs.sh failed"
    rm -rf "$dir"
    mkdir -p "$dir/bin"
    ln -s "$KBTF" "$dir/bin/pahole"
    ln -s "$KBTF" "$dir/bin/resolve_btfids"
    small_config
    # Compiled before anything is timed.
    [ -e "$SMALL/vmlinux.o" ] || small_make PAHOLE="$CACHE/peers/bin/pahole-1.32" vmlinux modules >"$dir/compiled" 2>&1 ||
        { verdict "kernel 6.12" 1 "$(tail -n 1 "$dir/compiled")"; return; }
    small_link theirs PAHOLE="$CACHE/peers/bin/pahole-1.32" || { verdict "kernel 6.12, theirs" 1 "$(tail -n 1 "$dir/theirs.err")"; return; }
    small_link ours PAHOLE="$dir/bin/pahole" RESOLVE_BTFIDS="$dir/bin/resolve_btfids" && [ ! -s "$dir/ours.err" ] ||
        { verdict "kernel 6.12, ours" 1 "$(head -n 1 "$dir/ours.err")"; return; }

    "$KBTF" check "$dir/ours/vmlinux" >"$dir/vmlinux.checked" 2>&1 || bad=1
    echo "$dir/ours/vmlinux $dir/theirs/vmlinux - $dir/ours/vmlinux" >"$list"
    "$COMPARE" compare --base-a none --base-b none --functions-by-rule --rules "$VMLINUX_RULES" "$list" >"$dir/vmlinux.compared" 2>&1 || bad=1
    small_ids vmlinux || bad=1
    verdict "kernel 6.12 vmlinux" "$bad" \
        "$(differences "$dir/vmlinux.compared")$(rules "$dir/vmlinux.compared" | sed 's/^./; &/'); $(grep -c . "$dir/ours/vmlinux.ids") lines of ids; linked in $(<"$dir/theirs.seconds") s with pahole, $(<"$dir/ours.seconds") s with kbtf"

    bad=0
    for name in "$dir/theirs"/*.ko; do
        name=${name##*/}
        echo "$dir/ours/$name $dir/theirs/$name - $dir/ours/$name"
        ! section "$dir/theirs/$name" .BTF_ids >/dev/null || with=$((with + 1))
        ! section "$dir/theirs/$name" .BTF_ids >/dev/null || small_ids "$name" || differ+=" $name"
    done >"$list"
    "$COMPARE" compare --base-a "$dir/ours/vmlinux" --base-b "$dir/theirs/vmlinux" \
        --functions-by-rule --rules "$BLIND_SPOT,goes-with-function" "$list" >"$dir/modules.compared" 2>&1 || bad=1
    [ -z "$differ" ] && [ "$with" -gt 0 ] || bad=1
    verdict "kernel 6.12 modules" "$bad" "$(summary "$dir/modules.compared"); $with with ids${differ:+, different:$differ}"
}
