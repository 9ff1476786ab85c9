#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: the BPF programs of the kernel's own selftests of 6.12, all that clang-16 compiles, beside bpftool 7.1,
# whose libbpf is the same.
#
#   objects      libbpf is shown none that it would refuse (bpftool itself crashes on some), and those that it would take and kbtf refuses
#                are refused for a reason known here; linked, they are what bpftool links; their BTF is passed on as
#                libbpf passes it on; what they need of a kernel's BTF is what bpftool keeps of it; nothing of this
#                machine's kernel is read

OBJECTS=$WORK/objects
HOST_BPFTOOL=$(command -v bpftool || echo /usr/sbin/bpftool)
# Why kbtf refuses what bpftool takes: facts of the build host, and loaders that do not do what they should.
KNOWN_REASONS='is not given|has no type, so libbpf reads|so libbpf uses this machine|which libbpf looks up in this'
KNOWN_REASONS+='|in the loader.s table|is taken, which a loader|but a loader of libbpf 1.1 corrupts|does not define its inner map|do not support struct_ops'
KNOWN_REASONS+='|neither programs nor maps|is an arena, which kernels accept in programs only after user space has mapped it|not a C identifier|but a loader has room for|ENUM .*: Unexpected size: 0'

# objects_compile: what compiles, to $OBJECTS/o.
objects_compile() {
    local sources=$CACHE/sources/bpf-6.12
    mkdir -p "$OBJECTS"/{o,include}
    "$KBTF" dump --format c "$CACHE/kernels/6.12/vmlinux.btf" >"$OBJECTS/include/vmlinux.h"
    # shellcheck disable=SC2016  # the inner shell's
    find "$sources/progs" -name '*.c' | sort | xargs -P "$JOBS" -I{} sh -c '
        timeout 60 clang-16 -g -O2 -mcpu=v3 -target bpf -D__TARGET_ARCH_x86 -fms-extensions -w -I"$1/include" -I"$2/tests" \
            -I"$2/include" -I"$2/uapi" -I/usr/include/x86_64-linux-gnu -c "$3" -o "$1/o/$(basename "$3" .c).o" 2>/dev/null ||
            rm -f "$1/o/$(basename "$3" .c).o"' sh "$OBJECTS" "$sources" {}
}

# outcome STATUS: 255 is bpftool's for errors, what signals leave lies below.
outcome() {
    if [ "$1" -gt 128 ] && [ "$1" -lt 200 ]; then echo crash; else echo refused; fi
}

# objects_one OBJECT: "taken", "refused" or "crash" of bpftool and of kbtf, whether libbpf was asked, and kbtf's words.
objects_one() {
    local name theirs=taken ours=taken words
    name=$(basename "$1" .o)
    timeout 60 "$HOST_BPFTOOL" gen skeleton -L "$1" name o >/dev/null 2>&1 || theirs=$(outcome $?)
    words=$("$KBTF" gen skeleton -q -L --own-types "$1" name o 2>&1 >/dev/null) || ours=$(outcome $?)
    printf '%s %s %s %s\n' "$name" "$theirs" "$ours" "$(echo "$words" | grep '^kbtf: ' | tr '\n' ' ')"
}

# only_externs THEIRS OURS: they differ in nothing but the section of symbols that are declared only. bpftool 7.1 gives
# a map that another object defines the section of the maps, at offset 0, where another map lies.
only_externs() {
    local symbols
    symbols=$(diff <(readelf -sW "$1" 2>/dev/null) <(readelf -sW "$2" 2>/dev/null) | grep '^>') || return 1
    ! grep -qv 'NOTYPE *GLOBAL *DEFAULT *UND' <<<"$symbols" && [ "$(cmp -l "$1" "$2" | wc -l)" = "$(wc -l <<<"$symbols")" ]
}

# objects_linked OBJECT: whether both link it alone to the same bytes.
objects_linked() {
    local tmp theirs=0 ours=0
    tmp=$(mktemp -d)
    timeout 60 "$HOST_BPFTOOL" gen object "$tmp/theirs" "$1" 2>/dev/null || theirs=1
    "$KBTF" gen object -q "$tmp/ours" "$1" 2>"$tmp/words" || ours=$?
    if [ "$theirs$ours" = 00 ]; then
        if cmp -s "$tmp/theirs" "$tmp/ours"; then
            echo "same $1"
        elif only_externs "$tmp/theirs" "$tmp/ours"; then
            echo "extern $1"
        else
            echo "different $1"
        fi
    elif [ "$theirs" = 0 ]; then
        echo "refused $1 $(head -n 1 "$tmp/words")"
    else
        echo "neither $ours $1"
    fi
    rm -rf "$tmp"
}

# objects_alone: with all that it could want of this machine's kernel given, kbtf reads none of it.
objects_alone() {
    local dir=$OBJECTS/alone bad=0
    mkdir -p "$dir"
    cat >"$dir/x.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
extern int LINUX_KERNEL_VERSION SEC(".kconfig");
extern int CONFIG_HZ SEC(".kconfig");
extern int CONFIG_NONE SEC(".kconfig") __attribute__((weak));
char LICENSE[] SEC("license") = "GPL";
SEC("xdp") int x(void *context) { return LINUX_KERNEL_VERSION + CONFIG_HZ + CONFIG_NONE; }
C
    clang-16 -g -O2 -target bpf -w -c "$dir/x.c" -o "$dir/x.o"
    echo CONFIG_HZ=250 >"$dir/config"
    strace -f -e trace=open,openat,bpf -o "$dir/calls" \
        "$KBTF" gen skeleton -L --kconfig "$dir/config" --kernel-version 6.1 "$dir/x.o" >"$dir/x.h" || bad=1
    grep -q 'openat(.*x\.o' "$dir/calls" || bad=1
    ! grep -E '\bbpf\(|"/(proc/config|proc/version|proc/kallsyms|boot|sys/kernel|sys/fs/bpf)' "$dir/calls" || bad=1
    verdict "objects alone" "$bad" "with --kconfig and --kernel-version, nothing of this machine's kernel is opened"
}

# objects_needed OBJECT: whether both keep the same of a kernel's BTF.
objects_needed() {
    local tmp theirs=0 ours=0
    tmp=$(mktemp -d)
    timeout 60 "$HOST_BPFTOOL" gen min_core_btf "$CACHE/kernels/6.12/vmlinux.btf" "$tmp/theirs" "$1" 2>/dev/null || theirs=1
    "$KBTF" gen min-core-btf -q --kernel "$CACHE/kernels/6.12/vmlinux.btf" -o "$tmp/ours" "$1" 2>"$tmp/words" || ours=$?
    case $theirs$ours in
    00) if cmp -s "$tmp/theirs" "$tmp/ours"; then echo "same $1"; else echo "different $1"; fi ;;
    11) echo "neither $1" ;;
    *) echo "bpftool $theirs kbtf $ours $1 $(grep ^kbtf: "$tmp/words" | head -n 1)" ;;
    esac
    rm -rf "$tmp"
}

run_objects() {
    local bad=0 taken unknown
    [[ $("$HOST_BPFTOOL" version) == *'libbpf v1.1'* ]] || die "objects: bpftool with libbpf 1.1 is wanted, as Debian 12 has it"
    bash "$HERE/skeletons-inputs.sh" >/dev/null || die "skeletons-inputs.sh failed"
    rm -rf "$OBJECTS"
    objects_compile
    export HOST_BPFTOOL
    export -f outcome objects_one objects_linked objects_needed only_externs
    find "$OBJECTS/o" -name '*.o' | sort | xargs -P "$JOBS" -I{} bash -c 'objects_one {}' 2>/dev/null | sort >"$OBJECTS/words"
    # What bpftool takes, kbtf takes, or knows why not; what it does not, kbtf refuses by itself.
    # bpftool's own libbpf does not know sections .bss.NAME, which kptr_xchg_inline has.
    awk '$3 == "crash" || $2 == "refused" && $3 == "taken" && $1 != "kptr_xchg_inline" || $3 == "refused" && /libbpf cannot/' "$OBJECTS/words" >"$OBJECTS/bad"
    awk '$2 == "taken" && $3 == "refused"' "$OBJECTS/words" | grep -vE "$KNOWN_REASONS" >>"$OBJECTS/bad" || true
    unknown=$(wc -l <"$OBJECTS/bad")
    taken=$(awk '$2 == "taken" && $3 == "taken"' "$OBJECTS/words" | wc -l)
    [ "$unknown" = 0 ] && [ "$taken" -gt 300 ] || bad=1
    verdict objects "$bad" "$(wc -l <"$OBJECTS/words") objects: both take $taken, kbtf alone refuses $(
        awk '$2 == "taken" && $3 == "refused"' "$OBJECTS/words" | wc -l), both refuse $(
        awk '$2 == "refused" && $3 == "refused"' "$OBJECTS/words" | wc -l), bpftool crashes on $(
        awk '$2 == "crash"' "$OBJECTS/words" | wc -l); $unknown unexplained"
    bad=0
    find "$OBJECTS/o" -name '*.o' | sort | xargs -P "$JOBS" -I{} bash -c 'objects_linked {}' 2>/dev/null | sort >"$OBJECTS/linked"
    ! grep -E '^(different|neither 0|neither 1[0-9])' "$OBJECTS/linked" >"$OBJECTS/linked.bad" || bad=1
    grep -q ^same "$OBJECTS/linked" || bad=1
    verdict "objects linked" "$bad" "$(grep -c ^same "$OBJECTS/linked") the same bytes, $(
        grep -c ^extern "$OBJECTS/linked" || true) but for the section of externs, $(
        grep -c ^different "$OBJECTS/linked" || true) different, $(grep -c ^refused "$OBJECTS/linked" || true) refused by kbtf alone"
    passed_on objects "$CACHE/kernels/6.12/vmlinux.btf" "$OBJECTS"/o/*.o
    objects_alone
    bad=0
    export CACHE
    find "$OBJECTS/o" -name '*.o' | sort | xargs -P "$JOBS" -I{} bash -c 'objects_needed {}' 2>/dev/null | sort >"$OBJECTS/needed"
    # Without .BTF.ext, or with types that kernels refuse, there is nothing to ask.
    ! grep -vE '^(same|neither) |such section|Unexpected size: 0' "$OBJECTS/needed" >"$OBJECTS/needed.bad" || bad=1
    grep -q ^same "$OBJECTS/needed" || bad=1
    verdict "objects needed" "$bad" "$(grep -c ^same "$OBJECTS/needed") min_core_btf the same bytes, $(
        grep -c ^neither "$OBJECTS/needed" || true) refused by both, $(wc -l <"$OBJECTS/needed.bad") otherwise"
}
