#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: kernels of other machines boot and take our BTF, translated by QEMU.
#
#   arm64    some of the machine's modules (those of inputs.sh), encoded on its kernel and put back: each loads, and
#            its BTF is seen in sysfs, as kbtf made it
#   s390x    the same but for the BTF, which Debian's kernel for this big-endian machine was built without
#
# The kernel is fetched to $CACHE/vm/6.1-ARCH. Needs QEMU for that machine and a compiler for its init; without
# them the check fails and says what to install.

# Modules that need no device.
without_device() { grep -E '^kernel/(crypto|fs|net/(sched|core|802|ipv4|ipv6))/' | head -n 6; }

# machine_kernel ARCH PATTERN: unpacked, of the release that inputs.sh fetched modules of.
machine_kernel() {
    local dir=$CACHE/vm/6.1-$1 release package tmp
    release=$(release_of "6.1-$1")
    [ "$(cat "$dir/release" 2>/dev/null)" != "$release" ] || return 0
    tmp=$(fresh "$dir")
    package=linux-image-$release
    ! apt-cache show "$package-unsigned" >/dev/null 2>&1 || package+=-unsigned
    fetch "$package" "$tmp/root"
    echo "$release" >"$tmp/release"
    rm -rf "$dir"
    mv "$tmp" "$dir"
}

# machine ARCH NAME POINTS: the machine as Debian and as the kernel call it; what each module has to give: it
# loads (1), and its BTF is there (2).
machine() {
    local arch=$1 name=$2 points=$3 dir=$GUESTS/$1 root=$CACHE/vm/6.1-$1/root release kernel ko missing='' modules=() bad=0
    local qemu=qemu-system-$name init=${KBTF%/*}/guest-init-$name
    command -v "$qemu" >/dev/null || missing=$qemu
    [ -x "$init" ] || missing+="${missing:+ and }a compiler for its init"
    if [ -n "$missing" ]; then
        verdict "$arch guest" 1 "no $missing: selftests/setup.sh --machines, make guest"
        return
    fi
    mkdir -p "$CACHE/vm" "$dir"
    (
        export APT_CONFIG=$CACHE/apt-$arch/apt.conf
        machine_kernel "$arch"
    ) >"$dir/fetched" 2>&1 || { verdict "$arch guest" 1 "$(tail -n 1 "$dir/fetched")"; return; }
    release=$(release_of "6.1-$arch")
    kernel=$root/boot/vmlinuz-$release
    while read -r ko; do
        cp "$root/lib/modules/$release/$ko" "$dir/"
        modules+=("$dir/${ko##*/}")
        [ "$points" = 2 ] || continue
        "$KBTF" encode -q --base "$kernel" --detached "$dir/${ko##*/}.btf" "$(modules_of "6.1-$arch")/$ko" || bad=1
        OBJCOPY=$name-linux-gnu-objcopy refit "$kernel" "$dir" "$dir/${ko##*/}" || bad=1
    done < <(cd "$(modules_of "6.1-$arch")" && find kernel -name '*.ko' | sort | without_device) 2>"$dir/messages"
    "$KBTF" vm run --kernel "$kernel" --accel tcg --boot-timeout 400 --timeout 600 --log "$dir/log" \
        "${modules[@]/#/--module=}" >"$dir/ktap" 2>"$dir/err" || bad=1
    [ "$(grep -c '^  ok ' "$dir/ktap")" = $((points * ${#modules[@]})) ] && [ "${#modules[@]}" -gt 0 ] || bad=1
    verdict "$arch guest" "$bad" "${#modules[@]} modules: $(points "$dir/ktap"), $(sed -n 's/^ok 1 .* # (\(.*\))/\1/p' "$dir/ktap")"
}

run_machines() {
    mkdir -p "$GUESTS"
    case $1 in
    arm64) machine arm64 aarch64 2 ;;
    s390x) machine s390x s390x 1 ;;
    esac
}
