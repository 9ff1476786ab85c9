#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: what a kernel with the patches of kbuild/patches shows in sysfs of a module with standalone BTF is read
# in the guest by others: bpftool, pahole and bpftrace of sid. What patched.sh needs.

# readers_root DIR: the three programs and their libraries in DIR, for the guest's /shared.
readers_root() {
    local sid=$CACHE/peers/sid dir=$1 program path
    chroot "$sid" dpkg-query -W bpftrace >/dev/null 2>&1 || install_in "$sid" bpftrace || return 1
    rm -rf "$dir"
    mkdir -p "$dir/lib"
    for program in bpftool pahole bpftrace; do
        path=$(chroot "$sid" sh -c "command -v $program")
        cp -L "$sid$path" "$dir/$program"
        # By its name in the dynamic section, whatever file that is.
        chroot "$sid" sh -c "ldd $path" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' |
            while read -r file; do cp -L "$sid$file" "$dir/lib/"; done
    done
}

# readers_expect SERIES DIR: what they are to say of DIR/whole.ko, pahole from DWARF.
readers_expect() {
    local expected=$2/expected
    mkdir -p "$expected"
    renumbered "$(build_of "$1")/vmlinux.btf" "$2/whole.ko" "$expected/btf" || return 1
    "$BPFTOOL" -B "$(build_of "$1")/vmlinux.btf" btf dump file "$expected/btf" format c >"$expected/bpftool" || return 1
    "$CACHE/peers/bin/pahole-1.32" -F dwarf -C kbtf_test_item,kbtf_test_count "$2/whole.ko" >"$expected/pahole" || return 1
    grep -q 'struct kbtf_test_item {' "$expected/pahole" && grep -q 'kbtf_test_item' "$expected/bpftool"
}

patched_readers() {
    local series=$1 bad=0 dir=$GUESTS/readers-$1 test=$GUESTS/readers-$1/tests/readers
    rm -rf "$dir"
    mkdir -p "$test"
    readers_root "$dir/root" >"$dir/staging" 2>&1 ||
        { verdict "patched $series, readers" 1 "no bpftrace: $(tail -n 1 "$dir/staging")"; return; }
    (patched_environment "$series") && test_module "$series" "$REPO/selftests/modules/kbtf_test" kbtf_test "$dir" >"$dir/staging" 2>&1 ||
        { verdict "patched $series, readers" 1 "$(tail -n 1 "$dir/staging")"; return; }
    "$KBTF" encode -q --standalone "$dir/kbtf_test.ko" && mv "$dir/kbtf_test.ko" "$test/whole.ko" &&
        readers_expect "$series" "$test" || { verdict "patched $series, readers" 1 "nothing to expect"; return; }
    strip --strip-debug -o "$test/kbtf_test.ko" "$test/whole.ko"
    rm "$test/whole.ko"
    cp "$REPO/selftests/tests/readers.sh" "$test/"
    chmod 755 "$test/readers.sh"
    patched_boot "$series" "readers-$series" "$dir/tests" --busybox /bin/busybox --share "$dir/root" --memory 3072 \
        --test-timeout 900 --timeout 1200 || bad=1
    rm -rf "$dir/root"
    verdict "patched $series, read by bpftool, pahole and bpftrace" "$bad" "$(points "$GUESTS/readers-$series.ktap")"
}

run_patched_readers() {
    local series
    mkdir -p "$GUESTS"
    for series in $(series_of_patches 6.12 7.2); do
        ! built "$series" || patched_readers "$series"
    done
}
