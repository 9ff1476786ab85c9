#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: Debian's kernels of other machines boot, translated by QEMU, and load modules.
#
#   arm64, riscv64, ppc64el     some of the kernel's modules, encoded on its BTF and put back: each loads, and its BTF is
#                               seen in sysfs, as kbtf made it
#   s390x, armhf, i386,         modules as they shipped: each loads. Debian's kernel was built without BTF
#   mipsel, mips64el
#
# Modules with debug information come from inputs.sh and archs-inputs.sh, the kernels that were shipped with them
# are fetched to $CACHE/vm/machine-ARCH. Needs QEMU for that machine and a compiler for its init; without them the check
# fails and says what to install.

# MACHINES: Debian's name of the machine, the prefix of its compiler, the directory with modules below $CACHE/kernels,
# that of apt's configuration below $CACHE, and what each module has to give: it loads (1), and its BTF is there (2).
MACHINES='
arm64    aarch64-linux-gnu       6.1-arm64      apt-arm64             2
s390x    s390x-linux-gnu         6.1-s390x      apt-s390x             1
riscv64  riscv64-linux-gnu       arch-riscv64   apt-riscv64-sid       2
ppc64el  powerpc64le-linux-gnu   7.2-ppc64el    apt-ppc64el-sid       2
armhf    arm-linux-gnueabihf     arch-armhf     apt-armhf-bookworm    1
i386     i686-linux-gnu          arch-i386      apt-i386-bookworm     1
mipsel   mipsel-linux-gnu        arch-mipsel    apt-mipsel-bookworm   1
mips64el mips64el-linux-gnuabi64 arch-mips64el  apt-mips64el-bookworm 1
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

# machine ARCH: see MACHINES.
machine() {
    local arch triplet series apt points dir=$GUESTS/$1 root=$CACHE/vm/machine-$1/root release from kernel lib ko modules=() bad=0
    read -r arch triplet series apt points < <(grep "^$1 " <<<"$MACHINES")
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
        OBJCOPY=$triplet-objcopy refit "$kernel" "$dir" "$dir/${ko##*/}" || bad=1
    done < <(cd "$from" && find kernel -name '*.ko' | sort | without_device) 2>"$dir/messages"
    "$KBTF" vm run --kernel "$kernel" --accel tcg --boot-timeout 400 --timeout 600 --log "$dir/log" \
        "${modules[@]/#/--module=}" >"$dir/ktap" 2>"$dir/err" || bad=1
    [ "$(grep -c '^  ok ' "$dir/ktap")" = $((points * ${#modules[@]})) ] && [ "${#modules[@]}" -gt 0 ] || bad=1
    verdict "$arch guest" "$bad" "$(uname_of "$dir/log"): ${#modules[@]} modules: $(points "$dir/ktap"), $(
        sed -n 's/^ok 1 .* # (\(.*\))/\1/p' "$dir/ktap"
        [ -s "$dir/ktap" ] || grep -E '^(kbtf|hint): ' "$dir/err" | tail -n 2 | tr '\n' ' '
    )"
}

# uname_of LOG: the release and machine that the guest's init reports.
uname_of() { tr -d '\r' <"$1" 2>/dev/null | sed -n 's/.*kbtf: # \([0-9][^ ]* [^ ]*\)$/\1/p' | head -n 1; }

run_machines() {
    mkdir -p "$GUESTS"
    machine "$1"
}
