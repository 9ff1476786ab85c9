#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Part of run.sh: every libbpf that Debian has (libraries-inputs.sh). kbtf is compiled once, with libbpf 1.1, and bound to
# each of the others by the dynamic loader: their interface only grows.
#
#   libraries   its sources compile with the headers of each; it runs with each and says so; its tests of loaders pass;
#               of the programs in libraries/, each libbpf loads those it knows, and kbtf refuses the others by name. In a
#               guest of 7.3 they load, attach and run

LIBRARIES=(1.1 1.4 1.5 1.7 1.8 1.8-7.3)
# kbtf, and its tests as `swift build --build-tests` makes them.
: "${DYNAMIC_KBTF:=$SCRATCH/tools/release/kbtf}"
: "${TEST_BUNDLE:=$SCRATCH/debug/kbtfPackageTests.xctest}"
NEWER=$WORK/libraries

# with_library NAME PROGRAM FILE: FILE becomes a program that runs PROGRAM with that libbpf, by sid's dynamic loader: the
# newest of these libraries want its libc.
with_library() {
    local swift path
    swift=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")/lib/swift/linux
    path=$(echo "$CACHE/libbpf/$1"/usr/lib/*)
    printf "#!/bin/sh\nLD_BIND_NOW=1 exec '%s' --library-path '%s' '%s' \"\$@\"\n" "$SID/lib64/ld-linux-x86-64.so.2" \
        "$path:$SID/lib/x86_64-linux-gnu:$SID/usr/lib/x86_64-linux-gnu:$swift" "$2" >"$3"
    chmod +x "$3"
}

# compiles NAME: BPFLoad, the only room that knows libbpf, with the headers of that one.
compiles() {
    local modules=${TEST_BUNDLE%/*}/Modules
    swiftc -typecheck -swift-version 6 -package-name kbtf -module-name BPFLoad -strict-memory-safety \
        -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature MemberImportVisibility \
        -enable-upcoming-feature ExistentialAny -warnings-as-errors -I "$modules" -module-cache-path "$NEWER/modules-$1" \
        -Xcc -I"$CACHE/libbpf/$1/usr/include" -Xcc -fmodule-map-file="$REPO/Sources/CBpf/module.modulemap" \
        -Xcc -fmodule-map-file="$REPO/Sources/CElf/module.modulemap" \
        -Xcc -fmodule-map-file="$REPO/Sources/CLinux/module.modulemap" \
        -Xcc -fmodule-map-file="$REPO/Sources/CMalloc/module.modulemap" \
        -Xcc -fmodule-map-file="$REPO/Sources/CZlib/module.modulemap" \
        -Xcc -fmodule-map-file="$REPO/Sources/CZstd/module.modulemap" "$REPO"/Sources/BPFLoad/*.swift
}

# expected_of MINOR NEEDED: what gen skeleton says of an object that needs libbpf 1.NEEDED.
expected_of() { if [ "$1" -ge "$2" ]; then echo taken; else echo "libbpf 1.$2 does"; fi; }

# Each program alone, with the version that knows it first.
one_by_one() {
    local name section needed
    while read -r name needed section; do
        printf '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\nSEC("%s")\nint %s(void *ctx)\n{\n\treturn 0;\n}\nchar LICENSE[] SEC("license") = "GPL";\n' \
            "$section" "$name" >"$NEWER/$name.bpf.c"
        newer_object "$NEWER/$name.bpf.c" || return 1
        echo "$name $needed"
    done <<'SECTIONS'
uprobe_multi 3 uprobe.multi//bin/true:main
usdt_sleepable 3 usdt.s//bin/true:a:b
tcx 3 tcx/egress
netkit 3 netkit/peer
unix_hook 3 cgroup/sendmsg_unix
netfilter_hook 3 netfilter
sk_skb_verdict 4 sk_skb/verdict
kprobe_session 5 kprobe.session/do_exit
uprobe_session 6 uprobe.session//bin/true:main
fsession 7 fsession/do_exit
fentry_multi 8 fentry.multi/do_e*
fexit_multi 8 fexit.multi.s/do_e*
tracepoint_sleepable 8 tp.s/syscalls/sys_enter_getuid
SECTIONS
    cat >"$NEWER/arena.bpf.c" <<'SOURCE'
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
	__ulong(map_extra, 0x1ull << 44);
} memory SEC(".maps");
char LICENSE[] SEC("license") = "GPL";
SOURCE
    newer_object "$NEWER/arena.bpf.c" && echo arena 4
}

# newer_object SOURCE: compiles it to $NEWER
newer_object() {
    local out
    out=$NEWER/$(basename "$1" .bpf.c).o
    clang-16 -g -O2 -mcpu=v3 -target bpf -D__TARGET_ARCH_x86 -fms-extensions -Wno-microsoft-anon-tag -Wall -I"$NEWER" \
        -I"$CACHE/libbpf/1.8-7.3/usr/include" -c "$1" -o "$out"
}

# library NAME: the verdicts about one.
library() {
    local name=$1 minor kbtf=$NEWER/kbtf-$1 said object needed wanted bad=0 taken=0 refused=0 tests
    minor=${name#1.}
    minor=${minor%-*}
    with_library "$name" "$DYNAMIC_KBTF" "$kbtf"
    compiles "$name" >"$NEWER/$name.compiled" 2>&1 || bad=1
    [ "$("$kbtf" --version | tail -n 1)" = "using libbpf 1.$minor" ] || bad=1
    while read -r object needed; do
        said=taken
        "$kbtf" gen skeleton -q -L "$NEWER/$object.o" >"$NEWER/$object.$name.h" 2>"$NEWER/$object.$name.err" ||
            said=$(grep -o "libbpf 1\.[0-9]* does\$" "$NEWER/$object.$name.err" || tail -n 1 "$NEWER/$object.$name.err")
        wanted=$(expected_of "$minor" "$needed")
        [ "$said" = "$wanted" ] || { echo "$object with $name: $said, expected $wanted"; bad=1; }
        if [ "$said" = taken ]; then taken=$((taken + 1)); else refused=$((refused + 1)); fi
    done <"$NEWER/list" >"$NEWER/$name.objects"
    # No version number distinguishes the two that know this one.
    said=$("$kbtf" gen skeleton -q -L "$NEWER/percpu.o" 2>&1 >"$NEWER/percpu.$name.h" | head -n 1) || true
    case $name in
    *-7.3) [ -z "$said" ] || bad=1 ;;
    *) [[ $said = *"libbpf 1.$minor does not know, but libbpf 1.8 of Linux 7.3 does" ]] || bad=1 ;;
    esac
    verdict "libbpf $name" "$bad" \
        "compiles, $taken objects taken, $refused refused by name$(head -n 1 "$NEWER/$name.compiled")$(head -n 2 "$NEWER/$name.objects")"

    bad=0
    with_library "$name" "$TEST_BUNDLE" "$NEWER/tests-$name"
    "$NEWER/tests-$name" --testing-library swift-testing --filter 'BPFLoadTests|ProgramKindTests' >"$NEWER/$name.tests" 2>&1 || bad=1
    tests=$(sed -n 's/.*Test run with \([0-9]* tests\).* passed.*/\1/p' "$NEWER/$name.tests")
    [ -n "$tests" ] || bad=1
    verdict "libbpf $name, tests" "$bad" "${tests:-$(grep -m 1 recorded "$NEWER/$name.tests")}"
}

# newer_guest NAME OPTIONS...: on 7.3, skeletons that kbtf makes with that libbpf.
newer_guest() {
    local name=$1 dir=$NEWER/guest-$1 bad=0 object objects=(newer)
    shift
    [ "$name" != 1.8-7.3 ] || objects+=(percpu)
    mkdir -p "$dir/test"
    {
        for object in "${objects[@]}"; do
            "$NEWER/kbtf-$name" gen skeleton -q -L --own-types "$NEWER/$object.o" name "$object" >"$dir/$object.lskel.h"
        done
        gcc -O1 -Wall -Wextra -Werror "$@" -I"$dir" "$HERE/libraries/newer.c" -static -o "$dir/test/newer"
        "$KBTF" vm run --kernel "$(kernel_of 7.3)" --cpus "$(processors_of 7.3)" --test "$dir/test" --log "$dir.log"
    } >"$dir.ktap" 2>"$dir.err" || bad=1
    verdict "7.3 skeletons, libbpf $name" "$bad" "$(points "$dir.ktap")$([ "$bad" = 0 ] || tail -n 1 "$dir.err")"
}

# newer_module NAME: a module of session.bpf.c, with the test that kbtf writes of it.
newer_module() {
    local bad=0 dir=$NEWER/module root kbtf=$NEWER/kbtf-$1
    root=$(root_of 7.3)/session
    rm -rf "$root"
    mkdir -p "$(dirname "$root")"
    {
        "$kbtf" gen module -q -o "$root" "$NEWER/session.o" &&
            "$kbtf" gen selftest -q "$root" &&
            build 7.3 make -s -C "$(seen 7.3 "$(readlink -f "$(headers_of 7.3)")")" M="$(seen 7.3 "$root")" W=1 \
                CONFIG_DEBUG_INFO_BTF_MODULES= modules && make -s -C "$root/selftest" stage &&
            "$KBTF" vm run --kernel "$(kernel_of 7.3)" --cpus "$(processors_of 7.3)" --test "$root/selftest/stage" --log "$dir.log"
    } >"$dir.ktap" 2>"$dir.err" || bad=1
    rm -rf "$root"
    verdict "7.3 module, libbpf $1" "$bad" "$(points "$dir.ktap")$([ "$bad" = 0 ] || tail -n 1 "$dir.err")"
}

run_libraries() {
    local name step
    for step in kbuild-inputs libraries-inputs guests-inputs; do
        bash "$HERE/$step.sh" >/dev/null || die "$step.sh failed"
    done
    swift build --scratch-path "$SCRATCH" --package-path "$REPO" --build-tests >"$CACHE/conformance.build" 2>&1 || die "the tests do not build"
    mkdir -p "$NEWER"
    "$KBTF" dump --format c "$(vmlinux_of 7.3)" >"$NEWER/vmlinux.h"
    { one_by_one >"$NEWER/list" && newer_object "$HERE/libraries/newer.bpf.c" && newer_object "$HERE/libraries/percpu.bpf.c" &&
        newer_object "$HERE/libraries/session.bpf.c"; } \
        2>"$NEWER/messages" || { verdict "libbpf" 1 "$(head -n 1 "$NEWER/messages")"; return; }
    for name in "${LIBRARIES[@]}"; do library "$name"; done
    newer_guest 1.8
    newer_guest 1.8-7.3 -DPERCPU
    newer_module 1.8-7.3
}
