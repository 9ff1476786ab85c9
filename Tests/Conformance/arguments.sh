# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: what BPF programs read as arguments, in kernels of several machines. A module with functions that take
# arguments of every class (arguments/functions.h) is compiled for each by sid's compiler; in a guest, programs at all
# of these that its BTF has read their arguments, which have to be what the caller passed. Then the same with pahole's
# BTF, for comparison: what it keeps although programs read something else, and what kbtf leaves out although they
# would not. Kernels are sid's, but for s390x, which Debian builds without CONFIG_BPF_JIT: a small 6.12 with it is compiled
# instead. ARGUMENTS_MACHINES chooses among the machines.

: "${ARGUMENTS_MACHINES:=amd64 arm64 s390x ppc64el riscv64}"

OWN=$CACHE/kbuild/arguments-s390x

# own_make ARGUMENTS...: in the directory of the kernel for s390x.
own_make() { make -s -j "$JOBS" ARCH=s390 CROSS_COMPILE=s390x-linux-gnu- PAHOLE="$WORK/arguments/bin/pahole" -C "$OWN" "$@"; }

# The kernel for s390x, with BTF of ours.
own_kernel() {
    local source=$CACHE/kbuild/linux-6.12 fragments
    fragments=("$REPO/kbuild/config/bpf-small.config" "$HERE/arguments/s390x.config")
    mkdir -p "$OWN"
    cat "${fragments[@]}" | cmp -s - "$OWN/fragments" || {
        make -s ARCH=s390 CROSS_COMPILE=s390x-linux-gnu- -C "$source" O="$OWN" tinyconfig
        (cd "$source" && scripts/kconfig/merge_config.sh -m -O "$OWN" "$OWN/.config" "${fragments[@]}" >/dev/null)
        own_make olddefconfig
        cat "${fragments[@]}" >"$OWN/fragments"
    }
    own_make vmlinux modules && own_make bzImage
}

# arguments_kernel ARCH, arguments_base ARCH: what boots, and what has its BTF.
arguments_kernel() {
    case $1 in
    s390x) echo "$OWN/arch/s390/boot/bzImage" ;;
    *) echo "$CACHE/arguments/$1/boot/vmlinuz-$(<"$CACHE/arguments/$1/release")" ;;
    esac
}
arguments_base() { if [ "$1" = s390x ]; then echo "$OWN/vmlinux"; else arguments_kernel "$1"; fi; }

# arguments_inside ARCH DIR: compiles the module in that directory of sid's root.
arguments_inside() {
    local root=$CACHE/peers/sid
    # objtool and make need /proc.
    # shellcheck disable=SC2016  # the inner shell expands these
    unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" \
        make -C "/usr/src/linux-headers-$(<"$CACHE/arguments/$1/release")" M="${2#"$root"}" CONFIG_DEBUG_INFO_BTF_MODULES= modules
}

# arguments_module ARCH OUT: without BTF.
arguments_module() {
    local dir bad=0
    dir=$(mktemp -d "$CACHE/peers/sid/kbtf-arguments.XXXXXX")
    cp "$HERE"/arguments/{Kbuild,*.h,calls.c,functions.c} "$dir/"
    (
        # This make's own would join the two.
        unset MAKEFLAGS MFLAGS MAKELEVEL
        case $1 in
        s390x) own_make M="$dir" CONFIG_DEBUG_INFO_BTF_MODULES= modules ;;
        *) arguments_inside "$1" "$dir" ;;
        esac
    ) >"$2.made" 2>&1 && cp "$dir/arguments.ko" "$2" || bad=1
    rm -rf "$dir"
    return "$bad"
}

# arguments_told DIR KERNEL: boots with the test in DIR; what it said is DIR.told.
arguments_told() {
    "$KBTF" vm run --kernel "$2" --accel tcg --cpus 1 --boot-timeout 600 --timeout 1200 --test-timeout 600 \
        --test "$1" --log "$1.log" >"$1.ktap" 2>"$1.err" || true
    tr -d '\r' <"$1.log" | sed -nE 's/.*# ((read|refused|lost) arguments_.*)/\1/p' >"$1.told"
    grep -q '^ *ok [0-9]* reads' "$1.ktap"
}

# arguments_of ARCH TOOL: with the BTF that kbtf or pahole made; sets $told to the last line of the comparison.
arguments_of() {
    local arch=$1 tool=$2 dir=$WORK/arguments/$1/$2 base endian=little
    base=$(arguments_base "$arch")
    [ "$arch" != s390x ] || endian=big
    mkdir -p "$dir"
    cp "$WORK/arguments/$arch/arguments.ko" "$dir/"
    case $tool in
    kbtf) "$KBTF" encode -q --base "$base" --ledger "$dir.ledger" "$dir/arguments.ko" || return 1 ;;
    pahole) "$CACHE/peers/bin/pahole-1.32" -J --btf_features=default --btf_base="$WORK/arguments/$arch/kernel.btf" "$dir/arguments.ko" || return 1 ;;
    esac
    "$KBTF" dump --json --base "$base" "$dir/arguments.ko" >"$dir.json"
    "$(triplet_of "$arch")-gcc" -O2 -Wall -Wextra -Werror -static -I"$HERE" -o "$dir/reads" "$HERE/arguments/reads.c" || return 1
    arguments_told "$dir" "$(arguments_kernel "$arch")" || { told="the guest: $(tail -n 1 "$dir.err")"; return 1; }
    python3 "$HERE/arguments/compare.py" "$dir.json" "$WORK/arguments/$arch/kernel.json" "$dir.told" "$endian" \
        >"$dir.compared" || { told=$(tail -n 1 "$dir.compared"); return 1; }
    told=$(tail -n 1 "$dir.compared")
}

# arguments_raw ARCH: the kernel's BTF, for pahole.
arguments_raw() {
    case $1 in
    s390x) btf_of "$OWN/vmlinux" "$WORK/arguments/$1/kernel.btf" ;;
    *) "$KBTF" base -q --release "$(<"$CACHE/arguments/$1/release")" --sysroot "$CACHE/arguments/$1" --output "$WORK/arguments/$1/kernel.btf" ;;
    esac
}

# arguments_right ARCH TOOL: the numbers of the functions of which all arguments were read as they were passed.
arguments_right() {
    local dir=$WORK/arguments/$1/$2
    comm -23 <(sed -n 's/^read arguments_\([0-9]*\).*/\1/p' "$dir.told" | sort) \
        <(sed -n 's/^wrong arguments_\([0-9]*\).*/\1/p' "$dir.compared" | sort -u)
}

arguments_on() {
    local arch=$1 dir=$WORK/arguments/$1 told='' bad=0 lost
    mkdir -p "$dir"
    if [ "$arch" = s390x ]; then
        own_kernel >"$dir/kernel.made" 2>&1 || { verdict "$arch arguments" 1 "$(tail -n 1 "$dir/kernel.made")"; return; }
    fi
    arguments_module "$arch" "$dir/arguments.ko" || { verdict "$arch arguments" 1 "$(tail -n 1 "$dir/arguments.ko.made")"; return; }
    "$KBTF" dump --json "$(arguments_base "$arch")" >"$dir/kernel.json"
    arguments_of "$arch" kbtf || bad=1
    verdict "$arch arguments" "$bad" "$told, $(grep -o '"name":"arguments_' "$dir/kbtf.ledger" | wc -l) left out"
    # What pahole's BTF leads programs to is no verdict on kbtf; what they read rightly and kbtf leaves out is.
    arguments_raw "$arch" >"$dir/kernel.raw" 2>&1
    arguments_of "$arch" pahole || true
    lost=$(comm -23 <(arguments_right "$arch" pahole) <(arguments_right "$arch" kbtf) | xargs)
    bad=0
    # docs/ledger.md: packed structs on the stack, for the reason that kernels cannot know where they are.
    [ "${lost/#66/}" = "" ] || bad=1
    verdict "$arch with pahole's BTF" "$bad" "$told; right, and left out by kbtf: ${lost:-none}"
}

run_arguments() {
    local arch others=()
    mkdir -p "$WORK/arguments/bin"
    ln -sf "$KBTF" "$WORK/arguments/bin/pahole"
    for arch in $ARGUMENTS_MACHINES; do [ "$arch" = s390x ] || others+=("$arch"); done
    bash "$HERE/arguments-inputs.sh" "${others[@]}" >/dev/null || die "arguments-inputs.sh failed"
    case " $ARGUMENTS_MACHINES " in
    *" s390x "*) bash "$HERE/kbuild-inputs.sh" --source 6.12 >/dev/null || die "kbuild-inputs.sh failed" ;;
    esac
    for arch in $ARGUMENTS_MACHINES; do arguments_on "$arch"; done
}
