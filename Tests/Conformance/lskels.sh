#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: kbtf as BPFTOOL of 6.12's own makefiles.
#
#   lskels   the skeleton of kernel/bpf/preload/iterators, and light skeletons of selftests/bpf, all of which compile;
#            refused are those, and only those, that a loader of libbpf 1.1 gets wrong

# Made by the selftests' Makefile without being asked: LSKELS and LSKELS_EXTRA.
OWN_LSKELS='fentry_test fexit_test fexit_sleep atomics trace_printk trace_vprintk map_ptr_kern core_kern core_kern_overflow
    test_ringbuf test_ringbuf_n test_ringbuf_map_key test_ringbuf_write
    test_ksyms_module test_ksyms_weak kfunc_call_test kfunc_call_test_subprog'
MORE_LSKELS='bpf_loop bprm_opts find_vma for_each_array_map_elem for_each_hash_map_elem ima lsm modify_return test_d_path timer'
# They take the address of a kfunc, or mix the kernel's with a module's, which libbpf 1.1 does wrong; test_ksyms_weak
# also has variables that libbpf would look up in this machine's kallsyms.
REFUSED_LSKELS='kfunc_call_test test_ksyms_module test_ksyms_weak'

# lskel_make DIR TARGETS...: by the Makefile of that directory of the source, with kbtf as bpftool.
lskel_make() {
    local dir=$1
    shift
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$LSKELS_DIR/linux/$dir" BPFTOOL="$LSKELS_DIR/bin/bpftool" \
        CLANG=clang-16 LLVM_STRIP="$(command -v llvm-strip llvm-strip-16 | head -n 1)" "$@"
}

# compiles HEADER: against the tree's own skel_internal.h.
compiles() {
    gcc -fsyntax-only -w -I"$LSKELS_DIR/selftests/tools/include" -include errno.h -include string.h -x c "$1"
}

lskels_iterators() {
    local bad=0 dir=kernel/bpf/preload/iterators made=$LSKELS_DIR/linux/kernel/bpf/preload/iterators/iterators.lskel-little-endian.h
    rm -f "$made"
    lskel_make "$dir" all >"$LSKELS_DIR/iterators.messages" 2>&1 || bad=1
    grep -q 'iterators_bpf__dump_bpf_map__attach' "$made" || bad=1
    # Nothing is left of what is refused.
    if lskel_make "$dir" big >>"$LSKELS_DIR/iterators.messages" 2>&1; then bad=1; fi
    grep -q 'it is big-endian: libbpf 1.1 generates loaders' "$LSKELS_DIR/iterators.messages" || bad=1
    [ ! -e "${made/little/big}" ] || bad=1
    verdict "lskels, iterators" "$bad" "$(grep -m 1 'error' "$LSKELS_DIR/iterators.messages")"
}

lskels_selftests() {
    local bad=0 name made=() refused=() out=$LSKELS_DIR/selftests targets=()
    mkdir -p "$out"
    for name in $OWN_LSKELS $MORE_LSKELS; do targets+=("$out/$name.lskel.h"); done
    # What is refused fails.
    lskel_make tools/testing/selftests/bpf -k -j "$JOBS" OUTPUT="$out" VMLINUX_BTF="$CACHE/boot/6.12/vmlinux.btf" SKIP_DOCS=1 \
        SKIP_LLVM=1 LSKELS="$(printf '%s.c ' $OWN_LSKELS $MORE_LSKELS)" LSKELS_EXTRA= "${targets[@]}" \
        >"$LSKELS_DIR/selftests.messages" 2>&1 || true
    for name in $OWN_LSKELS $MORE_LSKELS; do
        if [ -s "$out/$name.lskel.h" ]; then
            made+=("$name")
            compiles "$out/$name.lskel.h" >>"$LSKELS_DIR/compiled" 2>&1 || { bad=1; refused+=("$name does not compile"); }
        else
            refused+=("$name")
        fi
    done
    [ "$(printf '%s\n' "${refused[@]}" | sort | paste -sd' ')" = "$REFUSED_LSKELS" ] && [ "${#made[@]}" -ge 20 ] || bad=1
    verdict "lskels, selftests" "$bad" "${#made[@]} made by the Makefile; refused: ${refused[*]}"
}

run_lskels() {
    local source=$CACHE/kbuild/linux-6.12 part
    LSKELS_DIR=$WORK/lskels
    bash "$HERE/kbuild-inputs.sh" --source 6.12 >/dev/null || die "kbuild-inputs.sh failed"
    bash "$HERE/boot-inputs.sh" 6.12 >/dev/null || die "boot-inputs.sh failed"
    rm -rf "$LSKELS_DIR"
    mkdir -p "$LSKELS_DIR/bin"
    ln -s "$KBTF" "$LSKELS_DIR/bin/bpftool"
    # Makefiles write beside their sources.
    for part in Makefile tools scripts kernel/bpf/preload; do
        mkdir -p "$LSKELS_DIR/linux/$(dirname "$part")"
        cp -a "$source/$part" "$LSKELS_DIR/linux/$part"
    done
    lskels_iterators
    lskels_selftests
}
