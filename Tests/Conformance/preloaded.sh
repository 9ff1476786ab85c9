#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: kernels with the patches of kbuild/patches preload a list of BPF objects from an initramfs, where only
# signed modules load; and modules of `kbtf gen module`, each with its test, on such a kernel. What patched.sh needs.

# preloaded_boot NAME CASE WORDS: results in $GUESTS/preloaded-NAME-CASE.{ktap,log}
preloaded_boot() {
    local results=$GUESTS/preloaded-$1-$2
    "$KBTF" vm run --kernel "$(build_of "$1")/arch/x86/boot/bzImage" --cpus "$(processors_of "${1%%-*}")" \
        --image "$GUESTS/preloaded-$1/initramfs" --append "$(words_of "$1") module.sig_enforce=1 $3" --timeout 1800 --memory 2048 \
        --log "$results.log" >"$results.ktap" 2>"$results.err"
}

preloaded() {
    local name=$1 bad=0 dir=$GUESTS/preloaded-$1 detail='' boot
    (
        patched_environment "$name"
        bash "$REPO/selftests/preloaded.sh" "$dir"
    ) >"$dir.staging" 2>&1 || { verdict "patched $name, preloading" 1 "$(tail -n 1 "$dir.staging")"; return; }
    preloaded_boot "$name" list "bpf_preload_list=$(<"$dir/list")" || bad=1
    preloaded_boot "$name" empty "bpf_preload_list= quiet" || bad=1
    preloaded_boot "$name" default "" || bad=1
    for boot in list empty default; do detail+="$boot: $(points "$GUESTS/preloaded-$name-$boot.ktap"); "; done
    verdict "patched $name, preloading" "$bad" "${detail%; }"
    rm -rf "$dir/root"
}

# Of a kernel with the iterators built in; what `preloaded` made for the other has their module, which nothing asks for.
preloaded_builtin() {
    local name=$1-builtin bad=0 detail='' boot
    mkdir -p "$GUESTS/preloaded-$name"
    cp "$GUESTS/preloaded-$1/initramfs" "$GUESTS/preloaded-$name/"
    preloaded_boot "$name" empty "bpf_preload_list= quiet" || bad=1
    preloaded_boot "$name" default "" || bad=1
    for boot in empty default; do detail+="$boot: $(points "$GUESTS/preloaded-$name-$boot.ktap"); "; done
    verdict "patched $1, iterators built in" "$bad" "${detail%; }"
}

# Objects in the tree of a kernel without modules. Its own iterators are one of them, made from their source.
preloaded_objects() {
    local series=$1 name=$1-objects bad=0 detail='' boot dir=$GUESTS/preloaded-$1-objects
    (
        TYPES=$(build_of "$series")/vmlinux.btf
        OBJECT_SOURCE=$("$KERNELS" --directory "$series")/linux/kernel/bpf/preload/iterators/iterators.bpf.c
        export TYPES OBJECT_SOURCE
        bash "$REPO/selftests/preloaded.sh" --tree "$dir"
    ) >"$dir.staging" 2>&1 || { verdict "patched $series, objects built in" 1 "$(tail -n 1 "$dir.staging")"; return; }
    export OBJECTS=$dir/objects
    built "$name" || return 0
    preloaded_boot "$name" list "bpf_preload_list=$(<"$dir/list")" || bad=1
    preloaded_boot "$name" empty "bpf_preload_list= quiet" || bad=1
    for boot in list empty; do detail+="$boot: $(points "$GUESTS/preloaded-$name-$boot.ktap"); "; done
    verdict "patched $series, objects built in" "$bad" "${detail%; }"
    rm -rf "$dir/root"
}

# The modules of selftests/preload.sh, of which those for a list are on it: built with the headers of the kernel with the
# patches, and of the same without, and each of both kinds is loaded in both kernels.
preloaded_modules() {
    local series=$1 headers kernel bad dir results
    for headers in "$series" "$series-plain"; do
        dir=$GUESTS/preload-headers-$headers
        (
            patched_environment "$headers"
            bash "$REPO/selftests/preload.sh" "$dir"
        ) >"$dir.staging" 2>&1 || { verdict "patched $series, modules by headers of $headers" 1 "$(tail -n 1 "$dir.staging")"; continue; }
        for kernel in "$series" "$series-plain"; do
            bad=0 results=preload-$kernel-by-$headers
            patched_boot "$kernel" "$results" "$dir/tests" --append bpf_preload_list=bpf_preload,listed || bad=1
            verdict "patched $series, modules by headers of $headers in $kernel" "$bad" "$(points "$GUESTS/$results.ktap")"
        done
        rm -rf "$dir"
    done
}

run_patched_preload() {
    local series
    mkdir -p "$GUESTS"
    for series in $(series_of_patches 6.12 7.2); do
        built "$series" || continue
        preloaded "$series"
        ! built "$series-plain" || preloaded_modules "$series"
        ! built "$series-builtin" || preloaded_builtin "$series"
        preloaded_objects "$series"
    done
    for series in $(series_of_patches 6.12); do
        ! built "$series" "$series-kasan" || preloaded "$series-kasan"
    done
}
