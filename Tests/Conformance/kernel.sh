#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh. A small 6.12 kernel (kbuild/config/bpf-small.config) with its modules, linked once with
# pahole 1.32 and the kernel's own resolve_btfids, and once with kbtf in the place of both. Objects are compiled
# once and kept in $CACHE/kbuild/small-6.12. And the BTF steps of 7.2's build, on the vmlinux of its debug package.

SMALL=$CACHE/kbuild/small-6.12

# small_make ARGUMENTS...: in the small kernel's directory.
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

small_kernel() {
    local dir=$WORK/kernel bad=0 name list=$WORK/kernel/list with=0 differ=''
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

# btf_steps ours|theirs PAHOLE RESOLVE_BTFIDS: what 7.2's link-vmlinux.sh does about BTF, in sid's root.
btf_steps() {
    local dir=$IN_SID/kernel/$1 headers
    headers=/usr/src/linux-headers-$(release_of 7.2)
    mkdir -p "$SID$dir"
    cp "$WORK/kernel/7.2/vmlinux" "$SID$dir/vmlinux"
    # shellcheck disable=SC2016  # the inner shell expands these
    build 7.2 sh -c 'cd "$0" && export objtree="$1" PAHOLE="$2" RESOLVE_BTFIDS="$3" PAHOLE_FLAGS="$4" RESOLVE_BTFIDS_FLAGS= \
        CC=x86_64-linux-gnu-gcc-16 OBJCOPY=x86_64-linux-gnu-objcopy &&
        sh "$5/scripts/gen-btf.sh" vmlinux && $RESOLVE_BTFIDS --patch_btfids vmlinux.BTF_ids vmlinux' \
        "$dir" "$headers" "$2" "$3" \
        "-j --btf_features=$DEFAULT,decl_tag_kfuncs --btf_features=attributes --btf_features=layout --lang_exclude=rust" \
        "${headers%-cloud*}-common" >"$WORK/kernel/7.2/$1.out" 2>"$WORK/kernel/7.2/$1.err"
}

steps_of_7_2() {
    local dir=$WORK/kernel/7.2 bad=0 root=$SID$IN_SID/kernel who
    mkdir -p "$dir"
    rm -rf "$root"
    # As the linker left it. What shipped was sorted, and the kernel's tool and pahole take flags from wrong entries then.
    "$COMPARE" blank-ids --base none "$(readlink -f "$(vmlinux_of 7.2)")" "$dir/vmlinux" >"$dir/messages" 2>&1 || bad=1
    [ -d "$SID$IN_SID/bin" ] || tools 7.2
    btf_steps theirs "$IN_SID/bin/theirs/pahole" "/usr/src/linux-headers-$(release_of 7.2)/tools/bpf/resolve_btfids/resolve_btfids" ||
        { verdict "kernel 7.2, theirs" 1 "$(tail -n 1 "$dir/theirs.err")"; return; }
    btf_steps ours "$IN_SID/bin/ours/pahole" "$IN_SID/bin/ours/resolve_btfids" && [ ! -s "$dir/ours.err" ] || bad=1
    "$KBTF" encode --features "$DEFAULT,decl_tag_kfuncs,attributes,layout" --detached "$dir/for-the-ledger" \
        --ledger "$dir/ledger" "$dir/vmlinux" 2>>"$dir/messages" || bad=1
    for who in theirs ours; do
        [ "$(find "$root/$who" -type f -printf '%f\n' | sort | xargs)" = "vmlinux vmlinux.BTF_ids vmlinux.btf.o" ] || bad=1
        "$COMPARE" ids --base none --btf "$root/$who/vmlinux.btf.o" "$root/$who/vmlinux" >"$dir/$who.ids" 2>&1 || bad=1
    done
    cmp "$dir/theirs.ids" "$dir/ours.ids" >>"$dir/messages" 2>&1 || bad=1
    echo "$root/ours/vmlinux.btf.o $root/theirs/vmlinux.btf.o $dir/ledger $dir/vmlinux" >"$dir/list"
    "$COMPARE" compare --base-a none --base-b none --functions-by-rule --rules "$VMLINUX_RULES" "$dir/list" >"$dir/compared" 2>&1 || bad=1
    verdict "kernel 7.2, gen-btf.sh" "$bad" \
        "$(differences "$dir/compared")$(rules "$dir/compared" | sed 's/^./; &/'); $(wc -l <"$dir/ours.ids") lines of ids"
    [ "$bad" = 1 ] || rm -rf "$root" "$dir/vmlinux"
}

run_kernel() {
    bash "$HERE/kbuild-inputs.sh" >/dev/null || die "kbuild-inputs.sh failed"
    rm -rf "$WORK/kernel"
    small_kernel
    steps_of_7_2
}
