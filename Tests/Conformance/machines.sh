#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: Debian's kernels of other machines boot, translated by QEMU, and load modules.
#
#   arm64, riscv64, ppc64el     some of the kernel's modules, encoded on its BTF and put back: each loads, and its BTF is
#                               seen in sysfs, as kbtf made it
#   s390x, armhf, i386,         modules as they shipped: each loads. Debian's kernel was built without BTF
#   mipsel, mips64el, loong64
#   machine-tests               the guest tests of selftests/ on 7.2 of arm64, riscv64 and ppc64el: BPF programs attach to
#                               a module, and to the kernel, by our BTF. Not on s390x, where Debian's kernel has BTF
#                               but attaches nothing, for want of CONFIG_BPF_JIT
#
# Modules with debug information come from inputs.sh and archs-inputs.sh, the kernels that were shipped with them
# are fetched to $CACHE/vm/machine-ARCH. Needs QEMU for that machine and a compiler for its init; without them the check
# fails and says what to install.

# MACHINES: Debian's name of the machine, the directory with modules below $CACHE/kernels, that of apt's configuration below
# $CACHE, and what each module has to give: it loads (1), and its BTF is there (2).
MACHINES='
arm64    6.1-arm64      apt-arm64             2
s390x    6.1-s390x      apt-s390x             1
riscv64  arch-riscv64   apt-riscv64-sid       2
ppc64el  7.2-ppc64el    apt-ppc64el-sid       2
armhf    arch-armhf     apt-armhf-bookworm    1
i386     arch-i386      apt-i386-bookworm     1
mipsel   arch-mipsel    apt-mipsel-bookworm   1
mips64el arch-mips64el  apt-mips64el-bookworm 1
loong64  arch-loong64   apt-loong64-sid       1
'

# Modules that need no device.
without_device() { grep -E '^kernel/(crypto|fs|net/(sched|core|802|ipv4|ipv6))/' | head -n 6; }

# machine_kernel ARCH RELEASE: unpacked, from the packages of that release.
machine_kernel() {
    local dir=$CACHE/vm/machine-$1 release=$2 package found='' tmp
    [ "$(cat "$dir/release" 2>/dev/null)" != "$release" ] || return 0
    tmp=$(fresh "$dir")
    # From 7.0 on linux-image is a package of dependencies.
    for package in "linux-binary-$release" "linux-modules-$release" "linux-image-$release-unsigned" "linux-image-$release"; do
        apt-cache show "$package" >/dev/null 2>&1 || continue
        case $package in linux-image-*) [ -z "$found" ] || continue ;; esac
        found=$package
        fetch "$package" "$tmp/root"
    done
    [ -n "$found" ] || die "no package with the kernel $release"
    find "$tmp/root" -name '*.ko.xz' -exec xz -d {} +
    echo "$release" >"$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
}

# sid_tools DIR: for loong64, bookworm's QEMU is too old and there is no compiler: sid's, in the root of peers.sh. Places
# QEMU in DIR, and the guest's init.
sid_tools() {
    local dir=$1 sid=$CACHE/peers/sid qemu=qemu-system-loongarch64 work
    [ -x "$sid/usr/bin/$qemu" ] && [ -x "$sid/usr/bin/loongarch64-linux-gnu-gcc-16" ] && [ -e "$sid/usr/loongarch64-linux-gnu/lib/libc.a" ] ||
        install_in "$sid" qemu-system-misc gcc-16-loongarch64-linux-gnu libc6-dev-loong64-cross
    work=$(mktemp -d "$sid/kbtf-selftest.XXXXXX")
    cp "$REPO"/selftests/guest/*.[ch] "$work/"
    chroot "$sid" sh -c 'cd "$1" && loongarch64-linux-gnu-gcc-16 -Wall -Wextra -Werror -Os -static -s -o init ./*.c' sh "${work#"$sid"}"
    mv "$work/init" "$dir/"
    rm -rf "$work"
    # With the root's libraries, but in this system: kbtf hands it open files.
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" -L "%s" "$@"\n' "$sid/lib64/ld-linux-x86-64.so.2" \
        "$sid/usr/lib/x86_64-linux-gnu" "$sid/usr/bin/$qemu" "$sid/usr/share/qemu" >"$dir/$qemu"
    chmod +x "$dir/$qemu"
}

# machine ARCH: see MACHINES.
machine() {
    local arch series apt points dir=$GUESTS/$1 root=$CACHE/vm/machine-$1/root release from kernel lib ko modules=() bad=0
    read -r arch series apt points < <(grep "^$1 " <<<"$MACHINES")
    rm -rf "$dir"
    mkdir -p "$CACHE/vm" "$dir"
    [ -e "$CACHE/kernels/$series/release" ] || bash "$HERE/archs-inputs.sh" >"$dir/fetched" 2>&1 ||
        { verdict "$arch guest" 1 "archs-inputs.sh failed"; return; }
    release=$(release_of "$series")
    (
        export APT_CONFIG=$CACHE/$apt/apt.conf
        machine_kernel "$arch" "$release"
    ) >>"$dir/fetched" 2>&1 || { verdict "$arch guest" 1 "$(tail -n 1 "$dir/fetched")"; return; }
    kernel=$(find "$root" -name 'vmlinu[xz]*' -type f | head -n 1)
    lib=$(dirname "$(find "$root" -path "*/modules/$release/kernel" -type d | head -n 1)")
    from=$(modules_of "$series")
    while read -r ko; do
        cp "$lib/$ko" "$dir/"
        modules+=("$dir/${ko##*/}")
        [ "$points" = 2 ] || continue
        "$KBTF" encode -q --base "$kernel" --detached "$dir/${ko##*/}.btf" "$from/$ko" || bad=1
        OBJCOPY=$(triplet_of "$arch")-objcopy refit "$kernel" "$dir" "$dir/${ko##*/}" || bad=1
    done < <(cd "$from" && find kernel -name '*.ko' | sort | without_device) 2>"$dir/messages"
    if [ "$arch" = loong64 ]; then
        sid_tools "$dir" >>"$dir/fetched" 2>&1 || { verdict "$arch guest" 1 "$(tail -n 1 "$dir/fetched")"; return; }
        local -x PATH=$dir:$PATH KBTF_GUEST_INIT=$dir/init
    fi
    "$KBTF" vm run --kernel "$kernel" --accel tcg --boot-timeout 400 --timeout 600 --log "$dir/log" \
        "${modules[@]/#/--module=}" >"$dir/ktap" 2>"$dir/err" || bad=1
    [ "$(grep -c '^  ok ' "$dir/ktap")" = $((points * ${#modules[@]})) ] && [ "${#modules[@]}" -gt 0 ] || bad=1
    verdict "$arch guest" "$bad" "$(uname_of "$dir/log"): ${#modules[@]} modules: $(points "$dir/ktap"), $(
        sed -n 's/^ok 1 .* # (\(.*\))/\1/p' "$dir/ktap"
        unbooted "$dir"
    )"
}

# unbooted DIR: what kbtf said if there are no results.
unbooted() { [ -s "$1/ktap" ] || grep -E '^(kbtf|hint): ' "$1/err" | tail -n 2 | tr '\n' ' '; }

# uname_of LOG: the release and machine that the guest's init reports.
uname_of() { [ ! -e "$1" ] || tr -d '\r' <"$1" | sed -n 's/.*kbtf: # \([0-9][^ ]* [^ ]*\)$/\1/p' | head -n 1; }

run_machines() {
    mkdir -p "$GUESTS"
    machine "$1"
}

# machine_tests ARCH: the guest tests on sid's kernel.
machine_tests() {
    local arch=$1 dir=$GUESTS/tests-$1 release kernel gcc bad=0
    release=$(<"$CACHE/arguments/$arch/release")
    kernel=$CACHE/arguments/$arch/boot/vmlinuz-$release
    gcc=$(sed -n 's/^CC = .*\(gcc-[0-9]*\).*/\1/p' "$CACHE/peers/sid/usr/src/linux-headers-$release/.kernelvariables")
    mkdir -p "$dir"
    BASE=$kernel HEADERS=/usr/src/linux-headers-$release INSIDE=$CACHE/peers/sid MACHINE=$(machine_of "$arch") COMPILER=$(triplet_of "$arch")-$gcc \
        LIBRARIES=$CACHE/vm/libraries-$arch bash "$REPO/selftests/stage.sh" "$dir" >"$dir/staging" 2>&1 ||
        { verdict "$arch guest tests" 1 "$(tail -n 1 "$dir/staging")"; return; }
    # findings/debian-riscv64-bpf-jit.sh has why: riscv64 compiles BPF programs only on request, and without slab_debug
    # neither it nor ppc64el can allocate the elements of a task storage map.
    "$KBTF" vm run --kernel "$kernel" --accel tcg --boot-timeout 400 \
        --append "lsm=bpf sysctl.net.core.bpf_jit_enable=1 slab_debug=FZ" \
        --timeout 1800 --test-timeout 400 --test "$dir/tests" --log "$dir/log" >"$dir/ktap" 2>"$dir/err" || bad=1
    verdict "$arch guest tests" "$bad" "$(uname_of "$dir/log"): $(points "$dir/ktap")$(unbooted "$dir")"
}

run_machine_tests() {
    local arch machines=(arm64 riscv64 ppc64el)
    mkdir -p "$GUESTS"
    bash "$HERE/machines-inputs.sh" "${machines[@]}" >"$GUESTS/machines-fetched" 2>&1 ||
        { verdict "guest tests of other machines" 1 "$(tail -n 1 "$GUESTS/machines-fetched")"; return; }
    for arch in "${machines[@]}"; do machine_tests "$arch"; done
}
